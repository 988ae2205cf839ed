"""The package as it is shipped: the wheel's files, the import contract, what README promises."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import bayes_lmmlasso as bl

ROOT = Path(__file__).parents[1]


def test_wheel_holds_the_models_as_real_files(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "uv", "build", "--wheel", "--out-dir", str(tmp_path), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        model = archive.read("bayes_lmmlasso/models/laplace.py")
    assert model == (ROOT / "models" / "laplace.py").read_bytes()
    assert {"bayes_lmmlasso/models/__init__.py", "bayes_lmmlasso/cli.py", "bayes_lmmlasso/py.typed"} <= names
    assert not [name for name in names if name.startswith(("models/", "tests/"))]


def test_models_are_a_link_to_the_top_level_folder():
    link = ROOT / "bayes_lmmlasso" / "models"
    assert link.is_symlink()
    assert link.readlink() == Path("../models")


def test_rooms_import_only_what_lies_below_them():
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_public_names_exist_and_are_documented():
    for name in bl.__all__:
        thing = getattr(bl, name)
        if callable(thing):
            assert thing.__doc__, f"{name} has no docstring"


def test_readme_starts_with_the_two_commands_that_ci_runs():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^ *(python3 -m pip install uv && .*)$", readme, flags=re.MULTILINE)
    assert commands[:2] == [
        "python3 -m pip install uv && python3 -m uv run bayes-lmmlasso demo",
        "python3 -m pip install uv && python3 -m uv run pytest",
    ]
    assert commands[1] in (ROOT / ".ci" / "run").read_text(encoding="utf-8")

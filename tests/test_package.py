"""The package as it is shipped: the wheel's files, the import contract, what README promises."""

from __future__ import annotations

import ast
import doctest
import inspect
import pkgutil
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Unpack, get_args, get_origin

import pytest

import bayes_lmmlasso as bl

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", *(f"docs/{page.name}" for page in ROOT.glob("docs/*.md"))]
NOT_IMPORTED = {"cuda", "notebook"}  # extras: another build of JAX, and programs around the package


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


def requirements(lines: list[str]) -> set[str]:
    """Names of distributions, as they are compared."""
    return {normalised(re.split(r"[^\w.-]", line)[0]) for line in lines}


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported_modules(source: Path) -> Iterator[tuple[str, str]]:
    """Top-level modules that a file imports, each with the extra that brings it, or "" (see `optional_package`)."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from ((alias.name.split(".")[0], "") for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.split(".")[0], ""
            case ast.Call(
                func=ast.Name(id="optional_package"), args=[ast.Constant(value=module), ast.Constant(value=name)]
            ):
                yield module.split(".")[0], name


def test_declared_dependencies_are_those_imported():
    owners = packages_distributions()
    imported: dict[str, set[str]] = {}
    sources = [path for folder in ("bayes_lmmlasso", "models") for path in sorted((ROOT / folder).rglob("*.py"))]
    for module, name in {found for source in sources for found in imported_modules(source)}:
        if module not in sys.stdlib_module_names | {"bayes_lmmlasso"}:
            imported.setdefault(name, set()).update(map(normalised, owners.get(module, [module])))
    extras = {name: lines for name, lines in PROJECT["optional-dependencies"].items() if name not in NOT_IMPORTED}
    declared = {name: requirements(lines) for name, lines in {"": PROJECT["dependencies"], **extras}.items()}
    assert set().union(*imported.values()) == set().union(*declared.values())
    assert imported.pop("") - declared[""] <= declared["cluster"]  # whoever has no cluster never comes to its import
    assert [name for name, found in imported.items() if not found <= declared[name]] == []


def keywords(function: Callable[..., object]) -> Iterator[str]:
    """What a function takes; of `**plan: Unpack[SomeTypedDict]` the keys."""
    for parameter in inspect.signature(function, eval_str=True).parameters.values():
        if get_origin(parameter.annotation) is Unpack:
            yield from get_args(parameter.annotation)[0].__annotations__
        else:
            yield parameter.name


def test_public_names_are_few_and_documented():
    assert len(bl.__all__) <= 45
    for name in bl.__all__:
        thing = getattr(bl, name)
        assert inspect.getdoc(thing), f"{name} has no docstring"
        if inspect.isroutine(thing):
            for parameter in keywords(thing):
                described = re.search(rf"^\W*(\w+, )*{parameter}(, \w+)*( : .*)?$", inspect.getdoc(thing), re.MULTILINE)
                assert described, f"{name} does not describe {parameter}"


def test_examples_of_public_names_are_true():
    finder = doctest.DocTestFinder(recurse=False)
    examples = [test for name in bl.__all__ for test in finder.find(getattr(bl, name), name)]
    failed = [doctest.DocTestRunner(verbose=False).run(test) for test in examples]
    assert sum(result.attempted for result in failed) >= 30
    assert sum(result.failed for result in failed) == 0


def test_the_contract_of_python_is_kept():
    contract = (
        "read_plink read_bimbam read_vcf_zarr kinship Eigenbasis fit_null_model lasso_path stability_selection blup "
        "LMMLasso rotate sample_posterior inclusion_table window_table analyse open_run Analysis InputError"
    )
    assert set(contract.split()) <= set(bl.__all__)
    assert "bl.analyse(" in bl.__doc__


def test_readme_starts_with_the_two_commands_that_ci_runs():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^ *(python3 -m pip install uv && .*)$", readme, flags=re.MULTILINE)
    assert commands[:2] == [
        "python3 -m pip install uv && python3 -m uv run bayes-lmmlasso demo",
        "python3 -m pip install uv && python3 -m uv run pytest",
    ]
    assert commands[1] in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_links_of_pages_lead_to_files(page):
    path = ROOT / page
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (path.parent / link).exists()] == []


def test_names_of_the_pages_exist():
    readme = "\n".join(
        (ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/use.md", "docs/howto.md")
    )
    names = set(re.findall(r"\bbl\.(\w+(?:\.\w+)*)", readme))
    for room, text in re.findall(r"^\| `bl\.(\w+)` \| (.*) \|$", readme, flags=re.MULTILINE):
        names |= {f"{room}.{name}" for name in re.findall(r"`([A-Za-z_][\w.]*)", text)}
    assert len(names) > 30
    for name in names:
        pkgutil.resolve_name(f"bayes_lmmlasso.{name}")


def test_changelog_has_a_section_for_this_version():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (.+)$", changelog, flags=re.MULTILINE)
    assert sections[0] == "Unreleased" or sections[0].startswith(bl.__version__)
    assert [name for name in sections if re.fullmatch(rf"{re.escape(PROJECT['version'])} \(\d{{4}}-\d\d-\d\d\)", name)]


def test_the_citation_is_of_this_version():
    assert f"\nversion: {PROJECT['version']}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")

"""Every command and Python snippet of README and of the pages that teach is run, on small files of the names they use.

Of what takes minutes or a download, named in `PARSED`, the options are checked. `bl.analyse` opens a run made before,
and `bl.sample_posterior` draws twenty.
"""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from click.testing import CliRunner
from small_run import settings, sparse_run

import bayes_lmmlasso as bl
from bayes_lmmlasso.cli import app
from bayes_lmmlasso.cohort import sample_frame, write_plink

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "docs/use.md", "docs/howto.md"]
PARSED = (
    "fetch",
    "compare",
    "run",
    "resume",
)  # downloads, hours, and JAX compiling: their options are checked, not run
LENGTHS = {"chains": 2, "warmup": 10, "draws": 20}
COMMAND = typer.main.get_command(app)


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a language on a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def commands(page: str) -> list[str]:
    """The commands of a page, one a line of its shell blocks."""
    return [line for block in blocks(page, "bash") for line in block.splitlines() if line]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The files that the pages speak of: mice, lines, new mice, traits, covariates, a kinship, and a run called cd8."""
    place = tmp_path_factory.mktemp("pages")
    small = settings()
    cohort = bl.read_plink(small.data.bfile, phenotypes=small.data.pheno, trait="colour")
    ids = sample_frame(cohort)
    for name in ("mice", "lines", "new_mice", "new"):
        write_plink(cohort, place / name)
    values = cohort["colour"].values
    ids.assign(cd8=values, LN16=values).to_csv(place / "traits.tsv", sep="\t", index=False)
    rng = np.random.default_rng(1)
    ages = {"age": rng.normal(size=len(ids)), "batch": rng.integers(1, 4, len(ids))}
    ids.assign(**ages).to_csv(place / "ages.tsv", sep="\t", index=False)
    analysis = bl.prepare(cohort, "colour", maf=0.0, missing=1.0)
    K = pd.DataFrame(bl.kinship(analysis.X), index=ids["iid"], columns=ids["iid"])
    K.to_csv(place / "kinship.tsv", sep="\t", index_label="iid")
    dosage = pd.DataFrame(cohort["call_dosage"].values.T, columns=cohort["variant_id"].values)
    for name, counts in (("dosages", dosage), ("lines", dosage.clip(upper=1))):
        counts.insert(0, "iid", ids["iid"])
        counts.to_csv(place / f"{name}.tsv", sep="\t", index=False)
    shutil.copytree(sparse_run().folder, place / "cd8")
    return place


@pytest.mark.parametrize("command", sorted({line for page in PAGES for line in commands(page)}))
def test_commands_are_right(command, folder, monkeypatch):
    monkeypatch.chdir(folder)
    program, name, *arguments = shlex.split(command)
    assert program == "bayes-lmmlasso"
    if name in PARSED:
        COMMAND.commands[name].make_context(name, arguments)
        return
    done = CliRunner().invoke(COMMAND, [name, *arguments, *(["--overwrite"] if name == "simulate" else [])])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("page", PAGES)
def test_python_snippets_run(page, folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(bl, "analyse", lambda *_, **__: bl.open_run("cd8"), raising=False)
    sample = bl.sample_posterior
    monkeypatch.setattr(bl, "sample_posterior", lambda *data, **given: sample(*data, **given | LENGTHS), raising=False)
    names: dict[str, object] = {"np": np}
    for block in blocks(page, "python"):
        exec(compile(block, page, "exec"), names)
    assert names["analysis"] is not None


def test_the_pages_hold_commands_and_snippets():
    assert sum(len(commands(page)) for page in PAGES) >= 20
    assert sum(len(blocks(page, "python")) for page in PAGES) >= 10

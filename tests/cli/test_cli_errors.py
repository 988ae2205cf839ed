"""Bad input: one sentence on stderr, status 2, no traceback, nothing left behind."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_run import copy_cohort, finished_copy, listing
from typer.testing import CliRunner

from bayes_lmmlasso.cli import app

COMMANDS = ("run", "null", "scan", "path", "stability", "sample")
STAGE_LINE = re.compile(r"^[a-z ]+: .* \(\d+\.\d s\)$")


def edit(path: Path, change) -> None:
    """Apply a change to a table of text."""
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    change(table).to_csv(path, sep="\t", index=False)


def with_value(path: Path, column: str, value: str, rows=slice(None)) -> None:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[table.index[rows], column] = value
        return table

    edit(path, change)


def write_kinship(folder: Path, change) -> list[str]:
    """Write a 58 x 58 kinship (the analysed samples) spoilt by ``change``."""
    np.savetxt(folder / "k.txt", change(np.eye(58)))
    return ["--kinship", str(folder / "k.txt")]


def spoilt(matrix, i, j, value):
    matrix[i, j] = value
    return matrix


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def rename_first(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new, 1))


CASES = {
    "missing genotypes": (lambda d: (d / "small.bed").unlink(), "small.bed"),
    "missing bim": (lambda d: (d / "small.bim").unlink(), "small.bim"),
    "missing fam": (lambda d: (d / "small.fam").unlink(), "small.fam"),
    "missing phenotypes": (lambda d: (d / "pheno.tsv").unlink(), "pheno.tsv"),
    "missing covariates": (lambda d: (d / "covar.tsv").unlink(), "covar.tsv"),
    "empty phenotypes": (lambda d: (d / "pheno.tsv").write_text(""), "pheno.tsv"),
    "ragged phenotypes": (lambda d: append(d / "pheno.tsv", "lonely\n"), "line 62 of"),
    "unknown trait": (lambda d: ["--trait", "weight"], "'weight'"),
    "trait of words": (lambda d: ["--trait", "word"], "'tall'"),
    "all-NaN trait": (lambda d: ["--trait", "empty"], "'empty'"),
    "constant trait": (lambda d: ["--trait", "flat"], "'flat'"),
    "infinite trait": (lambda d: with_value(d / "pheno.tsv", "height", "inf", slice(1, 2)), "got inf for sample"),
    "no shared sample": (lambda d: edit(d / "pheno.tsv", lambda t: t.assign(iid="x" + t.iid)), "got none"),
    "duplicated phenotype id": (lambda d: edit(d / "pheno.tsv", lambda t: pd.concat([t, t[:1]])), "pop1_1"),
    "duplicated fam id": (lambda d: rename_first(d / "small.fam", "pop1_2", "pop1_1"), "pop1_1"),
    "infinite covariate": (lambda d: with_value(d / "covar.tsv", "age", "-inf", slice(3, 4)), "'age'"),
    "covariate all missing": (
        lambda d: with_value(d / "covar.tsv", "age", "NaN"),
        "got none: fill it in, or leave it out (--covar-names sex)",
    ),
    "constant covariate": (lambda d: with_value(d / "covar.tsv", "age", "3"), "'age'"),
    "truncated bed": (lambda d: (d / "small.bed").write_bytes((d / "small.bed").read_bytes()[:-9]), "truncated"),
    "not a bed": (lambda d: (d / "small.bed").write_bytes(b"nonsense"), "6c 1b 01"),
    "kinship without a file": (lambda d: ["--kinship", "rmm"], "'rmm'"),
    "non-square kinship": (lambda d: write_kinship(d, lambda K: K[:, :-1]), "(58, 57)"),
    "kinship of other samples": (lambda d: write_kinship(d, lambda K: K[:-1, :-1]), "57 x 57"),
    "asymmetric kinship": (lambda d: write_kinship(d, lambda K: spoilt(K, 0, 1, 0.5)), "row 1, column 2"),
    "indefinite kinship": (lambda d: write_kinship(d, lambda K: spoilt(K, 0, 0, -1.0)), "smallest eigenvalue -1"),
    "NaN in kinship": (lambda d: write_kinship(d, lambda K: spoilt(K, 2, 2, np.nan)), "row 3, column 3"),
    "words in kinship": (lambda d: [*write_kinship(d, lambda K: K), (d / "k.txt").write_text("a b")][:2], "k.txt"),
    "maf out of range": (lambda d: ["--maf", "0.7"], "got 0.7"),
    "missing out of range": (lambda d: ["--missing", "-1"], "got -1"),
    "no SNP left": (lambda d: (d / "small.bed").write_bytes(b"\x6c\x1b\x01" + bytes(15 * 200)), "constant 200"),
    "unknown transform": (lambda d: ["--transform", "log"], "'log'"),
    "transform of negative values": (lambda d: ["--transform", "box-cox"], "Box-Cox"),
}


def arguments(command: str, folder: Path, trait: str = "height") -> list[str]:
    out = folder / ("out" if command in ("run", "sample") else "out.tsv")
    files = {"bfile": "small", "pheno": "pheno.tsv", "covar": "covar.tsv"}
    given = [f"--{name}={folder / file}" for name, file in files.items()]
    return [command, *given, "--trait", trait, f"--out={out}"]


def check(result, words: str, folder: Path, before: dict[str, int]) -> None:
    """One sentence that holds ``words``, status 2, an unchanged folder."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    *stages, error = result.stderr.splitlines()
    assert all(STAGE_LINE.match(line) for line in stages), stages
    assert error.startswith("Error: ")
    assert words in error
    assert "Traceback" not in result.stderr
    assert listing(folder) == before


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("command", COMMANDS)
def test_bad_data(tmp_path, command, case):
    spoil, words = CASES[case]
    folder = copy_cohort(tmp_path)
    more = spoil(folder)
    more = list(more) if isinstance(more, list) else []
    trait = more[1] if more[:1] == ["--trait"] else "height"
    before = listing(folder)
    result = CliRunner().invoke(app, [*arguments(command, folder, trait), *(more if trait == "height" else [])])
    check(result, words, folder, before)


@pytest.mark.parametrize(
    ("command", "options", "words"),
    [
        ("run", ["--model", "ridge"], "'ridge'"),
        ("run", ["--chains", "0"], "--chains of at least 1, got 0"),
        ("sample", ["--warmup", "0"], "--warmup of at least 1, got 0"),
        ("sample", ["--draws", "3"], "--draws of at least 4, got 3"),
        ("sample", ["--model", "spike_slab", "--sweeps", "0"], "--sweeps of at least 1, got 0"),
        ("run", ["--model", "normal", "--sweeps", "9"], "expected --sweeps with the composite sampler alone"),
        ("run", ["--sampler", "nuts", "--sweeps", "9"], "expected --sweeps with the composite sampler alone"),
        ("run", ["--sampler", "gibbs"], "'gibbs'"),
        ("sample", ["--model", "normal", "--sampler", "composite"], "expected --sampler auto or nuts for"),
        ("run", ["--chains", "2", "--draws", "12"], "at least 25 draws of all chains together"),
        ("run", ["--seed", "-1"], "--seed of at least 0, got -1"),
        ("run", ["--window", "wide"], "'wide'"),
        ("run", ["--until", "soon"], "such as rhat=1.01,mcse=0.02,minutes=15, got 'soon'"),
        ("sample", ["--until", "rhat=1"], "rhat above 1 as a target of sampling, got 1.0"),
        ("run", ["--effects", "some"], "'some'"),
        ("run", ["--precision", "half"], "'half'"),
        ("run", ["--devices", "0"], "--devices of at least 1, got 0"),
        ("sample", ["--devices", "99"], "devices, as many as JAX sees (cpu), got 99"),
        ("path", ["--n-active", "0"], "--n-active of at least 1, got 0"),
        ("stability", ["--subsamples", "0"], "--subsamples of at least 1, got 0"),
        ("stability", ["--subsample-fraction", "1.5"], "got 1.5"),
        ("scan", ["--method", "glm"], "'glm'"),
        ("scan", ["--loco", "--method", "lm"], "got --method lm"),
        ("scan", ["--loco", "--kinship", __file__], "with a kinship estimated from the genotypes for --loco"),
    ],
)
def test_values_out_of_range(tmp_path, command, options, words):
    folder = copy_cohort(tmp_path)
    before = listing(folder)
    result = CliRunner().invoke(app, [*arguments(command, folder), *options])
    check(result, words, folder, before)


@pytest.mark.parametrize(
    ("command", "option", "words"),
    [
        ("run", "--trait", "expected --trait once, got it 2 times: give it once"),
        ("scan", "--bfile", "expected --bfile once"),
        ("stability", "--out", "expected --out once"),
    ],
)
def test_an_option_given_twice_is_refused(tmp_path, command, option, words):
    folder = copy_cohort(tmp_path)
    before = listing(folder)
    result = CliRunner().invoke(app, [*arguments(command, folder), option, "again"])
    check(result, words, folder, before)


def test_resume_of_what_is_no_run(tmp_path):
    folder = copy_cohort(tmp_path)
    before = listing(folder)
    check(CliRunner().invoke(app, ["resume", str(folder)]), "expected the folder of a finished run", folder, before)


@pytest.mark.parametrize("command", ["run", "sample"])
def test_a_folder_with_another_run_is_refused(tmp_path, command):
    folder = copy_cohort(tmp_path)
    finished_copy(folder / "out")
    before = listing(folder)
    check(CliRunner().invoke(app, arguments(command, folder)), "--overwrite", folder, before)


@pytest.mark.parametrize("command", ["run", "sample"])
def test_a_folder_with_other_files_is_refused_even_to_overwrite(tmp_path, command):
    folder = copy_cohort(tmp_path)
    (folder / "out").mkdir()
    (folder / "out" / "thesis.txt").write_text("precious")
    before = listing(folder)
    check(CliRunner().invoke(app, [*arguments(command, folder), "--overwrite"]), "thesis.txt", folder, before)


@pytest.mark.parametrize("command", ["null", "scan", "path", "stability"])
def test_a_table_needs_an_existing_folder(tmp_path, command):
    folder = copy_cohort(tmp_path)
    before = listing(folder)
    given = [*arguments(command, folder)[:-1], f"--out={folder / 'absent' / 'out.tsv'}"]
    check(CliRunner().invoke(app, given), "create the folder first", folder, before)


@pytest.mark.parametrize("spoil", ["no folder", "no run", "no table", "no posterior"])
def test_report_needs_a_finished_run(tmp_path, spoil):
    folder = tmp_path / "run"
    if spoil == "no run":
        folder.mkdir()
    elif spoil != "no folder":
        finished_copy(folder)
        lost = folder / ("windows.tsv" if spoil == "no table" else "posterior.zarr")
        lost.rename(tmp_path / "elsewhere")
    before = listing(tmp_path)
    check(CliRunner().invoke(app, ["report", str(folder)]), str(folder), tmp_path, before)


def test_an_unexpected_error_is_not_swallowed(tmp_path, monkeypatch):
    folder = copy_cohort(tmp_path)
    before = listing(folder)
    monkeypatch.setattr("bayes_lmmlasso.run.stages.fit_null_model", lambda *args: 1 / 0)
    result = CliRunner().invoke(app, arguments("null", folder))
    assert isinstance(result.exception, ZeroDivisionError)
    assert listing(folder) == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["run", "--maf=0.1"], "expected --trait, and --out, and one of --bfile, --pgen, "),
        (["run", "--bfile=b", "--out=out"], "expected --trait, got none: add it"),
        (["predict"], "expected DIR, and --out, and one of --bfile"),
        (["simulate"], "expected --out, got none: add it"),
        (["null", "--chains=3"], "--chains"),
        (["path", "--bfile=b", "--trait=y", "--out=o", "--n-active=many"], "--n-active"),
        (["ruin"], "ruin"),
    ],
)
def test_misuse_ends_with_status_2(options, words):
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 2
    assert words in result.stderr
    assert sum(line.startswith("Error: ") for line in result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("trait", "words"),
    [("height", "covar.tsv"), ("flat", "'flat'")],
)
def test_the_installed_command_ends_with_status_2(tmp_path, trait, words):
    folder = copy_cohort(tmp_path)
    if trait == "height":
        (folder / "covar.tsv").unlink()
    before = listing(folder)
    command = Path(sys.executable).with_name("bayes-lmmlasso")
    given = arguments("run", folder, trait)
    run = subprocess.run([command, *given], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert run.returncode == 2
    assert run.stdout == ""
    (error,) = run.stderr.splitlines()
    assert error.startswith("Error: ")
    assert words in error
    assert listing(folder) == before

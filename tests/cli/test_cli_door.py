"""Data as people have them, by every format: the same result as with clean data, or one sentence; and what is told."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from genotype_files import options_by_format
from small_run import cohort_folder
from typer.testing import CliRunner

import bayes_lmmlasso as bl
from bayes_lmmlasso.cli import app
from bayes_lmmlasso.cohort import FORMATS
from bayes_lmmlasso.report.tables import read_tsv


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    """The option that names the small cohort, by format."""
    return options_by_format(cohort_folder() / "small", tmp_path_factory.mktemp("formats"))


def tables():
    """Trait and covariates of the small cohort as text, the trait above 0 so that -9 is no value."""
    traits, covariates = (
        pd.read_csv(cohort_folder() / f"{name}.tsv", sep="\t", dtype=str) for name in ("pheno", "covar")
    )
    height = pd.to_numeric(traits["height"], errors="coerce") + 20
    return traits.assign(height=height.map("{:.4f}".format).where(height.notna(), "NA")), covariates


def write_plainly(table, path):
    table.to_csv(path, sep="\t", index=False)


DIALECTS = {
    "minus nine": lambda table, path: write_plainly(table.replace("NA", "-9"), path),
    "marks": lambda table, path: write_plainly(table.replace("NA", "#N/A"), path),
    "rows in another order": lambda table, path: write_plainly(table.iloc[::-1], path),
    "columns in another order": lambda table, path: write_plainly(table[table.columns[::-1]], path),
    "no family": lambda table, path: write_plainly(table.assign(fid="0"), path),
    "the id twice": lambda table, path: write_plainly(table.assign(fid=table["iid"]), path),
    "ids alone": lambda table, path: write_plainly(table.drop(columns="fid"), path),
    "taxa": lambda table, path: write_plainly(table.drop(columns="fid").rename(columns={"iid": "Taxa"}), path),
    "spreadsheet": lambda table, path: path.write_bytes(
        b"\xef\xbb\xbf" + table.to_csv(sep=";", index=False).replace("\n", ";;\r\n").encode() + b";;;\r\n"
    ),
    "row names": lambda table, path: table.to_csv(path, sep=",", index=True, quoting=2),
    "utf-16": lambda table, path: path.write_bytes(table.to_csv(sep="\t", index=False).encode("utf-16")),
    "strangers": lambda table, path: write_plainly(
        pd.concat(
            [
                table,
                pd.DataFrame({"fid": ["x"], "iid": ["x1"], table.columns[2]: ["1.5"]}).reindex(
                    columns=table.columns, fill_value="1"
                ),
            ]
        ),
        path,
    ),
}


@pytest.fixture(scope="module")
def clean(options, tmp_path_factory):
    """The table of a scan of clean data."""
    folder = tmp_path_factory.mktemp("clean")
    for name, table in zip(("pheno", "covar"), tables(), strict=True):
        write_plainly(table, folder / f"{name}.tsv")
    return scan(options["bfile"], folder / "pheno.tsv", folder / "covar.tsv", folder / "scan.tsv")


def scan(genotypes, pheno, covar, out):
    result = invoke(
        "scan", *genotypes, "--pheno", pheno, "--trait", "height", "--covar", covar, "--method", "lm", "--out", out
    )
    assert result.exit_code == 0, result.output
    assert out.with_name(f"{out.name}.log").read_text() in result.stdout
    return out.read_bytes()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_same_data_in_any_dialect_and_format_give_the_same_bytes(options, clean, tmp_path, name, dialect):
    for file, table in zip(("pheno.csv", "covar.csv"), tables(), strict=True):
        DIALECTS[dialect](table, tmp_path / file)
    assert scan(options[name], tmp_path / "pheno.csv", tmp_path / "covar.csv", tmp_path / "scan.tsv") == clean


REFUSED = {
    "a decimal comma": (lambda age: age.str.replace(".", ","), r"got '-?\d*,\d+' \(a decimal comma"),
    "a date": (lambda age: age.where(age.index != 7, "2021-03-04"), r"got '2021-03-04' \(a date\) in line 9"),
    "a unit": (lambda age: age.where(age.index != 7, "12 weeks"), r"got '12 weeks' \(a number with a unit\) in line 9"),
    "a typing error": (lambda age: age.where(age.index != 7, "4O"), r"got '4O' in line 9"),
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kind", REFUSED)
def test_an_odd_number_is_never_a_group(options, tmp_path, name, kind):
    traits, covariates = tables()
    change, message = REFUSED[kind]
    write_plainly(traits, tmp_path / "pheno.tsv")
    covariates.assign(age=change(covariates["age"])).to_csv(tmp_path / "covar.tsv", sep="\t", index=False)
    out = tmp_path / "scan.tsv"
    data = (*options[name], "--pheno", tmp_path / "pheno.tsv", "--trait", "height", "--covar", tmp_path / "covar.tsv")
    result = invoke("scan", *data, "--out", out)
    assert result.exit_code == 2, result.output
    assert re.search(f"expected numbers in column 'age' of .*covar.tsv, {message}", result.stderr), result.stderr
    assert not out.exists()
    assert not out.with_name("scan.tsv.log").exists()
    assert invoke("scan", *data, "--covar-names", "sex", "--method", "lm", "--out", out).exit_code == 0


def test_every_command_says_how_covariates_were_taken_and_what_was_left_out(tmp_path):
    traits, covariates = tables()
    write_plainly(traits.iloc[3:].replace("NA", "-9"), tmp_path / "pheno.tsv")
    write_plainly(covariates.assign(batch=np.arange(len(covariates)) % 3), tmp_path / "covar.tsv")
    data = ("--bfile", cohort_folder() / "small", "--pheno", tmp_path / "pheno.tsv", "--trait", "height")
    data = (*data, "--covar", tmp_path / "covar.tsv", "--categorical", "batch")
    expected = [
        "height: 55 of 60 samples, 200 SNPs",
        "left out of the samples: 3 not in phenotype table (pop1_1, pop1_2, ...), 2 no trait (pop1_5, pop1_10)",
        "covariates: age: number, 55 values; sex: 2 levels (f, m); batch: 3 levels (0, 1, ...)",
        f"note: -9 is taken as missing in column 'height' of {tmp_path / 'pheno.tsv'}, as PLINK does (2 of 57 values)",
    ]
    short = {"path": ("--n-active", 3), "stability": ("--n-active", 3, "--subsamples", 5)}
    for command in ("null", "scan", "path", "stability"):
        out = tmp_path / f"{command}.tsv"
        result = invoke(command, *data, *short.get(command, ()), "--out", out)
        assert result.stdout.splitlines()[: len(expected)] == expected
        assert out.with_name(f"{out.name}.log").read_text().splitlines()[: len(expected)] == expected
    draws = ("--model", "normal", "--chains", 1, "--warmup", 10, "--draws", 25)
    result = invoke("sample", *data, *draws, "--out", tmp_path / "sample")
    assert result.stdout.splitlines()[: len(expected)] == expected
    record = json.loads((tmp_path / "sample" / "run.json").read_text())["data"]
    assert record["samples"]["dropped"]["no trait"] == 2
    assert record["samples"]["examples"]["no trait"] == ["pop1_5", "pop1_10"]
    assert record["covariates_taken"] == expected[2].removeprefix("covariates: ").split("; ")
    assert bl.open_run(tmp_path / "sample").record["data"] == record
    write_plainly(covariates.assign(batch=np.arange(len(covariates)) % 3), tmp_path / "new.tsv")
    out = tmp_path / "predicted.tsv"
    result = invoke("predict", tmp_path / "sample", *data[:2], "--covar", tmp_path / "new.tsv", "--out", out)
    assert result.exit_code == 0, result.output  # batch is taken as the run took it
    assert result.stdout.startswith("height: 60 samples, 200 SNPs\n")
    assert len(read_tsv(out)) == 60

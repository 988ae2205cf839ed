"""The commands on genotypes of every format: the same results as on the PLINK files of the same data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from genotype_files import options_by_format
from small_run import cohort_folder, contents
from typer.testing import CliRunner

from bayes_lmmlasso.cli import app
from bayes_lmmlasso.cohort import FORMATS

TRAIT = ("--pheno", cohort_folder() / "pheno.tsv", "--trait", "height")
SHORT = ("--model", "normal", "--chains", 1, "--warmup", 10)


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    """The option that names the small cohort, by format."""
    return options_by_format(cohort_folder() / "small", tmp_path_factory.mktemp("formats"))


def test_every_format_gives_the_same_table(options, tmp_path):
    tables = {}
    for name, option in options.items():
        result = invoke("scan", *option, *TRAIT, "--method", "lm", "--out", tmp_path / name)
        assert result.exit_code == 0, result.output
        tables[name] = (tmp_path / name).read_bytes()
    assert set(tables) == set(FORMATS)
    assert set(tables.values()) == {tables["bfile"]}


def results(folder):
    """Bytes of the results but for the record, which names the files and the time."""
    return {name: content for name, content in contents(folder).items() if name != "run.json"}


def test_resume_and_predict_follow_the_format(options, tmp_path):
    """A run of a VCF, with draws added and new samples predicted from .pgen, equals that of the PLINK files."""
    for name, new in (("bfile", "bfile"), ("vcf", "pgen")):
        out = tmp_path / name
        result = invoke("sample", *options[name], *TRAIT, *SHORT, "--draws", 25, "--out", out)
        assert result.exit_code == 0, result.output
        result = invoke("resume", out, "--draws", 50)
        assert result.exit_code == 0, result.output
        result = invoke("predict", out, *options[new], "--out", tmp_path / f"{name}.tsv")
        assert result.exit_code == 0, result.output
        arguments = json.loads((out / "run.json").read_text())["arguments"]
        given = {key: value for key, value in arguments.items() if key in options and value is not None}
        assert given == {name: str(options[name][1])}
    assert results(tmp_path / "vcf") == results(tmp_path / "bfile")
    assert (tmp_path / "vcf.tsv").read_bytes() == (tmp_path / "bfile.tsv").read_bytes()
    vcf = Path(options["vcf"][1])
    vcf.write_text(vcf.read_text().replace("\t0/0:.", "\t0/1:.", 1))
    refused = invoke("resume", tmp_path / "vcf", "--draws", 60)
    assert refused.exit_code == 2
    assert "with the same data" in refused.stderr


@pytest.mark.parametrize("command", ["run", "null", "predict"])
def test_genotypes_are_given_once(options, tmp_path, command):
    needed = (tmp_path,) if command == "predict" else TRAIT
    every = "one of --bfile, --pgen, --vcf, --vcf-zarr, --bimbam, --matrix, got"
    for given, words in (((), "none: add it"), ((*options["bfile"], *options["vcf"]), "--bfile and --vcf:")):
        result = invoke(command, *needed, *given, "--out", tmp_path / "out")
        assert result.exit_code == 2
        (line,) = result.stderr.splitlines()
        assert f"{every} {words}" in line
    assert not (tmp_path / "out").exists()

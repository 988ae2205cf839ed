"""The commands: what they write and what they say."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from small_run import cohort_folder, finished_copy, finished_run, listing, settings, skip_sampling
from typer.testing import CliRunner

import bayes_lmmlasso as bl
from bayes_lmmlasso.cli import app
from bayes_lmmlasso.progress import StageClock
from bayes_lmmlasso.report.tables import read_tsv
from bayes_lmmlasso.run.commands.demo import run_demo
from bayes_lmmlasso.run.commands.summary import demo_lines
from bayes_lmmlasso.run.stages import fit_mixed_model
from bayes_lmmlasso.terminal import StageBars


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def data_options():
    folder = cohort_folder()
    return "--bfile", folder / "small", "--pheno", folder / "pheno.tsv", "--trait", "height"


def test_help_names_every_option_of_the_contract():
    plain = invoke("run", "--help").stdout
    for option in (
        *("--bfile", "--pheno", "--trait", "--covar", "--kinship", "--model", "--maf", "--missing", "--transform"),
        *("--n-active", "--subsamples", "--subsample-fraction", "--chains", "--warmup", "--draws", "--window"),
        *("--seed", "--overwrite", "--out"),
    ):
        assert option in plain
    assert all(name in plain for name in bl.models.MODELS)
    commands = invoke("--help").stdout
    assert all(name in commands for name in ("demo", "run", "null", "scan", "path", "stability", "sample", "report"))


def test_null_writes_one_row(tmp_path):
    result = invoke("null", *data_options(), "--out", tmp_path / "null.tsv")
    assert result.exit_code == 0, result.output
    (row,) = read_tsv(tmp_path / "null.tsv").to_dict("records")
    null = finished_run().record["null_model"]
    assert row["n_samples"] == 58
    assert row["log_delta"] == pytest.approx(null["log_delta"], abs=1.0)  # there with covariates
    assert "height: 58 of 60 samples, 200 SNPs" in result.stdout
    assert (tmp_path / "null.tsv.log").read_text() in result.stdout
    assert "PVE" in result.stdout


@pytest.mark.parametrize("method", ["lm", "lmm-p3d", "lmm-exact"])
@pytest.mark.parametrize("kinship", ["rrm", "ibs"])
def test_scan_writes_one_row_a_snp(tmp_path, method, kinship):
    covar = ("--covar", cohort_folder() / "covar.tsv")
    options = (*data_options(), *covar, "--method", method, "--kinship", kinship)
    result = invoke("scan", *options, "--out", tmp_path / "scan.tsv")
    assert result.exit_code == 0, result.output
    table = read_tsv(tmp_path / "scan.tsv")
    assert list(table) == "chrom pos snp effect_allele other_allele eaf beta se p".split()
    mixed = fit_mixed_model(settings(covar=cohort_folder() / "covar.tsv", kinship=kinship).data, StageClock())
    analysis = mixed.analysis
    expected = bl.scan.scan(analysis.X, analysis.y, mixed.K, covariates=analysis.covariates, method=method)
    for column in ("beta", "se", "p"):
        np.testing.assert_allclose(table[column], getattr(expected, column), rtol=1e-5)
    first = table.loc[table["p"].idxmin(), "snp"]
    assert f"smallest p: {first} (" in result.stdout
    assert f"scan ({method}): " in result.stdout


def test_scan_leaves_the_chromosome_out(tmp_path):
    result = invoke("scan", *data_options(), "--loco", "--kinship", "centred", "--out", tmp_path / "scan.tsv")
    assert result.exit_code == 0, result.output
    analysis = fit_mixed_model(settings().data, StageClock()).analysis
    table = read_tsv(tmp_path / "scan.tsv")
    chromosomes = analysis.variants["chrom"].to_numpy()
    assert len(set(chromosomes)) > 1
    for chromosome in set(chromosomes):
        on = chromosomes == chromosome
        K = bl.gower_scale(bl.kinship(analysis.dosages()[:, ~on], "centred"))
        part = bl.scan.scan(analysis.X[:, on], analysis.y, K, covariates=analysis.covariates)
        np.testing.assert_allclose(table["p"][on], part.p, rtol=1e-4)


def test_path_writes_one_row_a_snp(tmp_path):
    result = invoke("path", *data_options(), "--n-active", 4, "--out", tmp_path / "path.tsv")
    assert result.exit_code == 0, result.output
    table = read_tsv(tmp_path / "path.tsv")
    assert list(table)[-2:] == ["beta_map", "path_rank"]
    assert (table["beta_map"] != 0).sum() == 4
    assert "4 active SNPs, certified" in result.stdout
    first = table.loc[table["beta_map"].abs().idxmax(), "snp"]
    assert f"largest effects: {first} (" in result.stdout


def test_stability_writes_one_row_a_snp_and_keeps_its_seed(tmp_path):
    options = (*data_options(), "--n-active", 4, "--subsamples", 8, "--seed", 2)
    for name in ("a.tsv", "b.tsv"):
        result = invoke("stability", *options, "--out", tmp_path / name)
        assert result.exit_code == 0, result.output
    assert (tmp_path / "a.tsv").read_bytes() == (tmp_path / "b.tsv").read_bytes()
    table = read_tsv(tmp_path / "a.tsv")
    assert list(table)[-3:] == ["stability", "selected", "duplicate_of"]
    own = table["duplicate_of"] == table["snp"]
    assert table.loc[own, "stability"].sum() == pytest.approx(4, abs=1e-3)
    assert "of 8 subsamples" in result.stdout


def test_sample_writes_the_posterior_alone(tmp_path):
    out = tmp_path / "posterior"
    counts = ("--chains", 1, "--warmup", 10, "--draws", 25)
    result = invoke("sample", *data_options(), *counts, "--model", "normal", "--out", out)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in out.iterdir()) == ["checkpoint", "hyper.tsv", "posterior.zarr", "run.json"]
    assert dict(bl.read_tree(out / "posterior.zarr")["posterior"].sizes)["draw"] == 25
    record = json.loads((out / "run.json").read_text())
    assert record["command"] == "sample"
    assert "n_active" not in record["arguments"]
    assert "caution: " in result.stdout  # 25 draws are too few
    refused = invoke("report", out)
    assert refused.exit_code == 2
    assert "got the result of `sample`" in refused.stderr


def test_report_is_made_again(tmp_path):
    folder = finished_copy(tmp_path / "run")
    (folder / "report.html").write_text("old")
    result = invoke("report", folder)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"report: {folder / 'report.html'}\n"
    assert (folder / "report.html").read_bytes() == (finished_run().folder / "report.html").read_bytes()


def test_progress_is_a_line_a_stage_on_stderr(tmp_path):
    result = invoke("path", *data_options(), "--out", tmp_path / "path.tsv")
    lines = result.stderr.splitlines()
    assert [line.split(":")[0] for line in lines] == ["data", "kinship", "null model", "path"]
    assert all(re.search(r" \(\d+\.\d s\)$", line) for line in lines)


def test_progress_is_a_bar_a_stage_on_a_terminal():
    stream = io.StringIO()
    with StageBars(Console(file=stream, force_terminal=True, width=100)) as progress:
        progress("sampling", 0, 1)
        progress("sampling", 25, 100, "warm-up")
        progress("sampling", 1, 1, "4 chains [done]")
    assert "sampling" in stream.getvalue()
    assert "4 chains [done]" in stream.getvalue()


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "here"
    sizes = {"n_samples": 60, "n_variants": 200, "chains": 2, "warmup": 40, "draws": 50, "subsamples": 10}
    return run_demo(folder, **sizes), sizes


def test_the_demo_sets_its_findings_beside_the_truth(demo):
    result, _ = demo
    folder = result.run.folder.parent
    assert sorted(path.name for path in folder.iterdir()) == [
        *("demo.bed", "demo.bim", "demo.fam", "demo_phenotypes.tsv", "demo_truth.tsv", "run")
    ]
    truth = read_tsv(folder / "demo_truth.tsv")
    assert set(result.snps["snp"]) == set(truth["snp"])
    inclusion = result.run.inclusion.set_index("snp")
    for row in result.snps.itertuples():
        assert (inclusion["stability"] > inclusion.loc[row.snp, "stability"]).sum() + 1 == row.rank_stability
        assert (inclusion["beta_mean"].abs() > abs(row.beta_mean)).sum() + 1 == row.rank_beta_mean
    assert result.shares["true"].sum() == pytest.approx(1)
    text = "\n".join(demo_lines(result))
    assert "simulated cohort written to" in text
    assert str(result.run.folder / "report.html") in text
    assert all(snp in text for snp in truth["snp"])


def test_the_demo_replaces_itself_and_nothing_else(demo, monkeypatch):
    result, sizes = demo
    folder = result.run.folder.parent
    skip_sampling(monkeypatch, result.run.folder)
    again = run_demo(folder, **sizes)
    assert again.replaced
    assert "replaced the earlier demo" in demo_lines(again)[0]
    (folder / "thesis.txt").write_text("precious")
    before = listing(folder)
    refused = invoke("demo", "--out", folder)
    assert refused.exit_code == 2
    assert "which holds thesis.txt" in refused.stderr
    assert listing(folder) == before


def test_the_installed_command_runs(tmp_path):
    command = Path(sys.executable).with_name("bayes-lmmlasso")
    options = [str(option) for option in data_options()]
    run = subprocess.run(
        [command, "null", *options, "--out", tmp_path / "null.tsv"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert np.isfinite(read_tsv(tmp_path / "null.tsv")["delta"]).all()

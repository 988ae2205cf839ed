"""The command simulate: files that hold together, real backgrounds, nothing left behind."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from small_run import cohort_folder, contents, listing
from typer.testing import CliRunner

import bayes_lmmlasso as bl
from bayes_lmmlasso.cli import app
from bayes_lmmlasso.report.tables import read_tsv

NEW = ("--samples", 40, "--variants", 120, "--chromosomes", 2, "--seed", 3)
FILES = {"genotypes.bed", "genotypes.bim", "genotypes.fam", "phenotypes.tsv", "truth.tsv", "components.tsv"}


def invoke(*arguments):
    return CliRunner().invoke(app, ["simulate", *map(str, arguments)])


def real(trait="height"):
    folder = cohort_folder()
    return "--bfile", folder / "small", "--pheno", folder / "pheno.tsv", "--trait", trait


def test_simulated_genotypes_and_their_truth_hold_together(tmp_path):
    result = invoke(*NEW, "--preset", "rakitsch2013", "--replicates", 3, "--n-causal", 4, "--out", tmp_path / "sim")
    assert result.exit_code == 0, result.output
    assert "3 traits with 4 causal SNPs (equal effects), background drawn" in result.stdout
    folder = tmp_path / "sim"
    assert {path.name for path in folder.iterdir()} == FILES | {"simulation.json"}
    assert {path.name for path in tmp_path.iterdir()} == {"sim"}
    truth, parts = read_tsv(folder / "truth.tsv"), read_tsv(folder / "components.tsv")
    cohort = bl.read_plink(folder / "genotypes", folder / "phenotypes.tsv", "sim2")
    assert list(truth["trait"].value_counts().items()) == [("sim1", 4), ("sim2", 4), ("sim3", 4)]
    analysis = bl.prepare(cohort, "sim2", maf=0.05)
    mine = truth[truth["trait"] == "sim2"]
    columns = pd.Index(analysis.variants["snp"]).get_indexer(mine["snp"])
    np.testing.assert_allclose(analysis.variants["eaf"].iloc[columns], mine["eaf"], rtol=1e-5)
    part = parts[parts["trait"] == "sim2"]
    assert part["iid"].tolist() == analysis.samples["iid"].tolist()
    # six digits are written
    np.testing.assert_allclose(analysis.X[:, columns] @ mine["effect"], part["causal"], atol=1e-4)
    total = part[["causal", "structure", "noise"]].sum(axis=1)
    np.testing.assert_allclose(cohort["sim2"], total, atol=1e-4)
    np.testing.assert_allclose(mine["effect_sd"], mine["effect"] / total.std(ddof=0), rtol=1e-4)
    shares = part[["causal", "structure", "noise"]].var(ddof=0)
    np.testing.assert_allclose(shares, np.array([0.25, 0.09, 0.04]) / 0.38, rtol=1e-4)
    record = json.loads((folder / "simulation.json").read_text())
    assert record["arguments"]["design"]["n_causal"] == 4
    assert [trait["seed"] for trait in record["traits"].values()] == [3, 4, 5]
    assert record["traits"]["sim2"]["variance"] == pytest.approx(total.var(ddof=0), rel=1e-4)


def test_the_same_command_writes_the_same_bytes_and_replaces_on_demand(tmp_path):
    out = tmp_path / "sim"
    assert invoke(*NEW, "--out", out).exit_code == 0
    first = contents(out)
    refused = invoke(*NEW, "--out", out)
    assert refused.exit_code == 2
    assert "give --overwrite to replace it" in refused.output
    assert invoke(*NEW, "--out", out, "--overwrite").exit_code == 0
    assert contents(out) == first
    assert invoke(*NEW[:-1], 4, "--out", out, "--overwrite").exit_code == 0
    assert contents(out)["truth.tsv"] != first["truth.tsv"]
    assert {path.name for path in tmp_path.iterdir()} == {"sim"}


@pytest.mark.parametrize("background", ["trait", "blup"])
def test_real_backgrounds(tmp_path, background):
    covar = ("--covar", cohort_folder() / "covar.tsv")
    result = invoke(*real(), *covar, "--background", background, "--seed", 2, "--out", tmp_path / "sim")
    assert result.exit_code == 0, result.output
    parts = read_tsv(tmp_path / "sim" / "components.tsv")
    folder = cohort_folder()
    cohort = bl.read_plink(folder / "small", folder / "pheno.tsv", "height", folder / "covar.tsv")
    analysis = bl.prepare(cohort, "height", covariates=["age", "sex"])
    assert parts["iid"].tolist() == analysis.samples["iid"].tolist()  # two lack the trait
    Z = analysis.covariates
    expected = analysis.y - Z @ np.linalg.solve(Z.T @ Z, Z.T @ analysis.y)
    if background == "blup":
        K = bl.gower_scale(bl.kinship(analysis.X))
        null = bl.fit_null_model(analysis.y, bl.Eigenbasis.from_kinship(K), Z, "reml")
        expected = bl.blup(K, K, null.delta, analysis.y - Z @ null.fixed_effects)
    assert np.corrcoef(parts["structure"], expected)[0, 1] == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--background", "blup"), "expected genotypes, --pheno and --trait for --background blup"),
        (("--background", "real"), "expected --background to be one of drawn, trait, blup, got 'real'"),
        (("--trait", "height"), "expected --background trait or blup"),
        (("--preset", "paper"), "expected --preset to be one of rakitsch2013, balanced"),
        (("--share-snps", 0.9), "add up to 1, got (0.9, 0.3, 0.4)"),
        (("--replicates", 0), "expected --replicates of at least 1, got 0"),
        (("--maf", 0.7), "expected --maf between 0 and 0.5"),
        ((*real("flat"), "--background", "trait"), "flat"),
        (("--bfile", "nowhere"), "nowhere"),
    ],
)
def test_bad_input_leaves_nothing_behind(tmp_path, arguments, message):
    result = invoke(*NEW, *arguments, "--out", tmp_path / "sim")
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert listing(tmp_path) == {}


def test_other_folders_are_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    result = invoke(*NEW, "--overwrite", "--out", tmp_path / "mine")
    assert result.exit_code == 2
    assert listing(tmp_path) == {"mine": (tmp_path / "mine").stat().st_size, "mine/notes.txt": 4}
    (tmp_path / "file").write_text("keep")
    assert "got the file" in invoke(*NEW, "--out", tmp_path / "file").output
    assert "create" in invoke(*NEW, "--out", tmp_path / "a" / "b").output

"""The command predict: from a finished run and the files of new samples to a table, or one sentence."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from small_run import cohort_folder, copy_cohort, finished_copy, finished_run
from typer.testing import CliRunner

import bayes_lmmlasso as bl
from bayes_lmmlasso.cli import app
from bayes_lmmlasso.cohort import variant_frame
from bayes_lmmlasso.report.tables import read_tsv


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def predict(out, folder=None, bfile=None, covar=None, **options):
    folder = finished_run().folder if folder is None else folder
    files = ["--bfile", bfile or cohort_folder() / "small", "--covar", covar or cohort_folder() / "covar.tsv"]
    more = [part for name, value in options.items() for part in (f"--{name}", value)]
    return invoke("predict", folder, *files, *more, "--out", out)


def test_every_sample_has_a_row_in_trait_units(tmp_path):
    result = predict(tmp_path / "p.tsv")
    assert result.exit_code == 0, result.output
    assert "height: 60 samples, 200 SNPs" in result.stdout
    table = read_tsv(tmp_path / "p.tsv")
    assert list(table) == ["fid", "iid", "mean", "sd", "lo", "hi"]
    cohort = bl.read_plink(cohort_folder() / "small", cohort_folder() / "pheno.tsv", "height")
    assert table["iid"].tolist() == cohort["sample_id"].values.tolist()
    assert ((table["lo"] < table["mean"]) & (table["mean"] < table["hi"])).all()
    trait = cohort["height"].values
    seen = ~np.isnan(trait)
    assert np.corrcoef(table["mean"][seen], trait[seen])[0, 1] > 0.5  # their own values were analysed
    record = finished_run().record["data"]
    assert table["mean"].mean() == pytest.approx(record["trait_mean"], abs=record["trait_sd"])


def test_the_table_is_that_of_the_closed_form(tmp_path):
    """Mean over draws of z'a + x'b + sg2 k'V^-1 (y - Za - Xb), by dense algebra on the files."""
    predict(tmp_path / "p.tsv")
    tree = bl.read_tree(finished_run().folder / "posterior.zarr")
    posterior, constant = tree["posterior"], tree["constant_data"]
    X, Z, y = constant["X"].values.T, constant["covariates"].values, tree["observed_data"]["y"].values
    U, S = constant["eigenvectors"].values.astype(float), constant["eigenvalues"].values
    cohort = bl.read_plink(
        cohort_folder() / "small", cohort_folder() / "pheno.tsv", "height", cohort_folder() / "covar.tsv"
    )
    analysis = bl.prepare(cohort, "height", covariates=["age", "sex"])
    X_new = analysis.standardise(cohort)
    K_new = X_new @ X.T / X.shape[1] * bl.gower_scale(bl.kinship(X))[0, 0] / bl.kinship(X)[0, 0]
    age = cohort["age"].values
    kept = ~np.isnan(cohort["height"].values)
    male = (cohort["sex"].values == "m").astype(float)
    Z_new = np.column_stack([np.ones(60), *((v - v[kept].mean()) / v[kept].std() for v in (age, male))])
    means = []
    effects = bl.posterior.effect_draws(tree)
    assert len(effects.b) == posterior.sizes["chain"] * posterior.sizes["draw"]
    for chain, draw, b in zip(effects.chain, effects.draw, effects.b.astype(float), strict=True):
        at = {"chain": chain, "draw": draw}
        names = ("a", "sigma2_g", "sigma2_e")
        a, sigma2_g, sigma2_e = (posterior[name].isel(at).values.astype(float) for name in names)
        V = U @ np.diag(sigma2_g * S + sigma2_e) @ U.T
        means.append(Z_new @ a + X_new @ b + sigma2_g * K_new @ np.linalg.solve(V, y - Z @ a - X @ b))
    expected = analysis.trait.inverse(np.mean(means, axis=0))
    np.testing.assert_allclose(read_tsv(tmp_path / "p.tsv")["mean"], expected, rtol=1e-3, atol=1e-4)


def test_snps_are_found_in_any_order_with_either_allele_counted(tmp_path):
    cohort = bl.read_plink(cohort_folder() / "small")
    variants, dosage = variant_frame(cohort), cohort["call_dosage"].values.copy()
    flipped = np.arange(len(variants)) % 2 == 0
    dosage[flipped] = 2 - dosage[flipped]
    names = ["effect_allele", "other_allele"]
    variants.loc[flipped, names] = variants.loc[flipped, names[::-1]].to_numpy()
    order = np.random.default_rng(1).permutation(len(variants))
    ids = {"sample_id": cohort["sample_id"].values, "family_id": cohort["sample_family_id"].values}
    changed = bl.cohort_from_arrays(dosage[order].T, variants=variants.iloc[order].reset_index(drop=True), **ids)
    bl.cohort.write_plink(changed, tmp_path / "changed")
    for name, bfile in (("a.tsv", None), ("b.tsv", tmp_path / "changed")):
        assert predict(tmp_path / name, bfile=bfile).exit_code == 0
    first, second = (read_tsv(tmp_path / name) for name in ("a.tsv", "b.tsv"))
    pd.testing.assert_frame_equal(first, second, rtol=1e-4)


def refused(result, message, out):
    assert result.exit_code == 2, result.output
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert re.search(message, line), line
    assert not out.exists()


def test_snps_that_are_absent_or_have_other_alleles_are_told(tmp_path):
    cohort = bl.read_plink(cohort_folder() / "small")
    bl.cohort.write_plink(cohort.isel(variants=slice(0, 150)), tmp_path / "few")
    refused(predict(tmp_path / "p.tsv", bfile=tmp_path / "few"), r"SNPs of the fit.*absent", tmp_path / "p.tsv")
    folder = copy_cohort(tmp_path)
    bim = folder / "small.bim"
    bim.write_text(bim.read_text().replace("\tA\t", "\tX\t"))
    refused(predict(tmp_path / "p.tsv", bfile=folder / "small"), r"with other alleles, the first", tmp_path / "p.tsv")


def test_covariates_must_be_those_of_the_run(tmp_path):
    out, covar = tmp_path / "p.tsv", tmp_path / "covar.tsv"
    bare = invoke("predict", finished_run().folder, "--bfile", cohort_folder() / "small", "--out", out)
    refused(bare, "expected a table with age, sex for --covar, got none", out)
    table = pd.read_csv(cohort_folder() / "covar.tsv", sep="\t", dtype=str)
    for change, message in (
        (table.drop(columns="sex"), "covariate 'sex' in .*covar.tsv, got no such column; choose one of age"),
        (table.assign(sex="1"), "expected levels f, m.*got '1'"),
        (table.assign(sex=["d", *table["sex"][1:]]), "expected levels f, m.*got 'd'"),
        (table.assign(age="NA"), "expected values of covariate 'age' .*got none: fill it in$"),
    ):
        change.to_csv(covar, sep="\t", index=False)
        refused(predict(out, covar=covar), message, out)
    table.loc[3, "age"] = "NA"
    table.drop(index=[0, 1]).assign(unused="5").to_csv(covar, sep="\t", index=False)
    result = predict(out, covar=covar)
    assert "height: 57 of 60 samples, 200 SNPs" in result.stdout
    predict(tmp_path / "all.tsv")
    everyone = read_tsv(tmp_path / "all.tsv").drop(index=[0, 1, 3]).reset_index(drop=True)
    pd.testing.assert_frame_equal(read_tsv(out), everyone, rtol=1e-4)


def test_runs_that_cannot_predict_are_told(tmp_path):
    folder, out = finished_copy(tmp_path / "run"), tmp_path / "p.tsv"
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(record | {"status": "running"}))
    refused(predict(out, folder=folder), "expected a finished run", out)
    (folder / "run.json").write_text(json.dumps(record))
    refused(predict(out, folder=folder, kinship=folder / "run.json"), "expected no --kinship.*rrm", out)
    shutil.rmtree(folder / "posterior.zarr" / "training")
    (folder / "posterior.zarr" / ".zmetadata").unlink(missing_ok=True)
    refused(predict(out, folder=folder), "as they were written, got .* missing or changed", out)
    for name in ("files", "sha256"):
        del record[name]  # a run of an older version
    (folder / "run.json").write_text(json.dumps(record))
    (folder / "posterior.zarr" / "manifest.json").unlink()
    with pytest.warns(RuntimeWarning, match="consolidated"):
        old = predict(out, folder=folder)
    refused(old, "expected a posterior that holds the group training", out)


@pytest.fixture(scope="module")
def given_kinship(tmp_path_factory):
    """A posterior of 58 samples whose kinship came from a file that also holds the other two."""
    folder = tmp_path_factory.mktemp("given")
    cohort = bl.read_plink(cohort_folder() / "small")
    K = 3 * bl.kinship(cohort["call_dosage"].values.T[:, ::2].astype(float), "ibs")
    ids = {"fid": cohort["sample_family_id"].values.astype(str), "iid": cohort["sample_id"].values.astype(str)}
    np.savez(folder / "k.npz", K=K, **ids)
    files = ("--bfile", cohort_folder() / "small", "--pheno", cohort_folder() / "pheno.tsv", "--trait", "height")
    counts = ("--chains", 1, "--warmup", 80, "--draws", 40, "--model", "normal", "--transform", "rank-normal")
    result = invoke("sample", *files, *counts, "--kinship", folder / "k.npz", "--out", folder / "run")
    assert result.exit_code == 0, result.output
    return folder, K, ids


def test_a_given_kinship_is_scaled_like_that_of_the_run(given_kinship, tmp_path):
    folder, K, _ = given_kinship
    files = (folder / "run", "--bfile", cohort_folder() / "small")
    result = invoke("predict", *files, "--kinship", folder / "k.npz", "--out", tmp_path / "p.tsv")
    assert result.exit_code == 0, result.output
    assert re.search(r"k\.npz: correlation 0\.\d\d with the kinship of the new samples by the SNPs\n", result.stdout)
    tree = bl.read_tree(folder / "run" / "posterior.zarr")
    train = np.delete(np.arange(60), [4, 9])
    scale = bl.posterior.read_training(tree).kinship_scale
    U, S = (tree["constant_data"][name].values for name in ("eigenvectors", "eigenvalues"))
    np.testing.assert_allclose(scale * K[np.ix_(train, train)], U @ np.diag(S) @ U.T, atol=1e-5)
    cohort = bl.read_plink(cohort_folder() / "small")
    again = bl.predict_cohort(tree, cohort, bl.lmm.CrossKinship(K[:, train], np.diag(K)))
    pd.testing.assert_frame_equal(read_tsv(tmp_path / "p.tsv"), again, rtol=1e-4, check_dtype=False)
    heights = bl.read_plink(cohort_folder() / "small", cohort_folder() / "pheno.tsv", "height")["height"].values
    assert again["hi"].max() <= np.nanmax(heights)  # the rank-normal transform ends at the training values


def test_a_sample_without_kinship_is_told(given_kinship, tmp_path):
    folder, K, ids = given_kinship
    files, out = (folder / "run", "--bfile", cohort_folder() / "small"), tmp_path / "p.tsv"
    refused(invoke("predict", *files, "--out", out), "expected --kinship FILE", out)
    np.savez(tmp_path / "k.npz", K=K[:59, :59], **{name: values[:59] for name, values in ids.items()})
    lacking = invoke("predict", *files, "--kinship", tmp_path / "k.npz", "--out", out)
    refused(lacking, f"got none of 1 .{ids['iid'][59]}", out)


def test_a_kinship_of_other_samples_is_told_in_python_too(given_kinship):
    folder, K, _ = given_kinship
    analysis, cohort = bl.open_run(folder / "run"), bl.read_plink(cohort_folder() / "small")
    train = np.delete(np.arange(60), [4, 9])
    right = bl.lmm.CrossKinship(K[:, train], np.diag(K))
    analysis.predict(cohort, kinship=right)  # nothing to tell, and warnings are errors
    orders = [np.random.default_rng(seed).permutation(60) for seed in (1, 2)]
    other = bl.lmm.CrossKinship(0.05 * K[np.ix_(orders[0], orders[1][:58])], np.diag(K))  # a covariance still
    with pytest.warns(UserWarning, match="a CrossKinship: correlation .* it does not fit the genotypes"):
        analysis.predict(cohort, kinship=other)

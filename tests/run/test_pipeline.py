"""A whole run, end to end: files, columns, reproducibility."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import arviz as az
import numpy as np
import pandas as pd
import pytest
import zarr
from small_run import (
    OPTIONS,
    cohort_folder,
    contents,
    copy_cohort,
    finished_copy,
    finished_run,
    listing,
    settings,
    skip_sampling,
    sparse_run,
)
from typer.testing import CliRunner

import bayes_lmmlasso as bl
from bayes_lmmlasso.cli import app
from bayes_lmmlasso.progress import StageClock
from bayes_lmmlasso.report.tables import read_tsv
from bayes_lmmlasso.run import rebuild_report, run
from bayes_lmmlasso.run.record import data_record
from bayes_lmmlasso.run.settings import DataSettings
from bayes_lmmlasso.run.stages import fit_mixed_model

INCLUSION = (
    "chrom pos snp effect_allele other_allele eaf beta_map path_rank stability beta_mean beta_sd beta_lo beta_hi "
    "pip pip_mcse lfsr r_hat ess_bulk p_lmm selection_freq"
)
WINDOWS = (
    "chrom start end n_snps window_pip window_pip_mcse window_pip_prior bayes_factor variance_share "
    "top_snp top_snp_pip r_hat"
)


def test_every_file_of_the_contract_is_there():
    folder = finished_run().folder
    assert sorted(path.name for path in folder.iterdir()) == [
        *("checkpoint", "hyper.tsv", "inclusion.tsv", "posterior.zarr", "report.html", "run.json", "windows.tsv")
    ]
    header = {name: (folder / name).read_text().splitlines()[0] for name in ("inclusion.tsv", "windows.tsv")}
    assert header == {"inclusion.tsv": INCLUSION.replace(" ", "\t"), "windows.tsv": WINDOWS.replace(" ", "\t")}
    hyper = read_tsv(folder / "hyper.tsv")
    assert {"log_v", "h", "rho", "sigma2_g", "sigma2_e", "pve", "pge"} <= set(hyper["parameter"])
    assert {"mean", "sd", "eti95_lb", "eti95_ub", "r_hat", "ess_bulk"} <= set(hyper.columns)


def test_arviz_opens_the_posterior():
    tree = az.from_zarr(finished_run().folder / "posterior.zarr")
    assert set(tree.children) == {
        *("posterior", "sample_stats", "log_likelihood", "log_prior", "observed_data", "constant_data"),
        *(
            "point_estimate",
            "stability_selection",
            "training",
            "effects",
            "prior",
            "prior_predictive",
            "posterior_predictive",
        ),
    }


def test_tables_agree_with_the_functions_they_come_from():
    folder = finished_run().folder
    mixed = fit_mixed_model(settings(covar=cohort_folder() / "covar.tsv").data, StageClock())
    analysis, table = mixed.analysis, read_tsv(folder / "inclusion.tsv")
    path = bl.lasso_path(
        analysis.X, analysis.y, mixed.basis, mixed.null_model.delta, n_active=5, covariates=analysis.covariates
    )
    np.testing.assert_allclose(table["beta_map"], path.coef[-1], rtol=1e-5)
    draws = zarr.open_array(folder / "checkpoint" / "draws.zarr" / "b", mode="r")[:]
    np.testing.assert_allclose(table["beta_mean"], draws.mean(axis=(0, 1), dtype=float), rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(table["pip"], (draws**2 > 0.001).mean(axis=(0, 1)), atol=1e-6)
    scan = bl.scan.scan(
        analysis.X, analysis.y, mixed.basis, covariates=analysis.covariates, delta=mixed.null_model.delta
    )
    np.testing.assert_allclose(table["p_lmm"], scan.p, rtol=1e-5)
    assert table["snp"].tolist() == analysis.variants["snp"].tolist()
    projection = bl.posterior.project_posterior(bl.read_tree(folder / "posterior.zarr"), n_active=5)
    np.testing.assert_allclose(table["selection_freq"], projection.frequency, atol=1e-6)


def test_record_says_what_was_done():
    record = json.loads((finished_run().folder / "run.json").read_text())
    assert record["status"] == "finished"
    assert record["arguments"]["trait"] == "height"
    assert {name: record["arguments"][name] for name in OPTIONS} == OPTIONS
    assert record["seed"] == 3
    assert record["versions"]["bayes-lmmlasso"] == bl.__version__
    assert record["data"]["samples"]["kept"] == 58
    assert record["data"]["samples"]["dropped"]["no trait"] == 2
    assert record["data"]["snps"]["kept"] + sum(record["data"]["snps"]["dropped"].values()) == 200
    assert record["data"]["covariates"] == ["intercept", "age", "sex[m]"]
    assert record["evidence"]["selection"]["path_duality_gap"] <= 1e-8
    sampling = record["evidence"]["sampling"]
    assert sampling["pareto_k_good"] + sampling["pareto_k_bad"] + sampling["pareto_k_very_bad"] == 58
    hyper = read_tsv(finished_run().folder / "hyper.tsv")
    assert sampling["r_hat"] == pytest.approx(hyper["r_hat"].max(), abs=1e-5)
    assert list(record["timings"]["seconds"]) == [
        *("data", "kinship", "null model", "scan", "path", "stability", "rotation", "sampling", "projection"),
        *("windows", "summaries", "posterior", "tables", "evidence", "report"),
    ]


def test_fingerprint_covers_genotypes_trait_and_covariates():
    mixed = fit_mixed_model(settings(covar=cohort_folder() / "covar.tsv").data, StageClock())
    digest = hashlib.sha256()
    for array in (mixed.analysis.X.T, mixed.analysis.y, mixed.analysis.covariates):
        digest.update(f"{array.dtype} {array.shape};".encode() + np.ascontiguousarray(array).tobytes())
    assert finished_run().record["data"]["fingerprint"] == f"sha256:{digest.hexdigest()}"


def test_skewness_is_of_what_covariates_leave_of_the_trait():
    given = settings(covar=cohort_folder() / "covar.tsv")
    mixed = fit_mixed_model(given.data, StageClock())
    analysis = mixed.analysis
    rest = analysis.y - analysis.covariates @ mixed.null_model.fixed_effects
    rest -= rest.mean()
    expected = (rest**3).mean() / (rest**2).mean() ** 1.5
    assert finished_run().record["data"]["trait_skewness"] == pytest.approx(expected)
    binary = replace(mixed, analysis=replace(analysis, y=np.where(analysis.y > 0.5, 1.0, 0.0)))
    assert data_record(given, binary)["trait_skewness"] is None


def test_the_same_command_gives_the_same_bytes_over_an_earlier_run(tmp_path):
    folder = cohort_folder()
    out = finished_copy(tmp_path / "run")
    (out / "inclusion.tsv").write_text("stale")
    options = [f"--{name.replace('_', '-')}={value}" for name, value in OPTIONS.items()]
    files = [f"--bfile={folder / 'small'}", f"--pheno={folder / 'pheno.tsv'}", f"--covar={folder / 'covar.tsv'}"]
    result = CliRunner().invoke(app, ["run", *files, "--trait=height", *options, f"--out={out}", "--overwrite"])
    assert result.exit_code == 0, result.output
    assert f"report: {out / 'report.html'}" in result.stdout
    first, second = contents(finished_run().folder), contents(out)
    records = [json.loads(files.pop("run.json")) for files in (first, second)]
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    assert [record.pop("timings").keys() for record in records] == [{"started": 0, "seconds": 0}.keys()] * 2
    assert records[0] == records[1]


def test_the_report_is_made_again_from_the_files_alone(tmp_path):
    folder = finished_copy(tmp_path / "moved")
    first = (folder / "report.html").read_bytes()
    (folder / "report.html").unlink()
    assert rebuild_report(folder) == folder / "report.html"
    assert (folder / "report.html").read_bytes() == first


def test_precision_is_that_of_the_draws(tmp_path):
    double = settings(precision="float64", chains=1, warmup=5, draws=25, model="spike_slab")
    for precision, done in (("float32", sparse_run()), ("float64", run(double, tmp_path / "double"))):
        assert done.record["arguments"]["precision"] == precision
        drawn = zarr.open_group(done.folder / "checkpoint" / "draws.zarr", mode="r")
        assert {drawn[name].dtype for name in ("h", "b", "fitted", "inclusion")} == {np.dtype(precision)}


def test_a_report_of_another_version_is_refused(tmp_path):
    folder = finished_copy(tmp_path / "old")
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    record["versions"]["bayes-lmmlasso"] = "0.0.1"
    del record["sha256"]
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    before = contents(folder)
    with pytest.raises(bl.InputError, match=r"expected a run of bayes-lmmlasso .* in .*, got one of 0\.0\.1: install"):
        rebuild_report(folder)
    assert contents(folder) == before


def test_the_report_names_the_sampler_that_was_chosen(tmp_path):
    other = run(settings(model="normal", sampler="nuts", chains=1, warmup=5, draws=25), tmp_path / "run")
    assert [done.record["evidence"]["sampling"]["sampler"] for done in (finished_run(), other)] == ["composite", "nuts"]
    for done, words in (
        (finished_run(), "2 chains of 50 draws by the composite sampler after a warm-up of 40."),
        (other, "1 chain of 25 draws by the NUTS sampler after a warm-up of 5."),
    ):
        assert words in (done.folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("stage", ["data", "stability", "sampling", "report"])
def test_ctrl_c_leaves_nothing(tmp_path, monkeypatch, stage):
    def interrupt(name: str, done: int, total: int, remark: str = "") -> None:
        if name == stage:
            raise KeyboardInterrupt

    skip_sampling(monkeypatch, finished_run().folder)
    given, before = settings(covar=cohort_folder() / "covar.tsv"), listing(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(given, tmp_path / "run", progress=interrupt)
    assert listing(tmp_path) == before
    earlier = finished_copy(tmp_path / "earlier")
    before = contents(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(given, earlier, overwrite=True, progress=interrupt)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("method", ["rrm", "centred", "ibs"])
def test_kinships_are_those_of_the_dosages(tmp_path, method):
    mixed = fit_mixed_model(settings(kinship=method).data, StageClock())
    folder = cohort_folder()
    cohort = bl.read_plink(folder / "small", folder / "pheno.tsv", "height")
    dosage = cohort["call_dosage"].values.T[~np.isnan(cohort["height"].values)]
    keep = cohort["variant_id"].to_index().get_indexer(mixed.analysis.variants["snp"])
    np.testing.assert_allclose(mixed.K, bl.gower_scale(bl.kinship(dosage[:, keep], method)), atol=1e-5)
    centred = mixed.K - mixed.K.mean(axis=0)
    assert np.trace(centred) == pytest.approx(len(mixed.K) - 1)


def test_kinship_from_a_file_is_joined_by_id(tmp_path):
    mixed = fit_mixed_model(settings().data, StageClock())
    order = np.random.default_rng(2).permutation(len(mixed.K))
    ids = mixed.analysis.samples.iloc[order]
    np.savez(tmp_path / "k.npz", K=mixed.K[np.ix_(order, order)], **{name: ids[name].to_numpy("U") for name in ids})
    again = fit_mixed_model(settings(kinship=str(tmp_path / "k.npz")).data, StageClock())
    np.testing.assert_allclose(again.K, mixed.K, rtol=1e-12)


def test_samples_missing_in_one_file_are_dropped_and_counted(tmp_path):
    folder = copy_cohort(tmp_path)
    pheno = pd.read_csv(folder / "pheno.tsv", sep="\t").iloc[10:]
    stranger = pheno.iloc[:1].assign(iid="stranger")
    pd.concat([pheno, stranger]).to_csv(folder / "pheno.tsv", sep="\t", index=False, na_rep="NA")
    mixed = fit_mixed_model(
        DataSettings(bfile=folder / "small", pheno=folder / "pheno.tsv", trait="height"), StageClock()
    )
    assert mixed.analysis.dropped_samples["not in phenotype table"] == 10
    assert mixed.analysis.dropped_samples["no genotype"] == 1

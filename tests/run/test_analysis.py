"""A finished analysis as one object, from a folder and from one call."""

from __future__ import annotations

import gc
import json
import shutil

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from small_run import (
    OPTIONS,
    cohort_folder,
    contents,
    finished_copy,
    finished_run,
    listing,
    settings,
    sparse_run,
)

import bayes_lmmlasso as bl
from bayes_lmmlasso.run import one_call


def test_the_tables_are_those_of_the_run():
    result, analysis = finished_run(), bl.open_run(finished_run().folder)
    assert analysis.record == result.record
    for name in ("inclusion", "windows"):
        table, wanted = getattr(analysis, name), getattr(result, name)
        pd.testing.assert_frame_equal(table, wanted, check_dtype=False, rtol=1e-5)
    assert list(analysis.hyper.index) == list(result.hyper.index)
    pd.testing.assert_frame_equal(analysis.shares, result.shares)
    assert analysis.inclusion is analysis.inclusion
    assert analysis.tree.attrs["model"] == "laplace"


def test_point_estimate_stability_and_null_model_are_those_that_were_computed():
    analysis = bl.open_run(finished_run().folder)
    cohort = bl.read_plink(
        cohort_folder() / "small", cohort_folder() / "pheno.tsv", "height", cohort_folder() / "covar.tsv"
    )
    prepared = bl.prepare(cohort, "height", covariates=cohort.attrs["covariates"])
    K = bl.gower_scale(bl.kinship(prepared.X))
    basis = bl.Eigenbasis.from_kinship(K)
    null = bl.fit_null_model(prepared.y, basis, prepared.covariates, "reml")
    path = bl.lasso_path(
        prepared.X, prepared.y, basis, null.delta, n_active=OPTIONS["n_active"], covariates=prepared.covariates
    )
    stability = bl.stability_selection(
        prepared.X,
        prepared.y,
        K,
        n_active=OPTIONS["n_active"],
        covariates=prepared.covariates,
        n_subsamples=OPTIONS["subsamples"],
        seed=OPTIONS["seed"],
        method="reml",
    )
    for name in ("method", "log_delta", "delta", "sigma2_g", "sigma2_e", "pve", "pve_se", "log_likelihood", "at_bound"):
        assert getattr(analysis.null_model, name) == getattr(null, name)
    for name in ("fixed_effects", "grid", "profile"):
        np.testing.assert_array_equal(getattr(analysis.null_model, name), getattr(null, name))
    np.testing.assert_array_equal(analysis.path.beta, path.coef[-1])
    for name in ("path_rank", "mu", "n_active", "duality_gap", "fixed_effects"):
        np.testing.assert_array_equal(getattr(analysis.path, name), getattr(path, name))
    assert analysis.path.message == path.message
    assert list(analysis.path.to_frame(prepared.variants))[-2:] == ["beta", "path_rank"]
    assert analysis.stability.error_bound.threshold == stability.error_bound.threshold
    assert str(analysis.stability.error_bound) == str(stability.error_bound)  # NaN is not equal to itself
    selector = analysis.stability.selector
    assert (selector.n_active, selector.method, selector.tol) == (OPTIONS["n_active"], "reml", stability.selector.tol)
    np.testing.assert_allclose(selector.covariates, prepared.covariates, atol=1e-5)
    for field in ("frequency", "selected", "duplicate_of", "subsamples", "log_delta", "n_selected", "certified"):
        np.testing.assert_array_equal(getattr(analysis.stability, field), getattr(stability, field))


def test_credible_sets_where_there_are_exact_zeros():
    analysis = bl.open_run(sparse_run().folder)
    assert list(analysis.credible_sets.columns)[:3] == ["chrom", "start", "end"]
    with pytest.raises(bl.InputError, match=r"expected a model with exact zeros, .* got laplace"):
        _ = bl.open_run(finished_run().folder).credible_sets


def test_predictions_are_those_of_the_command(tmp_path):
    from bayes_lmmlasso.cohort import GenotypeSource
    from bayes_lmmlasso.run.commands.predict import predict_run

    folder = cohort_folder()
    analysis = bl.open_run(finished_run().folder)
    wanted = predict_run(analysis.folder, GenotypeSource("bfile", folder / "small"), folder / "covar.tsv").table
    from_files = analysis.predict(folder / "small", covariates=folder / "covar.tsv")
    pd.testing.assert_frame_equal(from_files, wanted)
    table = pd.read_csv(folder / "covar.tsv", sep="\t", dtype={"fid": str, "iid": str})
    pd.testing.assert_frame_equal(analysis.predict(str(folder / "small"), covariates=table), wanted)
    cohort = bl.read_plink(folder / "small", covariates=folder / "covar.tsv")
    pd.testing.assert_frame_equal(analysis.predict(cohort), wanted)
    with pytest.raises(bl.InputError, match="got a table beside it"):
        analysis.predict(cohort, covariates=folder / "covar.tsv")
    with pytest.raises(bl.InputError, match="expected a table with age, sex for --covar, got none"):
        analysis.predict(folder / "small")
    with pytest.raises(bl.InputError, match=r"expected genotypes at .*nowhere"):
        analysis.predict(folder / "nowhere", covariates=folder / "covar.tsv")
    with pytest.raises(bl.InputError, match="expected no --kinship"):
        analysis.predict(cohort, kinship=bl.lmm.CrossKinship(np.ones((1, 1)), np.ones(1)))


def test_the_report_is_that_of_the_run(tmp_path):
    folder = finished_copy(tmp_path / "run")
    analysis, before = bl.open_run(folder), contents(folder)
    assert analysis.report(tmp_path / "page.html").read_bytes() == before["report.html"]
    (folder / "report.html").unlink()
    assert analysis.report() == folder / "report.html"
    assert contents(folder) == before
    with pytest.raises(bl.InputError, match="got the folder"):
        analysis.report(tmp_path)


def test_an_analysis_fits_one_screen():
    text = repr(bl.open_run(finished_run().folder))
    assert text.startswith("Analysis\n  trait")
    assert "58 samples" in text
    assert "SNP effects" in text
    assert len(text) <= 2500
    assert len(text.splitlines()) <= 25


def test_a_posterior_without_tables_says_what_it_lacks(tmp_path):
    whole = bl.open_run(finished_run().folder)
    tree = whole.tree.filter(lambda node: node.name not in ("point_estimate", "stability_selection"))
    bl.posterior.write_tree(tree, tmp_path / "posterior.zarr")
    record = {name: value for name, value in whole.record.items() if name not in ("files", "sha256")}
    (tmp_path / "run.json").write_text(json.dumps(record | {"command": "sample"}))
    shutil.copy(whole.folder / "hyper.tsv", tmp_path)
    analysis = bl.open_run(tmp_path)
    pd.testing.assert_frame_equal(analysis.hyper, whole.hyper)
    assert "inclusion" not in repr(analysis)
    for name in ("path", "null_model", "stability"):
        with pytest.raises(bl.InputError, match="expected a posterior that holds the group"):
            getattr(analysis, name)
    with pytest.raises(bl.InputError, match="expected a table of a finished run"):
        _ = analysis.windows


def test_a_folder_without_a_finished_run_is_refused(tmp_path):
    with pytest.raises(bl.InputError, match="expected the folder of a finished run"):
        bl.open_run(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps({"package": "bayes-lmmlasso", "status": "running"}))
    with pytest.raises(bl.InputError, match="got one with status 'running'"):
        bl.open_run(tmp_path)


def small_cohort() -> xr.Dataset:
    """The data of the small run in memory."""
    folder = cohort_folder()
    return bl.read_plink(folder / "small", folder / "pheno.tsv", "height", folder / "covar.tsv")


def test_one_call_on_a_cohort_finds_what_the_run_of_its_files_found():
    analysis = bl.analyse(small_cohort(), "height", **OPTIONS)
    assert "(temporary)" in repr(analysis)
    where, tree = analysis.folder, analysis.tree
    found, wanted = contents(where), contents(finished_run().folder)
    same = {name for name in wanted if name not in ("run.json", "report.html")}
    assert {name: found[name] for name in same} == {name: wanted[name] for name in same}
    assert found.keys() == wanted.keys()
    record, files = dict(analysis.record), dict(finished_run().record)
    assert record.pop("cohort") == "in memory: 60 samples, 200 SNPs"
    without = ("bfile", "pheno", "covar")
    assert record["arguments"] == files["arguments"] | dict.fromkeys(without)
    assert record["given"] == {name: value for name, value in files["given"].items() if name not in without}
    for entry in (record, files):
        del entry["arguments"], entry["given"], entry["timings"], entry["sha256"]
    assert record == files
    # more draws take the cohort again
    with pytest.raises(bl.InputError, match="expected the cohort that the run"):
        bl.run.resume(where, draws=60)
    bl.run.resume(where, draws=60, cohort=small_cohort())
    longer = bl.open_run(where)
    assert longer.record["cohort"] == analysis.record["cohort"]
    draws = longer.tree["posterior"]["h"].load()
    np.testing.assert_array_equal(draws[:, : OPTIONS["draws"]], tree["posterior"]["h"])
    assert draws.sizes["draw"] == 60
    # the folder lives as long as the analysis, its tree is in memory
    del analysis
    gc.collect()
    assert not where.exists()
    assert tree["posterior"]["h"].sizes["draw"] == OPTIONS["draws"]


def test_files_are_handed_on_as_files_and_frames_as_a_cohort(monkeypatch, tmp_path):
    handed = []
    monkeypatch.setattr(one_call, "run", lambda settings, out, **others: handed.append((settings, out, others)))
    folder = cohort_folder()
    given = {"phenotypes": folder / "pheno.tsv", "covariates": str(folder / "covar.tsv"), "out": str(tmp_path)}
    assert bl.analyse(str(folder / "small"), "height", **given, **OPTIONS).folder == tmp_path
    frame = pd.read_csv(folder / "pheno.tsv", sep="\t", dtype={"fid": str, "iid": str})
    bl.analyse(folder / "small", "height", **given | {"phenotypes": frame}, overwrite=True, **OPTIONS)
    (by_file, out, others), (by_frame, _, more) = handed
    assert by_file == settings(covar=folder / "covar.tsv")
    assert out == tmp_path
    assert others["cohort"] is None
    assert by_frame.data.pheno is None
    assert by_frame.lasso == by_file.lasso
    xr.testing.assert_equal(more["cohort"], small_cohort())
    assert more["overwrite"]


def test_covariates_of_a_cohort_are_chosen_by_name(monkeypatch, tmp_path):
    cohorts = []
    monkeypatch.setattr(one_call, "run", lambda settings, out, cohort, **others: cohorts.append(cohort))
    for names in (None, ["age"], []):
        bl.analyse(small_cohort(), "height", covariates=names, out=tmp_path)
    assert [cohort.attrs["covariates"] for cohort in cohorts] == [["age", "sex"], ["age"], []]


def test_what_fails_leaves_nothing_behind(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for wrong in ({"trait": "weight"}, {"trait": "flat"}, {"trait": "height", "covariates": ["height"]}):
        cohort = small_cohort()
        with pytest.raises(bl.InputError):
            bl.analyse(cohort, **{"covariates": None, **wrong}, **OPTIONS)
    assert listing(tmp_path) == {}


def test_the_format_is_told_from_what_is_there(tmp_path):
    from bayes_lmmlasso.cohort import GenotypeSource
    from bayes_lmmlasso.cohort.formats.finding import find_genotypes

    names = {
        "a.vcf.gz": "vcf",
        "b.bcf": "vcf",
        "c.geno.txt": "bimbam",
        "d.geno.txt.gz": "bimbam",
        "e.csv": "matrix",
        "f.bed": "bfile",
        "g.pgen": "pgen",
    }
    for name, format_name in names.items():
        (tmp_path / name).touch()
        assert find_genotypes(tmp_path / name) == GenotypeSource(format_name, tmp_path / name)
    assert find_genotypes(str(tmp_path / "f")) == GenotypeSource("bfile", tmp_path / "f")
    assert find_genotypes(tmp_path / "g") == GenotypeSource("pgen", tmp_path / "g")
    assert find_genotypes(tmp_path).format == "vcf_zarr"
    (tmp_path / "f.pgen").touch()
    with pytest.raises(bl.InputError, match=r"got a .bed and a .pgen"):
        find_genotypes(tmp_path / "f")
    with pytest.raises(bl.InputError, match="expected genotypes at"):
        find_genotypes(tmp_path / "h")

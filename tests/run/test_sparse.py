"""A run of a model with exact zeros: credible sets, false discoveries and blocks of linkage in files and report."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from small_run import cohort_folder, finished_run, settings, skip_sampling, sparse_run

import bayes_lmmlasso as bl
from bayes_lmmlasso.report import report_html
from bayes_lmmlasso.report.definitions import column_definitions
from bayes_lmmlasso.report.findings import discoveries
from bayes_lmmlasso.report.tables import read_tsv, write_tsv
from bayes_lmmlasso.run import pipeline, run

CREDIBLE_SETS = "chrom start end n_snps coverage coverage_mcse purity n_included top_snp top_snp_pip snps"


def test_credible_sets_are_written_for_a_model_with_exact_zeros():
    folder = sparse_run().folder
    written = read_tsv(folder / "credible_sets.tsv")
    assert " ".join(written) == CREDIBLE_SETS
    tree = bl.read_tree(folder / "posterior.zarr")
    computed = bl.credible_sets(tree)
    pd.testing.assert_frame_equal(written, computed, rtol=1e-5, check_dtype=False)
    assert len(written) >= 1  # the cohort has causal SNPs with strong effects
    names = set(read_tsv(folder / "inclusion.tsv")["snp"])
    assert {snp for snps in written["snps"] for snp in snps.split(",")} <= names
    assert not (finished_run().folder / "credible_sets.tsv").exists()


def test_sweeps_in_a_draw_are_those_asked_for():
    assert sparse_run().record["arguments"]["sweeps"] == 20
    assert bl.read_tree(sparse_run().folder / "posterior.zarr").attrs["snapshots"] == 20
    assert finished_run().record["arguments"]["sweeps"] is None  # as many as the model says


def test_every_column_of_the_credible_sets_is_explained():
    columns = column_definitions(sparse_run().record)["credible_sets.tsv"]
    assert {name.strip() for names in columns for name in names.split(",")} == set(CREDIBLE_SETS.split())


def test_windows_may_be_blocks_of_linkage():
    windows = read_tsv(sparse_run().folder / "windows.tsv")
    assert windows["n_snps"].sum() == sparse_run().record["data"]["snps"]["kept"]
    assert (windows["n_snps"] >= 10).all()
    assert len(windows) > 1


def test_the_page_shows_the_sets_or_says_that_there_is_none(tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(sparse_run().folder, folder)
    assert "<h2>Credible sets</h2>" in (folder / "report.html").read_text(encoding="utf-8")
    sets = read_tsv(folder / "credible_sets.tsv")
    assert sets.loc[0, "top_snp"] in report_html(folder).split("<h2>Credible sets</h2>")[1].split("<h2>")[0]
    write_tsv(sets.iloc[:0], folder / "credible_sets.tsv")
    assert "No group of correlated SNPs" in report_html(folder)
    assert "<h2>Credible sets</h2>" not in (finished_run().folder / "report.html").read_text(encoding="utf-8")


def test_the_page_counts_falsediscoveries():
    pip = [0.99, 0.97, 0.9, 0.4, 0.1]
    found = discoveries("windows", pd.DataFrame({"window_pip": pip}), "window_pip")
    assert found == "Windows with window_pip of at least 0.9: 3, of which 0.14 are expected to be false."
    rounded = discoveries("SNPs", pd.DataFrame({"pip": [0.99997]}), "pip")
    assert rounded.startswith("SNPs with pip of at least 0.999: 1,")
    none = discoveries("SNPs", pd.DataFrame({"pip": [0.5]}), "pip")
    assert none == "No SNPs can be called: the first by pip alone is false with probability 0.5."
    page = (sparse_run().folder / "report.html").read_text(encoding="utf-8")
    windows = read_tsv(sparse_run().folder / "windows.tsv")
    assert discoveries("windows", windows, "window_pip") in page
    assert re.search(r"100 posterior draws projected; \d+ reach 5 SNPs", page)


def test_sets_of_an_earlier_run_do_not_stay(tmp_path, monkeypatch):
    folder = tmp_path / "run"
    shutil.copytree(sparse_run().folder, folder)
    skip_sampling(monkeypatch, finished_run().folder)
    run(settings(covar=cohort_folder() / "covar.tsv"), folder, overwrite=True)
    assert not (folder / "credible_sets.tsv").exists()


@pytest.mark.parametrize("window", ["2cM", "3 genes"])
def test_windows_are_checked_before_anything_takes_long(tmp_path, monkeypatch, window):
    monkeypatch.setattr(pipeline, "select", lambda *arguments: pytest.fail("went on"))
    with pytest.raises(bl.InputError, match=r"column 3 of the \.bim|expected a window such as"):
        run(settings(window=window), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_genetic_map_goes_from_the_bim_to_the_windows(tmp_path):
    cohort = bl.read_plink(cohort_folder() / "small")
    assert not cohort["variant_cm"].values.any()
    cm = np.linspace(0.125, 5, cohort.sizes["variants"])
    bl.cohort.write_plink(cohort.assign(variant_cm=("variants", cm)), tmp_path / "mapped")
    again = bl.read_plink(tmp_path / "mapped", cohort_folder() / "pheno.tsv", "colour")
    np.testing.assert_allclose(again["variant_cm"].values, cm, rtol=1e-6)  # a .bim holds float32
    analysis = bl.prepare(again, "colour")
    kept = cohort["variant_id"].to_index().get_indexer(analysis.variants["snp"])
    np.testing.assert_array_equal(analysis.cm, again["variant_cm"].values[kept])
    tree = bl.read_tree(sparse_run().folder / "posterior.zarr").load()
    assert tree["constant_data"]["variant_cm"].values.tolist() == [0] * len(kept)
    tree["constant_data"] = xr.DataTree(
        tree["constant_data"].dataset.assign_coords(variant_cm=("variant", analysis.cm))
    )
    table = bl.window_table(tree, "1cM")
    counts = pd.Series(1, index=[analysis.variants["chrom"], np.floor(analysis.cm + 1e-9)]).groupby(level=[0, 1]).sum()
    assert table["n_snps"].tolist() == counts.tolist()

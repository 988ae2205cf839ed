"""Diagnostics, leave-one-out, inclusion and window tables, and the file they come from."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import arviz as az
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from arviz_stats.base import array_stats
from draw_trees import tree_of
from scipy.stats import kstest

import bayes_lmmlasso as bl
from bayes_lmmlasso.lasso import LassoPath
from bayes_lmmlasso.posterior.summaries.diagnostics import convergence, effective_sample_size, snp_agreement
from bayes_lmmlasso.posterior.summaries.effect_summary import probability_error, summarise_effects
from bayes_lmmlasso.posterior.summaries.inclusion import COLUMNS
from bayes_lmmlasso.posterior.summaries.partition import assign_windows
from bayes_lmmlasso.posterior.summaries.windows import _explained_variance


def autoregressive(rng, m, chains, draws):
    """Chains of very different autocorrelation, some discrete (ties), some constant."""
    series = rng.normal(size=(m, chains, draws))
    phi = rng.uniform(-0.9, 0.98, size=(m, 1))
    for t in range(1, draws):
        series[:, :, t] += phi * series[:, :, t - 1]
    series[: m // 4] = np.round(series[: m // 4])
    series[m // 4 : m // 3] = series[m // 4 : m // 3] > 1
    return series


@pytest.mark.parametrize("draws", [4, 5, 10, 51, 400])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_convergence_is_arviz_number_for_number(rng, draws, dtype):
    series = autoregressive(rng, 60, 3, draws).astype(dtype)
    series[-1] = 0.25
    r_hat, ess_bulk = convergence(series)
    ess_mean = effective_sample_size(series)
    axes = {"chain_axis": 0, "draw_axis": 1}
    with np.errstate(invalid="ignore"):
        expected = np.array([array_stats.rhat(one, **axes) for one in series])
    np.testing.assert_allclose(r_hat, expected, rtol=1e-6)
    np.testing.assert_allclose(ess_bulk, [array_stats.ess(one, method="bulk", **axes) for one in series], rtol=1e-6)
    np.testing.assert_allclose(ess_mean, [array_stats.ess(one, method="mean", **axes) for one in series], rtol=1e-6)


def test_leave_one_out_is_the_conditional_density_of_each_individual(rng):
    """Brute force at n = 60: condition the dense joint normal of y on all other individuals."""
    n, draws = 60, 5
    factor = rng.normal(size=(n, n))
    values, U = np.linalg.eigh(factor @ factor.T / n)
    mean, y = rng.normal(size=(draws, n)), rng.normal(size=n)
    sigma2_g, sigma2_e = rng.uniform(0.2, 1, size=(2, draws))
    d = sigma2_g[:, None] * values + sigma2_e[:, None]
    computed = bl.posterior.loo_log_likelihood(U, (y - mean) @ U, d)
    expected = np.empty((draws, n))
    for k in range(draws):
        C = U @ np.diag(d[k]) @ U.T
        for i in range(n):
            others = np.arange(n) != i
            weights = np.linalg.solve(C[np.ix_(others, others)], C[others, i])
            centre = mean[k, i] + weights @ (y - mean[k])[others]
            variance = C[i, i] - weights @ C[others, i]
            expected[k, i] = -0.5 * (np.log(2 * np.pi * variance) + (y[i] - centre) ** 2 / variance)
    np.testing.assert_allclose(computed, expected, rtol=1e-8, atol=1e-8)


@pytest.fixture(scope="module")
def run():
    """A small analysis from genotypes to the posterior, in float32 as users run it."""
    cohort = bl.simulate_cohort(n_samples=60, n_variants=80, seed=11)
    trait = bl.simulate_trait(cohort, n_causal=2, share_snps=0.6, share_structure=0.1, share_noise=0.3, seed=12)
    analysis = bl.prepare(cohort.assign(y=("samples", trait.y)), "y")
    K = bl.gower_scale(bl.kinship(analysis.X, "rrm"))
    basis = bl.Eigenbasis.from_kinship(K)
    null = bl.fit_null_model(analysis.y, basis, analysis.covariates, method="reml")
    path = bl.lasso_path(analysis.X, analysis.y, basis, null.delta, n_active=5, covariates=analysis.covariates)
    stability = bl.stability_selection(
        analysis.X, analysis.y, K, n_active=5, covariates=analysis.covariates, n_subsamples=10
    )
    tree = bl.sample_posterior(bl.rotate(analysis, basis), chains=2, warmup=150, draws=150, seed=3, analysis=analysis)
    bl.posterior.add_point_estimate(tree, path, null)
    bl.posterior.add_stability(tree, stability)
    return analysis, path, stability, tree


def test_leave_one_out_in_the_tree_belongs_to_the_draws(run):
    analysis, _, _, tree = run
    posterior = tree["posterior"].isel(chain=1, draw=40)
    K = bl.gower_scale(bl.kinship(analysis.X, "rrm"))
    C = float(posterior["sigma2_g"]) * K + float(posterior["sigma2_e"]) * np.eye(len(K))
    precision = np.linalg.inv(C)
    g = precision @ (analysis.y - analysis.covariates @ posterior["a"].values - analysis.X @ posterior["b"].values)
    variance = 1 / np.diag(precision)
    expected = -0.5 * (np.log(2 * np.pi * variance) + g**2 * variance)
    assert abs(np.log(analysis.trait.sd)) > 0.01
    expected -= np.log(analysis.trait.sd)  # a density in trait units
    stored = tree["log_likelihood"]["y"].isel(chain=1, draw=40)
    np.testing.assert_allclose(stored, expected, rtol=2e-4, atol=2e-4)
    predicted = tree["posterior_predictive"]["y"].isel(chain=1, draw=40)
    standard = (predicted.values - (analysis.y - g * variance)) / np.sqrt(variance)
    assert kstest(standard, "norm").pvalue > 0.01
    assert abs(np.mean(standard)) < 4 / np.sqrt(standard.size)
    assert list(stored["individual"].values[:2]) == [
        f"{fid}:{iid}" for fid, iid in analysis.samples[["fid", "iid"]].to_numpy()[:2]
    ]


def test_inclusion_table_has_the_columns_of_the_contract_and_the_numbers_of_arviz(run):
    analysis, path, stability, tree = run
    table = bl.inclusion_table(tree, path, stability, variance_share=0.02)
    assert (
        list(table.columns)
        == (
            "chrom pos snp effect_allele other_allele eaf beta_map path_rank stability beta_mean beta_sd "
            "beta_lo beta_hi pip pip_mcse lfsr r_hat ess_bulk p_lmm selection_freq"
        ).split()
    )
    for column in ("chrom", "pos", "snp", "effect_allele", "other_allele", "eaf"):
        assert list(table[column]) == list(analysis.variants[column])
    np.testing.assert_array_equal(table["beta_map"], path.coef[-1])
    np.testing.assert_array_equal(table["path_rank"].astype(float), path.path_rank)
    np.testing.assert_array_equal(table["stability"], stability.frequency)
    assert table["p_lmm"].isna().all()
    draws = tree["posterior"]["b"].values
    np.testing.assert_allclose(table["pip"], (draws**2 > 0.02).mean(axis=(0, 1)))
    np.testing.assert_allclose(
        table["lfsr"], np.minimum((draws >= 0).mean(axis=(0, 1)), (draws <= 0).mean(axis=(0, 1)))
    )
    for column, q in (("beta_lo", 0.025), ("beta_hi", 0.975)):
        np.testing.assert_allclose(table[column], np.quantile(draws, q, axis=(0, 1)), rtol=1e-5, atol=1e-8)
    summary = az.summary(tree, var_names=["b"], round_to="none")
    for ours, theirs in (
        ("beta_mean", "mean"),
        ("beta_sd", "sd"),
        ("r_hat", "r_hat"),
        ("ess_bulk", "ess_bulk"),
    ):
        np.testing.assert_allclose(table[ours], summary[theirs], rtol=1e-4, atol=1e-7)


def test_inclusion_table_without_a_point_estimate_leaves_it_open(run):
    table = bl.inclusion_table(run[3])
    assert table[["beta_map", "path_rank", "stability", "p_lmm", "selection_freq"]].isna().all(axis=None)
    assert table["pip"].notna().all()


def test_inclusion_table_takes_only_the_same_snps(run):
    _, path, stability, tree = run
    with pytest.raises(bl.InputError, match=r"expected 80 SNPs in stability selection.*got 79"):
        bl.inclusion_table(tree, path, replace(stability, frequency=stability.frequency[1:]))
    with pytest.raises(bl.InputError, match=r"expected 80 SNPs in selection_freq.*got 79"):
        bl.inclusion_table(tree, path, selection_freq=stability.frequency[1:])
    with pytest.raises(bl.InputError, match=r"variance_share in \(0, 1\), got 1\.5"):
        bl.inclusion_table(tree, variance_share=1.5)
    assert isinstance(path, LassoPath)


def test_summaries_do_not_depend_on_the_block(rng):
    draws = rng.normal(size=(2, 50, 600)).astype(np.float32)
    whole, part = summarise_effects(draws, 0.5), summarise_effects(draws[:, :, 250:300], 0.5)
    for name, values in part.items():
        np.testing.assert_array_equal(values, whole[name][250:300], err_msg=name)


def test_error_of_a_probability_is_the_spread_over_repetitions(rng):
    """Independent events: sqrt(p (1 - p) / m); autocorrelated ones: what repeated chains show."""
    draws, repeats = 400, 300
    state = rng.normal(size=(repeats, 4, draws))
    for t in range(1, draws):
        state[:, :, t] = 0.8 * state[:, :, t - 1] + 0.6 * state[:, :, t]
    for series in (rng.normal(size=(repeats, 4, draws)), state):
        events = series > 1
        error = probability_error(events, np.full(repeats, 1.0))
        np.testing.assert_allclose(np.median(error), events.mean(axis=(1, 2)).std(), rtol=0.15)
    never = probability_error(np.zeros((1, 4, draws), bool), np.array([800.0]))
    np.testing.assert_allclose(never, np.sqrt(0.5 * 800.5) / 801 / np.sqrt(802), rtol=1e-12)


def test_error_of_a_window_is_that_of_the_share_of_snapshots(rng):
    """Any of two SNPs is in at 3/4 of 20 snapshots of every draw: known far better than by the draws that have one."""
    chains, draws, snapshots = 2, 400, 20
    bits = rng.integers(0, 2, size=(chains, draws, 2, snapshots))
    visits = (bits << np.arange(snapshots)).sum(axis=3).astype(np.uint32)
    X = rng.normal(size=(30, 2))
    tree = tree_of((X - X.mean(axis=0)) / X.std(axis=0), bits[..., -1] * 0.1)
    tree["posterior"] = xr.DataTree(tree["posterior"].dataset.assign(visits=(("chain", "draw", "variant"), visits)))
    tree.attrs["snapshots"] = snapshots
    (window,) = bl.window_table(tree, "2snps").to_dict("records")
    share = bits.any(axis=2).mean(axis=2)
    assert window["window_pip"] == pytest.approx(share.mean(), rel=1e-12)
    assert window["window_pip_mcse"] == pytest.approx(np.sqrt(0.75 * 0.25 / (chains * draws * snapshots)), rel=0.25)


def test_error_of_a_pip_knows_that_draws_are_alike(rng):
    """Slow chains of inclusion probabilities: the error is the spread over repetitions, not sd over root of draws."""
    draws, repeats = 400, 300
    state = rng.normal(size=(4, draws, repeats))
    for t in range(1, draws):
        state[:, t] = 0.8 * state[:, t - 1] + 0.6 * state[:, t]
    q = 1 / (1 + np.exp(-state))
    found = summarise_effects(np.zeros_like(q), 0.001, q)
    np.testing.assert_allclose(np.median(found["pip_mcse"]), found["pip"].std(), rtol=0.15)


def test_an_exact_zero_has_both_signs():
    """Of four draws one is positive, three are 0: P(b >= 0) is 1, P(b <= 0) is 0.75."""
    b = np.array([[[0.0, 0.3, -0.3], [0.0, 0.0, -0.1], [0.0, 0.0, 0.2], [0.0, 0.0, 0.0]]])
    np.testing.assert_array_equal(summarise_effects(b, 0.001, (b != 0) * 1.0)["lfsr"], [1, 0.75, 0.5])


def test_a_certain_snp_has_the_r_hat_of_its_effect(rng):
    """Included in every draw q is constant, which says nothing of chains that differ in its effect."""
    b = rng.normal(1, 0.1, size=(2, 200, 3))
    b[1, :, 1] += 1  # the chains do not agree
    q = np.ones_like(b)
    q[..., 2] = rng.uniform(0, 0.9, size=q.shape[:2])  # below 0.5 on average: q it is
    found = summarise_effects(b, 0.001, q)
    expected = convergence(np.moveaxis(b, 2, 0))
    np.testing.assert_allclose(found["r_hat"][:2], expected.r_hat[:2])
    np.testing.assert_allclose(found["ess_bulk"][:2], expected.ess_bulk[:2])
    assert found["r_hat"][1] > 1.5
    np.testing.assert_allclose(found["r_hat"][2], convergence(q[..., 2][None]).r_hat[0])


def test_windows_cut_the_genome_by_position_or_by_number():
    chrom = np.array(["1"] * 4 + ["X"] * 5)
    position = np.array([10, 999_999, 1_000_001, 5_000_000, 0, 0, 0, 0, 0])
    table = assign_windows(chrom, position, "1Mb")
    assert table[["chrom", "start", "end", "n_snps"]].to_numpy().tolist() == [
        ["1", 1, 1_000_000, 2],
        ["1", 1_000_001, 2_000_000, 1],
        ["1", 4_000_001, 5_000_000, 1],
        ["X", 1, 5, 5],
    ]
    assert [list(m) for m in table["members"]] == [[0, 1], [2], [3], [4, 5, 6, 7, 8]]
    by_number = assign_windows(chrom, position, "3snps")
    assert by_number[["chrom", "start", "end", "n_snps"]].to_numpy().tolist() == [
        ["1", 1, 3, 3],
        ["1", 4, 4, 1],
        ["X", 1, 3, 3],
        ["X", 4, 5, 2],
    ]
    assert sorted(np.concatenate(assign_windows(chrom, position, "400 kb")["members"])) == list(range(9))


@pytest.mark.parametrize("window", ["1", "Mb", "0kb", "1.5Mb", "-2Mb", "10 genes"])
def test_a_window_that_makes_no_sense_is_told(window):
    with pytest.raises(bl.InputError, match="expected a window such as '1Mb'"):
        assign_windows(np.array(["1"]), np.array([1]), window)


def test_window_table_is_the_variance_of_the_windows_fitted_values(run):
    analysis, _, _, tree = run
    table = bl.window_table(tree, "2Mb", variance_share=0.05, snp_variance_share=0.005)
    assert (
        list(table.columns)
        == (
            "chrom start end n_snps window_pip window_pip_mcse window_pip_prior bayes_factor variance_share "
            "top_snp top_snp_pip r_hat"
        ).split()
    )
    assert table["n_snps"].sum() == 80
    draws = tree["posterior"]["b"].values
    for _, row in table.iterrows():
        variants = analysis.variants
        inside = np.flatnonzero((variants["chrom"] == row["chrom"]) & variants["pos"].between(row["start"], row["end"]))
        share = (draws[:, :, inside] @ analysis.X[:, inside].T).var(axis=2)
        np.testing.assert_allclose(row["variance_share"], share.mean(), rtol=1e-5)
        np.testing.assert_allclose(row["window_pip"], (share > 0.05).mean(), atol=1e-12)
        pip = (draws[:, :, inside] ** 2 > 0.005).mean(axis=(0, 1))
        assert row["top_snp_pip"] == pip.max()
        assert row["top_snp"] in set(variants["snp"].iloc[inside[pip == pip.max()]])


def test_windows_of_more_snps_than_samples_are_explained_alike(rng):
    X, b = rng.normal(size=(30, 12)), rng.normal(size=(7, 30))
    few, many = _explained_variance(b[:, :5], X[:5]), _explained_variance(b, X)
    np.testing.assert_allclose(few, (b[:, :5] @ X[:5]).var(axis=1), rtol=1e-12)
    np.testing.assert_allclose(many, (b @ X).var(axis=1), rtol=1e-12)
    np.testing.assert_allclose(_explained_variance(b[:, :1], X[:1]), b[:, 0] ** 2 * X[0].var(), rtol=1e-12)


def folder_digest(path: Path) -> dict[str, str]:
    return {
        str(f.relative_to(path)): hashlib.sha256(f.read_bytes()).hexdigest() for f in path.rglob("*") if f.is_file()
    }


def test_the_tree_comes_back_from_its_file_and_has_the_same_bytes_again(run, tmp_path):
    tree = run[3]
    bl.posterior.write_tree(tree, tmp_path / "one.zarr")
    bl.posterior.write_tree(tree, tmp_path / "two.zarr")
    assert folder_digest(tmp_path / "one.zarr") == folder_digest(tmp_path / "two.zarr")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one.zarr", "two.zarr"]
    again = bl.read_tree(tmp_path / "one.zarr")
    assert set(again.children) == {
        "posterior",
        "sample_stats",
        "log_likelihood",
        "posterior_predictive",
        "log_prior",
        "observed_data",
        "constant_data",
        "stability_selection",
        "point_estimate",
    }
    xr.testing.assert_equal(again.load(), tree)
    pd.testing.assert_frame_equal(bl.inclusion_table(again), bl.inclusion_table(tree))
    assert az.from_zarr(tmp_path / "one.zarr")["posterior"]["b"].shape == tree["posterior"]["b"].shape
    with pytest.raises(bl.InputError, match=r"one\.zarr, got one: remove it"):
        bl.posterior.write_tree(tree, tmp_path / "one.zarr")
    with pytest.raises(bl.InputError, match=r"none\.zarr, got none"):
        bl.read_tree(tmp_path / "none.zarr")


def test_hyper_table_is_the_arviz_summary(run):
    table = bl.posterior.hyper_table(run[3])
    assert list(table.index) == ["log_v", "h", "rho", "a[intercept]", "sigma2_g", "sigma2_e", "pve", "pge", "snp_share"]
    draws = run[3]["posterior"]["pve"].values
    np.testing.assert_allclose(table.loc["pve", "mean"], draws.mean(), rtol=1e-6)
    np.testing.assert_allclose(
        table.loc["pve", ["eti95_lb", "eti95_ub"]].astype(float),
        np.quantile(draws, [0.025, 0.975]),
        rtol=1e-6,
    )


def test_column_names_are_unique():
    assert len(COLUMNS) == len(set(COLUMNS)) == 20


def test_chains_that_stay_apart_do_not_agree_about_a_snp():
    """Included for ever in one chain and never in the others: R-hat is not defined then, and must not pass for 1."""
    never, always = np.zeros((4, 50)), np.ones((4, 50))
    apart = never + np.array([1.0, 0, 0, 0])[:, None]
    mixing = np.random.default_rng(1).uniform(0, [[0.9], [0.5], [0.5], [0.5]], size=(4, 50))
    q = np.stack([never, always, mixing, 0.001 * mixing, apart])
    pip, r_hat = q.mean(axis=(1, 2)), convergence(q).r_hat
    assert snp_agreement(pip, r_hat) == (3, np.inf, 4)
    assert snp_agreement(pip[:4], r_hat[:4]) == (2, r_hat[2], 2)
    assert snp_agreement(pip[:1], r_hat[:1]) == (0, 1.0, -1)

"""Posterior projection against the Lasso path of each draw on its own."""

from __future__ import annotations

import numpy as np
import pytest
from draw_trees import tree_of
from posterior_reference import dense_problem

import bayes_lmmlasso as bl
from bayes_lmmlasso.posterior.summaries.effect_summary import probability_error


def drawn_effects(rng, p, included, chains=2, draws=30):
    b = rng.normal(size=(chains, draws, p))
    keep = np.argsort(rng.random((chains, draws, p)), axis=2) < included
    return np.where(keep, b, 0.0)


@pytest.mark.parametrize("exact_zeros", [True, False])
def test_each_draw_selects_what_the_lasso_path_of_its_fitted_values_selects(rng, exact_zeros):
    X, _, _, K = dense_problem(rng, n=60, p=40, kinship="other")
    Z = np.column_stack([np.ones(60), rng.normal(size=60)])
    b = drawn_effects(rng, 40, included=15 if exact_zeros else 40)
    result = bl.posterior.project_posterior(tree_of(X, b, Z=Z, K=K, exact_zeros=exact_zeros), n_active=4, delta=0.7)
    basis = bl.Eigenbasis.from_kinship(K)
    counts = np.zeros((2, 30, 40), dtype=bool)
    for chain, draw in np.ndindex(2, 30):
        path = bl.lasso_path(X, X @ b[chain, draw], basis, 0.7, n_active=4, covariates=Z)
        counts[chain, draw] = path.coef[-1] != 0
    np.testing.assert_allclose(result.frequency, counts.mean(axis=(0, 1)), atol=1e-12)
    np.testing.assert_array_equal(result.n_selected, counts.sum(axis=2).ravel())
    assert result.reached.all()
    assert result.duality_gap.max() < 1e-8
    expected = probability_error(np.moveaxis(counts, 2, 0), np.full(40, 60.0))
    np.testing.assert_allclose(result.mcse, expected, rtol=1e-9)


def test_signals_of_few_snps_are_selected_whole_and_no_signal_selects_nothing(rng):
    """Uncorrelated SNPs: the noise-free Lasso finds the support of b; without effects there is no path."""
    X = np.linalg.qr(rng.normal(size=(50, 30)) - 0.0)[0] * np.sqrt(50)
    b = drawn_effects(rng, 30, included=3)
    b[0, 0] = 0.0
    tree = tree_of(X, b, Z=np.empty((50, 0)), K=np.eye(50))
    result = bl.posterior.project_posterior(tree, n_active=5, delta=1.0)
    np.testing.assert_allclose(result.frequency, (b != 0).mean(axis=(0, 1)), atol=1e-12)
    assert not result.reached.any()
    assert result.n_selected.tolist() == [0] + [3] * 59


def test_duplicates_share_the_frequency_of_their_class(rng):
    X, _, _, K = dense_problem(rng, n=50, p=20)
    X[:, 7] = -X[:, 2]
    b = drawn_effects(rng, 20, included=20)
    result = bl.posterior.project_posterior(tree_of(X, b, K=K, exact_zeros=False), n_active=3, delta=1.0)
    assert result.frequency[7] == result.frequency[2] > 0
    assert result.frequency.sum() - result.frequency[7] == pytest.approx(3, abs=1e-9)


def test_draws_are_thinned_evenly_over_chains(rng):
    X, _, _, K = dense_problem(rng, n=50, p=20)
    b = drawn_effects(rng, 20, included=20, chains=3, draws=41)
    some = bl.posterior.project_posterior(tree_of(X, b, K=K), n_active=2, delta=1.0, draws=30)
    same = bl.posterior.project_posterior(tree_of(X, b[:, ::5], K=K), n_active=2, delta=1.0)
    assert some.n_selected.size == 3 * 9
    np.testing.assert_array_equal(some.frequency, same.frequency)


def test_no_more_snps_are_asked_for_than_there_are(rng):
    X, _, _, K = dense_problem(rng, n=50, p=20)
    tree = tree_of(X, drawn_effects(rng, 20, included=5), K=K)
    assert bl.posterior.project_posterior(tree, n_active=21, delta=1.0).n_active == 20


def test_refusals(rng):
    X, _, _, K = dense_problem(rng, n=50, p=20)
    tree = tree_of(X, drawn_effects(rng, 20, included=5), K=K)
    with pytest.raises(bl.InputError, match=r"n_active and delta.*n_active=None, delta=1\.0"):
        bl.posterior.project_posterior(tree, delta=1.0)
    with pytest.raises(bl.InputError, match="of at least 1, got n_active=0"):
        bl.posterior.project_posterior(tree, n_active=0, delta=1.0)
    with pytest.raises(bl.InputError, match="number of chains, 2, got 1"):
        bl.posterior.project_posterior(tree, n_active=2, delta=1.0, draws=1)

"""Several traits at once, weights, and the permutation null."""

from __future__ import annotations

import numpy as np
import pytest
from exact_lasso import coordinate_descent, whiten

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso import (
    PermutationNull,
    Selector,
    Subsampling,
    lasso_path,
    permutation_null,
    stability_selection,
    stability_selections,
)
from bayes_lmmlasso.lasso.permutation import permute_trait
from bayes_lmmlasso.lmm import Eigenbasis, fit_null_model, kinship


@pytest.fixture
def cohort(rng):
    n, p = 60, 100
    X = rng.binomial(2, rng.uniform(0.2, 0.8, p), (n, p)).astype(float)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = 1.0 + 1.5 * X[:, 0] + rng.standard_normal(n)
    return X, y, kinship(rng.standard_normal((n, 90))), np.ones((n, 1))


def test_several_traits_are_what_each_is_alone(cohort, rng):
    X, y, K, Z = cohort
    Y = np.column_stack([y, rng.standard_normal(60), -2.0 * y])
    together = stability_selections(X, Y, K, Selector(n_active=4, covariates=Z), Subsampling(10, seed=3))
    for trait, result in zip(Y.T, together, strict=True):
        alone = stability_selection(X, trait, K, n_active=4, covariates=Z, n_subsamples=10, seed=3)
        np.testing.assert_array_equal(result.frequency, alone.frequency)
        np.testing.assert_allclose(result.log_delta, alone.log_delta, atol=1e-9)
    np.testing.assert_array_equal(together[0].frequency, together[2].frequency)


def test_weighted_path_minimises_the_weighted_objective(cohort, rng):
    X, y, K, Z = cohort
    weights = rng.uniform(0.3, 3.0, 100)
    weights[0] = np.inf
    path = lasso_path(X, y, Eigenbasis.from_kinship(K), 0.5, mu=[6.0, 2.0], covariates=Z, weights=weights)
    AX, Ay = whiten(X, y, K, 0.5, Z)
    for b, mu in zip(path.coef, path.mu, strict=True):
        np.testing.assert_allclose(b, coordinate_descent(AX / weights, Ay, mu) / weights, atol=1e-10)
    assert path.duality_gap.max() < 1e-10
    assert (path.coef[:, 0] == 0).all()
    V = K + 0.5 * np.eye(60)
    rest = np.linalg.solve(V, y[:, None] - X @ path.coef.T)
    np.testing.assert_allclose(path.fixed_effects[:, 0], rest.sum(axis=0) / np.linalg.solve(V, Z).sum(), atol=1e-9)


def test_equal_weights_only_scale_the_penalty(cohort):
    X, y, K, Z = cohort
    plain = stability_selection(X, y, K, n_active=4, covariates=Z, n_subsamples=6)
    scaled = stability_selection(X, y, K, n_active=4, covariates=Z, n_subsamples=6, weights=np.full(100, 2.5))
    np.testing.assert_array_equal(plain.frequency, scaled.frequency)


def test_path_from_the_kinship_is_that_from_its_eigenbasis(cohort):
    X, y, K, Z = cohort
    one, two = (lasso_path(X, y, basis, 0.5, n_active=9, covariates=Z) for basis in (K, Eigenbasis.from_kinship(K)))
    np.testing.assert_allclose(one.coef, two.coef, atol=1e-11)
    np.testing.assert_allclose(one.fixed_effects, two.fixed_effects, atol=1e-11)


def test_permuted_traits_keep_the_null_model(cohort):
    """Whitened residuals are the same numbers in another order; the identity gives the trait back."""
    _, y, K, Z = cohort
    basis = Eigenbasis.from_kinship(K)
    null = fit_null_model(y, basis, Z, "reml")
    permuted = permute_trait(y, basis, Z, 5, seed=1)
    white = basis.rotate(np.column_stack([y, permuted]) - Z @ null.fixed_effects[:, None])
    white /= np.sqrt(basis.values + null.delta)[:, None]
    for column in white.T[1:]:
        np.testing.assert_allclose(np.sort(column), np.sort(white[:, 0]), atol=1e-10)
        assert np.abs(column - white[:, 0]).max() > 0.1


def test_a_strong_snp_is_significant_and_noise_is_not(cohort):
    X, y, K, Z = cohort
    observed = stability_selection(X, y, K, n_active=3, covariates=Z, n_subsamples=20)
    null = permutation_null(observed, X, y, K, n_permutations=39, seed=2)
    assert null.largest.shape == (39,)
    assert null.p_value[0] <= 0.05
    assert np.median(null.p_value) > 0.5
    np.testing.assert_array_equal(null.p_value <= 0.05, observed.frequency >= null.threshold(0.05))


def test_threshold_by_hand():
    null = PermutationNull(np.arange(1, 20) / 20, np.empty(0))
    assert null.threshold(0.05) == pytest.approx(0.95)
    assert null.threshold(0.10) == pytest.approx(0.90)
    assert null.threshold(0.01) == np.inf


def test_no_permutation_is_refused(cohort):
    X, y, K, Z = cohort
    observed = stability_selection(X, y, K, n_active=3, covariates=Z, n_subsamples=4)
    with pytest.raises(InputError, match="expected at least one permutation, got 0"):
        permutation_null(observed, X, y, K, n_permutations=0)

"""Batched null models against the eigendecomposition, and the quick check of definiteness."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import Eigenbasis, fit_null_model, kinship
from bayes_lmmlasso.lmm.deltas import fit_deltas, subsample_deltas
from bayes_lmmlasso.lmm.kinship import validate_kinship
from bayes_lmmlasso.lmm.tridiagonal import Tridiagonal, orthonormal_span


@pytest.fixture
def cohort(rng):
    n = 90
    K = kinship(rng.standard_normal((n, 60)))  # singular
    Z = np.column_stack([np.ones(n), rng.standard_normal(n), rng.standard_normal(n)])
    polygenic = rng.multivariate_normal(np.zeros(n), K + 1e-10 * np.eye(n), 3).T
    Y = 100.0 + polygenic * [1.0, 0.5, 0.0] + rng.standard_normal((n, 3))
    return K, Y, Z


@pytest.mark.parametrize("method", ["ml", "reml"])
@pytest.mark.parametrize("q", [0, 1, 3])
def test_deltas_are_those_of_the_eigendecomposition(cohort, rng, method, q):
    K, Y, Z = cohort
    draws = np.array([np.sort(rng.permutation(90)[:50]) for _ in range(8)])
    spans = [orthonormal_span(Z[rows, :q]) for rows in draws]
    estimate = subsample_deltas(K, Y, spans, draws, method)
    inside = 0
    for b, rows in enumerate(draws):
        basis = Eigenbasis.from_kinship(K[np.ix_(rows, rows)])
        for t in range(3):
            null = fit_null_model(Y[rows, t], basis, Z[rows, :q], method)
            assert estimate.at_bound[b, t] == null.at_bound
            assert estimate.log_delta[b, t] == pytest.approx(null.log_delta, abs=1e-9)
            inside += not null.at_bound
    assert inside > 5 or q == 0


def test_a_bound_is_the_grid_value(rng):
    K = kinship(rng.standard_normal((80, 400)))
    basis = Eigenbasis.from_kinship(K)
    Y = basis.vectors @ np.column_stack([np.sqrt(basis.values), np.ones(80)])
    estimate = fit_deltas(Tridiagonal.of(K, Y, np.empty((1, 80, 0)), np.arange(80)[None]), "ml")
    np.testing.assert_array_equal(estimate.log_delta, [[-5.0, 5.0]])
    assert estimate.at_bound.all()


def test_many_problems_are_done_in_parts(cohort):
    K, Y, Z = cohort
    rows = np.array([np.arange(50), np.arange(20, 70), np.arange(40, 90)])
    problems = Tridiagonal.of(K, Y[:, :1], np.array([orthonormal_span(Z[chosen]) for chosen in rows]), rows)
    together = fit_deltas(problems, "reml").log_delta
    np.testing.assert_allclose(fit_deltas(problems, "reml", part_bytes=1).log_delta, together, atol=1e-12)


def test_scale_of_kinship_shifts_delta(cohort):
    K, Y, Z = cohort
    one, other = (
        fit_deltas(
            Tridiagonal.of(scale * K, Y[:, :1], orthonormal_span(Z)[None], np.arange(90)[None]), "reml"
        ).log_delta
        for scale in (1.0, 2.0)
    )
    np.testing.assert_allclose(other, one + np.log(2.0), atol=1e-9)


def test_a_trait_of_covariates_alone_is_refused(cohort):
    K, _, Z = cohort
    with pytest.raises(InputError, match="expected variation beyond the 3 covariates, got none in 90 samples"):
        Tridiagonal.of(K, Z @ [[1.0], [2.0], [3.0]], orthonormal_span(Z)[None], np.arange(90)[None])


@pytest.mark.parametrize("smallest", [-1e-3, -2e-6, -5e-7, 0.0, 1e-3])
def test_definiteness_is_that_of_the_eigenvalues(rng, smallest):
    Q = np.linalg.qr(rng.standard_normal((30, 30)))[0]
    values = np.concatenate([[smallest], np.linspace(0.01, 1.0, 29)])
    K = Q * values @ Q.T
    K = 0.5 * (K + K.T)
    if smallest < -1e-6:
        with pytest.raises(InputError, match="expected a positive semi-definite matrix"):
            validate_kinship(K)
    else:
        np.testing.assert_array_equal(validate_kinship(K), K)

"""The joint MAP: descent, stationarity in every variable, and what it starts from."""

from __future__ import annotations

import numpy as np
import pytest
from exact_lasso import kkt_violation, whiten

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso import joint_map, lasso_path
from bayes_lmmlasso.lmm import Eigenbasis, kinship


@pytest.fixture
def cohort(rng):
    n, p = 120, 80
    X = rng.standard_normal((n, p))
    K = kinship(rng.standard_normal((n, 20)))
    u = rng.multivariate_normal(np.zeros(n), K)
    y = 2.0 + X[:, :3] @ [0.8, -0.6, 0.5] + u + 1.2 * rng.standard_normal(n)
    return X, y, K, np.ones((n, 1))


def objective(cohort, a, b, log_sg2, log_delta, penalty):
    X, y, K, Z = cohort
    V = np.exp(log_sg2) * (K + np.exp(log_delta) * np.eye(y.size))
    r = y - Z @ a - X @ b
    return 0.5 * np.linalg.slogdet(V)[1] + 0.5 * r @ np.linalg.solve(V, r) + penalty * np.abs(b).sum()


def test_every_variable_is_stationary(cohort):
    X, y, K, Z = cohort
    result = joint_map(X, y, Eigenbasis.from_kinship(K), n_active=6, covariates=Z)
    assert result.converged
    assert not result.model.at_bound
    a, b = result.path.fixed_effects[-1], result.path.coef[-1]
    at = (np.log(result.model.sigma2_g), result.model.log_delta)
    here = objective(cohort, a, b, *at, result.penalty)
    assert result.objective[-1] == pytest.approx(here, abs=1e-9)
    for i in range(2):
        slope = [
            objective(cohort, a, b, *(at[j] + h * (i == j) for j in range(2)), result.penalty) for h in (1e-4, -1e-4)
        ]
        assert abs(slope[0] - slope[1]) / 2e-4 < 1e-5
        assert min(slope) >= here
    mu = result.penalty * result.model.sigma2_g
    assert kkt_violation(*whiten(X, y, K, result.model.delta, Z), b, mu) < 1e-8
    assert result.path.duality_gap.max() < 1e-10


def test_objective_descends_from_the_two_step_solution(cohort):
    X, y, K, Z = cohort
    basis = Eigenbasis.from_kinship(K)
    result = joint_map(X, y, basis, n_active=6, covariates=Z)
    assert (np.diff(result.objective) <= 1e-10).all()
    assert result.objective[-1] < result.objective[0] - 1e-3
    two_step = lasso_path(X, y, basis, result.null_model.delta, n_active=6, covariates=Z)
    np.testing.assert_allclose(result.two_step.coef[-1], two_step.coef[-1], atol=1e-10)
    assert result.two_step.mu[-1] == pytest.approx(result.penalty * result.null_model.sigma2_g)


def test_without_active_snps_the_null_model_is_joint_already(cohort):
    X, y, K, Z = cohort
    result = joint_map(X, y, Eigenbasis.from_kinship(K), mu=1e6, covariates=Z)
    assert result.converged
    assert result.objective.size == 2
    assert result.model.log_delta == pytest.approx(result.null_model.log_delta, abs=1e-9)


def test_giving_up_is_reported(cohort):
    X, y, K, Z = cohort
    basis = Eigenbasis.from_kinship(K)
    assert not joint_map(X, y, basis, n_active=6, covariates=Z, max_iterations=1).converged
    with pytest.raises(InputError, match="expected at least one iteration, got 0"):
        joint_map(X, y, basis, n_active=6, covariates=Z, max_iterations=0)

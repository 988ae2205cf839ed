"""The predictive distribution against closed forms, quadrature and simulated truth."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from draw_trees import tree_of
from posterior_reference import PRIOR_SD_FIXED, dense_problem, normal_posterior
from scipy.optimize import brentq
from scipy.stats import norm

import bayes_lmmlasso as bl
from bayes_lmmlasso.cohort import fit_trait_transform
from bayes_lmmlasso.posterior.mixture import NormalMixture

HYPER = {"log_v": 0.1, "h": 0.6, "rho": 0.4}


def components():
    v, h, rho = np.exp(HYPER["log_v"]), HYPER["h"], HYPER["rho"]
    return v * h * (1 - rho), v * (1 - h), v * h * rho  # sg2, se2, p s^2


def sigma_points(mean, covariance):
    """Draws whose mean and covariance are exactly the given ones: mean +- sqrt(k) columns of a root."""
    root = np.sqrt(len(mean)) * np.linalg.cholesky(covariance).T
    return np.concatenate([mean + root, mean - root])


def tree_with(X, y, Z, K, draws, exact_zeros=False):
    sigma2_g, sigma2_e, _ = components()
    m, q = len(draws), Z.shape[1]
    hyper = {"sigma2_g": np.full((1, m), sigma2_g), "sigma2_e": np.full((1, m), sigma2_e), "a": draws[None, :, :q]}
    return tree_of(X, draws[None, :, q:], Z=Z, K=K, y=y, exact_zeros=exact_zeros, **hyper)


@pytest.mark.parametrize("kinship", ["rrm", "other"])
@pytest.mark.parametrize("exact_zeros", [True, False])  # sparse and dense draws
def test_mean_and_variance_are_those_of_the_joint_normal(rng, kinship, exact_zeros):
    """Normal prior, fixed hyper-parameters: y_new | y by conditioning the joint normal of all samples."""
    n, n_new, p = 40, 15, 12
    X, _, _, K = dense_problem(rng, n=n + n_new, p=p, kinship=kinship)
    Z = np.column_stack([np.ones(n + n_new), rng.normal(size=n + n_new)])
    y = rng.normal(size=n)
    sigma2_g, sigma2_e, effects = components()
    C = PRIOR_SD_FIXED**2 * Z @ Z.T + effects / p * X @ X.T + sigma2_g * K + sigma2_e * np.eye(n + n_new)
    weights = np.linalg.solve(C[:n, :n], C[:n, n:]).T
    expected_mean, expected = weights @ y, np.diag(C[n:, n:] - weights @ C[:n, n:])
    mean, covariance = normal_posterior(X[:n], y, Z[:n], K[:n, :n], **HYPER)
    tree = tree_with(X[:n], y, Z[:n], K[:n, :n], sigma_points(mean, covariance), exact_zeros)
    result = bl.posterior.predict_posterior(
        tree, X[n:], bl.lmm.CrossKinship(K[n:, :n], np.diag(K)[n:]), covariates=Z[n:], interval=0.95
    )
    np.testing.assert_allclose(result.mean, expected_mean, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(result.sd, np.sqrt(expected), rtol=1e-8)


def excess(t, mean, sd, level):
    return norm.cdf(t, mean, sd).mean() - level


def test_quantiles_solve_the_mixture(rng):
    means, sds = rng.normal(size=(50, 8)) * 3, rng.uniform(0.1, 2, size=(50, 8))
    for level in (0.025, 0.5, 0.9):
        for i, quantile in enumerate(NormalMixture(means, sds).quantile(level)):
            mixture = partial(excess, mean=means[:, i], sd=sds[:, i], level=level)
            exact = brentq(mixture, -30, 30, xtol=1e-12)
            assert quantile == pytest.approx(exact, abs=1e-9)


def test_exact_draws_give_calibrated_intervals(rng):
    """Traits from the prior, draws from the exact posterior: 95% intervals hold 95% of new samples.

    300 cohorts of 5 new samples: the standard error of the coverage is below 0.01 even if the 5 are one.
    """
    n, p, n_new, inside = 30, 10, 5, []
    sigma2_g, sigma2_e, effects = components()
    for _ in range(300):
        X, _, _, K = dense_problem(rng, n=n + n_new, p=p, kinship="other")
        Z = np.ones((n + n_new, 1))
        u = np.linalg.cholesky(K) @ rng.normal(size=n + n_new)
        b, a = rng.normal(scale=np.sqrt(effects / p), size=p), rng.normal(scale=PRIOR_SD_FIXED)
        y = a + X @ b + np.sqrt(sigma2_g) * u + np.sqrt(sigma2_e) * rng.normal(size=n + n_new)
        mean, covariance = normal_posterior(X[:n], y[:n], Z[:n], K[:n, :n], **HYPER)
        draws = rng.multivariate_normal(mean, covariance, size=400)
        tree = tree_with(X[:n], y[:n], Z[:n], K[:n, :n], draws)
        result = bl.posterior.predict_posterior(
            tree, X[n:], bl.lmm.CrossKinship(K[n:, :n], np.diag(K)[n:]), covariates=Z[n:]
        )
        inside += ((result.lo <= y[n:]) & (y[n:] <= result.hi)).tolist()
    assert 0.92 < np.mean(inside) < 0.98


@pytest.mark.parametrize("name", ["none", "box-cox", "rank-normal"])
def test_trait_units_are_those_of_a_large_sample(rng, name):
    """Mean and sd of transformed draws of the mixture, within their Monte Carlo error."""
    n, p = 30, 6
    X, y, Z, K = dense_problem(rng, n=n, p=p, kinship="other")
    trait = fit_trait_transform(np.exp(0.4 * rng.normal(size=400)), name)
    mean, covariance = normal_posterior(X, y, Z, K, **HYPER)
    tree = tree_with(X, y, Z, K, rng.multivariate_normal(mean, 1e-3 * covariance, size=50))
    cross = bl.lmm.CrossKinship(0.3 * K[:4], np.diag(K)[:4])
    plain = bl.posterior.predict_posterior(tree, X[:4], cross, covariates=Z[:4])
    result = bl.posterior.predict_posterior(tree, X[:4], cross, covariates=Z[:4], trait=trait)
    for bound in ("lo", "hi"):  # a monotone transform keeps quantiles
        np.testing.assert_allclose(getattr(result, bound), trait.inverse(getattr(plain, bound)), rtol=1e-12)
    # with the posterior of a and b this narrow the mixture is all but one normal
    sample = trait.inverse(plain.mean + plain.sd * rng.normal(size=(200_000, 4)))
    np.testing.assert_allclose(result.mean, sample.mean(axis=0), atol=5 * sample.std() / np.sqrt(200_000))
    np.testing.assert_allclose(result.sd, sample.std(axis=0), rtol=0.01)


@pytest.mark.parametrize("name", ["none", "box-cox"])
def test_monte_carlo_error_is_the_scatter_of_means_over_runs(rng, name):
    """Chains that never leave where they started, with independent draws about that: over 200 runs of 4 of them."""
    n, p, chains, draws = 20, 4, 4, 30
    X, y, Z, K = dense_problem(rng, n=n, p=p, kinship="other")
    trait = fit_trait_transform(np.exp(0.4 * rng.normal(size=400)), name)
    cross = bl.lmm.CrossKinship(0.3 * K[:3], np.diag(K)[:3])
    sigma2_g, sigma2_e, _ = (np.full((chains, draws), value) for value in components())
    means, errors = [], []
    for _ in range(200):
        b = 0.2 * rng.normal(size=(chains, 1, p)) + 0.1 * rng.normal(size=(chains, draws, p))
        a = np.zeros((chains, draws, 1))
        tree = tree_of(X, b, Z=Z, K=K, y=y, exact_zeros=False, sigma2_g=sigma2_g, sigma2_e=sigma2_e, a=a)
        result = bl.posterior.predict_posterior(tree, X[:3], cross, covariates=Z[:3], trait=trait)
        means.append(result.mean)
        errors.append(result.mcse)
    np.testing.assert_allclose(np.sqrt(np.square(errors).mean(axis=0)), np.std(means, axis=0), rtol=0.2)


def test_one_chain_does_not_tell_its_monte_carlo_error(rng):
    X, y, Z, K = dense_problem(rng, n=20, p=5, kinship="other")
    tree = tree_with(X, y, Z, K, rng.normal(size=(30, 6)))
    result = bl.posterior.predict_posterior(tree, X[:2], bl.lmm.CrossKinship(K[:2], np.diag(K)[:2]), covariates=Z[:2])
    assert np.isnan(result.mcse).all()
    assert np.isfinite(result.mean).all()


def test_refusals(rng):
    X, y, Z, K = dense_problem(rng, n=20, p=5, kinship="other")
    tree = tree_with(X, y, Z, K, rng.normal(size=(30, 6)))
    good = bl.lmm.CrossKinship(K[:2], np.diag(K)[:2])
    for arguments, message in (
        ({"X": X[:2, :4]}, r"SNPs of the new samples: expected shape \(2, 5\), got \(2, 4\)"),
        ({"covariates": None}, r"covariates of the new samples: expected shape \(2, 1\), got \(2, 0\)"),
        ({"kinship": bl.lmm.CrossKinship(K[:2, :9], np.ones(2))}, r"expected shape \(2, 20\), got \(2, 9\)"),
        ({"kinship": bl.lmm.CrossKinship(K[:2], 0.1 * np.diag(K)[:2])}, "explains more than its diagonal"),
        ({"interval": 95}, r"interval in \(0, 1\), got 95"),
    ):
        given = {"X": X[:2], "kinship": good, "covariates": Z[:2]} | arguments
        with pytest.raises(bl.InputError, match=message):
            bl.posterior.predict_posterior(tree, given.pop("X"), given.pop("kinship"), **given)
    with pytest.raises(bl.InputError, match="group training"):
        bl.posterior.read_training(tree)

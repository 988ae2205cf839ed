"""The regularised horseshoe: its prior in closed form, its posterior by importance sampling, recovery of effects."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from posterior_reference import PRIOR_SD_FIXED, dense_problem

import bayes_lmmlasso as bl
from bayes_lmmlasso.models.horseshoe import shrinkage
from bayes_lmmlasso.posterior.summaries.diagnostics import convergence, effective_sample_size


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shrinkage_is_that_of_half_cauchy_scales(dtype):
    """At the u-quantile of N(0, 1) lambda is the u-quantile of C+(0, 1); the gradient is finite far outside."""
    u = np.array([1e-6, 1e-3, 0.1, 0.5, 0.9, 0.999, 1 - 1e-5])
    ratio, half_cauchy = 0.02, np.tan(np.pi * u / 2)
    exact = ratio * half_cauchy / np.sqrt(1 + (ratio * half_cauchy) ** 2)
    with jax.enable_x64(dtype == np.float64):
        x = jax.scipy.special.ndtri(jnp.asarray(u, dtype))
        value = shrinkage(x, jnp.asarray(ratio, dtype))
        slope = jax.vmap(jax.grad(shrinkage), (0, None))(jnp.asarray([-12.0, 0.0, 12.0], dtype), ratio)
    np.testing.assert_allclose(value, exact, rtol=5e-3 if dtype == np.float32 else 1e-9)
    assert np.isfinite(slope).all()


def test_variance_of_an_effect_is_the_share_of_large_effects(rng):
    """E[t^2] = tau / (tau + c) = pi, so that E[sum b^2] = v h rho."""
    for share in (0.01, 0.2):
        t = np.asarray(shrinkage(jnp.asarray(rng.normal(size=400_000)), share / (1 - share))).astype(float)
        error = (t**2).std() / np.sqrt(t.size)
        assert abs((t**2).mean() - share) < 4.5 * error


def importance_moments(X, y, Z, K, values_of, draws, rng):
    """Posterior means of ``values_of(hyper, b)`` and their errors: draws from the prior, weighted by the likelihood."""
    p = X.shape[1]
    log_v, h, rho = rng.normal(0, 0.5, draws), rng.uniform(size=draws), rng.uniform(size=draws)
    lower, upper = np.log(1 / p), np.log(min(0.3, 300 / p))
    log_pi = rng.uniform(lower, upper, draws)
    share = np.exp(log_pi)
    c = np.sqrt(np.exp(log_v) * h * rho / (p * share))
    tau = c * share / (1 - share)
    local = np.abs(rng.standard_cauchy((draws, p)))
    scale = tau[:, None] * local / np.sqrt(1 + (tau / c)[:, None] ** 2 * local**2)
    b = scale * rng.normal(size=(draws, p))
    values, vectors = np.linalg.eigh(K)
    v = np.exp(log_v)[:, None]
    d = v * h[:, None] * (1 - rho[:, None]) * values + v * (1 - h[:, None])
    z = vectors.T @ Z[:, 0]
    r = (y - b @ X.T) @ vectors
    # a integrated out: diag(d) + 100 zz' by the matrix inversion lemma
    inner = 1 / PRIOR_SD_FIXED**2 + (z**2 / d).sum(1)
    log_weight = -0.5 * (np.log(d).sum(1) + np.log(inner) + (r**2 / d).sum(1) - (r * z / d).sum(1) ** 2 / inner)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    series = values_of({"log_v": log_v, "h": h, "rho": rho, "log_pi": log_pi}, b)
    mean = weight @ series
    return mean, np.sqrt(np.square(weight) @ np.square(series - mean))


@pytest.mark.usefixtures("x64")
def test_posterior_agrees_with_importance_sampling(rng):
    X, y, Z, K = dense_problem(rng, n=12, p=4, kinship="arbitrary")

    def values_of(hyper, b):
        columns = np.stack([hyper[name] for name in ("log_v", "h", "rho", "log_pi")], axis=-1)
        return np.concatenate([columns, columns**2, b, np.abs(b), np.abs(b) > 0.3], axis=-1)

    exact, exact_error = importance_moments(X, y, Z, K, values_of, 1_000_000, rng)
    data = bl.rotate(X, bl.Eigenbasis.from_kinship(K), y=y, covariates=Z)
    tree = bl.sample_posterior(data, "horseshoe", chains=4, warmup=600, draws=2500, seed=1)
    posterior = tree["posterior"]
    assert tree.attrs["hyper"] == ["log_v", "h", "rho", "log_pi"]
    series = np.moveaxis(values_of({k: posterior[k].values for k in tree.attrs["hyper"]}, posterior["b"].values), 2, 0)
    assert convergence(series[:12]).r_hat.max() < 1.02
    error = series.std(axis=(1, 2)) / np.sqrt(effective_sample_size(series))
    z = (series.mean(axis=(1, 2)) - exact) / np.hypot(error, exact_error)
    assert np.abs(z).max() < 4.5, z.round(1)
    assert (exact_error < 0.05 * series.std(axis=(1, 2))).all()  # the reference is sharp


@pytest.mark.usefixtures("x64")
def test_large_effects_are_found_and_hardly_shrunk_small_ones_are(rng):
    n, p = 150, 60
    X = rng.normal(size=(n, p))
    X = (X - X.mean(0)) / X.std(0)
    truth = np.zeros(p)
    truth[[3, 20, 41]] = 0.7, -0.5, 0.4
    y = X @ truth + 0.5 * rng.normal(size=n)
    y, truth = (y - y.mean()) / y.std(), truth / y.std()
    data = bl.rotate(X, bl.Eigenbasis.from_kinship(X @ X.T / p), y=y, covariates=np.ones((n, 1)))
    table = bl.inclusion_table(bl.sample_posterior(data, "horseshoe", chains=2, warmup=300, draws=400, seed=2))
    large = truth != 0
    assert (table["pip"][large] > 0.99).all()
    assert (table["pip"][~large] < 0.7).all()
    assert ((table["beta_lo"] < truth) & (truth < table["beta_hi"]))[large].all()
    assert np.abs(table["beta_mean"] - truth)[large].max() < 0.12
    assert np.abs(table["beta_mean"])[~large].max() < 0.08
    assert table["r_hat"].max() < 1.05

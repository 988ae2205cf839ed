"""The density of the hyper-parameters given the effects, against dense covariances in float64 and under rounding."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpyro.infer.util import log_density
from scipy.stats import multivariate_normal, norm

import bayes_lmmlasso as bl
from bayes_lmmlasso.models import RotatedData, Variances
from bayes_lmmlasso.models.given_effects import HeldEffects, draw_fixed_effects, hyper_given_effects

PLACE = {"log_v": 0.3, "h": 0.6, "rho": 0.4}


def rotated(y, Z, S, dtype=np.float64, p=20):
    """Data as they come from the eigenbasis; the density reads no SNP."""
    y, Z, S = (jnp.asarray(values, dtype) for values in (y, Z, S))
    return RotatedData(y, Z, jnp.zeros((p, len(S)), dtype), S, jnp.zeros(0, dtype), jnp.zeros(0, dtype))


def density(data, fitted, **place):
    """Log density at a place, with sum |b_j| = 7 and s = 0.1 of as many effects as there are SNPs."""
    dtype = data.y.dtype
    number, total, scale = (jnp.asarray(value, dtype) for value in (data.n_snps, 7.0, 0.1))
    held = HeldEffects(jnp.asarray(fitted, dtype), number, total, scale)
    model = partial(hyper_given_effects, sparse=False)
    at = {name: jnp.asarray(value, dtype) for name, value in (PLACE | place).items()}
    with jax.numpy_dtype_promotion("standard"):
        return log_density(model, (data, held, jnp.bool_(False)), {}, at)[0]


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("q", [0, 1, 4])
def test_fixed_effects_are_integrated_out(rng, q):
    """y ~ N(f, diag(d) + 100 Z Z'), wherever the hyper-parameters are."""
    n = 15
    Z, S, y, f = rng.normal(size=(n, q)), rng.gamma(1, size=n), 4 * rng.normal(size=n), rng.normal(size=n)
    data = rotated(y, Z, S)
    for place in (PLACE, {"log_v": -0.8, "h": 0.99, "rho": 0.1}):
        v, h, rho = np.exp(place["log_v"]), place["h"], place["rho"]
        covariance = np.diag(v * h * (1 - rho) * S + v * (1 - h)) + 100 * Z @ Z.T
        s = np.sqrt(v * h * rho / (2 * data.n_snps))
        exact = multivariate_normal.logpdf(y, f, covariance) + norm.logpdf(place["log_v"], 0, 0.5)
        exact += -data.n_snps * np.log(s / 0.1) - 7 / s
        np.testing.assert_allclose(density(data, f, **place), exact, rtol=1e-11)


@pytest.mark.parametrize("h", [0.5, 0.995, 0.99999])
def test_covariates_add_no_noise_to_the_density_in_float32(rng, h):
    """Covariates that explain 90% of the trait: what differs from float64, at places next to each other."""
    n, shares = 2000, h + 0.01 * (1 - h) * np.linspace(-1, 1, 60)
    S, Z = rng.gamma(0.5, 2, size=n), rng.normal(size=(n, 2))
    f = rng.normal(size=n) * np.sqrt(0.5 * h * S)
    y = f + rng.normal(size=n) * np.sqrt(0.5 * h * S + 1 - h) + 3 * Z[:, 0]
    y, Z, S, f = (values.astype(np.float32) for values in (y, Z, S, f))

    def values(dtype):
        with jax.enable_x64(dtype == np.float64):
            data = rotated(y, Z, S, dtype)
            at = jnp.asarray(shares.astype(np.float32), dtype)
            return np.asarray(jax.jit(jax.vmap(lambda h: density(data, f, h=h)))(at), np.float64)

    difference = values(np.float32) - values(np.float64)
    assert np.abs(difference).max() < 1e-3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fixed_effects_have_the_moments_of_their_full_conditional(rng, dtype):
    """Also where all but a ten-thousandth of the trait is the mean."""
    n, variances = 12, (0.002, 0.001, 0.5)
    Z, S, f = np.c_[np.ones(n), rng.normal(size=n)], rng.gamma(1, size=n), rng.normal(size=n)
    y = f - 5.4 + 0.05 * rng.normal(size=n)
    precision = np.eye(2) / 100 + Z.T @ (Z / (0.002 * S + 0.001)[:, None])
    covariance = np.linalg.inv(precision)
    mean = covariance @ Z.T @ ((y - f) / (0.002 * S + 0.001))
    with jax.enable_x64(dtype == np.float64):
        data, parts = rotated(y, Z, S, dtype), Variances(*(jnp.asarray(value, dtype) for value in variances))
        one = partial(draw_fixed_effects, data, jnp.asarray(f, dtype), parts)
        draws = np.asarray(jax.vmap(one)(jax.random.split(jax.random.key(0), 20_000)).effects, np.float64)
    z = np.linalg.solve(np.linalg.cholesky(covariance), (draws - mean).T)
    assert np.abs(z.mean(axis=1)).max() < 4 / np.sqrt(20_000)
    np.testing.assert_allclose(np.cov(z), np.eye(2), atol=4 * np.sqrt(2 / 20_000))


def collinear(rng, correlation, n=100):
    """Trait, covariates of which two correlate and a third is their difference in part, eigenbasis, and X b."""
    z = np.linalg.qr(rng.normal(size=(n, 3)) - rng.normal(size=3))[0] * np.sqrt(n)
    twin = correlation * z[:, 0] + np.sqrt(1 - correlation**2) * z[:, 1]
    Z = np.c_[np.ones(n), z[:, 0], twin, z[:, 2]]
    S, U = rng.gamma(0.5, 2, size=n), np.linalg.qr(rng.normal(size=(n, n)))[0]
    f = rng.normal(size=n)
    y = f + 0.02 * rng.normal(size=n) + 2 * z[:, 0] + 3
    return y, Z, bl.Eigenbasis(np.sort(S), U[:, np.argsort(S)]), f


def rotated_collinear(y, Z, basis, dtype):
    return bl.rotate(np.zeros((len(y), 20)) + y[:, None], basis, y=y, covariates=Z, dtype=dtype)


@pytest.mark.parametrize("correlation", [0.9, 0.99995, 0.9999995, 0.999999999999])
def test_covariates_that_nearly_coincide_add_no_noise_in_float32(rng, correlation):
    """What differs from the dense covariance but for a constant, at places next to each other and far apart."""
    y, Z, basis, f = collinear(rng, correlation)
    shares = np.r_[0.5, 0.9, 0.995 + 1e-5 * np.linspace(-1, 1, 10), 0.9999].astype(np.float32)
    data = rotated_collinear(y, Z, basis, np.float32)
    found = jax.jit(jax.vmap(lambda h: density(data, basis.rotate(f)[::-1], h=h)))(jnp.asarray(shares))
    UZ, residual, v, rho = basis.rotate(Z), basis.rotate(y - f), np.exp(PLACE["log_v"]), PLACE["rho"]
    exact = []
    for h in shares.astype(float):
        covariance = np.diag(v * h * (1 - rho) * basis.values + v * (1 - h)) + 100 * UZ @ UZ.T
        s = np.sqrt(v * h * rho / (2 * 20))
        exact.append(multivariate_normal.logpdf(residual, cov=covariance) - 20 * np.log(s / 0.1) - 7 / s)
    difference = np.asarray(found, np.float64) - exact
    assert np.abs(difference - difference[0]).max() < 1e-3


@pytest.mark.parametrize("correlation", [0.99995, 0.9999995])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_effects_of_covariates_that_nearly_coincide_have_their_own_moments(rng, dtype, correlation):
    """a ~ N(0, 100 I) on the scale of the covariates as they are: the prior decides what the data leave open."""
    y, Z, basis, f = collinear(rng, correlation)
    variances = (0.5, 0.09, 0.5)
    UZ, residual = basis.rotate(Z), basis.rotate(y - f)
    d = (0.5 * basis.values + 0.09)[:, None]
    covariance = np.linalg.inv(np.eye(4) / 100 + UZ.T @ (UZ / d))
    mean = covariance @ UZ.T @ (residual / d[:, 0])
    with jax.enable_x64(dtype == np.float64):
        data = rotated_collinear(y, Z, basis, dtype)
        parts = Variances(*(jnp.asarray(value, dtype) for value in variances))
        fitted = jnp.asarray(basis.rotate(f)[::-1], dtype)
        one = partial(draw_fixed_effects, data, fitted, parts)
        draws = jax.vmap(one)(jax.random.split(jax.random.key(0), 20_000))
    z = np.linalg.solve(np.linalg.cholesky(covariance), (np.asarray(draws.effects, np.float64) - mean).T)
    assert np.abs(z.mean(axis=1)).max() < 4 / np.sqrt(20_000)
    np.testing.assert_allclose(np.cov(z), np.eye(4), atol=4 * np.sqrt(2 / 20_000))

"""Slice sampling against distributions whose moments are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax, random
from jax.scipy.stats import norm
from scipy.special import ndtr

from bayes_lmmlasso.posterior.sampler.composite.slice import slice_sample
from bayes_lmmlasso.posterior.summaries.diagnostics import convergence


def draws(log_density, start, n, chains=4, **limit):
    """Run chains side by side: points of shape (d, chains, n), and the evaluations of each update."""

    def step(x, key):
        x, evaluations = slice_sample(log_density, x, key, **limit)
        return x, (x, evaluations)

    def chain(key):
        return lax.scan(step, jnp.asarray(start, jnp.float32), random.split(key, n))[1]

    points, evaluations = jax.jit(jax.vmap(chain))(random.split(random.key(0), chains))
    return np.moveaxis(np.asarray(points, np.float64), 2, 0), np.asarray(evaluations)


def z_scores(series, expected):
    error = series.std(axis=(1, 2)) / np.sqrt(convergence(series).ess_bulk)
    return (series.mean(axis=(1, 2)) - expected) / error


def test_moments_of_a_correlated_narrow_and_wide_normal():
    sd, r = np.array([0.05, 8.0]), 0.6
    covariance = np.array([[1, r], [r, 1]]) * np.outer(sd, sd)
    precision = jnp.asarray(np.linalg.inv(covariance), jnp.float32)
    mean = np.array([1.0, -3.0])

    x, _ = draws(lambda x: -0.5 * (x - mean) @ precision @ (x - mean), mean, 4000)
    centred = x - mean[:, None, None]
    series = np.stack([*x, *centred**2, centred[0] * centred[1]])
    assert np.abs(z_scores(series, [*mean, *sd**2, covariance[0, 1]])).max() < 4.5


def test_moments_where_parts_are_impossible_and_modes_lie_apart():
    """An exponential whose density is NaN below zero, and two modes with a valley between them."""

    def log_density(x):
        exponential = jnp.where(x[0] > 0, -x[0], jnp.nan)
        return exponential + jnp.logaddexp(
            jnp.log(0.3) + norm.logpdf(x[1], -2, 0.5), jnp.log(0.7) + norm.logpdf(x[1], 2)
        )

    x, _ = draws(log_density, [1.0, 2.0], 6000)
    assert x[0].min() > 0
    series = np.stack([x[0], x[0] ** 2, x[1], x[1] ** 2, x[1] < 0])
    below = 0.3 * 0.9999683 + 0.7 * 0.0227501  # normal distribution functions at 4 and -2
    expected = [1, 2, 0.3 * -2 + 0.7 * 2, 0.3 * 4.25 + 0.7 * 5, below]
    assert np.abs(z_scores(series.astype(float), expected)).max() < 4.5


def test_a_density_at_one_point_alone_is_left_in_peace():
    x, evaluations = draws(lambda x: jnp.where(x[0] == 0.25, 0.0, -jnp.inf), [0.25], 5)
    np.testing.assert_array_equal(x, 0.25)
    assert evaluations.max() < 100


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_moments_where_slices_are_longer_than_the_steps_allowed(limit):
    def log_density(x):
        return jnp.logaddexp(norm.logpdf(x[0], -3, 2), norm.logpdf(x[0], 3, 2))

    x, _ = draws(log_density, [0.0], 12000, limit=limit)
    assert np.abs(z_scores(np.concatenate([x, x**2, x > 4]), [0, 13, 0.5 * (ndtr(-0.5) + ndtr(-3.5))])).max() < 4.5


@pytest.mark.parametrize("log_density", [lambda x: 0 * x[0], lambda x: jnp.where(x[0] == 0, -jnp.inf, 0.0)])
def test_stepping_out_ends_where_a_density_does_not_fall_off(log_density):
    x, evaluations = draws(log_density, [0.0], 20)
    assert evaluations.max() < 200
    assert len(np.unique(x)) == x.size


@pytest.mark.parametrize("impossible", [-jnp.inf, jnp.nan])
def test_an_impossible_point_is_left(impossible):
    x, _ = draws(lambda x: jnp.where(x[0] < 1, impossible, -x[0]), [0.5], 300)
    assert x[..., -1].min() > 1

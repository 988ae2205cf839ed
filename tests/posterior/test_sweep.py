"""The event-driven sweep: its conditionals, its truncated normals, and its stationary distribution by enumeration."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import erfcx, ndtr
from scipy.stats import truncnorm
from slab_reference import enumerate_inclusion

from bayes_lmmlasso.posterior.sampler.composite.slab import Slab, draw_effect, evidence, excess, exponent, mills
from bayes_lmmlasso.posterior.sampler.composite.sweep import Block, relocate, sweep
from bayes_lmmlasso.posterior.summaries.diagnostics import effective_sample_size


def problem(rng, n=25, p=5):
    """Strongly correlated SNPs, one of them with an effect."""
    X = rng.normal(size=(n, p)) + 1.5 * rng.normal(size=(n, 1))
    X = (X - X.mean(0)) / X.std(0)
    residual = 0.5 * X[:, 1] + rng.normal(size=n)
    return X, residual, rng.uniform(0.5, 2, size=n)


@pytest.mark.usefixtures("x64")
def test_evidence_is_the_integral_over_the_slab(rng):
    X, residual, d = problem(rng)
    s, b = 0.3, np.array([0.0, 0.4, 0.0, -0.2, 0.0])
    rest = residual - X @ b
    block = Block(jnp.asarray(X.T), jnp.asarray((X.T**2) @ (1 / d)), jnp.ones(5, bool))
    c = block.linear(jnp.asarray(rest), jnp.asarray(b), jnp.asarray(1 / d))
    slab = Slab(jnp.asarray(s))
    shift = exponent(c, block.curvature, slab).max()
    whole, shifted = (evidence(c, block.curvature, slab, by) for by in (0.0, shift))
    for j in range(5):
        without = rest + X[:, j] * b[j]

        def density(value, j=j, without=without):
            change = (without - X[:, j] * value) ** 2 - without**2
            return np.exp(-0.5 * (change / d).sum() - abs(value) / s) / (2 * s)

        positive = quad(density, 0, 20, epsabs=1e-13, points=[0.5])[0]
        negative = quad(density, -20, 0, epsabs=1e-13, points=[-0.5])[0]
        np.testing.assert_allclose(whole[j], positive + negative, rtol=1e-9)
        np.testing.assert_allclose(shifted[j] * np.exp(shift), positive + negative, rtol=1e-9)
        for factor, sign in ((1 - 1e-7, 1), (1 + 1e-7, -1)):
            odds = factor * positive / negative
            u = odds / (1 + odds) if c[j] >= 0 else 1 / (1 + odds)
            assert np.sign(draw_effect(c[j], block.curvature[j], slab, jnp.asarray(u), jnp.asarray(0.5))) == sign


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 2e-6), (np.float64, 1e-13)])
def test_mills_has_no_cancellation(dtype, rtol):
    z = np.concatenate([-np.geomspace(1e-3, 1e4, 40), np.geomspace(1e-3, 13, 40)]).astype(dtype)
    with jax.enable_x64(dtype == np.float64):
        value = np.asarray(mills(jnp.asarray(z), 0.0))
        large = np.asarray(mills(jnp.asarray([20.0, 1e4], dtype), jnp.asarray([200.0, 5e7], dtype)))
        assert np.isinf(mills(jnp.asarray(100.0, dtype), 0.0))
    exact = z.astype(float)
    upper = np.exp(np.maximum(exact, 0) ** 2 / 2) * ndtr(exact)
    expected = np.where(exact < 0, erfcx(-exact / np.sqrt(2)) / 2, upper)
    atol = 1e-7 if dtype == np.float32 else 1e-11
    np.testing.assert_allclose(np.log(value.astype(float)), np.log(expected), rtol=rtol, atol=atol)
    np.testing.assert_array_equal(large, 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("z", [8.0, 2.0, 0.0, -2.5, -3.5, -10.0, -1e3, -1e6])
def test_truncated_normal_excess_is_the_inverse_of_its_tail(dtype, z):
    u = np.array([1e-4, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.9999])
    with jax.enable_x64(dtype == np.float64):
        size = np.asarray(excess(jnp.asarray(z, dtype), jnp.asarray(u, dtype))).astype(float)
    assert (size > 0).all()
    exponential = -np.expm1(z * size - 0.5 * size**2)  # the limit in a far tail
    reached = truncnorm(-z, np.inf).cdf(size - z) if z > -20 else exponential
    # float32 resolves a uniform near 0 and 1 only to its rounding error
    np.testing.assert_allclose(reached, u, rtol=1e-5, atol=2e-6 if dtype == np.float32 else 1e-9)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("block", [128, 2])
@pytest.mark.parametrize("prior", [0.1, 0.5])
def test_sweep_leaves_the_enumerated_posterior_as_it_is(rng, block, prior):
    """Inclusion by indicators and by Rao-Blackwellised probabilities, with blocks that cut the correlated SNPs."""
    X, residual, d = problem(rng)
    s, draws, chains = 0.4, 6000, 4
    exact = enumerate_inclusion(X, residual, d, s, prior)
    slab = Slab(jnp.asarray(s), jnp.log(prior) - jnp.log1p(-prior))
    XT, weights = jnp.asarray(X.T), jnp.asarray(1 / d)

    def chain(key):
        def step(carry, key):
            state = sweep(XT, carry[1], carry[0], weights, jnp.square(XT) @ weights, slab, key, size=block)
            return (state.b, state.residual), (state.b, state.inclusion)

        return jax.lax.scan(step, (jnp.zeros(5), jnp.asarray(residual)), jax.random.split(key, draws))

    (b, r), (effects, inclusion) = jax.jit(jax.vmap(chain))(jax.random.split(jax.random.key(1), chains))
    np.testing.assert_allclose(r, residual - np.asarray(b) @ X.T, atol=1e-10)
    for series in (effects != 0, inclusion):
        values = np.moveaxis(np.asarray(series, dtype=float), 2, 0)[:, :, 200:]
        error = values.std(axis=(1, 2)) / np.sqrt(effective_sample_size(values))
        z = (values.mean(axis=(1, 2)) - exact) / np.hypot(error, 1e-4)
        assert np.abs(z).max() < 4.5, (z, exact)
    assert exact.max() > 2 * prior * 0.5  # the data say something


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("sweeping", [True, False])
def test_relocation_leaves_the_enumerated_posterior_as_it_is(rng, sweeping):
    """In every iteration, after a sweep in blocks that part the copies; by itself it keeps the number of effects."""
    X, residual, d = problem(rng, p=6)
    X[:, 4:] = X[:, :2] + 0.1 * rng.normal(size=(len(X), 2))  # of the SNP with the effect, and of another
    s, prior, draws, chains, number = 0.4, 0.2, 2500, 4, 2
    exact = enumerate_inclusion(X, residual, d, s, prior, sizes=None if sweeping else [number])
    slab = Slab(jnp.asarray(s), jnp.log(prior) - jnp.log1p(-prior))
    XT, weights = jnp.asarray(X.T), jnp.asarray(1 / d)
    padded, curvature = jnp.pad(XT, ((0, 2), (0, 0))), jnp.square(XT) @ weights

    def chain(key):
        def step(carry, key):
            b, residual = carry
            key_sweep, key_move = jax.random.split(key)
            if sweeping:
                b, residual, _ = sweep(padded, residual, b, weights, curvature, slab, key_sweep, size=2)
            after = relocate(padded, residual, b, weights, curvature, slab, key_move)
            return (after.b, after.residual), (after.b, after.inclusion)

        b = jnp.where(jnp.arange(6) < number, 0.1, 0.0)
        return jax.lax.scan(step, (b, jnp.asarray(residual) - b @ XT), jax.random.split(key, draws))

    (b, r), (effects, inclusion) = jax.jit(jax.vmap(chain))(jax.random.split(jax.random.key(1), chains))
    np.testing.assert_allclose(r, residual - np.asarray(b) @ X.T, atol=1e-10)
    if not sweeping:
        np.testing.assert_array_equal((effects != 0).sum(axis=2), number)
        np.testing.assert_allclose(inclusion.sum(axis=2), number)
    for series in (effects != 0, inclusion):
        values = np.moveaxis(np.asarray(series, dtype=float), 2, 0)[:, :, 200:]
        error = values.std(axis=(1, 2)) / np.sqrt(effective_sample_size(values))
        z = (values.mean(axis=(1, 2)) - exact) / np.hypot(error, 1e-4)
        assert np.abs(z).max() < 4.5, (z, exact)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("sparse", [True, False])
def test_no_snp_comes_first_in_every_sweep(rng, sparse):
    """Of two copies that explain the trait the first to be seen takes it all; without a point mass, nearly all."""
    X = rng.normal(size=(20, 12))
    X[:, 9] = X[:, 2]
    XT, weights = jnp.asarray(X.T), jnp.full(20, 100.0)
    residual = 2 * XT[2]
    slab = Slab(jnp.asarray(1.0 if sparse else 0.01), jnp.log(0.1) - jnp.log(0.9) if sparse else None)
    curvature = jnp.square(XT) @ weights if sparse else None

    def once(key):
        return sweep(XT, residual, jnp.zeros(12), weights, curvature, slab, key, size=3).b

    b = np.abs(jax.jit(jax.vmap(once))(jax.random.split(jax.random.key(3), 400)))
    first = b[:, 2] > b[:, 9]
    assert abs(first.mean() - 0.5) < 4.5 * 0.5 / 20


@pytest.mark.usefixtures("x64")
def test_without_data_the_sweep_draws_from_the_prior(rng):
    """Variances so large that y says nothing: inclusion P, effects Laplace."""
    p, s, prior, draws = 40, 0.7, 0.25, 4000
    XT = jnp.asarray(rng.normal(size=(p, 10)))
    weights = jnp.full(10, 1e-12)
    slab = Slab(jnp.asarray(s), jnp.log(prior) - jnp.log1p(-prior))

    def step(carry, key):
        state = sweep(XT, carry[1], carry[0], weights, jnp.square(XT) @ weights, slab, key, size=16)
        return (state.b, state.residual), (state.b, state.inclusion)

    start = (jnp.zeros(p), jnp.zeros(10))
    _, (b, inclusion) = jax.jit(lambda keys: jax.lax.scan(step, start, keys))(
        jax.random.split(jax.random.key(2), draws)
    )
    b = np.asarray(b)
    assert abs((b != 0).mean() - prior) < 4.5 * np.sqrt(prior * (1 - prior) / b.size)
    np.testing.assert_allclose(np.asarray(inclusion).mean(), prior, atol=0.003)
    size = np.abs(b[b != 0])
    for level in (0.1, 0.5, 0.9):
        below = (size < -s * np.log1p(-level)).mean()
        assert abs(below - level) < 4.5 * np.sqrt(level * (1 - level) / size.size)
    assert abs((b[b != 0] > 0).mean() - 0.5) < 4.5 * 0.5 / np.sqrt(size.size)

"""Chains agree: about copies of a SNP that lie far apart, and about traits that leave no noise. In single precision."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bayes_lmmlasso as bl
from bayes_lmmlasso.posterior.sampler.composite.annealing import Annealing
from bayes_lmmlasso.posterior.sampler.composite.kernel import Composite
from bayes_lmmlasso.posterior.summaries.diagnostics import convergence, effective_sample_size

N, P = 40, 40
WARMUP, DRAWS = 20, 60


def rotated(X, y):
    basis = bl.Eigenbasis.from_kinship(X @ X.T / P)
    y = (y - y.mean()) / y.std()
    return bl.rotate(X.astype(np.float32), basis, y=y, covariates=np.ones((N, 1)))


@jax.jit
def four_chains(data):
    """Draws of shape (4, draws, ...): blocks of the sweep are far shorter than the genome."""
    sampler = Composite(sweeps=10, block=8)

    def chain(key):
        def step(state, _):
            state = sampler.step(state, data)
            values = sampler.record(state, data)
            d = sampler.conditional(state, data)[0].diagonal(data.S)
            residual = data.y - data.Z @ state.fixed - values["fitted"]
            return state, values | {"log_likelihood": -0.5 * jnp.sum(jnp.log(d) + residual**2 / d)}

        return jax.lax.scan(step, sampler.init(key, data, WARMUP), length=WARMUP + DRAWS)[1]

    return jax.vmap(chain)(jax.random.split(jax.random.key(0), 4))


def draws_of(data):
    return {name: np.asarray(values)[:, WARMUP:] for name, values in four_chains(data).items()}


def test_copies_share_their_inclusion_however_far_apart_they_are(rng):
    X = rng.normal(size=(N, P))
    X[:, 38] = X[:, 3]
    drawn = draws_of(rotated(X, 1.5 * X[:, 3] + rng.normal(size=N)))
    copies = np.moveaxis(drawn["inclusion"][..., [3, 38]], 2, 0)
    assert convergence(copies).r_hat.max() < 1.05
    difference = (copies[:1] - copies[1:]).astype(float)
    error = difference.std() / np.sqrt(effective_sample_size(difference)[0])
    assert error < 0.1
    assert abs(difference.mean()) < 4.5 * error
    assert copies.mean(axis=(1, 2)).sum() > 0.9


@pytest.mark.parametrize("causal", [[11], [3, 12, 25, 31]], ids=["two-valued", "additive"])
def test_chains_end_in_one_mode_where_snps_explain_the_trait_exactly(rng, causal):
    X = np.where(rng.normal(size=(N, P)) + rng.normal(size=(N, 1)) > 0, 1.0, -1.0)
    drawn = draws_of(rotated((X - X.mean(0)) / X.std(0), X[:, causal].sum(axis=1)))
    included = drawn["b"] != 0
    assert included[..., causal].all()
    assert drawn["n_included"].mean() < len(causal) + 1
    assert drawn["sigma2_e"].min() >= 0.99e-4
    # a chain that does not move has R-hat NaN
    watched = np.stack([drawn[name] for name in ("h", "rho", "log_pi", "log_v", "log_likelihood")])
    assert (convergence(watched.astype(float)).r_hat < 1.1).all()


def test_annealing_ends_within_the_first_third_of_warm_up(rng):
    data = rotated(rng.normal(size=(N, P)), rng.normal(size=N))
    annealing = Annealing.over(jnp.int32(11), data, jax.random.key(1))
    assert abs(float(annealing.noise.std()) - 1) < 0.5
    for temperature in (1, 0.1, 0.01):
        added = annealing.heat(data).y - data.y
        np.testing.assert_allclose(added, temperature * annealing.noise, atol=1e-6)
        annealing = annealing.cooled()
    for _ in range(3):
        np.testing.assert_array_equal(annealing.heat(data).y, data.y)
        annealing = annealing.cooled()


def test_chains_anneal_apart_where_there_is_a_point_mass_alone(rng):
    data = rotated(rng.normal(size=(N, P)), rng.normal(size=N))
    for sparse, draws in ((True, 4), (False, 0)):
        states = [Composite(1, 8, sparse).init(key, data, 12) for key in jax.random.split(jax.random.key(2))]
        assert [int(state.annealing.left) for state in states] == [draws, draws]
        assert not np.array_equal(states[0].annealing.noise, states[1].annealing.noise)

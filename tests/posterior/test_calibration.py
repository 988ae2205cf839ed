"""Simulation-based calibration of the composite sampler (Talts et al. 2018, arXiv:1804.06788).

Parameters drawn from the prior and a trait drawn given them: among draws from the posterior of that trait the rank of
every true value is uniform, whatever the data. Start, warm-up and adaptation of the sampler are part of what is tested.
"""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import chi2

import bayes_lmmlasso as bl
from bayes_lmmlasso.posterior.sampler.composite.kernel import Composite

BINS = 8


def draw_from_prior(data, replicates, sparse, rng):
    """True values and traits, in plain NumPy."""
    n, p = data.y.shape[0], data.n_snps
    truth = {
        "log_v": rng.normal(0, 0.5, replicates),
        "h": rng.uniform(size=replicates),
        "rho": rng.uniform(size=replicates),
        "a": rng.normal(0, 10, (replicates, 1)),
    }
    share = np.ones(replicates)
    if sparse:
        truth["log_pi"] = rng.uniform(np.log(1 / p), np.log(min(0.3, 300 / p)), replicates)
        share = np.exp(truth["log_pi"])
    v, h, rho = np.exp(truth["log_v"]), truth["h"], truth["rho"]
    s = np.sqrt(v * h * rho / (2 * p * share))
    included = rng.uniform(size=(replicates, p)) < share[:, None]
    truth["b"] = included * s[:, None] * rng.laplace(size=(replicates, p))
    d = (v * h * (1 - rho))[:, None] * np.asarray(data.S) + (v * (1 - h))[:, None]
    mean = truth["a"] @ np.asarray(data.Z).T + truth["b"] @ np.asarray(data.XT)
    return truth, mean + np.sqrt(d) * rng.normal(size=(replicates, n))


def statistics(values):
    """What is ranked: hyper-parameters, intercept, one effect, number of effects and their variance."""
    b = values["b"]
    derived = {
        "a": values["a"][..., 0],
        "b[0]": b[..., 0],
        "number": (b != 0).sum(axis=-1),
        "sum b^2": (b**2).sum(axis=-1),
    }
    return {name: values[name] for name in ("log_v", "h", "rho", "log_pi") if name in values} | derived


def rank_p_values(*, n, p, replicates, draws, warmup, sweeps, sparse, seed=0):
    """p-value of uniformity of the ranks of each statistic; ties, such as effects of zero, are ranked at random.

    "wrong" ranks h among draws of h that are made a fifth too small: the check must find that out.
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + rng.normal(size=(n, 1))
    basis = bl.Eigenbasis.from_kinship(np.cov(rng.normal(size=(n, 2 * n))))
    data = bl.rotate(X, basis, y=rng.normal(size=n), covariates=np.ones((n, 1)))
    data = replace(data, residual_variance=1.0)  # of the prior that is drawn from
    truth, traits = draw_from_prior(data, replicates, sparse, rng)
    sampler = Composite(sweeps=sweeps, block=3, sparse=sparse)

    def analyse(y, key):
        mine = replace(data, y=y)

        def step(state, _):
            state = sampler.step(state, mine)
            return state, sampler.values(state, mine) | {"b": state.b}

        _, drawn = jax.lax.scan(step, sampler.init(key, mine, warmup), length=warmup + draws)
        return drawn

    keys = jax.random.split(jax.random.key(seed), replicates)
    drawn = {
        k: np.asarray(v)[:, warmup:]
        for k, v in jax.jit(jax.vmap(analyse))(jnp.asarray(traits, data.y.dtype), keys).items()
    }
    result = {}
    true = statistics(truth)
    true["wrong"] = true["h"]
    for name, values in (statistics(drawn) | {"wrong": 0.8 * drawn["h"]}).items():
        below = (values < true[name][:, None]).sum(axis=1)
        ties = (values == true[name][:, None]).sum(axis=1)
        rank = below + rng.integers(0, ties + 1)
        counts = np.bincount(rank * BINS // (draws + 1), minlength=BINS)
        expected = replicates / BINS
        result[name] = chi2.sf(((counts - expected) ** 2 / expected).sum(), BINS - 1)
    return result


def check(p_values):
    assert p_values.pop("wrong") < 1e-4
    assert min(p_values.values()) > 1e-4, p_values


@pytest.mark.parametrize("x64", [False, True])
@pytest.mark.parametrize("sparse", [True, False])
def test_ranks_of_the_truth_among_posterior_draws_are_uniform(sparse, x64):
    with jax.enable_x64(x64):
        check(rank_p_values(n=8, p=5, replicates=240, draws=15, warmup=30, sweeps=5, sparse=sparse))


@pytest.mark.slow
@pytest.mark.parametrize("x64", [False, True])
@pytest.mark.parametrize("sparse", [True, False])
def test_ranks_are_uniform_in_a_larger_study(sparse, x64):
    with jax.enable_x64(x64):
        check(rank_p_values(n=20, p=30, replicates=2000, draws=63, warmup=100, sweeps=10, sparse=sparse, seed=1))

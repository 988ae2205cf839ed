"""Simulation-based calibration of the samplers (Talts et al. 2018, arXiv:1804.06788), and faults that it finds.

Parameters drawn from the prior and a trait drawn given them: among draws from the posterior of that trait the rank of
every true value is uniform, whatever the data. Start, warm-up and adaptation of the sampler are part of what is tested.
The study with more replicates, every model, sampler and precision is ``benchmarks/calibration.py``.
"""

from __future__ import annotations

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpyro.infer.util import constrain_fn, log_density
from sbc import Lengths, problem, simulate

from bayes_lmmlasso.compare import sbc_table
from bayes_lmmlasso.posterior.sampler.composite import kernel, sweep

SWEPT, NUTS = Lengths(warmup=40, draws=15, sweeps=3), Lengths(warmup=30, draws=15, thin=4)


def table(model, sampler, lengths, *, x64=False, replicates=120, seed=1):
    with jax.enable_x64(x64):
        data = problem(20, 12, np.random.default_rng(0))
        return sbc_table(*simulate(model, sampler, data, lengths, replicates, seed))


@pytest.mark.parametrize(
    ("model", "sampler", "lengths", "x64"),
    [
        ("spike_slab", "composite", SWEPT, False),
        ("spike_slab", "composite", SWEPT, True),
        ("laplace", "composite", SWEPT, False),
        ("laplace", "nuts", NUTS, False),
        pytest.param("laplace", "nuts", NUTS, True, marks=pytest.mark.slow),
        pytest.param("laplace", "composite", SWEPT, True, marks=pytest.mark.slow),
        pytest.param("horseshoe", "nuts", NUTS, False, marks=pytest.mark.slow),
        pytest.param("normal", "nuts", NUTS, False, marks=pytest.mark.slow),
        pytest.param("spike_slab", "nuts", NUTS, False, marks=pytest.mark.slow),
    ],
)
def test_ranks_of_the_truth_among_posterior_draws_are_uniform(model, sampler, lengths, x64):
    ranks = table(model, sampler, lengths, x64=x64)
    assert set(ranks.quantity) >= {"log_v", "h", "rho", "b[0]", "pve", "log-likelihood"}
    assert ("number" in [*ranks.quantity]) == (model == "spike_slab")
    assert ranks.p_adjusted.min() > 1e-3, ranks


def altered(**functions):
    """JAX's module of random numbers with other functions."""
    return SimpleNamespace(**{**vars(jax.random), **functions})


def without_jacobian(model, args, kwargs, params):
    return -log_density(model, args, kwargs, constrain_fn(model, args, kwargs, params))[0]


def any_place(key, logits):
    """Ignores how likely each place is: the move out and the move back are not alike."""
    return jax.random.categorical(key, jnp.where(logits > -jnp.inf, 0.0, -jnp.inf))


def same_again(key, num):
    """Returns its own key as the first, with which the chain goes on."""
    return jnp.concatenate([key[None], jax.random.split(key, num)[1:]])


FAULTS = {
    "lost Jacobian": ("laplace", kernel, "potential_energy", without_jacobian),
    "asymmetric move": ("spike_slab", sweep, "random", altered(categorical=any_place)),
    "reused key": ("laplace", kernel, "random", altered(split=same_again)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_ranks_are_not_uniform_in_a_sampler_with_a_fault(fault, monkeypatch):
    model, *place = FAULTS[fault]
    monkeypatch.setattr(*place)
    kernel._start.clear_cache()  # traced without the fault
    ranks = table(model, "composite", SWEPT)
    kernel._start.clear_cache()
    assert ranks.p_adjusted.min() < 1e-4, ranks

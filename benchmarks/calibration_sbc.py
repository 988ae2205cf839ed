"""Simulation-based calibration of every model, sampler and precision, on made and on real genotypes.

Prior SBC: parameters from the prior, a trait given them (`tests/sbc.py`), 40 samples and 16 SNPs. Posterior SBC
(Saeilynoja, Schmitt, Buerkner, Vehtari 2025, arXiv:2502.03279): parameters from the posterior of a real trait y_obs of
some samples, a trait y_rep of other samples given these parameters and y_obs; then the rank of the parameters in the
posterior of both, of all samples, is uniform. The prior of v is centred on 1 in all of them.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from calibration_cohorts import SUBSETS, real_trait

import bayes_lmmlasso as bl

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from sbc import Lengths, draw_posteriors, draw_prior, draw_traits, problem, quantities, sampler_of

CHUNK = 100
CASES = {
    f"{model}/{sampler}/float{bits}": (model, sampler, bits == 64)
    for bits in (32, 64)
    for model, sampler in (
        ("laplace", "composite"),
        ("spike_slab", "composite"),
        ("laplace", "nuts"),
        ("spike_slab", "nuts"),
        ("horseshoe", "nuts"),
        ("normal", "nuts"),
    )
}
POSTERIOR_CASES = {
    f"{cohort}/{model}": (cohort, model) for cohort in ("mouse", "chr5") for model in ("laplace", "spike_slab")
}
LENGTHS = {
    "composite": Lengths(warmup=30, draws=31, thin=1, sweeps=5),
    "nuts": Lengths(warmup=25, draws=31, thin=10),
}


def prior_ranks(name: str, replicates: int, done: set[int]) -> Iterator[dict]:
    """Ranks of chunk after chunk of replicates."""
    model, sampler, x64 = CASES[name]
    with jax.enable_x64(x64):
        data = problem(40, 16, np.random.default_rng(0))
        lengths = LENGTHS[sampler]
        program = draw_posteriors(sampler_of(model, sampler, data, lengths.sweeps), data, lengths)
        for chunk in set(range(-(-replicates // CHUNK))) - done:
            rng = np.random.default_rng([2018, zlib.crc32(name.encode()), chunk])
            truth = draw_prior(model, data, CHUNK, rng)
            traits = draw_traits(truth, data, rng)
            yield {"chunk": chunk, "draws": lengths.draws} | ranks(program, data, truth, traits, chunk, rng)


def posterior_ranks(name: str, replicates: int, done: set[int]) -> Iterator[dict]:
    """The same on real genotypes and a real trait of the first half of the samples."""
    cohort, model = POSTERIOR_CASES[name]
    X, y = real_trait(SUBSETS[cohort], n_samples=120, n_variants=150)
    half = len(y) // 2
    y = (y - y[:half].mean()) / y[:half].std()
    K = bl.gower_scale(bl.kinship(X))
    everyone = rotated(X, K, y)
    lengths = Lengths(warmup=10, draws=31, sweeps=40)  # log pi mixes slowly: fewer sweeps leave draws correlated
    program = draw_posteriors(sampler_of(model, "composite", everyone, lengths.sweeps), everyone, lengths)
    pool = posterior_pool(model, rotated(X[:half], K[:half, :half], y[:half]))
    for chunk in set(range(-(-replicates // CHUNK))) - done:
        rng = np.random.default_rng([2025, zlib.crc32(name.encode()), chunk])
        chosen = rng.choice(len(pool["h"]), CHUNK, replace=False)
        truth = {key: values[chosen] for key, values in pool.items()}
        new = [replicate_trait(X, K, y[:half], {k: v[i] for k, v in truth.items()}, rng) for i in range(CHUNK)]
        traits = np.concatenate([np.tile(y[:half], (CHUNK, 1)), new], axis=1) @ np.asarray(everyone.U, float)
        yield {"chunk": chunk, "draws": lengths.draws} | ranks(program, everyone, truth, traits, chunk, rng)


def rotated(X, K, y):
    """Rotated data whose prior of v is centred on 1."""
    data = bl.rotate(X, bl.Eigenbasis.from_kinship(K), y=y, covariates=np.ones((len(y), 1)))
    return replace(data, residual_variance=jnp.ones_like(data.y[0]))


def posterior_pool(model: str, data, chains: int = 200) -> dict[str, np.ndarray]:
    """A thousand draws from the posterior of the real trait."""
    lengths = Lengths(warmup=8, draws=5, sweeps=40)
    program = draw_posteriors(sampler_of(model, "composite", data, lengths.sweeps), data, lengths)
    drawn = program(jnp.tile(data.y, (chains, 1)), jax.random.split(jax.random.key(7), chains))
    return {name: np.concatenate(np.asarray(values, float)) for name, values in drawn.items()}


def replicate_trait(X, K, y, theta, rng) -> np.ndarray:
    """A trait of the samples without one, given parameters and the trait of the others."""
    half = len(y)
    mean = theta["a"] + X @ theta["b"]
    V = theta["sigma2_g"] * K + theta["sigma2_e"] * np.eye(len(K))
    weights = np.linalg.solve(V[:half, :half], V[:half, half:]).T
    covariance = V[half:, half:] - weights @ V[:half, half:]
    return rng.multivariate_normal(mean[half:] + weights @ (y - mean[:half]), covariance, method="cholesky")


def ranks(program, data, truth, traits, seed: int, rng) -> dict:
    """Rank of each quantity in each replicate, and the lag-one autocorrelation of its draws."""
    drawn = program(jnp.asarray(traits, data.y.dtype), jax.random.split(jax.random.key(seed), len(traits)))
    drawn = {name: np.asarray(values, float) for name, values in drawn.items()}
    both = {name: np.concatenate([truth[name][:, None], drawn[name]], axis=1) for name in drawn}
    found = quantities(both, traits[:, None], data, rng)
    ranked = partial(bl.compare.rank_true_values, rng=rng)
    return {
        "ranks": {name: ranked(values[:, 0], values[:, 1:]).tolist() for name, values in found.items()},
        "lag_one": {name: round(lag_one(values[:, 1:]), 3) for name, values in found.items()},
    }


def lag_one(draws: np.ndarray) -> float:
    """Autocorrelation of draws that follow each other in a chain, about -1 / L if they are independent."""
    centred = draws - draws.mean(axis=1, keepdims=True)
    return float((centred[:, 1:] * centred[:, :-1]).mean() / max((centred**2).mean(), 1e-300))

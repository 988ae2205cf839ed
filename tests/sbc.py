"""Simulation-based calibration of a sampler: truths from the prior in plain NumPy, traits given them, chains, ranks.

Nothing is shared with the models but their equations. The prior of v is centred on 1: the traits are not standardised.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

import bayes_lmmlasso as bl
from bayes_lmmlasso.models import MODELS
from bayes_lmmlasso.models.sparsity import sparsity_range
from bayes_lmmlasso.posterior.sampler.composite.kernel import Composite
from bayes_lmmlasso.posterior.sampler.nuts import Nuts
from bayes_lmmlasso.posterior.sampler.sites import latent_shapes

LEAST_NOISE = 1e-4
SPARSE = ("spike_slab", "horseshoe")  # models with log pi


@dataclass(frozen=True)
class Lengths:
    """Draws to discard, draws to rank among, transitions of the chain in each draw, sweeps in a transition."""

    warmup: int = 30
    draws: int = 15
    thin: int = 1
    sweeps: int = 5


def problem(n, p, rng):
    """Rotated data of a structured sample, SNPs and kinship unrelated to each other, as float type JAX has."""
    X = rng.normal(size=(n, p)) + rng.normal(size=(n, 1))
    basis = bl.Eigenbasis.from_kinship(np.cov(rng.normal(size=(n, 2 * n))))
    data = bl.rotate(X, basis, y=rng.normal(size=n), covariates=np.ones((n, 1)))
    return replace(data, residual_variance=jnp.ones_like(data.y[0]))


def draw_prior(model, data, replicates, rng):
    """True values, shape (replicates, ...)."""
    p = data.n_snps
    truth = {
        "log_v": rng.normal(0, 0.5, replicates),
        "h": rng.uniform(size=replicates),
        "rho": rng.uniform(size=replicates),
        "a": rng.normal(0, 10, (replicates, data.Z.shape[1])),
    }
    v, h, rho = np.exp(truth["log_v"]), truth["h"], truth["rho"]
    effects = (v * h * rho / p)[:, None]  # E[b_j^2]
    if model in SPARSE:
        truth["log_pi"] = rng.uniform(*sparsity_range(p), replicates)
        pi = np.exp(truth["log_pi"])[:, None]
    if model == "normal":
        b = np.sqrt(effects) * rng.normal(size=(replicates, p))
    elif model == "laplace":
        b = np.sqrt(effects / 2) * rng.laplace(size=(replicates, p))
    elif model == "spike_slab":
        slab = np.sqrt(effects / pi / 2) * rng.laplace(size=(replicates, p))
        b = np.where(rng.uniform(size=(replicates, p)) < pi, slab, 0)
    else:
        ratio = pi / (1 - pi) * np.abs(rng.standard_cauchy(size=(replicates, p)))
        b = np.sqrt(effects / pi) * ratio / np.sqrt(1 + ratio**2) * rng.normal(size=(replicates, p))
    return truth | {"b": b, "sigma2_g": v * h * (1 - rho), "sigma2_e": np.maximum(v * (1 - h), LEAST_NOISE)}


def draw_traits(truth, data, rng):
    """Rotated traits, shape (replicates, n)."""
    S = np.asarray(data.S, float)
    d = truth["sigma2_g"][:, None] * S + truth["sigma2_e"][:, None]
    return _mean(truth, data) + np.sqrt(d) * rng.normal(size=d.shape)


def _mean(values, data):
    return values["a"] @ np.asarray(data.Z, float).T + values["b"] @ np.asarray(data.XT[: data.n_snps], float)


def quantities(values, traits, data, rng):
    """What is ranked, of draws of any leading shape: one of them is data-dependent, two are of u drawn anew."""
    S, ones, n = np.asarray(data.S, float), np.asarray(data.U, float).sum(axis=0), data.y.shape[0]
    b, sigma2_g, sigma2_e = (np.asarray(values[k], float) for k in ("b", "sigma2_g", "sigma2_e"))
    sigma2_g, sigma2_e = sigma2_g[..., None], sigma2_e[..., None]
    d, residual = sigma2_g * S + sigma2_e, traits - _mean(values, data)
    snps, shrinkage = b @ np.asarray(data.XT[: data.n_snps], float), sigma2_g * S / d
    u = shrinkage * residual + np.sqrt(shrinkage * sigma2_e) * rng.normal(size=d.shape)

    def variance(rotated):
        return np.square(rotated).mean(axis=-1) - (rotated @ ones / n) ** 2

    genetic = variance(snps + u)
    found = {name: values[name] for name in ("log_v", "h", "rho", "log_pi") if name in values}
    found |= {
        "a": values["a"][..., 0],
        "b[0]": b[..., 0],
        "b[p/2]": b[..., b.shape[-1] // 2],
        "sum b^2": (b**2).sum(axis=-1),
        "pve": genetic / (genetic + sigma2_e[..., 0]),
        "share of SNPs": variance(snps) / (genetic + sigma2_e[..., 0]),
        "log-likelihood": -0.5 * (np.log(d) + residual**2 / d).sum(axis=-1),
    }
    return found | ({"number": (b != 0).sum(axis=-1)} if (b == 0).any() else {})


def sampler_of(model, sampler, data, sweeps):
    """The package's sampler of a model."""
    spec = MODELS[model]
    hyper = tuple(site for site, shape in latent_shapes(spec.function, data).items() if shape == ())
    if sampler == "nuts":
        return Nuts.of(spec.function, hyper, data)
    return replace(Composite.of(spec, hyper, sweeps, data, False), block=5)


def draw_posteriors(sampler, data, lengths):
    """A compiled function from traits (replicates, n) and keys to draws of each, one chain after the other."""

    def analyse(trait_and_key):
        mine = replace(data, y=trait_and_key[0])

        def draw(state, _):
            state = jax.lax.fori_loop(0, lengths.thin, lambda _, state: sampler.step(state, mine), state)
            record = sampler.record(state, mine)
            names = ("log_v", "h", "rho", "log_pi", "a", "b", "sigma2_g", "sigma2_e")
            return state, {name: record[name] for name in names if name in record}

        state = sampler.init(trait_and_key[1], mine, lengths.warmup * lengths.thin)
        state = jax.tree.map(lambda leaf: jax.lax.convert_element_type(leaf, leaf.dtype), state)  # no weak types
        # one loop for warm-up and draws: the step is compiled once
        drawn = jax.lax.scan(draw, state, length=lengths.warmup + lengths.draws)[1]
        return jax.tree.map(lambda values: values[lengths.warmup :], drawn)

    return jax.jit(lambda traits, keys: jax.lax.map(analyse, (traits, keys)))


def simulate(model, sampler, data, lengths, replicates, seed, program=None):
    """True quantities (replicates,) and their posterior draws (replicates, draws), by name."""
    rng = np.random.default_rng([20180418, seed])
    truth = draw_prior(model, data, replicates, rng)
    traits = draw_traits(truth, data, rng)
    program = program or draw_posteriors(sampler_of(model, sampler, data, lengths.sweeps), data, lengths)
    drawn = program(jnp.asarray(traits, data.y.dtype), jax.random.split(jax.random.key(seed), replicates))
    drawn = {name: np.asarray(value, float) for name, value in drawn.items()}
    both = {name: np.concatenate([truth[name][:, None], drawn[name]], axis=1) for name in drawn}
    found = quantities(both, traits[:, None], data, rng)
    return {k: v[:, 0] for k, v in found.items()}, {k: v[:, 1:] for k, v in found.items()}

"""The composite kernel as a whole: data drawn from the model in turn with draws of the kernel must return the prior."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bayes_lmmlasso as bl
from bayes_lmmlasso.models import Variances
from bayes_lmmlasso.posterior.sampler.composite.kernel import Composite
from bayes_lmmlasso.posterior.summaries.diagnostics import effective_sample_size


def successive_draws(rng):
    """Parameters drawn in turn with data, and the number of SNPs."""
    n, p, draws = 10, 8, 60_000
    X = rng.normal(size=(n, p)) + rng.normal(size=(n, 1))
    basis = bl.Eigenbasis.from_kinship(np.cov(rng.normal(size=(n, 2 * n))))
    data = bl.rotate(X, basis, y=rng.normal(size=n), covariates=np.ones((n, 1)))
    data = replace(data, residual_variance=1.0)  # of the prior that is drawn from
    sampler = Composite(sweeps=1, block=3, fixed_sd=1.0)  # with 10 a would need very many draws
    state = sampler.init(jax.random.key(3), data, 0)

    def step(state, key):
        values = sampler.values(state, data)
        variances = Variances.of(values["log_v"], values["h"], values["rho"])
        sd = jnp.sqrt(variances.sigma2_g * data.S + variances.sigma2_e)
        y = data.Z @ state.fixed + state.b @ data.XT + sd * jax.random.normal(key, (n,))
        state = sampler.step(state, replace(data, y=y))
        return state, sampler.values(state, data) | {"b": state.b, "inclusion": state.inclusion}

    _, drawn = jax.jit(lambda state, keys: jax.lax.scan(step, state, keys))(
        state, jax.random.split(jax.random.key(4), draws)
    )
    return drawn, p


@pytest.mark.parametrize("x64", [False, True])
def test_the_kernel_leaves_the_joint_distribution_of_data_and_parameters_as_it_is(rng, x64):
    """Geweke (2004, doi:10.1198/016214504000001132): y given the parameters, the parameters given y, and so on.

    Any error in the hyper-parameter steps, the sweep, relocations or their order shows as a marginal that is not the
    prior: a ~ N(0, 1) here, log v ~ N(0, 1/4), h, rho ~ U(0, 1), log pi uniform, b_j = 0 with probability 1 - pi, else
    Laplace(0, s).
    """
    with jax.enable_x64(x64):
        drawn, p = successive_draws(rng)
    drawn = {name: np.asarray(values, np.float64) for name, values in drawn.items()}
    lower, upper = np.log(1 / p), np.log(0.3)
    sparsity = (drawn["log_pi"] - lower) / (upper - lower)
    share = (np.exp(upper) - np.exp(lower)) / (upper - lower)  # E[pi]
    b = drawn["b"]
    scale = np.sqrt(np.exp(drawn["log_v"]) * drawn["h"] * drawn["rho"] / (2 * p * np.exp(drawn["log_pi"])))
    checks = {
        "a": (drawn["a"][:, 0], 0.0),
        "a^2": (drawn["a"][:, 0] ** 2, 1.0),
        "log_v": (drawn["log_v"], 0.0),
        "log_v^2": (drawn["log_v"] ** 2, 0.25),
        "h": (drawn["h"], 0.5),
        "h^2": (drawn["h"] ** 2, 1 / 3),
        "rho": (drawn["rho"], 0.5),
        "rho^2": (drawn["rho"] ** 2, 1 / 3),
        "h rho": (drawn["h"] * drawn["rho"], 0.25),
        "log_pi": (sparsity, 0.5),
        "log_pi^2": (sparsity**2, 1 / 3),
        "first SNP in": (b[:, 0] != 0, share),
        "last SNP in": (b[:, -1] != 0, share),
        "q of the first": (drawn["inclusion"][:, 0], share),
        "any SNP in": ((b != 0).any(axis=1) - 1 + (1 - np.exp(drawn["log_pi"])) ** p, 0.0),
        "sign": (np.sign(b).sum(axis=1), 0.0),
        "|b| / s": (np.abs(b / scale[:, None]).sum(axis=1) - (b != 0).sum(axis=1), 0.0),
        "|b| / s above 2": ((np.abs(b / scale[:, None]) > 2).sum(axis=1) - np.exp(-2) * (b != 0).sum(axis=1), 0.0),
    }
    series = np.stack([values.astype(float) for values, _ in checks.values()])[:, None, 500:]
    error = series.std(axis=(1, 2)) / np.sqrt(effective_sample_size(series))
    z = (series.mean(axis=(1, 2)) - [exact for _, exact in checks.values()]) / error
    assert np.abs(z).max() < 4, dict(zip(checks, z.round(1), strict=True))
    assert effective_sample_size(series).min() > 1000


def test_a_chain_comes_back_from_a_heritability_that_rounds_to_zero(rng):
    """A chain that starts far off may pass through an h of e^-100, which is zero in float32."""
    n, p = 20, 12
    X = rng.normal(size=(n, p))
    y = X[:, 0] + rng.normal(size=n)
    data = bl.rotate(
        X, bl.Eigenbasis.from_kinship(np.cov(rng.normal(size=(n, 2 * n)))), y=y, covariates=np.ones((n, 1))
    )
    sampler = Composite(sweeps=20, block=3)
    state = sampler.init(jax.random.key(0), data, 0)
    state = sampler.step(state._replace(hyper=state.hyper | {"h": jnp.float32(-100)}), data)
    for values in sampler.record(state, data).values():
        assert np.isfinite(values).all()
    assert sampler.values(state, data)["h"] > 1e-3
    assert (state.b != 0).any()

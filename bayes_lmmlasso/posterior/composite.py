"""The composite kernel for effects that can be exactly zero: NUTS on the hyper-parameters, a sweep over the effects.

One iteration, each step leaving the posterior as it is:

    (a, log v, h, rho, log pi) | b        by NUTS; the likelihood costs O(n) through X b
    (a, log v, h, rho, log pi) | b / s    by NUTS, and b follows s
    b | a, log v, h, rho, log pi          by `bayes_lmmlasso.posterior.sweep`

The two NUTS steps interweave a centred and a non-centred parametrisation (Yu and Meng 2011,
doi:10.1198/jcgs.2011.203main). A draw is the state after a number of iterations, with the mean of their
Rao-Blackwellised inclusion probabilities.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax, random
from numpyro.infer import NUTS
from numpyro.infer.hmc import HMCState
from numpyro.infer.mcmc import MCMCKernel

from bayes_lmmlasso.models import RotatedData, Variances
from bayes_lmmlasso.models.rotated import product
from bayes_lmmlasso.models.spike_slab import FixedEffects, hyper_given_effects, slab_scale
from bayes_lmmlasso.posterior.sweep import Slab, sweep

__all__ = ["CompositeKernel", "CompositeState"]


class CompositeState(NamedTuple):
    """State of one chain.

    Attributes
    ----------
    b : (p,) effects.
    inclusion : (p,) mean inclusion probabilities of the sweeps of the last draw.
    held, scaled : states of the two NUTS kernels; the hyper-parameters are ``scaled.z``.
    diverging : whether a NUTS step of the last draw diverged.
    rng_key : random key of the sweeps.
    """

    b: jax.Array
    inclusion: jax.Array
    held: HMCState
    scaled: HMCState
    diverging: jax.Array
    rng_key: jax.Array


class CompositeKernel(MCMCKernel):  # type: ignore[misc]  # numpyro has no types
    """NumPyro kernel of the point-mass-and-Laplace model.

    Parameters
    ----------
    sweeps
        Iterations in each draw.
    block
        SNPs in a block of the sweep.
    """

    def __init__(self, sweeps: int, block: int) -> None:
        self._sweeps, self._block = sweeps, block
        nuts = partial(NUTS, dense_mass=True, max_tree_depth=6)
        self._held = nuts(partial(hyper_given_effects, scaled=False))
        self._scaled = nuts(partial(hyper_given_effects, scaled=True))

    @property
    def sample_field(self) -> str:
        """Name of the sampled field of the state."""
        return "b"

    def init(
        self, rng_key: jax.Array, num_warmup: int, init_params: Any, model_args: Any, model_kwargs: Any
    ) -> CompositeState:
        """Start from no effects and hyper-parameters drawn around the middle of their ranges."""
        (data,) = model_args
        key_held, key_scaled, key = random.split(rng_key, 3)
        zero = jnp.zeros((), data.y.dtype)
        arguments = (data, FixedEffects(jnp.zeros_like(data.y), zero, zero, zero + 0.05))
        adaptation = num_warmup * self._sweeps
        held = self._held.init(key_held, adaptation, None, arguments, {})
        scaled = self._scaled.init(key_scaled, adaptation, held.z, arguments, {})
        b = jnp.zeros(data.n_snps, data.y.dtype)
        return CompositeState(b, b, held, scaled, jnp.asarray(False), key)

    def sample(self, state: CompositeState, model_args: Any, model_kwargs: Any) -> CompositeState:
        """Run the iterations of one draw."""
        (data,) = model_args
        # X b anew at each draw: rounding errors of single updates do not add up
        fitted = product(data, state.b)
        fresh = state._replace(inclusion=jnp.zeros_like(state.b), diverging=jnp.asarray(False))

        def iterate(_: jax.Array, carry: tuple[CompositeState, jax.Array]) -> tuple[CompositeState, jax.Array]:
            return self._iterate(data, *carry)

        state, _ = lax.fori_loop(jnp.int32(0), jnp.int32(self._sweeps), iterate, (fresh, fitted))
        return state._replace(inclusion=state.inclusion / self._sweeps)

    def values(self, state: CompositeState, data: RotatedData) -> dict[str, jax.Array]:
        """Return the hyper-parameters and fixed effects of a state, on their own scales."""
        constrain = self._scaled.get_constrain_fn((data, None), {})
        values: dict[str, jax.Array] = dict(constrain(state.scaled.z))
        return values

    def _iterate(self, data: RotatedData, state: CompositeState, fitted: jax.Array) -> tuple[CompositeState, jax.Array]:
        """Update hyper-parameters given b, then given b / s, then b."""
        before = _scale(data, self.values(state, data))
        held = FixedEffects(fitted, jnp.sum(state.b != 0).astype(fitted.dtype), jnp.sum(jnp.abs(state.b)), before)
        first = _step(self._held, state.held._replace(z=state.scaled.z), (data, held))
        held = held._replace(scale=_scale(data, self.values(state._replace(scaled=first), data)))
        second = _step(self._scaled, state.scaled._replace(z=first.z), (data, held))
        state = state._replace(
            held=first, scaled=second, diverging=state.diverging | first.diverging | second.diverging
        )
        values = self.values(state, data)
        scale = _scale(data, values)
        b, fitted = state.b * (scale / held.scale), fitted * (scale / held.scale)
        variances = Variances.of(values["log_v"], values["h"], values["rho"])
        rest = data.y - data.Z @ values["a"] if "a" in values else data.y
        weights = 1 / (variances.sigma2_g * data.S + variances.sigma2_e)
        slab = Slab(scale, values["log_pi"] - jnp.log1p(-jnp.exp(values["log_pi"])))
        key, key_sweep = random.split(state.rng_key)
        swept = sweep(data.XT, rest - fitted, b, weights, slab, key_sweep, self._block)
        state = state._replace(b=swept.b, inclusion=state.inclusion + swept.inclusion, rng_key=key)
        return state, rest - swept.residual


def _scale(data: RotatedData, values: dict[str, jax.Array]) -> jax.Array:
    """Return the scale s of the slab."""
    variances = Variances.of(values["log_v"], values["h"], values["rho"])
    return slab_scale(variances, values["log_pi"], data.n_snps)


def _step(kernel: NUTS, state: HMCState, arguments: tuple[RotatedData, FixedEffects]) -> HMCState:
    """Take a NUTS step under arguments that changed since the last one."""
    return kernel.sample(kernel.refresh(state, arguments, {}), arguments, {})

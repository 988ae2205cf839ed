"""The composite kernel for Laplace effects: NUTS on the hyper-parameters, a sweep over the effects.

The prior may have a point mass at zero. One iteration, each step leaving the posterior as it is:

    (log v, h, rho, log pi) | b           by NUTS; the likelihood costs O(n) through X b, and a is integrated out
    (log v, h, rho, log pi) | b / s       by NUTS, and b follows s
    a | b, log v, h, rho, log pi          by an exact draw
    b | a, log v, h, rho, log pi          by `bayes_lmmlasso.posterior.sweep`

The two NUTS steps interweave a centred and a non-centred parametrisation (Yu and Meng 2011,
doi:10.1198/jcgs.2011.203main). Given k effects that are in, log pi and s are known to about k^(-1/2), and k ranges over
orders of magnitude: with a point mass the step size of NUTS is a constant times (1 + k / 30)^(-1/2). Given b / s the
likelihood knows s to about (n R^2 / (1 - R^2))^(-1/2), R the correlation of X b and y: it is added to k there.

A draw is the state after a number of iterations, with the mean of their Rao-Blackwellised inclusion probabilities, and
with snapshots of which effects were in.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, random
from numpyro.infer import NUTS, init_to_sample
from numpyro.infer.hmc import HMCState
from numpyro.infer.mcmc import MCMCKernel

from bayes_lmmlasso.models import RotatedData, Variances
from bayes_lmmlasso.models.given_effects import HeldEffects, draw_fixed_effects, hyper_given_effects
from bayes_lmmlasso.models.rotated import product
from bayes_lmmlasso.models.spike_slab import slab_scale
from bayes_lmmlasso.posterior.sweep import Slab, sweep

__all__ = ["CompositeKernel", "CompositeState"]

_START_SWEEPS = 10
_FEW = 30  # effects up to which the likelihood, not their number, limits the step size
_BITS = 32  # snapshots that a draw has room for


class CompositeState(NamedTuple):
    """State of one chain.

    Attributes
    ----------
    b : (p,) effects.
    inclusion : (p,) mean inclusion probabilities of the sweeps of the last draw.
    visits : (p,) unsigned integers: bit k says whether the effect was in at snapshot k of the last draw.
    fixed : (q,) fixed effects a.
    held, scaled : states of the two NUTS kernels; the hyper-parameters are ``scaled.z``.
    diverging : whether a NUTS step of the last draw diverged.
    rng_key : random key of the sweeps.
    """

    b: jax.Array
    inclusion: jax.Array
    visits: jax.Array
    fixed: jax.Array
    held: HMCState
    scaled: HMCState
    diverging: jax.Array
    rng_key: jax.Array


class CompositeKernel(MCMCKernel):  # type: ignore[misc]  # numpyro has no types
    """NumPyro kernel of the models with a Laplace slab.

    Parameters
    ----------
    sweeps
        Iterations in each draw.
    block
        SNPs in a block of the sweep.
    sparse
        Whether the prior has a point mass at zero.

    Attributes
    ----------
    snapshots
        Snapshots in each draw, evenly spaced over its iterations, 32 at most.
    """

    def __init__(self, sweeps: int, block: int, *, sparse: bool = True) -> None:
        self._sweeps, self._block, self._sparse = sweeps, block, sparse
        self._stride = -(-sweeps // _BITS)
        self.snapshots = sweeps // self._stride
        nuts = partial(NUTS, dense_mass=True, max_tree_depth=6, target_accept_prob=0.9, init_strategy=init_to_sample)
        self._held = nuts(partial(hyper_given_effects, sparse=sparse, scaled=False))
        self._scaled = nuts(partial(hyper_given_effects, sparse=sparse, scaled=True))

    @property
    def sample_field(self) -> str:
        """Name of the sampled field of the state."""
        return "b"

    def init(
        self, rng_key: jax.Array, num_warmup: int, init_params: Any, model_args: Any, model_kwargs: Any
    ) -> CompositeState:
        """Start from hyper-parameters drawn from their prior, and effects that a few sweeps draw given these."""
        (data,) = model_args
        key_held, key_scaled, key_start, key = random.split(rng_key, 4)
        zero = jnp.zeros((), data.y.dtype)
        arguments = (data, HeldEffects(jnp.zeros_like(data.y), zero, zero, zero + 0.05))
        self._adaptation = num_warmup * self._sweeps
        held = self._held.init(key_held, self._adaptation, None, arguments, {})
        scaled = self._scaled.init(key_scaled, self._adaptation, held.z, arguments, {})
        b = jnp.zeros(data.n_snps, data.y.dtype)
        state = CompositeState(
            b, b, b.astype(jnp.uint32), jnp.zeros(data.Z.shape[1], b.dtype), held, scaled, jnp.asarray(False), key
        )
        started: CompositeState = _start(self, data, state, key_start)
        return started

    def sample(self, state: CompositeState, model_args: Any, model_kwargs: Any) -> CompositeState:
        """Run the iterations of one draw."""
        (data,) = model_args
        # X b anew at each draw: rounding errors of single updates do not add up
        fitted = product(data, state.b)
        fresh = state._replace(
            inclusion=jnp.zeros_like(state.b), visits=jnp.zeros_like(state.visits), diverging=jnp.asarray(False)
        )

        def iterate(i: jax.Array, carry: tuple[CompositeState, jax.Array]) -> tuple[CompositeState, jax.Array]:
            state, fitted = self._iterate(data, *carry)
            bit = jnp.where((i + 1) % self._stride == 0, jnp.uint32(1) << (i // self._stride).astype(jnp.uint32), 0)
            return state._replace(visits=state.visits | jnp.where(state.b != 0, bit, 0).astype(jnp.uint32)), fitted

        state, _ = lax.fori_loop(jnp.int32(0), jnp.int32(self._sweeps), iterate, (fresh, fitted))
        return state._replace(inclusion=state.inclusion / self._sweeps)

    def values(self, state: CompositeState, data: RotatedData) -> dict[str, jax.Array]:
        """Return the hyper-parameters and fixed effects of a state, on their own scales."""
        values: dict[str, jax.Array] = dict(self._scaled.get_constrain_fn((data, None), {})(state.scaled.z))
        return values | ({"a": state.fixed} if state.fixed.size else {})

    def conditional(self, state: CompositeState, data: RotatedData) -> tuple[Variances, Slab]:
        """Return the variances and the prior of the effects, given the hyper-parameters of a state."""
        values = self.values(state, data)
        variances = Variances.of(values["log_v"], values["h"], values["rho"])
        if not self._sparse:
            return variances, Slab(slab_scale(variances, jnp.zeros_like(values["h"]), data.n_snps))
        log_pi = values["log_pi"]
        return variances, Slab(slab_scale(variances, log_pi, data.n_snps), log_pi - jnp.log1p(-jnp.exp(log_pi)))

    def _iterate(self, data: RotatedData, state: CompositeState, fitted: jax.Array) -> tuple[CompositeState, jax.Array]:
        """Update hyper-parameters given b, then given b / s, then a, then b."""
        n_included = jnp.sum(state.b != 0).astype(fitted.dtype)
        before = self.conditional(state, data)[1].scale
        held = HeldEffects(fitted, n_included, jnp.sum(jnp.abs(state.b)), before)
        width_held, width_scaled = _widths(data, held) if self._sparse else (jnp.ones_like(before),) * 2
        first = self._step(self._held, state.held._replace(z=state.scaled.z), (data, held), width_held)
        held = held._replace(scale=self.conditional(state._replace(scaled=first), data)[1].scale)
        second = self._step(self._scaled, state.scaled._replace(z=first.z), (data, held), width_scaled)
        state = state._replace(
            held=first, scaled=second, diverging=state.diverging | first.diverging | second.diverging
        )
        variances, slab = self.conditional(state, data)
        b, fitted = state.b * (slab.scale / held.scale), fitted * (slab.scale / held.scale)
        key, key_fixed, key_sweep = random.split(state.rng_key, 3)
        fixed = draw_fixed_effects(data, fitted, variances, key_fixed)
        rest, weights = data.y - data.Z @ fixed, 1 / variances.diagonal(data.S)
        swept = sweep(data.XT, rest - fitted, b, weights, slab, key_sweep, self._block)
        state = state._replace(b=swept.b, fixed=fixed, inclusion=state.inclusion + swept.inclusion, rng_key=key)
        return state, rest - swept.residual

    def _step(
        self, kernel: NUTS, state: HMCState, arguments: tuple[RotatedData, HeldEffects], shrink: jax.Array
    ) -> HMCState:
        """Take a NUTS step under arguments that changed since the last one, with a step size shrunk for it alone."""
        size = state.adapt_state.step_size
        shrunk = state._replace(adapt_state=state.adapt_state._replace(step_size=size * shrink))
        taken = kernel.sample(kernel.refresh(shrunk, arguments, {}), arguments, {})
        kept = jnp.where(state.i < self._adaptation, taken.adapt_state.step_size, size)
        return taken._replace(adapt_state=taken.adapt_state._replace(step_size=kept))


def _widths(data: RotatedData, held: HeldEffects) -> tuple[jax.Array, jax.Array]:
    """Return how wide the hyper-parameters are given b, and given b / s, up to constants.

    Each uses only what its step holds fixed, or the step would not be exact: of X b the second takes the direction.
    """
    squared = jnp.square(held.fitted @ data.y) / (data.y @ data.y)
    explained = squared / jnp.maximum(held.fitted @ held.fitted, np.finfo(squared.dtype).tiny)
    fit = data.y.shape[0] * explained / jnp.maximum(1 - explained, 1e-3)
    return lax.rsqrt(1 + held.n_included / _FEW), lax.rsqrt(1 + (held.n_included + fit) / _FEW)


@partial(jax.jit, static_argnums=0)
def _start(kernel: CompositeKernel, data: RotatedData, state: CompositeState, key: jax.Array) -> CompositeState:
    """Draw effects given the hyper-parameters, by sweeps from none."""
    variances, slab = kernel.conditional(state, data)
    weights = 1 / variances.diagonal(data.S)

    def again(i: jax.Array, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        b, residual = carry
        swept = sweep(data.XT, residual, b, weights, slab, random.fold_in(key, i), kernel._block)
        return swept.b, swept.residual

    b, _ = lax.fori_loop(jnp.int32(0), jnp.int32(_START_SWEEPS), again, (state.b, data.y))
    return state._replace(b=b)

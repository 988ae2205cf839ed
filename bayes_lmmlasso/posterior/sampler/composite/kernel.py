"""The composite kernel for Laplace effects: slice sampling of the hyper-parameters, a sweep over the effects.

The prior may have a point mass at zero. One iteration, each step leaving the posterior as it is:

    (log v, h, rho, log pi) | b           by slice sampling; the likelihood costs O(n) through X b, a is integrated out
    (log v, h, rho, log pi) | b / s       by slice sampling, and b follows s
    a | b, log v, h, rho, log pi          by an exact draw
    b | a, log v, h, rho, log pi          by `bayes_lmmlasso.posterior.sampler.composite.sweep`; in every fifth
                                          iteration by a relocation among all SNPs too

The first two interweave a centred and a non-centred parametrisation (Yu and Meng 2011,
doi:10.1198/jcgs.2011.203main). Given k effects that are in, log pi and s are known to about k^(-1/2), and k ranges over
orders of magnitude: no step size suits NUTS in all of it, and one tuned where a chain happened to be in warm-up can
diverge later. Slice sampling needs none.

A draw is the state after a number of iterations, with the mean of their Rao-Blackwellised inclusion probabilities, and
with snapshots of which effects were in. Chains begin with hyper-parameters drawn from their prior, and effects drawn
given these and the data; with a point mass, on a trait with noise
(`bayes_lmmlasso.posterior.sampler.composite.annealing`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax, random
from jax.flatten_util import ravel_pytree
from numpyro.handlers import seed, trace
from numpyro.infer.util import constrain_fn, potential_energy, unconstrain_fn

from bayes_lmmlasso.models import ModelSpec, RotatedData, Variances
from bayes_lmmlasso.models.given_effects import HeldEffects, draw_fixed_effects, hyper_given_effects, sample_hyper
from bayes_lmmlasso.models.rotated import FIXED_SD, product
from bayes_lmmlasso.models.spike_slab import slab_scale
from bayes_lmmlasso.posterior.sampler.composite.annealing import Annealing
from bayes_lmmlasso.posterior.sampler.composite.curvature import Curvatures, curvatures
from bayes_lmmlasso.posterior.sampler.composite.slab import Slab
from bayes_lmmlasso.posterior.sampler.composite.slice import slice_sample
from bayes_lmmlasso.posterior.sampler.composite.sweep import Sweep, relocate, sweep

__all__ = ["Composite", "CompositeState"]

_START_SWEEPS = 10
_BITS = 32  # snapshots that a draw has room for
_RELOCATED = 5  # iterations from one relocation among all SNPs to the next


class CompositeState(NamedTuple):
    """State of one chain.

    Attributes
    ----------
    b : (p,) effects.
    inclusion : (p,) mean inclusion probabilities of the sweeps and relocations of the last draw.
    visits : (p,) unsigned integers: bit k says whether the effect was in at snapshot k of the last draw.
    fixed : (q,) fixed effects a.
    hyper : the hyper-parameters by name, unconstrained.
    evaluations : of the density of the hyper-parameters, in the last draw.
    annealing : how far it is.
    rng_key : random key.
    """

    b: jax.Array
    inclusion: jax.Array
    visits: jax.Array
    fixed: jax.Array
    hyper: dict[str, jax.Array]
    evaluations: jax.Array
    annealing: Annealing
    rng_key: jax.Array


@dataclass(frozen=True)
class Composite:
    """The `bayes_lmmlasso.posterior.sampler.registry.Sampler` of models with a Laplace slab.

    Attributes
    ----------
    sweeps
        Iterations in each draw.
    block
        SNPs in a block of the sweep.
    sparse
        Whether the prior has a point mass at zero.
    hyper
        Names of the hyper-parameters.
    fixed_sd
        Prior standard deviation of intercept and covariates.
    """

    sweeps: int
    block: int
    sparse: bool = True
    hyper: tuple[str, ...] = ("log_v", "h", "rho", "log_pi")
    fixed_sd: float = FIXED_SD

    @classmethod
    def of(
        cls, spec: ModelSpec, hyper: tuple[str, ...], sweeps: int, data: RotatedData, accelerator: bool
    ) -> Composite:
        """Return the sampler of a model, with larger blocks where products with them are cheap."""
        block = 64
        if spec.exact_zeros and accelerator:
            block = 2048
        elif spec.exact_zeros and data.y.shape[0] <= 200:
            block = 256
        return cls(sweeps, block, spec.exact_zeros, hyper)

    @property
    def watched(self) -> tuple[str, ...]:
        """The hyper-parameters and, with a point mass, the number of effects."""
        return (*self.hyper, "n_included") if self.sparse else self.hyper

    @property
    def snapshots(self) -> int:
        """Snapshots in each draw, evenly spaced over its iterations, 32 at most."""
        return self.sweeps // self._stride

    @property
    def _stride(self) -> int:
        return -(-self.sweeps // _BITS)

    def init(self, key: jax.Array, data: RotatedData, warmup: int) -> CompositeState:
        """Start from hyper-parameters drawn from their prior, and effects that a few sweeps draw given these."""
        state: CompositeState = _start(self, data, key, jnp.int32(warmup if self.sparse else 0))
        return state

    def step(self, state: CompositeState, data: RotatedData) -> CompositeState:
        """Run the iterations of one draw."""
        data = state.annealing.heat(data)
        # X b anew at each draw: rounding errors of single updates do not add up
        fitted = product(data, state.b)
        variances = self.conditional(state, data)[0]
        # the curvatures at any variances, as a series around those of the draw's beginning
        series = Curvatures.around(data.XT, data.S, variances, data.n_snps) if self.sparse else None
        fresh = state._replace(
            inclusion=jnp.zeros_like(state.b), visits=jnp.zeros_like(state.visits), evaluations=jnp.int32(0)
        )

        def iterate(i: jax.Array, carry: tuple[CompositeState, jax.Array]) -> tuple[CompositeState, jax.Array]:
            state, fitted = self._iterate(data, series, i % _RELOCATED == 0, *carry)
            # a snapshot sets a bit of its own for every effect that is in
            bit = jnp.where((i + 1) % self._stride == 0, jnp.uint32(1) << (i // self._stride).astype(jnp.uint32), 0)
            return state._replace(visits=state.visits | jnp.where(state.b != 0, bit, 0).astype(jnp.uint32)), fitted

        state, _ = lax.fori_loop(jnp.int32(0), jnp.int32(self.sweeps), iterate, (fresh, fitted))
        moves = self.sweeps + (-(-self.sweeps // _RELOCATED) if self.sparse else 0)
        return state._replace(inclusion=state.inclusion / moves, annealing=state.annealing.cooled())

    def record(self, state: CompositeState, data: RotatedData) -> dict[str, jax.Array]:
        """Return the model's sites, X b, statistics, and what the sweeps say of inclusion."""
        variances = self.conditional(state, data)[0]
        values = self.values(state, data) | {
            "b": state.b,
            "fitted": product(data, state.b),
            "sigma2_g": variances.sigma2_g,
            "sigma2_e": variances.sigma2_e,
            "n_steps": state.evaluations,
        }
        if self.sparse:
            values |= {"inclusion": state.inclusion, "visits": state.visits, "n_included": jnp.sum(state.b != 0)}
        return values

    def values(self, state: CompositeState, data: RotatedData) -> dict[str, jax.Array]:
        """Return the hyper-parameters and fixed effects of a state, on their own scales."""
        prior = partial(sample_hyper, data, sparse=self.sparse)
        values: dict[str, jax.Array] = constrain_fn(prior, (), {}, state.hyper)
        return values | ({"a": state.fixed} if state.fixed.size else {})

    def conditional(self, state: CompositeState, data: RotatedData) -> tuple[Variances, Slab]:
        """Return the variances and the prior of the effects, given the hyper-parameters of a state."""
        values = self.values(state, data)
        variances = Variances.of(values["log_v"], values["h"], values["rho"])
        if not self.sparse:
            return variances, Slab(slab_scale(variances, jnp.zeros_like(values["h"]), data.n_snps))
        log_pi = values["log_pi"]
        return variances, Slab(slab_scale(variances, log_pi, data.n_snps), log_pi - jnp.log1p(-jnp.exp(log_pi)))

    def _iterate(
        self,
        data: RotatedData,
        series: Curvatures | None,
        relocating: jax.Array,
        state: CompositeState,
        fitted: jax.Array,
    ) -> tuple[CompositeState, jax.Array]:
        """Update hyper-parameters given b, then given b / s, then a, then b."""
        key, key_hyper, key_fixed, key_sweep, key_relocate = random.split(state.rng_key, 5)
        # hyper-parameters, and b and X b with them
        state, change = self._update_hyper(data, state, fitted, key_hyper)
        variances, slab = self.conditional(state, data)
        b, fitted = state.b * change, fitted * change
        # a
        fixed = draw_fixed_effects(data, fitted, variances, key_fixed, self.fixed_sd)
        # b
        rest, weights = data.y - fixed.fitted, 1 / variances.diagonal(data.S)
        curvature = None if series is None else series.at(data.XT, data.S, variances)
        after = sweep(data.XT, rest - fitted, b, weights, curvature, slab, key_sweep, self.block)
        inclusion = state.inclusion + after.inclusion
        if curvature is not None:
            after = lax.cond(
                relocating,
                lambda b, residual: relocate(data.XT, residual, b, weights, curvature, slab, key_relocate),
                lambda b, residual: Sweep(b, residual, jnp.zeros_like(b)),
                after.b,
                after.residual,
            )
            inclusion = inclusion + after.inclusion
        return state._replace(b=after.b, fixed=fixed.effects, inclusion=inclusion, rng_key=key), rest - after.residual

    def _update_hyper(
        self, data: RotatedData, state: CompositeState, fitted: jax.Array, key: jax.Array
    ) -> tuple[CompositeState, jax.Array]:
        """Update the hyper-parameters given b, then given b / s, and return the factor by which b follows s."""
        n_included = jnp.sum(state.b != 0).astype(fitted.dtype)
        scale = self.conditional(state, data)[1].scale
        held = HeldEffects(fitted, n_included, jnp.sum(jnp.abs(state.b)), scale)
        point, as_names = ravel_pytree(state.hyper)

        def update(i: jax.Array, carry: tuple[Any, ...]) -> tuple[Any, ...]:  # one program for both
            point, evaluations, scale, _ = carry
            given = partial(hyper_given_effects, sparse=self.sparse, fixed_sd=self.fixed_sd)
            model = partial(given, data, held._replace(scale=scale), i == 1)
            point, more = slice_sample(
                lambda x: -potential_energy(model, (), {}, as_names(x)), point, random.fold_in(key, i)
            )
            following = self.conditional(state._replace(hyper=as_names(point)), data)[1].scale
            return point, evaluations + more, following, following / scale

        start = (point, state.evaluations, scale, jnp.ones_like(scale))
        point, evaluations, _, change = lax.fori_loop(jnp.int32(0), jnp.int32(2), update, start)
        return state._replace(hyper=as_names(point), evaluations=evaluations), change


@partial(jax.jit, static_argnums=0)
def _start(sampler: Composite, data: RotatedData, key: jax.Array, warmup: jax.Array) -> CompositeState:
    """Draw hyper-parameters from their prior and, given these, effects by sweeps from none."""
    key_hyper, key_sweeps, key_noise, key = random.split(key, 4)
    annealing = Annealing.over(warmup, data, key_noise)
    prior = partial(sample_hyper, data, sparse=sampler.sparse)
    values = {name: site["value"] for name, site in trace(seed(prior, key_hyper)).get_trace().items()}
    b = jnp.zeros(data.n_snps, data.y.dtype)
    hyper = {name: value.astype(b.dtype) for name, value in unconstrain_fn(prior, (), {}, values).items()}
    fixed = jnp.zeros(data.Z.shape[1], b.dtype)
    state = CompositeState(b, b, b.astype(jnp.uint32), fixed, hyper, jnp.int32(0), annealing, key)
    variances, slab = sampler.conditional(state, data)
    weights = 1 / variances.diagonal(data.S)
    curvature = curvatures(data.XT, data.S, variances, data.n_snps) if sampler.sparse else None

    def again(i: jax.Array, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        b, residual = carry
        after = sweep(data.XT, residual, b, weights, curvature, slab, random.fold_in(key_sweeps, i), sampler.block)
        return after.b, after.residual

    b, _ = lax.fori_loop(jnp.int32(0), jnp.int32(_START_SWEEPS), again, (state.b, annealing.heat(data).y))
    return state._replace(b=b)

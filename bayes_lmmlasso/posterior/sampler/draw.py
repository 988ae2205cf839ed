"""Draws from the posterior, by the sampler that suits the model.

    p(a, b, log v, h, rho | y)  is proportional to  p(y | a, b, v, h, rho) p(a) p(b | v, h, rho) p(log v) p(h) p(rho)

with the random effect u integrated out (`bayes_lmmlasso.models.rotated`). NUTS (Hoffman and Gelman 2014,
https://jmlr.org/papers/v15/hoffman14a.html) samples every model: hyper-parameters and fixed effects share a dense mass
matrix; the whitened effects are nearly independent standard normals, so theirs is diagonal. Laplace effects, with or
without a point mass at zero, have a kernel of their own (`bayes_lmmlasso.posterior.sampler.composite`). It updates one
SNP after another, which suits a CPU; without exact zeros NUTS, products with X for the most part, makes more of a GPU.

Chains start apart, and where the data are: NUTS from uniform(-2, 2) in its own coordinates, of which the whitened ones
are shifted by what the data say, so that effects begin near their ridge estimate and none at zero; the composite kernel
from hyper-parameters drawn from their prior, and effects drawn given these and the data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.handlers import seed as seeded
from numpyro.handlers import substitute, trace
from numpyro.infer import NUTS

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.models import ModelSpec, RotatedData, model_spec
from bayes_lmmlasso.models.rotated import product
from bayes_lmmlasso.posterior.sampler.chains import Schedule, run_chains
from bayes_lmmlasso.posterior.sampler.composite import CompositeKernel, CompositeState
from bayes_lmmlasso.posterior.sampler.devices import on_accelerator
from bayes_lmmlasso.posterior.sampler.draw_store import Drawn, DrawStore, FolderStore, MemoryStore
from bayes_lmmlasso.posterior.sampler.monitor import Monitor
from bayes_lmmlasso.posterior.sampler.stopping import Until, chain_lengths
from bayes_lmmlasso.progress import Progress, silent

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Sampler", "draw_posterior"]

Sampler = Literal["auto", "nuts", "composite"]


def draw_posterior(
    data: RotatedData,
    model: str | ModelSpec | Callable[[RotatedData], None],
    *,
    chains: int,
    warmup: int | None,
    draws: int | None,
    until: Until | None,
    sweeps: int | None,
    seed: int,
    sampler: Sampler = "auto",
    store: Path | None = None,
    progress: Progress = silent,
) -> tuple[Drawn, DrawStore]:
    """Draw, and return what a tree says besides the draws, and where they are.

    Parameters and errors are those of `bayes_lmmlasso.sample_posterior`, which makes the tree.
    """
    spec = model_spec(model)
    data = jax.device_put(data, may_alias=True)
    chosen = _choose_sampler(spec, sampler, data)
    warmup, draws = chain_lengths(spec, chosen, warmup, draws, until is not None)
    if sweeps is not None:
        if chosen != "composite":
            raise InputError(
                f"expected sweeps with the composite sampler alone, got {sweeps} with {chosen!r}: leave them out"
            )
        spec = replace(spec, sweeps=int(sweeps))
    counts = (("chains", chains, 1), ("warmup", warmup, 1), ("draws", draws, 4), ("sweeps", spec.sweeps, 1))
    for name, value, least in counts:
        if value < least:
            raise InputError(f"expected {name} >= {least}, got {value}: ask for more")
    hyper = spec.hyper or _scalar_sites(spec.function, data)
    composite = chosen == "composite"
    kernel = _composite(spec, data) if composite else _nuts(spec.function, data, hyper)
    settings = {"model": spec.name, "sampler": chosen, "chains": int(chains), "warmup": warmup, "seed": int(seed)}
    fixed = settings | {"sweeps": spec.sweeps} | identity(data)
    drawn: DrawStore = MemoryStore() if store is None else FolderStore(store, fixed)
    watched = (*hyper, "n_included") if spec.exact_zeros and composite else hyper

    def errors(draws: int) -> NDArray[np.float64]:
        from bayes_lmmlasso.posterior.summaries.inclusion import inclusion_errors  # pandas and more, for targets alone

        return inclusion_errors(drawn.sites().isel(draw=slice(draws)), spec.exact_zeros)

    stop = None if until is None else until.rule(watched, drawn.read, errors)

    run_chains(
        kernel,
        data,
        _composite_draw if composite else _nuts_draw,
        drawn,
        Schedule(int(chains), warmup, draws, stop),
        seed=int(seed),
        monitor=Monitor(int(chains), warmup, draws, watched, progress),
    )
    log_prior = hyper_log_prior(spec.function, data, {name: drawn.read(name) for name in hyper})
    attrs = settings | {
        "hyper": list(hyper),
        "exact_zeros": spec.exact_zeros,
        "snapshots": getattr(kernel, "snapshots", 1),
    }
    small = replace(data, XT=jnp.empty((data.n_snps, 0)), padding=0)
    return Drawn(jax.tree.map(np.asarray, small), log_prior, attrs), drawn


def identity(data: RotatedData) -> dict[str, Any]:
    """Return what draws depend on besides the settings: the data, their precision, and the versions that compute."""
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(data):
        digest.update(f"{leaf.dtype} {leaf.shape};".encode())
        digest.update(np.ascontiguousarray(leaf).data)
    versions = {f"version of {name}": version(name) for name in ("bayes-lmmlasso", "numpyro", "jax", "jaxlib")}
    return {"data": f"sha256:{digest.hexdigest()}", "device": jax.default_backend(), **versions}


def hyper_log_prior(
    function: Callable[[RotatedData], None], data: RotatedData, values: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the log prior density of each hyper-parameter at each draw, in the shape of the draws.

    A hyper-prior may depend on other hyper-parameters, not on the effects.
    """
    if not values:
        return {}

    def density(point: dict[str, jax.Array]) -> dict[str, jax.Array]:
        sites = trace(substitute(seeded(function, jax.random.key(0)), data=point)).get_trace(data)
        return {name: sites[name]["fn"].log_prob(point[name]) for name in point}

    # jit drops the products with X: no prior depends on them
    per_draw = jax.jit(jax.vmap(jax.vmap(density)))
    return {name: np.asarray(value) for name, value in per_draw(jax.tree.map(jnp.asarray, values)).items()}


def _scalar_sites(function: Callable[[RotatedData], None], data: RotatedData) -> tuple[str, ...]:
    """Return the latent scalars of a model: what it counts as hyper-parameters unless it says otherwise."""
    return tuple(name for name, shape in _latent_shapes(function, data).items() if shape == ())


def _latent_shapes(function: Callable[[RotatedData], None], data: RotatedData) -> dict[str, tuple[int, ...]]:
    """Return the latent sites of a model with their shapes, without computing it."""
    shapes: dict[str, tuple[int, ...]] = {}

    def visit(data: RotatedData) -> None:
        for name, site in trace(seeded(function, jax.random.key(0))).get_trace(data).items():
            if site["type"] == "sample" and not site["is_observed"]:
                shapes[name] = tuple(site["value"].shape)

    jax.eval_shape(visit, data)
    return shapes


def _choose_sampler(spec: ModelSpec, sampler: Sampler, data: RotatedData) -> Literal["nuts", "composite"]:
    """Return the sampler that was asked for, if the model can be sampled by it."""
    if sampler == "auto":
        return spec.sampler if spec.exact_zeros or not on_accelerator(data) else "nuts"
    if sampler not in spec.samplers:
        raise InputError(
            f"expected sampler {' or '.join(spec.samplers)} for the model {spec.name}, got {sampler!r}: choose one of "
            "these"
        )
    return sampler


def _nuts(function: Callable[[RotatedData], None], data: RotatedData, hyper: tuple[str, ...]) -> NUTS:
    """Return a NUTS kernel that starts near the step size of a p-dimensional standard normal, 1.3 p^(-1/4).

    The tree depth is bounded in warm-up: with a step size still too small deeper trees cost much and teach nothing.
    """
    latent = _latent_shapes(function, data)
    dense = tuple(sorted({*hyper, "a"} & latent.keys()))
    return NUTS(
        function,
        step_size=data.n_snps**-0.25,
        dense_mass=[dense] if dense else False,
        max_tree_depth=(5, 10),
    )


def _nuts_draw(kernel: NUTS, state: Any, data: RotatedData) -> dict[str, jax.Array]:
    """Return what is kept of a state: the model's sites but for ``eps``, X b, and statistics."""
    sites = dict(kernel.postprocess_fn((data,), {})(state.z))
    sites.pop("eps", None)
    return sites | {
        "fitted": product(data, sites["b"]),
        "acceptance_rate": state.accept_prob,
        "diverging": state.diverging,
        "energy": state.energy,
        "lp": -state.potential_energy,
        "n_steps": state.num_steps,
        "step_size": state.adapt_state.step_size,
    }


def _composite(spec: ModelSpec, data: RotatedData) -> CompositeKernel:
    """Return the composite kernel, with larger blocks where products with them are cheap: few samples, or a GPU."""
    block = 64
    if spec.exact_zeros and on_accelerator(data):
        block = 2048
    elif spec.exact_zeros and data.y.shape[0] <= 200:
        block = 256
    return CompositeKernel(spec.sweeps, block, sparse=spec.exact_zeros)


def _composite_draw(kernel: CompositeKernel, state: CompositeState, data: RotatedData) -> dict[str, jax.Array]:
    """Return what is kept of a state: the model's sites, X b, statistics, and what the sweeps say of inclusion."""
    variances = kernel.conditional(state, data)[0]
    values = kernel.values(state, data) | {
        "b": state.b,
        "fitted": product(data, state.b),
        "sigma2_g": variances.sigma2_g,
        "sigma2_e": variances.sigma2_e,
        "n_steps": state.evaluations,
    }
    if kernel.sparse:
        values |= {"inclusion": state.inclusion, "visits": state.visits, "n_included": jnp.sum(state.b != 0)}
    return values

"""The posterior, by the sampler that suits the model.

    p(a, b, log v, h, rho | y)  is proportional to  p(y | a, b, v, h, rho) p(a) p(b | v, h, rho) p(log v) p(h) p(rho)

with the random effect u integrated out (`bayes_lmmlasso.models.rotated`). NUTS (Hoffman and Gelman 2014,
https://jmlr.org/papers/v15/hoffman14a.html) samples every model: hyper-parameters and fixed effects share a dense mass
matrix; the whitened effects are nearly independent standard normals, so theirs is diagonal. Effects that can be exactly
zero have a kernel of their own (`bayes_lmmlasso.posterior.composite`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from numpyro.handlers import seed as seeded
from numpyro.handlers import substitute, trace
from numpyro.infer import NUTS

from bayes_lmmlasso.cohort import AnalysisSet
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.models import ModelSpec, RotatedData, model_spec
from bayes_lmmlasso.models.rotated import product
from bayes_lmmlasso.posterior.chains import Collect, Schedule, run_chains
from bayes_lmmlasso.posterior.composite import CompositeKernel, CompositeState
from bayes_lmmlasso.posterior.devices import on_accelerator
from bayes_lmmlasso.posterior.draw_store import FolderStore, MemoryStore
from bayes_lmmlasso.posterior.export import build_tree
from bayes_lmmlasso.posterior.inclusion import inclusion_errors
from bayes_lmmlasso.posterior.monitor import Monitor
from bayes_lmmlasso.posterior.stopping import Until
from bayes_lmmlasso.progress import Progress, silent

__all__ = ["chain_lengths", "sample_posterior"]

_STATISTICS = ("acceptance_rate", "diverging", "energy", "lp", "n_steps", "step_size")

_LONGEST = 20  # times the usual number of draws: where sampling ends that never meets its targets

Sampler = Literal["auto", "nuts", "composite"]


def sample_posterior(
    data: RotatedData,
    model: str | ModelSpec | Callable[[RotatedData], None] = "laplace",
    *,
    chains: int = 4,
    warmup: int | None = None,
    draws: int | None = None,
    until: Until | None = None,
    seed: int = 0,
    sampler: Sampler = "auto",
    store: str | Path | None = None,
    analysis: AnalysisSet | None = None,
    progress: Progress = silent,
) -> xr.DataTree:
    """Draw from the posterior of a model.

    Parameters
    ----------
    data
        Rotated trait, covariates and SNPs.
    model
        A registered name, a specification, or a NumPyro function of one argument, the rotated data, that ends in
        `bayes_lmmlasso.models.rotated_likelihood`.
    chains, warmup, draws
        Number of chains, and draws of each to discard and to keep (at most, with ``until``); by default what the
        model's specification says, with ``until`` 20 times as many draws.
    until
        Targets at which sampling stops.
    seed
        Seed of everything random: same seed, data and machine, same draws.
    sampler
        "nuts" for any model; "composite" (`bayes_lmmlasso.posterior.composite`) for spike_slab and laplace; "auto"
        takes what the model's specification says.
    store
        Folder for draws and states of the chains. What was interrupted continues from there, with the same draws as if
        it had not been, and a larger ``draws`` adds to what is finished. The effects in the tree are then read from
        the folder when they are used. None keeps all in memory.
    analysis
        The analysis set that ``data`` was rotated from: it labels samples, SNPs and covariates.
    progress
        Told of every block of draws.

    Returns
    -------
    xarray.DataTree
        Groups posterior, sample_stats, log_likelihood (leave-one-out over individuals), log_prior (of the
        hyper-parameters), observed_data and constant_data, as ArviZ reads them.

    Raises
    ------
    InputError
        If a count is not positive, the sampler is unknown, or the store holds draws of something else.
    """
    spec = model_spec(model)
    chosen = _choose_sampler(spec, sampler)
    warmup, draws = chain_lengths(spec, warmup, draws, until is not None)
    for name, value, least in (("chains", chains, 1), ("warmup", warmup, 1), ("draws", draws, 4)):
        if value < least:
            raise InputError(f"expected {name} >= {least}, got {value}: ask for more")
    hyper = spec.hyper or _scalar_sites(spec.function, data)
    kernel, collect = _composite(spec, data) if chosen == "composite" else _nuts(spec.function, data, hyper)
    settings = {"model": spec.name, "sampler": chosen, "chains": int(chains), "warmup": warmup, "seed": int(seed)}
    fixed = settings | {"sweeps": spec.sweeps} | identity(data)
    drawn = MemoryStore() if store is None else FolderStore(Path(store), fixed)
    watched = (*hyper, "n_included") if spec.exact_zeros and chosen == "composite" else hyper

    def errors(draws: int) -> NDArray[np.float64]:
        return inclusion_errors(drawn.sites().isel(draw=slice(draws)), spec.exact_zeros)

    stop = None if until is None else until.rule(watched, drawn.sites, errors)

    def with_fitted(state: Any, data: RotatedData) -> dict[str, jax.Array]:
        values = collect(state, data)
        return values | {"fitted": product(data, values["b"])}

    run_chains(
        kernel,
        data,
        with_fitted,
        drawn,
        Schedule(int(chains), warmup, draws, stop),
        seed=int(seed),
        monitor=Monitor(int(chains), warmup, draws, watched, progress),
    )
    sites = drawn.sites()
    log_prior = hyper_log_prior(spec.function, data, {name: sites[name].values for name in hyper})
    statistics = [name for name in _STATISTICS if name in sites]
    tree = build_tree(data, sites, statistics, log_prior, analysis, seed=int(seed))
    tree.attrs.update(settings | {"hyper": list(hyper), "exact_zeros": spec.exact_zeros})
    tree.attrs["snapshots"] = getattr(kernel, "snapshots", 1)
    return tree


def chain_lengths(spec: ModelSpec, warmup: int | None, draws: int | None, until: bool) -> tuple[int, int]:
    """Return draws of each chain to discard and to keep (at most, if there are targets) when some are not given."""
    usual = spec.draws * _LONGEST if until else spec.draws
    return spec.warmup if warmup is None else int(warmup), usual if draws is None else int(draws)


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


def _choose_sampler(spec: ModelSpec, sampler: Sampler) -> Literal["nuts", "composite"]:
    """Return the sampler that was asked for, if the model can be sampled by it."""
    if sampler == "auto":
        return spec.sampler
    choices = ("auto", "nuts", "composite") if spec.laplace_slab else ("auto", "nuts")
    if sampler not in choices:
        raise InputError(
            f"expected sampler {' or '.join(choices)} for the model {spec.name}, got {sampler!r}: choose one of these"
        )
    return sampler


def _nuts(function: Callable[[RotatedData], None], data: RotatedData, hyper: tuple[str, ...]) -> tuple[NUTS, Collect]:
    """Return a NUTS kernel that starts near the step size of a p-dimensional standard normal, 1.3 p^(-1/4).

    The tree depth is bounded in warm-up: with a step size still too small deeper trees cost much and teach nothing.
    Kept of each state are the model's sites but for ``eps``, and statistics.
    """
    latent = _latent_shapes(function, data)
    dense = tuple(sorted({*hyper, "a"} & latent.keys()))
    kernel = NUTS(
        function,
        step_size=data.n_snps**-0.25,
        dense_mass=[dense] if dense else False,
        max_tree_depth=(5, 10),
    )

    def collect(state: Any, data: RotatedData) -> dict[str, jax.Array]:
        sites = dict(kernel.postprocess_fn((data,), {})(state.z))
        sites.pop("eps", None)
        return sites | {
            "acceptance_rate": state.accept_prob,
            "diverging": state.diverging,
            "energy": state.energy,
            "lp": -state.potential_energy,
            "n_steps": state.num_steps,
            "step_size": state.adapt_state.step_size,
        }

    return kernel, collect


def _composite(spec: ModelSpec, data: RotatedData) -> tuple[CompositeKernel, Collect]:
    """Return the composite kernel, with larger blocks where products with them are cheap: few samples, or a GPU."""
    block = 64
    if spec.exact_zeros and on_accelerator(data):
        block = 2048
    elif spec.exact_zeros and data.y.shape[0] <= 200:
        block = 256
    kernel = CompositeKernel(spec.sweeps, block, sparse=spec.exact_zeros)

    def collect(state: CompositeState, data: RotatedData) -> dict[str, jax.Array]:
        variances = kernel.conditional(state, data)[0]
        inclusion = {
            "inclusion": state.inclusion,
            "visits": state.visits,
            "n_included": jnp.sum(state.b != 0),
        }
        return (
            kernel.values(state, data)
            | (inclusion if spec.exact_zeros else {})
            | {
                "b": state.b,
                "sigma2_g": variances.sigma2_g,
                "sigma2_e": variances.sigma2_e,
                "n_steps": state.evaluations,
            }
        )

    return kernel, collect

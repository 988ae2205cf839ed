"""Draws from the posterior, by the sampler that suits the model.

    p(a, b, log v, h, rho | y)  is proportional to  p(y | a, b, v, h, rho) p(a) p(b | v, h, rho) p(log v) p(h) p(rho)

with the random effect u integrated out (`bayes_lmmlasso.models.rotated`). NUTS samples every model
(`bayes_lmmlasso.posterior.sampler.nuts`). Laplace effects, with or without a point mass at zero, have a sampler of
their own (`bayes_lmmlasso.posterior.sampler.composite.kernel`). Chains start apart, and where the data are.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.models import RotatedData, model_spec
from bayes_lmmlasso.posterior.sampler.chains import Schedule, run_chains
from bayes_lmmlasso.posterior.sampler.composite.kernel import Composite
from bayes_lmmlasso.posterior.sampler.devices import on_accelerator
from bayes_lmmlasso.posterior.sampler.draw_store import DrawStore, MemoryStore
from bayes_lmmlasso.posterior.sampler.folder_store import FolderStore
from bayes_lmmlasso.posterior.sampler.monitor import Monitor
from bayes_lmmlasso.posterior.sampler.nuts import Nuts
from bayes_lmmlasso.posterior.sampler.plan import USUAL, Execution, SamplingPlan
from bayes_lmmlasso.posterior.sampler.record import PosteriorDraws, SamplingRecord
from bayes_lmmlasso.posterior.sampler.registry import Model, Sampler
from bayes_lmmlasso.posterior.sampler.sites import hyper_log_prior, latent_shapes
from bayes_lmmlasso.posterior.sampler.stopping import Stopped
from bayes_lmmlasso.progress import Progress, silent

__all__ = ["draw_posterior"]


def draw_posterior(
    data: RotatedData,
    model: Model,
    plan: SamplingPlan,
    *,
    store: Path | None = None,
    order: NDArray[np.intp] | None = None,
    execution: Execution = USUAL,
    progress: Progress = silent,
) -> PosteriorDraws:
    """Draw from the posterior of a model.

    Parameters
    ----------
    data
        Rotated data.
    model
        A registered name, a specification or a function.
    plan
        What is asked of the sampler.
    store
        Folder for the draws; None keeps them in memory.
    order
        The SNPs in the order of the genome, as `bayes_lmmlasso.cohort.genome.genome_order` gives it, in which the
        composite sampler forms its blocks of neighbours; None if ``data`` has it. Draws keep the order of ``data``.
    execution
        How to compute.
    progress
        Told of every block of draws.

    Raises
    ------
    InputError
        As `bayes_lmmlasso.sample_posterior`, which makes a tree of the draws.
    """
    # what is asked for
    spec = model_spec(model)
    data = jax.device_put(data, may_alias=True)
    if order is not None:
        data = _in_order(data, order)
    accelerator = on_accelerator(data) if execution.accelerator is None else execution.accelerator
    name = plan.choose_sampler(spec, accelerator)
    lengths = plan.lengths(spec, name)
    # hyper-parameters are the latent scalars, unless the model says otherwise
    hyper = spec.hyper or tuple(site for site, shape in latent_shapes(spec.function, data).items() if shape == ())
    sampler: Sampler
    if lengths.sweeps is None:
        sampler = Nuts.of(spec.function, hyper, data)
    else:
        sampler = Composite.of(spec, hyper, lengths.sweeps, data, accelerator)
    settings = {
        "model": spec.name,
        "sampler": name,
        "chains": int(plan.chains),
        "warmup": lengths.warmup,
        "seed": int(plan.seed),
    }

    # chains, from where a store has them to where the plan ends
    sweeps = {} if lengths.sweeps is None else {"sweeps": lengths.sweeps}
    draws: DrawStore = MemoryStore() if store is None else FolderStore(store, settings | sweeps | identity(data))
    inclusion = partial(_inclusion, draws, spec.exact_zeros)
    rule = None if plan.until is None else plan.until.rule(sampler.watched, draws.read, inclusion)
    stopped = run_chains(
        sampler,
        data,
        draws,
        Schedule(int(plan.chains), lengths.warmup, lengths.draws, rule),
        seed=int(plan.seed),
        monitor=Monitor(int(plan.chains), lengths.warmup, lengths.draws, sampler.watched, progress),
        execution=replace(execution, accelerator=accelerator),
        order=order,
    )

    # what a tree says besides the draws
    if stopped is None:
        missed = plan.until is not None and plan.until.has_evidence
        stopped = Stopped.TARGETS_MISSED if missed else Stopped.ALL_DRAWS
    log_prior = hyper_log_prior(spec.function, data, {site: draws.read(site) for site in hyper})
    attrs = settings | {"hyper": list(hyper), "exact_zeros": spec.exact_zeros, "snapshots": sampler.snapshots}
    small = replace(data, XT=jnp.empty((data.n_snps, 0)), padding=0)
    return PosteriorDraws(draws, SamplingRecord(jax.tree.map(np.asarray, small), log_prior, attrs, stopped))


def _in_order(data: RotatedData, order: NDArray[np.intp]) -> RotatedData:
    """Return the data with their SNPs in another order, where they are."""
    rows = np.concatenate([order, np.arange(order.size, len(data.XT))])  # padding stays below
    return replace(data, XT=jax.device_put(data.XT[rows], data.XT.sharding))


def identity(data: RotatedData) -> dict[str, Any]:
    """Return what draws depend on besides the settings: the data, their precision, and the versions that compute."""
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(data):
        digest.update(f"{leaf.dtype} {leaf.shape};".encode())
        digest.update(np.ascontiguousarray(leaf).data)
    versions = {f"version of {name}": version(name) for name in ("bayes-lmmlasso", "numpyro", "jax", "jaxlib")}
    return {"data": f"sha256:{digest.hexdigest()}", "device": jax.default_backend(), **versions}


def _inclusion(store: DrawStore, exact_zeros: bool, draws: int) -> dict[str, NDArray[np.float64]]:
    """Return every SNP's inclusion probability and its evidence in the first draws of each chain."""
    from bayes_lmmlasso.posterior.summaries.effect_summary import inclusion_evidence  # xarray and more, for targets

    return inclusion_evidence(store.sites().isel(draw=slice(draws)), exact_zeros)

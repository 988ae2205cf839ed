"""The posterior as a tree: draws (`bayes_lmmlasso.posterior.sampler.draw`) and what they say of the individuals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr

from bayes_lmmlasso.cohort import AnalysisSet
from bayes_lmmlasso.models import ModelSpec, RotatedData
from bayes_lmmlasso.posterior.sampler.draw import Sampler, draw_posterior
from bayes_lmmlasso.posterior.sampler.stopping import Until
from bayes_lmmlasso.posterior.tree.build import build_tree
from bayes_lmmlasso.progress import Progress, silent

__all__ = ["sample_posterior"]


def sample_posterior(
    data: RotatedData,
    model: str | ModelSpec | Callable[[RotatedData], None] = "laplace",
    *,
    chains: int = 4,
    warmup: int | None = None,
    draws: int | None = None,
    until: Until | None = None,
    sweeps: int | None = None,
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
    sweeps
        Sweeps of the composite sampler in each draw: more of them make better draws where chains mix slowly, and take
        no more room. By default what the model's specification says.
    seed
        Seed of everything random: same seed, data and machine, same draws.
    sampler
        "nuts" for any model; "composite" (`bayes_lmmlasso.posterior.sampler.composite`) for spike_slab and laplace;
        "auto" takes what the model's specification says, and NUTS for laplace on a GPU.
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
    drawn, where = draw_posterior(
        data,
        model,
        chains=chains,
        warmup=warmup,
        draws=draws,
        until=until,
        sweeps=sweeps,
        seed=seed,
        sampler=sampler,
        store=None if store is None else Path(store),
        progress=progress,
    )
    XT = np.asarray(data.XT[: data.n_snps] @ data.U.T) if analysis is None else analysis.X.T
    return build_tree(drawn, where.sites(), XT, analysis)

"""The posterior as a tree: draws (`bayes_lmmlasso.posterior.sampler.draw`) and what they say of the individuals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr

from bayes_lmmlasso.arguments import check_count, check_path, check_type, named
from bayes_lmmlasso.cohort import AnalysisSet
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.models import MODELS, ModelSpec, RotatedData
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

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> cohort = bl.simulate_cohort(n_samples=60, n_variants=100, seed=1)
    >>> cohort = cohort.assign(height=("samples", bl.simulate_trait(cohort, n_causal=2, seed=1).y))
    >>> analysis = bl.prepare(cohort, "height")
    >>> basis = bl.Eigenbasis.from_kinship(bl.gower_scale(bl.kinship(analysis.X)))
    >>> data = bl.rotate(analysis, basis)
    >>> tree = bl.sample_posterior(data, "spike_slab", chains=2, analysis=analysis)  # doctest: +SKIP
    >>> bl.inclusion_table(tree).nlargest(3, "pip")  # doctest: +SKIP
    """
    check_type(data, RotatedData, "rotated data", "pass what `bl.rotate` returns")
    if not callable(model) and not isinstance(model, ModelSpec) and model not in MODELS:
        raise InputError(
            f"expected a model among {', '.join(MODELS)} or a NumPyro function, got {named(model)}: choose one of these"
        )
    for name, count in {"chains": chains, "warmup": warmup, "draws": draws, "sweeps": sweeps, "seed": seed}.items():
        if count is not None:
            check_count(count, name, 0)
    if until is not None:
        check_type(until, Until, "targets", "pass bl.posterior.Until, or Until.parse of their text")
    if analysis is not None:
        check_type(analysis, AnalysisSet, "an analysis set", "pass what `bl.prepare` returns")
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
        store=None if store is None else check_path(store, "a folder for draws"),
        progress=progress,
    )
    XT = np.asarray(data.XT[: data.n_snps] @ data.U.T) if analysis is None else analysis.X.T
    return build_tree(drawn, where.sites(), XT, analysis)

"""The posterior as a tree: draws (`bayes_lmmlasso.posterior.sampler.draw`) and what they say of the individuals."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import numpy as np
import xarray as xr

from bayes_lmmlasso.arguments import check_path, check_type, named
from bayes_lmmlasso.cohort import AnalysisSet
from bayes_lmmlasso.cohort.genome import genome_order
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.models import MODELS, ModelSpec, RotatedData
from bayes_lmmlasso.posterior.sampler.draw import draw_posterior
from bayes_lmmlasso.posterior.sampler.plan import SamplingOptions, SamplingPlan
from bayes_lmmlasso.posterior.sampler.registry import Model
from bayes_lmmlasso.posterior.tree.build import build_tree
from bayes_lmmlasso.progress import Progress, silent

__all__ = ["sample_posterior"]


def sample_posterior(
    data: RotatedData,
    model: Model = "laplace",
    *,
    store: str | Path | None = None,
    analysis: AnalysisSet | None = None,
    progress: Progress = silent,
    **plan: Unpack[SamplingOptions],
) -> xr.DataTree:
    """Draw from the posterior of a model.

    Parameters
    ----------
    data
        Rotated trait, covariates and SNPs.
    model
        A registered name, a specification, or a NumPyro function of one argument, the rotated data, that ends in
        `bayes_lmmlasso.models.rotated_likelihood`.
    store
        Folder for draws and states of the chains. What was interrupted continues from there, with the same draws as if
        it had not been, and a larger ``draws`` adds to what is finished. The effects in the tree are then read from
        the folder when they are used. None keeps all in memory.
    analysis
        The analysis set that ``data`` was rotated from: it labels samples, SNPs and covariates, and tells which SNPs
        are neighbours.
    progress
        Told of every block of draws.
    chains : int, 4 by default
        Number of Markov chains.
    warmup, draws : int
        Draws of each chain to discard and to keep (at most, with ``until``); by default what the sampler needs for the
        model, with ``until`` 20 times as many draws.
    until : Until
        Targets at which sampling stops; none by default.
    sweeps : int
        Sweeps of the composite sampler in each draw: more of them make better draws where chains mix slowly, and take
        no more room. By default what the model needs.
    seed : int, 0 by default
        Seed of everything random: same seed, data and machine, same draws.
    sampler : "auto" (by default), "nuts" or "composite"
        "nuts" for any model; "composite" (`bayes_lmmlasso.posterior.sampler.composite`) for spike_slab and laplace;
        "auto" takes the composite one for these, and NUTS for laplace on a GPU.

    Returns
    -------
    xarray.DataTree
        Groups posterior, sample_stats, log_likelihood (leave-one-out over individuals), posterior_predictive (the
        trait of each as all others predict it), log_prior (of the hyper-parameters), observed_data and constant_data,
        as ArviZ reads them; ids are the coordinates of the dimension variant. Its attribute ``stopped`` says why
        there are no more draws.

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
    if analysis is not None:
        check_type(analysis, AnalysisSet, "an analysis set", "pass what `bl.prepare` returns")
    place = None if store is None else check_path(store, "a folder for draws")
    order = None if analysis is None else genome_order(analysis.variants["chrom"], analysis.variants["pos"])
    draws = draw_posterior(data, model, SamplingPlan(**plan), store=place, order=order, progress=progress)
    XT = np.asarray(data.XT[: data.n_snps] @ data.U.T) if analysis is None else analysis.X.T
    tree = build_tree(draws.record, draws.store.sites(), XT, analysis)
    tree.attrs["stopped"] = draws.record.stopped.value
    return tree

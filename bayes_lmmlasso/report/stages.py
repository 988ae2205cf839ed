"""The stages of an analysis, each a function of the settings and of the stages before it.

    read and prepare  ->  kinship, Gower scaling, eigenbasis  ->  null model (REML)
                      ->  Lasso path  ->  stability selection  ->  posterior

The commands of the command line differ in where they stop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import cast

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_lmmlasso.cohort import AnalysisSet, prepare, read_plink
from bayes_lmmlasso.lasso import LassoPath, StabilitySelection, lasso_path, stability_selection
from bayes_lmmlasso.lmm import (
    Eigenbasis,
    KinshipMethod,
    NullModel,
    fit_null_model,
    gower_scale,
    kinship,
    read_kinship,
    rotate,
)
from bayes_lmmlasso.posterior import Projection, add_training, project_posterior, sample_posterior
from bayes_lmmlasso.progress import Progress, silent
from bayes_lmmlasso.report.settings import KINSHIPS, RunSettings

__all__ = [
    "Groundwork",
    "StageClock",
    "find_path",
    "find_stability",
    "lay_groundwork",
    "project",
    "sample",
]


class StageClock:
    """Times the stages and tells a progress hook of each.

    Attributes
    ----------
    seconds
        Seconds of each finished stage, in order.
    """

    def __init__(self, progress: Progress = silent) -> None:
        self.progress = progress
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[Callable[[str], None]]:
        """Time a stage; call what is yielded with a remark on its result."""
        remarks: list[str] = []
        self.progress(stage, 0, 1)
        start = perf_counter()
        yield remarks.append
        self.seconds[stage] = perf_counter() - start
        self.progress(stage, 1, 1, "; ".join(remarks))


@dataclass(frozen=True, eq=False)
class Groundwork:
    """The data and the mixed model that everything else stands on.

    Attributes
    ----------
    analysis
        Analysed samples and SNPs.
    K
        Gower-scaled kinship of the samples, shape ``(n, n)``.
    basis
        Its eigenbasis.
    kinship_scale
        Factor of the Gower scaling.
    null_model
        Fitted by REML with the analysis set's covariates.
    """

    analysis: AnalysisSet
    K: NDArray[np.float64]
    basis: Eigenbasis
    kinship_scale: float
    null_model: NullModel


def lay_groundwork(settings: RunSettings, clock: StageClock) -> Groundwork:
    """Read and prepare the data, decompose the kinship and fit the null model.

    Raises
    ------
    InputError
        If the data are not as they should be.
    """
    with clock("data") as say:
        cohort = read_plink(settings.bfile, settings.pheno, settings.trait, settings.covar)
        analysis = prepare(
            cohort,
            settings.trait,
            covariates=cohort.attrs["covariates"],
            maf=settings.maf,
            missing=settings.missing,
            transform=settings.transform,
        )
        del cohort
        say("{:,} samples, {:,} SNPs".format(*analysis.X.shape))
    with clock("kinship"):
        raw = _kinship(settings.kinship, analysis)
        K = gower_scale(raw)
        basis = Eigenbasis.from_kinship(K)
    with clock("null model") as say:
        null_model = fit_null_model(analysis.y, basis, analysis.covariates, "reml")
        say(f"PVE {null_model.pve:.3f}")
    return Groundwork(analysis, K, basis, float(np.trace(K) / np.trace(raw)), null_model)


def find_path(settings: RunSettings, ground: Groundwork, clock: StageClock) -> LassoPath:
    """Follow the Lasso path to ``settings.n_active`` SNPs."""
    with clock("path") as say:
        path = lasso_path(
            ground.analysis.X,
            ground.analysis.y,
            ground.basis,
            ground.null_model.delta,
            n_active=settings.n_active,
            covariates=ground.analysis.covariates,
        )
        say(path.status)
    return path


def find_stability(settings: RunSettings, ground: Groundwork, clock: StageClock) -> StabilitySelection:
    """Select ``settings.n_active`` SNPs on every subsample, with a null model of its own."""
    with clock("stability") as say:
        result = stability_selection(
            ground.analysis.X,
            ground.analysis.y,
            ground.K,
            n_active=settings.n_active,
            covariates=ground.analysis.covariates,
            n_subsamples=settings.subsamples,
            fraction=settings.subsample_fraction,
            seed=settings.seed,
            method="reml",
            progress=clock.progress,
        )
        say(f"{len(result.subsamples)} subsamples")
    return result


def sample(settings: RunSettings, ground: Groundwork, clock: StageClock) -> xr.DataTree:
    """Draw from the posterior."""
    with clock("sampling") as say:
        tree = sample_posterior(
            rotate(ground.analysis, ground.basis),
            settings.model,
            chains=settings.chains,
            warmup=settings.warmup,
            draws=settings.draws,
            seed=settings.seed,
            analysis=ground.analysis,
            progress=clock.progress,
        )
        add_training(tree, ground.analysis, settings.kinship, ground.kinship_scale)
        sizes = tree["posterior"].sizes
        say(f"{sizes['chain']} x {sizes['draw']} draws")
    return tree


def project(tree: xr.DataTree, clock: StageClock) -> Projection:
    """Select SNPs on every draw of the signal, as many as the point estimate has and in its metric."""
    with clock("projection") as say:
        projection = project_posterior(tree, progress=clock.progress)
        say(f"{len(projection.n_selected)} draws")
    return projection


def _kinship(choice: str, analysis: AnalysisSet) -> NDArray[np.float64]:
    """Estimate the kinship of the analysed samples, or read it."""
    if choice not in KINSHIPS:
        return read_kinship(choice, analysis.samples)
    if choice == "rrm":
        return kinship(analysis.X, "rrm")
    return kinship(analysis.dosages(), cast(KinshipMethod, choice))

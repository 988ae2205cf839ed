"""The stages of an analysis, each a function of the settings and of the stages before it.

    read and prepare  ->  kinship, Gower scaling, eigenbasis  ->  null model (REML)
                      ->  scan (P3D)  ->  Lasso path  ->  stability selection  ->  posterior

The commands of the command line differ in where they stop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import cast

import jax
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_lmmlasso.cohort import AnalysisSet, prepare, read_fam
from bayes_lmmlasso.compare import Scan, scan
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
from bayes_lmmlasso.memory import release_memory
from bayes_lmmlasso.posterior import Projection, Until, add_training, project_posterior, sample_posterior, shard
from bayes_lmmlasso.progress import Progress, silent
from bayes_lmmlasso.report.settings import KINSHIPS, RunSettings

__all__ = [
    "Groundwork",
    "StageClock",
    "estimate_kinship",
    "find_path",
    "find_scan",
    "find_stability",
    "kinship_genotypes",
    "lay_groundwork",
    "project",
    "read_analysis",
    "sample",
]


class StageClock:
    """Times the stages, tells a progress hook of each, and frees what a stage no longer needs.

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
        release_memory()
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


def read_analysis(settings: RunSettings, clock: StageClock) -> AnalysisSet:
    """Read and prepare the data.

    Raises
    ------
    InputError
        If the data are not as they should be.
    """
    with clock("data") as say:
        cohort = settings.genotypes.read(settings.pheno, settings.trait, settings.covar)
        analysis = prepare(
            cohort,
            settings.trait,
            covariates=cohort.attrs["covariates"],
            maf=settings.maf,
            missing=settings.missing,
            transform=settings.transform,
        )
        say("{:,} samples, {:,} SNPs".format(*analysis.X.shape))
    return analysis


def lay_groundwork(settings: RunSettings, clock: StageClock) -> Groundwork:
    """Read and prepare the data, decompose the kinship and fit the null model.

    Raises
    ------
    InputError
        If the data are not as they should be.
    """
    analysis = read_analysis(settings, clock)
    with clock("kinship"):
        raw = estimate_kinship(settings.kinship, analysis, settings.bfile)
        K = gower_scale(raw)
        basis = Eigenbasis.from_kinship(K)
    with clock("null model") as say:
        null_model = fit_null_model(analysis.y, basis, analysis.covariates, "reml")
        say(f"PVE {null_model.pve:.3f}")
    return Groundwork(analysis, K, basis, float(np.trace(K) / np.trace(raw)), null_model)


def find_scan(ground: Groundwork, clock: StageClock) -> Scan:
    """Test every SNP by itself at the null model's delta."""
    with clock("scan"):
        return scan(
            ground.analysis.X,
            ground.analysis.y,
            ground.basis,
            covariates=ground.analysis.covariates,
            method="lmm-p3d",
            delta=ground.null_model.delta,
        )


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


def sample(settings: RunSettings, ground: Groundwork, clock: StageClock, store: Path) -> xr.DataTree:
    """Draw from the posterior, or go on with the draws in a store."""
    with clock("sampling") as say, jax.enable_x64(settings.precision == "float64"):
        data = rotate(ground.analysis, ground.basis)
        tree = sample_posterior(
            data if settings.devices == 1 else shard(data, settings.devices),
            settings.model,
            chains=settings.chains,
            warmup=settings.warmup,
            draws=settings.draws,
            until=None if settings.until is None else Until.parse(settings.until),
            store=store,
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


def estimate_kinship(choice: str, analysis: AnalysisSet, bfile: Path | None) -> NDArray[np.float64]:
    """Estimate the kinship of the analysed samples, or read it; files without ids may follow the .fam."""
    if choice not in KINSHIPS:
        return read_kinship(choice, analysis.samples, None if bfile is None else read_fam(bfile))
    return kinship(*kinship_genotypes(choice, analysis))


def kinship_genotypes(choice: str, analysis: AnalysisSet) -> tuple[NDArray[np.float32], KinshipMethod]:
    """Return the genotypes that an estimator takes, and its name."""
    estimator = cast(KinshipMethod, choice)
    return (analysis.X if estimator == "rrm" else analysis.dosages()), estimator

"""The stages of an analysis before the posterior, each a function of the settings and of the stages before it.

    read and prepare  ->  kinship, Gower scaling, eigenbasis  ->  null model (REML)
                      ->  scan (P3D)  ->  Lasso path  ->  stability selection

The commands of the command line differ in where they stop.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.cohort import AnalysisSet, Cohort, prepare, sample_frame
from bayes_lmmlasso.cohort.intake import Intake
from bayes_lmmlasso.lasso import LassoPath, StabilitySelection, lasso_path, stability_selection
from bayes_lmmlasso.lmm import Eigenbasis, NullModel, fit_null_model, null_remarks
from bayes_lmmlasso.lmm.files.read import RawKinship
from bayes_lmmlasso.lmm.relatedness import Relatedness, analysis_kinship
from bayes_lmmlasso.progress import StageClock
from bayes_lmmlasso.remarks import Remark, counted
from bayes_lmmlasso.run.budget import check_budget
from bayes_lmmlasso.run.settings import CohortSettings, DataSettings, LassoSettings, PathSettings, RunSettings
from bayes_lmmlasso.scan import Scan, scan

__all__ = [
    "MixedModel",
    "Selection",
    "find_path",
    "find_scan",
    "find_stability",
    "fit_mixed_model",
    "prepare_analysis",
    "raw_kinship",
    "read_analysis",
    "read_cohort",
    "select",
]


@dataclass(frozen=True, eq=False)
class MixedModel:
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
    intake
        What was taken in and what was left out, and what is told about data, kinship and null model.
    """

    analysis: AnalysisSet
    K: NDArray[np.float64]
    basis: Eigenbasis
    kinship_scale: float
    null_model: NullModel
    intake: Intake

    def with_remarks(self, *remarks: Remark) -> MixedModel:
        """Return the model with more to tell."""
        return replace(self, intake=self.intake.with_remarks(*remarks))


def read_analysis(
    settings: DataSettings, clock: StageClock, cohort: Cohort | None = None, *, related: bool = True
) -> AnalysisSet:
    """Read the data, unless they are there already, and prepare them.

    Raises
    ------
    InputError
        If the data are not as they should be.
    """
    with clock("data") as remark:
        analysis = prepare_analysis(settings, read_cohort(settings, related=related) if cohort is None else cohort)
        remark(_counts(analysis.intake))
    return analysis


def _counts(intake: Intake) -> str:
    """Say how much is analysed, how much is not, and whether there is more to know."""
    lost = sum(intake.dropped_samples.values()), sum(intake.dropped_snps.values())
    cautions = sum(remark.caution for remark in intake.remarks)
    left_out = f" ({lost[0]:,} and {lost[1]:,} left out)" if any(lost) else ""
    told = f", {counted(cautions, 'caution')}" if cautions else ""
    return f"{intake.n_samples:,} samples, {intake.n_snps:,} SNPs{left_out}{told}"


def read_cohort(settings: DataSettings, *, related: bool = True) -> Cohort:
    """Read the genotypes and join them with the tables, if they fit the memory, with their kinship if there is one."""
    check_budget(settings, settings.trait, related=related)
    return settings.genotypes.read(settings.pheno, settings.trait, settings.covar, **settings.coding)


def prepare_analysis(settings: DataSettings, cohort: Cohort) -> AnalysisSet:
    """Choose samples and SNPs of a cohort, and standardise."""
    return prepare(
        cohort,
        settings.trait,
        covariates=cohort.attrs["covariates"],
        maf=settings.maf,
        missing=settings.missing,
        transform=settings.transform,
    )


def fit_mixed_model(settings: DataSettings, clock: StageClock, cohort: Cohort | None = None) -> MixedModel:
    """Read the data, unless they are there already, prepare them, decompose the kinship and fit the null model.

    Raises
    ------
    InputError
        If the data are not as they should be.
    """
    analysis = read_analysis(settings, clock, cohort)
    with clock("kinship"):
        related = Relatedness.of(raw_kinship(settings, analysis, cohort))
    with clock("null model") as remark:
        null_model = fit_null_model(analysis.y, related.basis, analysis.covariates, "reml")
        remark(f"PVE {null_model.pve:.3f}")
    intake = analysis.intake.with_remarks(*related.remarks, *null_remarks(null_model, related.basis))
    return MixedModel(analysis, related.K, related.basis, related.scale, null_model, intake)


def raw_kinship(settings: CohortSettings, analysis: AnalysisSet, cohort: Cohort | None = None) -> RawKinship:
    """Estimate the kinship of the analysed samples, or read it, unscaled.

    A file without ids may have the order of the genotypes.
    """
    genotyped = None
    if settings.has_given_kinship:
        genotyped = settings.genotypes.samples(settings.pheno) if cohort is None else sample_frame(cohort)
    return analysis_kinship(analysis, settings.kinship, genotyped)


def find_scan(mixed: MixedModel, clock: StageClock) -> Scan:
    """Test every SNP by itself at the null model's delta."""
    with clock("scan"):
        return scan(
            mixed.analysis.X,
            mixed.analysis.y,
            mixed.basis,
            covariates=mixed.analysis.covariates,
            method="lmm-p3d",
            delta=mixed.null_model.delta,
        )


def find_path(settings: PathSettings, mixed: MixedModel, clock: StageClock) -> LassoPath:
    """Follow the Lasso path to ``settings.n_active`` SNPs."""
    with clock("path") as remark:
        path = lasso_path(
            mixed.analysis.X,
            mixed.analysis.y,
            mixed.basis,
            mixed.null_model.delta,
            n_active=settings.n_active,
            covariates=mixed.analysis.covariates,
        )
        remark(path.message)
    return path


def find_stability(settings: LassoSettings, seed: int, mixed: MixedModel, clock: StageClock) -> StabilitySelection:
    """Select ``settings.n_active`` SNPs on every subsample, with a null model of its own."""
    with clock("stability") as remark:
        result = stability_selection(
            mixed.analysis.X,
            mixed.analysis.y,
            mixed.K,
            n_active=settings.n_active,
            covariates=mixed.analysis.covariates,
            n_subsamples=settings.subsamples,
            fraction=settings.subsample_fraction,
            seed=seed,
            method="reml",
            progress=clock.progress,
        )
        remark(f"{len(result.subsamples)} subsamples")
    return result


@dataclass(frozen=True, eq=False)
class Selection:
    """SNPs tested one by one, and selected together."""

    scan: Scan
    path: LassoPath
    stability: StabilitySelection


def select(settings: RunSettings, mixed: MixedModel, clock: StageClock) -> Selection:
    """Test SNPs one by one and select some by the Lasso."""
    return Selection(
        find_scan(mixed, clock),
        find_path(settings.lasso, mixed, clock),
        find_stability(settings.lasso, settings.random.seed, mixed, clock),
    )

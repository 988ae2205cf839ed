"""From a cohort to what is analysed: samples and SNPs chosen (`bayes_lmmlasso.cohort.choice`) and standardised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.choice import choose
from bayes_lmmlasso.cohort.covariates import CovariateCoding
from bayes_lmmlasso.cohort.dataset import Cohort, check_cohort, sample_frame, variant_frame
from bayes_lmmlasso.cohort.genome import placement_remarks
from bayes_lmmlasso.cohort.intake import Intake
from bayes_lmmlasso.cohort.new_samples import standardise_new_samples
from bayes_lmmlasso.cohort.snp_filter import SnpFilter
from bayes_lmmlasso.cohort.standardise import standardise_calls
from bayes_lmmlasso.cohort.transforms import TraitTransform, TransformName
from bayes_lmmlasso.display import Display

__all__ = ["AnalysisSet", "prepare"]


@dataclass(frozen=True, repr=False)
class AnalysisSet(Display):
    """The analysed samples and SNPs.

    Attributes
    ----------
    X
        ``(n, p)`` float32 genotypes of mean 0 and variance 1 (ddof 0) per SNP, missing calls 0;
        Fortran order, so that ``X.T`` is C-contiguous.
    y
        ``(n,)`` trait, transformed, of mean 0 and variance 1 (ddof 0).
    covariates
        ``(n, q)``: the intercept, then standardised covariates.
    covariate_names
        Names of the q columns.
    covariate_coding
        How each covariate became columns.
    samples
        Frame ``fid iid`` of the n samples.
    variants
        Frame ``chrom pos snp effect_allele other_allele eaf`` of the p SNPs, eaf among the n samples.
    cm
        ``(p,)`` positions on the genetic map, 0 where unknown.
    mean, sd
        ``(p,)`` dosage statistics that standardised X.
    trait_name, trait
        The trait and its transform.
    intake
        What was taken in and what was left out, and why.
    """

    X: NDArray[np.float32]
    y: NDArray[np.float64]
    covariates: NDArray[np.float64]
    covariate_names: tuple[str, ...]
    covariate_coding: tuple[CovariateCoding, ...]
    samples: pd.DataFrame
    variants: pd.DataFrame
    cm: NDArray[np.float64]
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    trait_name: str
    trait: TraitTransform
    intake: Intake

    @property
    def dropped_samples(self) -> dict[str, int]:
        """Samples left out, per cause."""
        return self.intake.dropped_samples

    @property
    def dropped_variants(self) -> dict[str, int]:
        """SNPs left out, per cause."""
        return self.intake.dropped_snps

    def dosages(self) -> NDArray[np.float32]:
        """Return the ``(n, p)`` dosages that were standardised; missing ones at their mean, whole ones whole."""
        dosages = self.X * self.sd.astype(np.float32) + self.mean.astype(np.float32)
        whole = np.rint(dosages)
        np.copyto(dosages, whole, where=np.abs(dosages - whole) < 1e-5)
        return np.clip(dosages, 0, 2, out=dosages)

    def standardise(self, cohort: Cohort) -> NDArray[np.float32]:
        """Standardise the same SNPs of other samples with the statistics of these.

        SNPs are matched by id and alleles; where the other allele is counted the dosage d becomes 2 - d.

        Parameters
        ----------
        cohort
            Genotypes that hold every SNP of ``variants``, in any order.

        Returns
        -------
        ``(n_new, p)`` float32 in Fortran order; missing calls are 0 (the training mean).

        Raises
        ------
        InputError
            If a SNP is absent, has other alleles or occurs twice.
        """
        return standardise_new_samples(cohort, self.variants, self.mean, self.sd)


def prepare(
    cohort: Cohort,
    trait: str,
    *,
    covariates: Sequence[str] = (),
    maf: float = SnpFilter.maf,
    missing: float = SnpFilter.missing,
    transform: TransformName = "none",
) -> AnalysisSet:
    """Choose samples and SNPs, and standardise.

    Parameters
    ----------
    cohort
        Genotypes with trait and covariates by name.
    trait
        A numeric column of the cohort.
    covariates
        Columns of the cohort; text columns become indicators. A sample that lacks one is dropped.
    maf, missing
        As in `SnpFilter`.
    transform
        ``none``, ``box-cox`` or ``rank-normal``, before the trait is standardised.

    Raises
    ------
    InputError
        Unknown, text, all-missing or constant trait; Inf; dependent covariates; a threshold out of range;
        fewer than 3 samples or no SNP left.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> cohort = bl.simulate_cohort(n_samples=60, n_variants=100, seed=1)
    >>> cohort = cohort.assign(height=("samples", bl.simulate_trait(cohort, n_causal=2, seed=1).y))
    >>> analysis = bl.prepare(cohort, "height")
    >>> analysis.X.shape
    (60, 100)
    """
    chosen = choose(
        check_cohort(cohort), trait, covariates=covariates, snps=SnpFilter(maf, missing), transform=transform
    )
    rows, columns, design = chosen.rows, chosen.columns, chosen.design
    calls, mean, sd = cohort["call_dosage"].values, chosen.mean, chosen.sd
    variants = variant_frame(cohort).iloc[columns].reset_index(drop=True).assign(eaf=mean / 2)
    return AnalysisSet(
        X=standardise_calls(calls, mean, sd, rows=rows, columns=columns),
        y=chosen.y,
        covariates=design.matrix,
        covariate_names=design.names,
        covariate_coding=design.coding,
        samples=sample_frame(cohort).iloc[rows].reset_index(drop=True),
        variants=variants,
        cm=cohort["variant_cm"].values[columns] if "variant_cm" in cohort else np.zeros(len(columns)),
        mean=mean,
        sd=sd,
        trait_name=trait,
        trait=chosen.trait,
        intake=chosen.intake.with_remarks(*placement_remarks(variants)),
    )

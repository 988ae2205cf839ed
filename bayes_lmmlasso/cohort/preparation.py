"""From a cohort to what is analysed: samples and SNPs chosen, trait, SNPs and covariates standardised.

Samples first (trait present, then covariates present), then SNPs over those samples: share of missing
calls, then variation, then minor-allele frequency (see `SnpFilter`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.arguments import check_type, named
from bayes_lmmlasso.cohort.covariates import CovariateCoding, column_values, covariate_design, has_covariates
from bayes_lmmlasso.cohort.dataset import Cohort, check_cohort, remarks_of, sample_frame, source_of, variant_frame
from bayes_lmmlasso.cohort.intake import Intake
from bayes_lmmlasso.cohort.new_samples import standardise_new_samples
from bayes_lmmlasso.cohort.plausibility import THINNED, covariate_remarks, sample_remarks, trait_remarks
from bayes_lmmlasso.cohort.snp_filter import SnpFilter, per_cause
from bayes_lmmlasso.cohort.standardise import missing_share, snp_statistics, standardise_calls
from bayes_lmmlasso.cohort.transforms import TraitTransform, TransformName, fit_trait_transform
from bayes_lmmlasso.display import Display, describe
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.remarks import N_EXAMPLES

__all__ = ["AnalysisSet", "prepare"]

_MIN_SAMPLES = 3


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

    def _described(self) -> Iterator[tuple[str, str]]:
        yield from (entry for entry in super()._described() if entry[0] != "intake")
        for k, line in enumerate(self.intake.lines()):
            yield f"intake {k + 1}", describe(line)

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
    snp_filter = SnpFilter(maf, missing)
    values = _trait_values(check_cohort(cohort), check_type(trait, str, "the name of a trait", "name one"))
    if isinstance(covariates, str) or not isinstance(covariates, Iterable):
        raise InputError(f"expected a list of covariates, got {named(covariates)}: name columns of the cohort")
    rows, dropped_samples, some = _choose_samples(cohort, values, covariates)
    try:
        fitted = fit_trait_transform(values[rows], transform)
    except InputError as error:
        raise InputError(f"trait {trait!r} of {source_of(cohort, trait)}: {error}") from error
    design = covariate_design(cohort, covariates, rows)
    calls = cohort["call_dosage"].values
    statistics = snp_statistics(calls, rows)
    columns, dropped_variants = snp_filter.choose(statistics)
    mean, sd = statistics.mean[columns], statistics.sd[columns]
    X, y = standardise_calls(calls, mean, sd, rows=rows, columns=columns), fitted.forward(values[rows])
    ids = [str(name) for name in cohort["sample_id"].values[rows]]
    thinned = np.unique(np.linspace(0, len(columns) - 1, THINNED).astype(np.intp))
    checks = (
        *trait_remarks(trait, values[rows], ids),
        *covariate_remarks(design.matrix, design.names, trait, y),
        *sample_remarks(X[:, thinned], missing_share(calls, rows, columns[thinned]), ids),
    )
    return AnalysisSet(
        X=X,
        y=y,
        covariates=design.matrix,
        covariate_names=design.names,
        covariate_coding=design.coding,
        samples=sample_frame(cohort).iloc[rows].reset_index(drop=True),
        variants=variant_frame(cohort).iloc[columns].reset_index(drop=True).assign(eaf=mean / 2),
        cm=cohort["variant_cm"].values[columns] if "variant_cm" in cohort else np.zeros(len(columns)),
        mean=mean,
        sd=sd,
        trait_name=trait,
        trait=fitted,
        intake=Intake(
            trait=trait,
            n_samples=len(rows),
            n_snps=len(columns),
            dropped_samples=dropped_samples,
            dropped_snps=dropped_variants,
            examples=some,
            covariates=design.taken,
            remarks=(*remarks_of(cohort), *checks),
        ),
    )


def _trait_values(cohort: Cohort, trait: str) -> NDArray[np.float64]:
    values = column_values(cohort, trait, "trait")
    source = source_of(cohort, trait)
    if values.dtype == object:
        text = next(v for v in values if isinstance(v, str) and np.isnan(pd.to_numeric(v, errors="coerce")))
        raise InputError(f"expected numbers in trait {trait!r} of {source}, got {text!r}; write NA where it is unknown")
    if np.isnan(values).all():
        raise InputError(
            f"expected values of trait {trait!r} in {source}, got none for the {len(values)} samples with "
            "genotypes; choose another trait"
        )
    return values


def _choose_samples(
    cohort: Cohort, values: NDArray[np.float64], covariates: Sequence[str]
) -> tuple[NDArray[np.intp], dict[str, int], dict[str, list[str]]]:
    """Positions of the samples analysed, counts of the others per cause, and some of their ids."""
    counts = {"no genotype": 0, "not in phenotype table": 0, "no trait": 0, "covariate missing": 0}
    counts |= json.loads(cohort.attrs.get("dropped_samples", "{}"))
    some: dict[str, list[str]] = json.loads(cohort.attrs.get("dropped_examples", "{}"))
    has_trait, complete = ~np.isnan(values), has_covariates(cohort, covariates)
    for cause, lost in (("no trait", ~has_trait), ("covariate missing", has_trait & ~complete)):
        counts[cause] += int(lost.sum())
        ids = cohort["sample_id"].values[lost][:N_EXAMPLES].tolist()
        some[cause] = [*some.get(cause, []), *ids][:N_EXAMPLES]
    rows = np.flatnonzero(has_trait & complete)
    if len(rows) < _MIN_SAMPLES:
        raise InputError(
            f"expected at least {_MIN_SAMPLES} samples with trait, genotypes and covariates, got {len(rows)} "
            f"(left out: {per_cause(counts)}); check ids and missing values"
        )
    return rows, counts, some

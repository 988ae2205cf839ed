"""Which samples and SNPs of a cohort are analysed, with the checks of what they hold; genotypes stay where they are.

Samples first (trait present, then covariates present), then SNPs over those samples: share of missing calls, then
variation, then minor-allele frequency (see `SnpFilter`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.arguments import check_type, named
from bayes_lmmlasso.cohort.covariates import Design, column_values, covariate_design, has_covariates
from bayes_lmmlasso.cohort.dataset import Cohort, remarks_of, source_of
from bayes_lmmlasso.cohort.intake import Intake
from bayes_lmmlasso.cohort.plausibility import THINNED, covariate_remarks, sample_remarks, snp_remarks, trait_remarks
from bayes_lmmlasso.cohort.snp_filter import SnpFilter, per_cause
from bayes_lmmlasso.cohort.standardise import missing_share, snp_statistics, standardise_calls
from bayes_lmmlasso.cohort.transforms import TraitTransform, TransformName, fit_trait_transform
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.remarks import N_EXAMPLES, Remark

__all__ = ["Choice", "choose"]

_MIN_SAMPLES = 3


@dataclass(frozen=True, eq=False)
class Choice:
    """What is analysed of a cohort.

    Attributes
    ----------
    rows, columns
        Positions of the n samples and p SNPs.
    y, trait
        ``(n,)`` standardised trait, and its transform.
    design
        Intercept and covariates.
    mean, sd
        ``(p,)`` dosage statistics.
    intake
        What was taken in and what was left out, and why.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    y: NDArray[np.float64]
    trait: TraitTransform
    design: Design
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    intake: Intake


def choose(
    cohort: Cohort, trait: str, *, covariates: Sequence[str], snps: SnpFilter, transform: TransformName
) -> Choice:
    """Choose samples and SNPs, and look at them; arguments and errors as of `bayes_lmmlasso.prepare`."""
    values = _trait_values(cohort, check_type(trait, str, "the name of a trait", "name one"))
    if isinstance(covariates, str) or not isinstance(covariates, Iterable):
        raise InputError(f"expected a list of covariates, got {named(covariates)}: name columns of the cohort")
    rows, dropped_samples, some = _choose_samples(cohort, values, covariates)
    try:
        fitted = fit_trait_transform(values[rows], transform)
    except InputError as error:
        raise InputError(f"trait {trait!r} of {source_of(cohort, trait)}: {error}") from error
    design, y = covariate_design(cohort, covariates, rows), fitted.forward(values[rows])
    calls = cohort["call_dosage"].values
    statistics = snp_statistics(calls, rows)
    columns, dropped_snps = snps.choose(statistics)
    mean, sd = statistics.mean[columns], statistics.sd[columns]
    ids = [str(name) for name in cohort["sample_id"].values[rows]]
    intake = Intake(
        trait=trait,
        n_samples=len(rows),
        n_snps=len(columns),
        dropped_samples=dropped_samples,
        dropped_snps=dropped_snps,
        examples=some,
        covariates=design.taken,
        remarks=(
            *remarks_of(cohort, [trait, *covariates]),
            *trait_remarks(trait, values[rows], ids),
            *covariate_remarks(design.matrix, design.names, trait, y),
            *snp_remarks(dropped_snps, len(calls)),
            *_compare_samples(calls, rows, columns, (mean, sd), ids),
        ),
    )
    return Choice(rows, columns, y, fitted, design, mean, sd, intake)


def _compare_samples(
    calls: NDArray[Any],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    statistics: tuple[NDArray[np.float64], NDArray[np.float64]],
    ids: Sequence[str],
) -> list[Remark]:
    """Look at the samples over some of the SNPs, evenly spaced."""
    some = np.unique(np.linspace(0, len(columns) - 1, THINNED).astype(np.intp))
    mean, sd = statistics
    X = standardise_calls(calls, mean[some], sd[some], rows=rows, columns=columns[some])
    return sample_remarks(X, missing_share(calls, rows, columns[some]), ids)


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

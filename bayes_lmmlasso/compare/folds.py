"""Folds of a cohort, each prepared from its training samples alone.

Everything that is learnt before a model is fitted is learnt without the test samples: filters of SNPs, imputation by
the mean, standardisation of SNPs and covariates, transform of the trait, kinship, its Gower scaling, the null model.
Test samples are then brought to the training samples' scales (`AnalysisSet.standardise`, `cross_kinship`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.cohort import AnalysisSet, Cohort, SnpFilter, code_covariates, has_covariates, prepare, sample_frame
from bayes_lmmlasso.cohort.covariates import column_values
from bayes_lmmlasso.cohort.transforms import TransformName
from bayes_lmmlasso.display import Display, Table
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso.cross_validation import assign_folds
from bayes_lmmlasso.lmm import (
    CrossKinship,
    Eigenbasis,
    KinshipMethod,
    NullModel,
    cross_kinship,
    fit_null_model,
)
from bayes_lmmlasso.lmm.files.read import RawKinship
from bayes_lmmlasso.lmm.kinship import validate_kinship
from bayes_lmmlasso.lmm.relatedness import KINSHIPS, Relatedness, analysis_kinship

__all__ = ["Fold", "FoldPlan", "plan_folds", "prepare_fold"]


@dataclass(frozen=True, eq=False, repr=False)
class FoldPlan(Table):
    """Which samples of a cohort are predicted in which fold.

    Attributes
    ----------
    rows
        Samples with trait and covariates, shape ``(m,)``.
    fold
        Fold of each of them, shape ``(m,)``.
    """

    _columns = ("rows", "fold")

    rows: NDArray[np.intp]
    fold: NDArray[np.intp]

    @property
    def labels(self) -> list[int]:
        """The folds, ascending."""
        return [int(label) for label in np.unique(self.fold)]


@dataclass(frozen=True, eq=False, repr=False)
class Fold(Display):
    """Training samples ready to be fitted and test samples on their scales.

    Attributes
    ----------
    analysis
        Training samples and SNPs, standardised.
    K, basis, null_model
        Gower-scaled kinship of the training samples, its eigenbasis, and the null model by REML.
    X_new, covariates_new
        Test samples, shapes ``(t, p)`` and ``(t, q)``.
    new
        Their kinship, on the scale of K.
    samples
        Frame ``fid iid`` of the test samples.
    y_new
        Their trait, in its own units, shape ``(t,)``.
    baseline
        Mean of the training samples' trait, in its own units.
    """

    analysis: AnalysisSet
    K: NDArray[np.float64]
    basis: Eigenbasis
    null_model: NullModel
    X_new: NDArray[np.float32]
    covariates_new: NDArray[np.float64]
    new: CrossKinship
    samples: pd.DataFrame
    y_new: NDArray[np.float64]
    baseline: float


def plan_folds(
    cohort: Cohort, trait: str, covariates: Sequence[str] = (), *, n_folds: int = 10, seed: int = 0
) -> FoldPlan:
    """Assign the samples that have the trait and every covariate to folds of equal size, at random.

    Raises
    ------
    InputError
        If the trait or a covariate is unknown, or there are fewer than two samples a fold.
    """
    present = ~pd.isna(column_values(cohort, trait, "trait")) & has_covariates(cohort, covariates)
    rows = np.flatnonzero(present)
    return FoldPlan(rows, assign_folds(None, rows.size, n_folds, seed))


def prepare_fold(
    cohort: Cohort,
    trait: str,
    plan: FoldPlan,
    label: int,
    *,
    covariates: Sequence[str] = (),
    relations: str | ArrayLike = "rrm",
    snps: SnpFilter = SnpFilter(),
    transform: TransformName = "none",
) -> Fold:
    """Learn from the training samples of a fold, and bring its test samples to their scales.

    Parameters
    ----------
    cohort, trait, covariates
        As in `prepare`.
    plan, label
        The folds, and the one to predict.
    relations
        ``rrm``, ``centred`` or ``ibs``, or a kinship of all samples of the cohort that is known without their SNPs (a
        pedigree), shape ``(n, n)``.
    snps
        Which SNPs take part, decided on the training samples.
    transform
        As in `prepare`.

    Raises
    ------
    InputError
        As `prepare`; if the fold is unknown or the kinship is none.
    """
    if label not in plan.labels:
        raise InputError(f"expected a fold among {plan.labels}, got {label}: take one of the plan")
    train, test = plan.rows[plan.fold != label], plan.rows[plan.fold == label]
    values = cohort[trait].values.astype(np.float64)
    hidden = np.full(values.size, np.nan)
    hidden[train] = values[train]
    seen = cohort.assign({trait: ("samples", hidden, cohort[trait].attrs)})
    analysis = prepare(seen, trait, covariates=covariates, maf=snps.maf, missing=snps.missing, transform=transform)
    others = cohort.isel(samples=test)
    X_new = analysis.standardise(others)
    if isinstance(relations, str):
        raw, new = _estimate(analysis, X_new, relations)
    else:
        all_samples = validate_kinship(relations, cohort.sizes["samples"])
        raw = all_samples[np.ix_(train, train)]
        new = CrossKinship(all_samples[np.ix_(test, train)], all_samples[test, test])
    related = Relatedness.of(RawKinship(raw))
    return Fold(
        analysis=analysis,
        K=related.K,
        basis=related.basis,
        null_model=fit_null_model(analysis.y, related.basis, analysis.covariates, "reml"),
        X_new=X_new,
        covariates_new=code_covariates(others, analysis.covariate_coding, np.arange(test.size)),
        new=new.scaled(related.scale),
        samples=sample_frame(others),
        y_new=values[test],
        baseline=float(values[train].mean()),
    )


def _estimate(
    analysis: AnalysisSet, X_new: NDArray[np.float32], relations: str
) -> tuple[NDArray[np.float64], CrossKinship]:
    """Estimate the kinship of the training samples, and that of the test samples with them."""
    if relations not in KINSHIPS:
        raise InputError(f"expected a kinship among {', '.join(KINSHIPS)} or a matrix, got {relations!r}: choose one")
    method = cast(KinshipMethod, relations)
    raw = analysis_kinship(analysis, method).matrix
    return raw, cross_kinship(X_new, analysis.X, method, mean=analysis.mean, sd=analysis.sd)

"""Cross-validation of all model sizes at once.

Each fold is predicted by models that have seen nothing of it: standard deviations of SNPs, kinship, its scale, delta
and the path come from the other folds (`trained`). With squared errors summed over fold f, MSE_s is their mean over
folds for size s, and

    best = argmin_s MSE_s,    one-standard-error choice = min { s : MSE_s <= MSE_best + se(MSE_best) }
    explained variance_s = 1 - sum_i (y_i - yhat_i,s)^2 / sum_i (y_i - ybar_-f(i))^2

with ybar_-f the mean of the training samples (Hastie, Tibshirani, Friedman 2009, doi:10.1007/978-0-387-84858-7,
section 7.10; Rakitsch et al. 2013, doi:10.1093/bioinformatics/bts669).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.display import Table
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso.genotypes import Genotypes, read_genotypes
from bayes_lmmlasso.lasso.goal import read_goal
from bayes_lmmlasso.lasso.trained import TrainedPath, train_path, training_kinship
from bayes_lmmlasso.lmm import NullMethod
from bayes_lmmlasso.lmm.kinship import validate_kinship
from bayes_lmmlasso.numerics.checks import check_covariates, check_trait
from bayes_lmmlasso.numerics.threads import thread_map

__all__ = ["CrossValidation", "cross_validate"]


@dataclass(frozen=True, eq=False, repr=False)
class CrossValidation(Table):
    """Prediction errors of the models with 0..k active SNPs.

    Parameters
    ----------
    n_active
        Sizes 0..k, shape ``(k + 1,)``.
    mse, mse_se
        Mean squared error over folds and its standard error, shape ``(k + 1,)``.
    fold_mse
        Mean squared error of each fold, shape ``(f, k + 1)``.
    explained_variance
        1 - squared errors / those of the training mean, shape ``(k + 1,)``.
    predictions
        Prediction of each sample by models that have not seen it, shape ``(n, k + 1)``.
    fold
        Fold of each sample, shape ``(n,)``.
    best, one_standard_error
        Size of least error, and the smallest size within one standard error of it.
    log_delta
        Null model of each fold, shape ``(f,)``.
    duality_gap
        Largest relative duality gap of each fold's path, shape ``(f,)``.
    """

    _columns = ("n_active", "mse", "mse_se", "explained_variance")

    n_active: NDArray[np.intp]
    mse: NDArray[np.float64]
    mse_se: NDArray[np.float64]
    fold_mse: NDArray[np.float64]
    explained_variance: NDArray[np.float64]
    predictions: NDArray[np.float64]
    fold: NDArray[np.intp]
    best: int
    one_standard_error: int
    log_delta: NDArray[np.float64]
    duality_gap: NDArray[np.float64]


def cross_validate(
    X: ArrayLike | Genotypes,
    y: ArrayLike,
    K: ArrayLike | None = None,
    *,
    n_active: int = 100,
    covariates: ArrayLike | None = None,
    n_folds: int = 10,
    folds: ArrayLike | None = None,
    method: NullMethod = "reml",
    seed: int = 0,
) -> CrossValidation:
    """Predict every sample from the others, for all sizes up to ``n_active``.

    Parameters
    ----------
    X
        Genotypes, shape ``(n, p)``, in any coding: SNPs are standardised on the training samples of each fold.
    y
        Trait, shape ``(n,)``.
    K
        Kinship, shape ``(n, n)``, known without the SNPs (a pedigree); rows and columns are subset and scaled on the
        training samples. None: realised relationships from X, standardised on the training samples.
    n_active
        Largest size; at most the number of SNPs, and of training samples less covariates.
    covariates
        Unpenalised effects, shape ``(n, q)``; an intercept is added where they do not span it.
    n_folds, seed
        Number of folds of equal size and the seed that assigns them.
    folds
        Fold of each sample instead, shape ``(n,)``.
    method
        How the null models are fitted.

    Returns
    -------
    CrossValidation

    Raises
    ------
    InputError
        If shapes disagree, values are not finite, or an argument is out of range.
    """
    trait = np.asarray(y, dtype=np.float64)
    n = trait.size
    trait = check_trait(trait, n)
    genotypes = read_genotypes(X, n)
    kinship = None if K is None else validate_kinship(K, n)
    Z = with_intercept(check_covariates(covariates, n))
    fold = assign_folds(folds, n, n_folds, seed)
    labels = np.unique(fold)
    smallest = n - int(np.bincount(np.searchsorted(labels, fold)).max())
    goal = read_goal(None, n_active, genotypes.n_snps, smallest - Z.shape[1])
    sizes = np.arange((goal.n_active or 0) + 1)
    predictions = np.empty((n, sizes.size))

    def run(label: int) -> TrainedPath:
        train, test = np.flatnonzero(fold != label), np.flatnonzero(fold == label)
        relations = training_kinship(genotypes, train) if kinship is None else kinship
        model = train_path(genotypes, trait, relations[np.ix_(train, train)], Z, train, goal, method)
        predictions[test] = model.predict(genotypes.X[test], Z[test], relations[np.ix_(test, train)])
        return model

    models = thread_map(run, labels)
    error = (trait[:, None] - predictions) ** 2
    fold_mse = np.array([error[fold == label].mean(axis=0) for label in labels])
    mse, mse_se = fold_mse.mean(axis=0), fold_mse.std(axis=0, ddof=1) / np.sqrt(labels.size)
    best = int(mse.argmin())
    centre = np.array([trait[fold != label].mean() for label in labels])[np.searchsorted(labels, fold)]
    return CrossValidation(
        n_active=sizes,
        mse=mse,
        mse_se=mse_se,
        fold_mse=fold_mse,
        explained_variance=1.0 - error.sum(axis=0) / ((trait - centre) ** 2).sum(),
        predictions=predictions,
        fold=fold,
        best=best,
        one_standard_error=int((mse <= mse[best] + mse_se[best]).argmax()),
        log_delta=np.array([model.log_delta for model in models]),
        duality_gap=np.array([model.duality_gap for model in models]),
    )


def with_intercept(Z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return covariates with an intercept in front, unless they span it."""
    one = np.ones((Z.shape[0], 1))
    rest = one - Z @ np.linalg.lstsq(Z, one, rcond=None)[0]
    return Z if np.linalg.norm(rest) <= 1e-8 * np.linalg.norm(one) else np.hstack([one, Z])


def assign_folds(folds: ArrayLike | None, n: int, n_folds: int, seed: int) -> NDArray[np.intp]:
    """Return the fold of each sample."""
    if folds is None:
        if not 2 <= n_folds <= n // 2:
            raise InputError(f"expected 2 to {n // 2} folds of {n} samples, got {n_folds}: 10 is usual")
        return np.random.default_rng(seed).permutation(np.arange(n) % n_folds)
    fold = np.asarray(folds)
    if fold.shape != (n,) or fold.dtype.kind not in "iu" or np.unique(fold).size < 2:
        raise InputError(
            f"folds: expected {n} integers of two or more values, got {fold.dtype} of shape {fold.shape}: "
            "pass the fold of each sample"
        )
    return fold.astype(np.intp)

"""The LMM-Lasso as a scikit-learn estimator.

Fitting standardises SNPs on the training samples, scales K there so that tr(PKP) = n - 1, adds the intercept, fits
delta by REML and follows the path to ``n_active`` SNPs (or to the penalty ``mu``); predicting adds fixed part, SNPs
and BLUP (equations in `trained`).
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from bayes_lmmlasso.arguments import check_count
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso.cross_validation import with_intercept
from bayes_lmmlasso.lasso.genotypes import Genotypes
from bayes_lmmlasso.lasso.goal import read_goal
from bayes_lmmlasso.lasso.trained import moments, train_path, training_kinship
from bayes_lmmlasso.lmm import NullMethod
from bayes_lmmlasso.lmm.kinship import validate_kinship
from bayes_lmmlasso.numerics.checks import check_covariates, real_numbers

__all__ = ["LMMLasso"]


class LMMLasso(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """LMM-Lasso with BLUP predictions.

    Parameters
    ----------
    n_active
        Number of active SNPs; at most p and n - 1 are used. Ignored when ``mu`` is given.
    mu
        Penalty, for SNPs and trait on the scale of standardised SNPs.
    method
        How the null model is fitted.

    Attributes
    ----------
    coef_
        Effects per unit of X, shape ``(p,)``.
    intercept_
        Intercept, a number.
    covariate_effects_
        Effects of the covariates after the intercept, shape ``(q,)``.
    log_delta_, delta_
        Null model, for the kinship scaled on the training samples.
    dual_
        Weights of K in the BLUP, shape ``(n,)``.
    mu_
        Penalty of the model.
    duality_gap_
        Largest relative duality gap of the path.
    """

    def __init__(self, n_active: int = 20, *, mu: float | None = None, method: NullMethod = "reml") -> None:
        self.n_active = n_active
        self.mu = mu
        self.method = method

    def fit(
        self, X: ArrayLike, y: ArrayLike, kinship: ArrayLike | None = None, covariates: ArrayLike | None = None
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X, y
            Genotypes in any coding, shape ``(n, p)``, and trait, shape ``(n,)``.
        kinship
            Kinship of the samples, shape ``(n, n)``, on any scale. None: realised relationships from X.
        covariates
            Unpenalised effects without intercept, shape ``(n, q)``.
        """
        matrix, trait = validate_data(
            self, X, y, dtype=[np.float32, np.float64], order=None, ensure_min_samples=3, y_numeric=True
        )
        genotypes = Genotypes.of(matrix)
        n, rows = genotypes.n_samples, np.arange(genotypes.n_samples)
        trait = np.asarray(trait, dtype=np.float64)
        Z = with_intercept(check_covariates(covariates, n))
        K = training_kinship(genotypes, rows) if kinship is None else validate_kinship(kinship, n)
        varying = int(np.count_nonzero(moments(genotypes, rows)[1]))
        most = max(1, min(varying, n - Z.shape[1] - 1))
        size = min(check_count(self.n_active, "n_active"), most) if self.mu is None else None
        model = train_path(genotypes, trait, K, Z, rows, read_goal(self.mu, size, genotypes.n_snps, n), self.method)
        self.coef_ = np.zeros(genotypes.n_snps)
        self.coef_[model.snps] = model.coef[-1]
        self.intercept_ = float(model.fixed_effects[-1, 0])
        self.covariate_effects_ = model.fixed_effects[-1, 1:]
        self.log_delta_, self.delta_ = model.log_delta, float(np.exp(model.log_delta))
        self.dual_ = model.kinship_scale * model.dual[-1]
        self.mu_, self.duality_gap_ = float(model.mu[-1]), model.duality_gap
        self._relations = self._own_relations(genotypes, rows) if kinship is None else None
        return self

    def predict(
        self, X: ArrayLike, kinship: ArrayLike | None = None, covariates: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Predict new samples.

        Parameters
        ----------
        X
            Genotypes in the coding of the training samples, shape ``(n_new, p)``.
        kinship
            Kinship between new and training samples, shape ``(n_new, n)``, if one was given to `fit`.
        covariates
            Their covariates, shape ``(n_new, q)``, if there were any.
        """
        check_is_fitted(self)
        matrix = np.asarray(validate_data(self, X, dtype=[np.float32, np.float64], reset=False))
        fixed = np.full(matrix.shape[0], self.intercept_)
        if self.covariate_effects_.size:
            fixed += check_covariates(covariates, matrix.shape[0]) @ self.covariate_effects_
        return np.asarray(fixed + matrix.astype(np.float64) @ self.coef_ + self._polygenic(matrix, kinship))

    def _polygenic(self, X: NDArray[Any], kinship: ArrayLike | None) -> NDArray[np.float64]:
        """BLUP of the polygenic effect; with relationships from X its SNP effects W'dual / p stand for K dual."""
        if self._relations is not None:
            mean, effects = self._relations
            return np.asarray((X.astype(np.float64) - mean) @ effects)
        cross = real_numbers(np.nan if kinship is None else kinship, "new-by-training kinship")
        if cross.shape != (X.shape[0], self.dual_.size):
            raise InputError(
                f"new-by-training kinship: expected shape ({X.shape[0]}, {self.dual_.size}), got {cross.shape}: "
                "pass one row for each new and one column for each training sample"
            )
        return np.asarray(cross @ self.dual_)

    def _own_relations(self, X: Genotypes, rows: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Means and per-unit effects of SNPs that give the BLUP of realised relationships."""
        mean, deviation = moments(X, rows)
        precision = np.divide(1.0, deviation**2, out=np.zeros_like(deviation), where=deviation > 0.0)
        effects = (X.X.T.astype(np.float64) - mean[:, None]) @ self.dual_ * precision
        return mean, effects / np.count_nonzero(deviation)

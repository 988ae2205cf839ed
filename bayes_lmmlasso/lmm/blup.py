"""Best linear unbiased prediction of the polygenic effect, of new samples and of those with a trait.

    u_new = K_new,train (K_train + delta I)^-1 (y - fixed part),    u = U diag(S / (S + delta)) U' (y - fixed part)

(Henderson 1975, doi:10.2307/2529430; Robinson 1991, doi:10.1214/ss/1177011926). ``y - fixed part`` also
leaves out the Lasso's SNP effects, so the prediction of a new sample is its fixed part plus its SNPs plus u.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cho_factor, cho_solve

from bayes_lmmlasso.arguments import check_number
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm.eigenbasis import Eigenbasis
from bayes_lmmlasso.lmm.kinship import check_matrix
from bayes_lmmlasso.lmm.null_model import fit_null_model
from bayes_lmmlasso.numerics.checks import check_covariates, check_trait, real_numbers

__all__ = ["blup", "polygenic_effect"]


def blup(K_new_train: ArrayLike, K_train: ArrayLike, delta: float, residual: ArrayLike) -> NDArray[np.float64]:
    """Predict the polygenic effect of new samples.

    Parameters
    ----------
    K_new_train
        Kinship between new and training samples, on the scale of ``K_train``, shape ``(n_new, n)``.
    K_train
        Kinship of the training samples, shape ``(n, n)``.
    delta
        Residual over genetic variance, se2 / sg2, above 0.
    residual
        Trait minus fixed part and SNP effects in the training samples, shape ``(n,)``.

    Returns
    -------
    ndarray, shape (n_new,)
        In the units of ``residual``.

    Raises
    ------
    InputError
        If shapes disagree, values are not finite or delta is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> import bayes_lmmlasso as bl
    >>> K = np.array([[1.0, 0.5, 0.5], [0.5, 1.0, 0.0], [0.5, 0.0, 1.0]])
    >>> bl.blup(K[2:, :2], K[:2, :2], 1.0, np.array([1.0, -1.0]))
    array([0.33333333])
    """
    train = check_matrix(K_train, None, "training kinship")
    n = train.shape[0]
    cross = real_numbers(K_new_train, "new-by-training kinship")
    if cross.ndim != 2 or cross.shape[1] != n:
        raise InputError(
            f"new-by-training kinship: expected shape (new samples, {n}), got {cross.shape}: "
            "pass one column for each training sample in their order"
        )
    if not np.isfinite(cross).all():
        raise InputError(
            "new-by-training kinship: expected finite values, "
            f"got {int((~np.isfinite(cross)).sum())} others: drop those samples or recompute the matrix"
        )
    if check_number(delta, "delta") <= 0.0:
        raise InputError(f"expected delta above 0, got {delta}: pass NullModel.delta")
    covariance = train + delta * np.eye(n)
    try:
        factor = cho_factor(covariance, lower=True)
    except np.linalg.LinAlgError as error:
        raise InputError(
            f"training kinship: expected K + {delta:.3g} I to be positive definite, got an indefinite one: "
            "pass a positive semi-definite kinship"
        ) from error
    weights = cho_solve(factor, check_trait(residual, n))
    return np.asarray(cross @ weights, dtype=np.float64)


def polygenic_effect(y: ArrayLike, basis: Eigenbasis, covariates: ArrayLike | None = None) -> NDArray[np.float64]:
    """Predict the polygenic effect of samples with a trait: what its null model, fitted by REML, sees in relatedness.

    Parameters
    ----------
    y
        Trait, shape ``(n,)``.
    basis
        Eigenbasis of the kinship of the same samples.
    covariates
        Fixed effects, shape ``(n, q)``; None means none, not even an intercept.

    Returns
    -------
    ndarray, shape (n,)
        In the units of ``y``.

    Raises
    ------
    InputError
        As `fit_null_model`.
    """
    null = fit_null_model(y, basis, covariates, "reml")
    residual = check_trait(y, basis.n_samples) - check_covariates(covariates, basis.n_samples) @ null.fixed_effects
    return np.asarray(basis.vectors @ (basis.values / (basis.values + null.delta) * basis.rotate(residual)))

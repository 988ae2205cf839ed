r"""How much of a trait SNPs and structure explain, along the number of active SNPs of the LMM-Lasso path.

The model of each size predicts y by the sum of parts m_k: covariates, SNPs X b, and the polygenic effect u (BLUP). With
d = y - ybar (ybar the mean of the training samples) and m the sum of the parts, less ybar as well,

    explained = 1 - |d - m|^2 / |d|^2 = sum_k m_k'(2 d - m) / |d|^2

so that part k explains m_k'(2 d - m) / |d|^2: the only split that adds up and treats parts alike, the Shapley value of
k. Noise is what is left. Out of sample (`dissect_folds`) this is the cross-validated dissection of Rakitsch et al. 2013
(doi:10.1093/bioinformatics/bts669), Figure 4, whose own way of splitting is not known to this package; in sample
(`dissect_fit`) parts are the fitted ones. The posterior of the three shares is `bayes_lmmlasso.share_table`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.compare.folds import Fold
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso import Genotypes
from bayes_lmmlasso.lasso.goal import read_goal
from bayes_lmmlasso.lasso.trained import train_path

__all__ = ["dissect_fit", "dissect_folds"]

PARTS = ("covariates", "snps", "structure")


@dataclass(frozen=True, eq=False)
class _Sums:
    """Numerators of the parts, shape ``(3, k + 1)``, and |d|^2."""

    parts: NDArray[np.float64]
    total: float


def dissect_folds(folds: Iterable[Fold], n_active: int = 100) -> pd.DataFrame:
    """Dissect what is explained of samples that the models have not seen.

    Parameters
    ----------
    folds
        What `prepare_fold` returned for each fold.
    n_active
        Largest size.

    Returns
    -------
    pandas.DataFrame
        One row a size 0 ... n_active: n_active, covariates, snps, structure, explained (their sum), noise. Shares are
        of the trait on the analysed scale.

    Raises
    ------
    InputError
        If there is no fold, or the size is out of range.
    """
    sums = [
        _sums(fold, fold.X_new, fold.covariates_new, fold.new.cross, fold.analysis.trait.forward(fold.y_new), n_active)
        for fold in folds
    ]
    if not sums:
        raise InputError("expected at least one fold, got none: prepare them by prepare_fold")
    return _table(np.sum([one.parts for one in sums], axis=0), sum(one.total for one in sums))


def dissect_fit(fold: Fold, n_active: int = 100) -> pd.DataFrame:
    """Dissect what is explained of the training samples; as `dissect_folds`."""
    analysis = fold.analysis
    sums = _sums(fold, analysis.X, analysis.covariates, fold.K, analysis.y, n_active)
    return _table(sums.parts, sums.total)


def _sums(
    fold: Fold,
    X_new: NDArray[np.floating],
    Z_new: NDArray[np.float64],
    cross: NDArray[np.float64],
    y_new: NDArray[np.float64],
    n_active: int,
) -> _Sums:
    """Train on a fold and dissect what it explains of given samples."""
    analysis = fold.analysis
    n, q = analysis.covariates.shape
    X = Genotypes.of(analysis.X)
    goal = read_goal(None, n_active, X.n_snps, n - q)
    model = train_path(X, analysis.y, fold.K, analysis.covariates, np.arange(n), goal, "reml")
    parts = np.stack(
        [
            Z_new @ model.fixed_effects.T,
            X_new[:, model.snps].astype(np.float64) @ model.coef.T,
            model.kinship_scale * (cross @ model.dual.T),
        ]
    )
    weight = 2 * y_new[:, None] - parts.sum(axis=0)  # the training mean is 0 on the analysed scale
    return _Sums(np.einsum("kis,is->ks", parts, weight), float(y_new @ y_new))


def _table(parts: NDArray[np.float64], total: float) -> pd.DataFrame:
    shares = dict(zip(PARTS, parts / total, strict=True))
    explained = parts.sum(axis=0) / total
    return pd.DataFrame(
        {"n_active": np.arange(explained.size), **shares, "explained": explained, "noise": 1 - explained}
    )

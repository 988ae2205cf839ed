r"""How much of a trait SNPs and structure explain, along the number of active SNPs of the LMM-Lasso path.

The model of each size predicts y by the sum of parts m_k: covariates, SNPs X b, and the polygenic effect u (BLUP). With
d = y - ybar (ybar the mean of the training samples) and m the sum of the parts, less ybar as well,

    explained = 1 - |d - m|^2 / |d|^2 = sum_k m_k'(2 d - m) / |d|^2

so that part k explains m_k'(2 d - m) / |d|^2: the only split that adds up and treats parts alike, the Shapley value of
k. Noise is what is left. Out of sample (`dissect_folds`) this is the cross-validated dissection of Rakitsch et al. 2013
(doi:10.1093/bioinformatics/bts669), Figure 4, whose own way of splitting is not known to this package; in sample
(`dissect_fit`) parts are the fitted ones. The Lasso is the same without u. The posterior of the three shares is
`bayes_lmmlasso.share_table`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.compare.folds import Fold
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso import Genotypes
from bayes_lmmlasso.lasso.goal import read_goal
from bayes_lmmlasso.lasso.trained import TrainedPath, train_path

__all__ = ["Dissection", "dissect_fit", "dissect_fold", "dissect_folds"]

PARTS = ("covariates", "snps", "structure")


@dataclass(frozen=True, eq=False)
class Dissection:
    """What the parts explain of some samples by the models of sizes 0 ... k; those of several folds add up.

    Attributes
    ----------
    parts
        Numerators m_k'(2 d - m) of covariates, SNPs and structure, shape ``(3, k + 1)``.
    total
        |d|^2.
    """

    parts: NDArray[np.float64]
    total: float

    def __add__(self, other: Dissection) -> Dissection:
        return Dissection(self.parts + other.parts, self.total + other.total)

    def table(self) -> pd.DataFrame:
        """Return the shares, as `dissect_folds`."""
        shares = dict(zip(PARTS, self.parts / self.total, strict=True))
        explained = self.parts.sum(axis=0) / self.total
        return pd.DataFrame(
            {"n_active": np.arange(explained.size), **shares, "explained": explained, "noise": 1 - explained}
        )


def dissect_folds(folds: Iterable[Fold], n_active: int = 100, *, structure: bool = True) -> pd.DataFrame:
    """Dissect what is explained of samples that the models have not seen.

    Parameters
    ----------
    folds
        What `prepare_fold` returned for each fold.
    n_active
        Largest size.
    structure
        Whether the model has the polygenic effect; without it, it is the Lasso.

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
    found = [dissect_fold(fold, n_active, structure=structure)["unseen"] for fold in folds]
    if not found:
        raise InputError("expected at least one fold, got none: prepare them by prepare_fold")
    return reduce(add, found).table()


def dissect_fit(fold: Fold, n_active: int = 100, *, structure: bool = True) -> pd.DataFrame:
    """Dissect what is explained of the training samples; as `dissect_folds`."""
    return dissect_fold(fold, n_active, structure=structure)["training"].table()


def dissect_fold(fold: Fold, n_active: int = 100, *, structure: bool = True) -> dict[str, Dissection]:
    """Train on a fold, and dissect what is explained of its ``unseen`` samples and of those of ``training``.

    Parameters and errors are those of `dissect_folds`.
    """
    analysis = fold.analysis
    n, q = analysis.covariates.shape
    X = Genotypes.of(analysis.X)
    goal = read_goal(None, n_active, X.n_snps, n - q)
    if goal.limit:
        raise InputError(f"expected n_active from 1 to {goal.n_active}, got {n_active}: choose a smaller largest size")
    K = fold.K if structure else np.eye(n)
    model = train_path(X, analysis.y, K, analysis.covariates, np.arange(n), goal, "reml")
    y_new = analysis.trait.forward(fold.y_new)
    samples = {
        "unseen": (fold.X_new, fold.covariates_new, fold.new.cross, y_new),
        "training": (analysis.X, analysis.covariates, fold.K, analysis.y),
    }
    return {
        name: _dissect(model, X_own, Z_own, cross if structure else np.zeros_like(cross), y)
        for name, (X_own, Z_own, cross, y) in samples.items()
    }


def _dissect(
    model: TrainedPath,
    X: NDArray[np.floating],
    Z: NDArray[np.float64],
    cross: NDArray[np.float64],
    y: NDArray[np.float64],
) -> Dissection:
    """Dissect what models explain of samples with given kinship to those of training."""
    parts = np.stack(
        [
            Z @ model.fixed_effects.T,
            X[:, model.snps].astype(np.float64) @ model.coef.T,
            model.kinship_scale * (cross @ model.dual.T),
        ]
    )
    weight = 2 * y[:, None] - parts.sum(axis=0)  # the training mean is 0 on the analysed scale
    return Dissection(np.einsum("kis,is->ks", parts, weight), float(y @ y))

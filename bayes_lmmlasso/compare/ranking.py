r"""Precision-recall and ROC curves of a ranking, their areas, and power at a false discovery proportion.

Items (SNPs, or causal loci against the rest: `loci`) are called in the order of falling score, ties together:

    precision = TP / (TP + FP),   recall = power = TP / P,   false positive rate = FP / N
    average precision = sum over thresholds of (recall_t - recall_t-1) precision_t
    power at q = max { recall_t : 1 - precision_t <= q }

Average precision is the area under the precision-recall curve without the linear interpolation between its points that
would overstate it (Davis and Goadrich 2006, doi:10.1145/1143844.1143874). Curves are scikit-learn's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_curve

from bayes_lmmlasso.display import Display
from bayes_lmmlasso.errors import InputError

__all__ = ["RankingCurves", "ranking_curves"]


@dataclass(frozen=True, eq=False, repr=False)
class RankingCurves(Display):
    """Curves of one ranking.

    Attributes
    ----------
    recall, precision
        At every threshold from the highest score down, shape ``(t,)``.
    false_positive_rate, true_positive_rate
        The ROC curve from (0, 0) to (1, 1), shape ``(s,)``.
    average_precision, roc_area
        Areas under the two.
    n_positive, n_negative
        P and N.
    """

    recall: NDArray[np.float64]
    precision: NDArray[np.float64]
    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]
    average_precision: float
    roc_area: float
    n_positive: int
    n_negative: int

    def power_at_fdp(self, fdp: float) -> float:
        """Return the largest recall at which the share of false positives is at most ``fdp``; 0 where there is none."""
        within = self.precision >= 1 - fdp - 1e-12
        return float(self.recall[within].max(initial=0.0))

    def precision_at(self, recall: ArrayLike) -> NDArray[np.float64]:
        """Return the highest precision at a recall of at least each value, for averages of curves over replicates."""
        best = np.maximum.accumulate(self.precision[::-1])[::-1]
        where = np.searchsorted(self.recall, np.asarray(recall, dtype=np.float64) - 1e-12, side="left")
        return np.asarray(best[np.minimum(where, best.size - 1)])

    def true_positive_rate_at(self, false_positive_rate: ArrayLike) -> NDArray[np.float64]:
        """Return the ROC curve at given false positive rates, linear between its points."""
        return np.asarray(np.interp(np.asarray(false_positive_rate), self.false_positive_rate, self.true_positive_rate))


def ranking_curves(score: ArrayLike, positive: ArrayLike) -> RankingCurves:
    """Evaluate a ranking against the truth.

    Parameters
    ----------
    score
        Score of each item, shape ``(m,)``, larger for stronger evidence.
    positive
        Whether each item is a true one, shape ``(m,)``.

    Raises
    ------
    InputError
        If shapes disagree, a score is NaN, or positives or negatives are absent.
    """
    scores, truth = np.asarray(score, dtype=np.float64), np.asarray(positive, dtype=bool)
    if scores.ndim != 1 or scores.shape != truth.shape or np.isnan(scores).any():
        raise InputError(
            f"expected a score (not NaN) and a truth for every item, got shapes {scores.shape} and {truth.shape} with "
            f"{np.isnan(scores).sum()} NaN: give items without evidence the least score"
        )
    n_positive = int(truth.sum())
    if not 0 < n_positive < truth.size:
        raise InputError(f"expected true and false items, got {n_positive} true ones of {truth.size}: check the truth")
    finite = np.clip(scores, np.finfo(np.float64).min, np.finfo(np.float64).max)  # -log10 p of an exact fit is infinite
    precision, recall, _ = precision_recall_curve(truth, finite)
    false_rate, true_rate, _ = roc_curve(truth, finite, drop_intermediate=False)
    return RankingCurves(
        recall=recall[:-1][::-1].copy(),
        precision=precision[:-1][::-1].copy(),
        false_positive_rate=false_rate,
        true_positive_rate=true_rate,
        average_precision=float(average_precision_score(truth, finite)),
        roc_area=float(auc(false_rate, true_rate)),
        n_positive=n_positive,
        n_negative=truth.size - n_positive,
    )

r"""Do probabilities and false discovery rates keep what they promise? Answers over replicates with known truth.

Items with claimed probabilities p_i (inclusion probabilities, stability frequencies read as probabilities) and truths
t_i are sorted into bins of p:

    observed_b = sum_{i in b} t_i / n_b     against     mean_b = sum_{i in b} p_i / n_b
    calibration error = sum_b n_b |observed_b - mean_b| / n,     Brier score = mean (p_i - t_i)^2

(Dawid 1982, doi:10.1080/01621459.1982.10477856). For the Bayesian false discovery rate, discoveries at the claimed rate
q are the items above the lowest threshold whose expected share of false ones is at most q
(`bayes_lmmlasso.bayesian_fdr`); in each replicate

    realised = FP / max(TP + FP, 1),    power = TP / P

and realised rates average to the false discovery rate in the sense of Benjamini and Hochberg 1995
(doi:10.1111/j.2517-6161.1995.tb02031.x). Intervals resample whole replicates, since items of one replicate depend on
each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.compare.bootstrap import N_BOOT, bootstrap_interval, bootstrap_limits, sum_ratio
from bayes_lmmlasso.display import Display
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.posterior import bayesian_fdr

__all__ = ["Calibration", "calibration_curve", "fdr_calibration"]

_TENTHS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True, eq=False, repr=False)
class Calibration(Display):
    """Claimed against observed frequencies.

    Attributes
    ----------
    bins
        One row a bin that holds an item: lower, upper, n, mean (claimed), observed, lo, hi (bootstrap interval of
        observed).
    error
        Calibration error.
    brier
        Brier score.
    """

    bins: pd.DataFrame
    error: float
    brier: float


def calibration_curve(
    probability: ArrayLike,
    positive: ArrayLike,
    replicate: ArrayLike | None = None,
    *,
    edges: Sequence[float] = _TENTHS,
    level: float = 0.95,
    n_boot: int = N_BOOT,
    seed: int = 0,
) -> Calibration:
    """Compare claimed probabilities with what is true.

    Parameters
    ----------
    probability
        Claimed probability of each item, shape ``(m,)``.
    positive
        Whether each item is a true one, shape ``(m,)``.
    replicate
        Replicate of each item, shape ``(m,)``; None: every item is its own.
    edges
        Edges of the bins, ascending from 0 to 1; a bin holds its lower edge, the last one both.
    level, n_boot, seed
        As in `bootstrap_interval`.

    Raises
    ------
    InputError
        If shapes disagree, a value is no probability, or the edges are not as they should be.
    """
    p, truth, label = _read(probability, positive, replicate)
    cuts = np.asarray(edges, dtype=np.float64)
    if cuts.ndim != 1 or cuts.size < 2 or cuts[0] != 0 or cuts[-1] != 1 or (np.diff(cuts) <= 0).any():
        raise InputError(f"expected edges that ascend from 0 to 1, got {list(edges)}: 0, 0.1, ..., 1, say")
    n_bins, n_replicates = cuts.size - 1, int(label.max()) + 1
    place = np.minimum(np.searchsorted(cuts, p, side="right") - 1, n_bins - 1)
    cell = label * n_bins + place
    count, claimed, true = (
        np.bincount(cell, weights, minlength=n_replicates * n_bins).reshape(n_replicates, n_bins)
        for weights in (None, p, truth.astype(np.float64))
    )
    n = count.sum(axis=0)
    used = n > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, observed = claimed.sum(axis=0) / n, true.sum(axis=0) / n
    sums = [np.asarray(table[:, used].T, dtype=np.float64) for table in (true, count)]
    lo, hi = bootstrap_limits(sum_ratio, *sums, level=level, n_boot=n_boot, seed=seed)
    bins = pd.DataFrame(
        {
            "lower": cuts[:-1][used],
            "upper": cuts[1:][used],
            "n": n[used].astype(int),
            "mean": mean[used],
            "observed": observed[used],
            "lo": lo,
            "hi": hi,
        }
    )
    error = float((n[used] * np.abs(observed[used] - mean[used])).sum() / p.size)
    return Calibration(bins, error, float(np.square(p - truth).mean()))


def fdr_calibration(
    probability: ArrayLike,
    positive: ArrayLike,
    replicate: ArrayLike | None = None,
    *,
    levels: Sequence[float] = (0.05, 0.1, 0.2, 0.3, 0.5),
    level: float = 0.95,
    n_boot: int = N_BOOT,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare claimed Bayesian false discovery rates with realised ones.

    Parameters
    ----------
    probability, positive
        As in `calibration_curve`.
    replicate
        Replicate of each item, shape ``(m,)``; None: all items are of one.
    levels
        Claimed rates.
    level, n_boot, seed
        As in `bootstrap_interval`.

    Returns
    -------
    pandas.DataFrame
        One row a level: claimed; expected (mean expected share of false discoveries, at most claimed); realised, lo,
        hi; power, power_lo, power_hi; n_selected (mean over replicates); n_replicates.
    """
    p, truth, label = _read(probability, positive, np.zeros(np.size(positive), int) if replicate is None else replicate)
    per_replicate = [_discoveries(p[label == r], truth[label == r], levels) for r in range(int(label.max()) + 1)]
    expected, realised, power, selected = np.moveaxis(np.array(per_replicate), 2, 0)
    rows = []
    for k, claimed in enumerate(levels):
        rate, found = (bootstrap_interval(x[:, k], level=level, n_boot=n_boot, seed=seed) for x in (realised, power))
        rows.append(
            (
                claimed,
                expected[:, k].mean(),
                *(rate.estimate, rate.lo, rate.hi),
                *(found.estimate, found.lo, found.hi),
                selected[:, k].mean(),
                len(per_replicate),
            )
        )
    names = "claimed expected realised lo hi power power_lo power_hi n_selected n_replicates".split()
    return pd.DataFrame(rows, columns=names)


def _discoveries(
    p: NDArray[np.float64], truth: NDArray[np.bool_], levels: Sequence[float]
) -> list[tuple[float, float, float, float]]:
    """Return expected and realised share of false discoveries, power and their number at each level."""
    claims, n_true = bayesian_fdr(p), truth.sum()
    rows = []
    for claimed in levels:
        selected = p >= claims.threshold_for(claimed)
        n = max(int(selected.sum()), 1)
        false = int((selected & ~truth).sum())
        power = float((selected & truth).sum() / n_true) if n_true else np.nan
        rows.append((float((1 - p[selected]).sum() / n), false / n, power, float(selected.sum())))
    return rows


def _read(
    probability: ArrayLike, positive: ArrayLike, replicate: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.intp]]:
    """Return probabilities, truths and replicates numbered from 0."""
    p, truth = np.asarray(probability, dtype=np.float64), np.asarray(positive, dtype=bool)
    label = np.arange(p.size) if replicate is None else np.asarray(replicate)
    if p.ndim != 1 or p.size == 0 or not p.shape == truth.shape == label.shape:
        raise InputError(
            f"expected a probability, a truth and a replicate for every item, got shapes {p.shape}, {truth.shape} and "
            f"{label.shape}: concatenate replicates"
        )
    if not ((p >= 0) & (p <= 1)).all():
        raise InputError(f"expected probabilities from 0 to 1, got {p[~((p >= 0) & (p <= 1))][0]}: check the column")
    return p, truth, np.unique(label, return_inverse=True)[1]

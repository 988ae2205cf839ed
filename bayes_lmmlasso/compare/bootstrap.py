r"""Intervals over replicates by the percentile bootstrap (Efron and Tibshirani 1993, doi:10.1201/9780429246593).

R replicates (simulated traits, folds, real traits) are resampled with replacement; a statistic that is a ratio of sums
over replicates is recomputed from the resampled sums. Differences between two methods are resampled as pairs: both
methods have seen the same replicates, whose difficulty they share.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.errors import InputError

__all__ = [
    "Interval",
    "answer",
    "bootstrap_interval",
    "method_means",
    "paired_differences",
    "resampled_counts",
    "resampled_ratios",
]

N_BOOT = 2000


@dataclass(frozen=True)
class Interval:
    """An estimate with its bootstrap interval, from ``n`` replicates."""

    estimate: float
    lo: float
    hi: float
    n: int


def bootstrap_interval(values: ArrayLike, *, level: float = 0.95, n_boot: int = N_BOOT, seed: int = 0) -> Interval:
    """Mean over replicates with its interval.

    Parameters
    ----------
    values
        One a replicate, shape ``(R,)``; NaN where a replicate has none.
    level
        Probability of the equal-tailed interval.
    n_boot, seed
        Resamples and their seed.

    Raises
    ------
    InputError
        If no value is left, or the level is not in (0, 1).
    """
    numbers = np.asarray(values, dtype=np.float64)
    numbers = numbers[~np.isnan(numbers)]
    if numbers.size == 0:
        raise InputError("expected a value of at least one replicate, got none but NaN: check why they failed")
    counts = resampled_counts(numbers.size, n_boot, seed)
    lo, hi = quantiles(counts @ numbers / numbers.size, level)
    return Interval(float(numbers.mean()), float(lo), float(hi), numbers.size)


def method_means(values: pd.DataFrame, *, level: float = 0.95, n_boot: int = N_BOOT, seed: int = 0) -> pd.DataFrame:
    """Mean of each method over replicates.

    Parameters
    ----------
    values
        One row a replicate, one column a method.
    level, n_boot, seed
        As in `bootstrap_interval`.

    Returns
    -------
    pandas.DataFrame
        One row a method: method, mean, lo, hi, n.
    """
    rows = []
    for method in values.columns:
        found = bootstrap_interval(values[method], level=level, n_boot=n_boot, seed=seed)
        rows.append((method, found.estimate, found.lo, found.hi, found.n))
    return pd.DataFrame(rows, columns=["method", "mean", "lo", "hi", "n"])


def paired_differences(
    values: pd.DataFrame, reference: str | None = None, *, level: float = 0.95, n_boot: int = N_BOOT, seed: int = 0
) -> pd.DataFrame:
    """Differences between methods on the same replicates.

    Parameters
    ----------
    values
        One row a replicate, one column a method. A replicate counts for a pair if both methods have a value.
    reference
        The method to subtract from every other; None compares every pair.
    level, n_boot, seed
        As in `bootstrap_interval`.

    Returns
    -------
    pandas.DataFrame
        One row a pair: method, reference, difference (mean of method - reference), lo, hi, share_larger (of replicates
        in which the method has the larger value; a tie counts half) with share_lo and share_hi, n.

    Raises
    ------
    InputError
        If the reference is no column, or a pair shares no replicate.
    """
    names = [str(name) for name in values.columns]
    if reference is not None and reference not in names:
        raise InputError(f"expected the reference among {', '.join(names)}, got {reference!r}: choose one of them")
    pairs = (
        [(first, second) for second, first in combinations(names, 2)]
        if reference is None
        else [(name, reference) for name in names if name != reference]
    )
    rows = []
    for method, other in pairs:
        difference = (values[method] - values[other]).dropna().to_numpy(np.float64)
        better = 0.5 * (1.0 + np.sign(difference))
        mean, share = (bootstrap_interval(x, level=level, n_boot=n_boot, seed=seed) for x in (difference, better))
        rows.append((method, other, mean.estimate, mean.lo, mean.hi, share.estimate, share.lo, share.hi, mean.n))
    names = "method reference difference lo hi share_larger share_lo share_hi n".split()
    return pd.DataFrame(rows, columns=names)


def resampled_counts(n: int, n_boot: int, seed: int) -> NDArray[np.float64]:
    """How often each of n replicates occurs in each resample, shape ``(n_boot, n)``."""
    return np.random.default_rng(seed).multinomial(n, np.full(n, 1.0 / n), size=n_boot).astype(np.float64)


def resampled_ratios(
    numerators: NDArray[np.float64], denominators: NDArray[np.float64], counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Ratios of sums over replicates in each resample, NaN where a denominator is 0.

    Parameters
    ----------
    numerators, denominators
        One row a replicate, shapes ``(n, m)`` and ``(n,)``.
    counts
        What `resampled_counts` returned, shape ``(n_boot, n)``; a row of ones gives the ratio itself.

    Returns
    -------
    numpy.ndarray
        Shape ``(n_boot, m)``.
    """
    sums = (counts @ denominators)[:, None]
    ratios = np.full((len(counts), numerators.shape[1]), np.nan)
    np.divide(counts @ numerators, sums, out=ratios, where=sums > 0)
    return ratios


def answer(lo: float, hi: float) -> str:
    """Say in a word what the interval of a difference tells: larger, smaller or undecided."""
    return "larger" if lo > 0 else "smaller" if hi < 0 else "undecided"


def quantiles(values: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Return the ends of the equal-tailed interval along the first axis, NaN left out, shape ``(2, ...)``."""
    if not 0 < level < 1:
        raise InputError(f"expected a level in (0, 1), got {level}: 0.95 is usual")
    return np.asarray(np.nanquantile(values, [0.5 * (1 - level), 0.5 * (1 + level)], axis=0))

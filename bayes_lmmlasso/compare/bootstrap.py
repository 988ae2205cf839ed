"""Intervals over replicates by the bias-corrected and accelerated bootstrap.

(BCa: Efron 1987, doi:10.1080/01621459.1987.10478410.) R replicates (simulated traits, folds, real traits) are resampled
with replacement, and the interval at level c goes between two quantiles of the resampled statistics, those of

    Phi( z0 + (z0 +- z) / (1 - a (z0 +- z)) ),    z = Phi^-1((1 + c) / 2)

with the bias z0, from the share of resamples below the estimate, and the acceleration a, from the jackknife. A ratio of
sums over replicates is recomputed from the resampled sums. Differences between two methods are resampled as pairs: both
methods have seen the same replicates, whose difficulty they share.

Where BCa is not defined, because the replicates are all alike or a resample has no denominator, the interval is that
between the quantiles of the resamples that have a value, z0 = a = 0; so it is with more than 2,000 replicates, where a
tends to 0 and the jackknife would take R^2 operations. One replicate has no interval: its ends are NaN.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import bootstrap

from bayes_lmmlasso.errors import InputError

__all__ = [
    "Interval",
    "answer",
    "bootstrap_interval",
    "bootstrap_limits",
    "method_means",
    "paired_differences",
    "ratio_difference",
    "sum_ratio",
]

N_BOOT = 2000
_MANY = 2000  # replicates
_BATCH_VALUES = 2**21


@dataclass(frozen=True)
class Interval:
    """An estimate with its bootstrap interval, from ``n`` replicates."""

    estimate: float
    lo: float
    hi: float
    n: int


def bootstrap_limits(
    statistic: Callable[..., NDArray[np.float64]],
    *columns: NDArray[np.float64],
    level: float = 0.95,
    n_boot: int = N_BOOT,
    seed: int = 0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both ends of the interval of a statistic of replicates, NaN where nothing defines them.

    Parameters
    ----------
    statistic
        Function of the columns and ``axis``, over which it goes.
    columns
        What the replicates have, one or many of each, shape ``(..., R)``; they are resampled together.
    level
        Probability of the equal-tailed interval.
    n_boot, seed
        Resamples and their seed.

    Raises
    ------
    InputError
        If the level is not in (0, 1).
    """
    if not 0 < level < 1:
        raise InputError(f"expected a level in (0, 1), got {level}: 0.95 is usual")
    n = columns[0].shape[-1]
    if n == 1:
        none = np.full_like(statistic(*columns, axis=-1), np.nan)
        return none, none
    with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
        found = bootstrap(
            columns,
            statistic,
            n_resamples=n_boot,
            batch=max(1, _BATCH_VALUES // max(column.size for column in columns)),
            vectorized=True,
            paired=True,
            axis=-1,
            confidence_level=level,
            method="percentile" if n > _MANY else "BCa",
            rng=np.random.default_rng(seed),
        )
        tails = [0.5 * (1 - level), 0.5 * (1 + level)]
        plain = np.nanquantile(found.bootstrap_distribution, tails, axis=-1)
    ends = np.array(found.confidence_interval)
    lo, hi = np.where(np.isnan(ends).any(axis=0), plain, ends)
    return lo, hi


def bootstrap_interval(values: ArrayLike, *, level: float = 0.95, n_boot: int = N_BOOT, seed: int = 0) -> Interval:
    """Mean over replicates with its interval.

    Parameters
    ----------
    values
        One a replicate, shape ``(R,)``; NaN where a replicate has none.
    level, n_boot, seed
        As in `bootstrap_limits`.

    Raises
    ------
    InputError
        If no value is left, or the level is not in (0, 1).
    """
    numbers = np.asarray(values, dtype=np.float64)
    numbers = numbers[~np.isnan(numbers)]
    if numbers.size == 0:
        raise InputError("expected a value of at least one replicate, got none but NaN: check why they failed")
    lo, hi = bootstrap_limits(np.mean, numbers, level=level, n_boot=n_boot, seed=seed)
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


def sum_ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64], axis: int = -1) -> NDArray[np.float64]:
    """Ratio of sums over replicates, NaN where the denominator's is 0."""
    above, below = numerator.sum(axis=axis), denominator.sum(axis=axis)
    out = np.full(np.broadcast_shapes(above.shape, below.shape), np.nan)
    np.divide(above, below, out=out, where=below > 0)
    return out


def ratio_difference(
    numerator: NDArray[np.float64],
    denominator: NDArray[np.float64],
    reference_numerator: NDArray[np.float64],
    reference_denominator: NDArray[np.float64],
    axis: int = -1,
) -> NDArray[np.float64]:
    """Difference between two ratios of sums over replicates, as `sum_ratio`."""
    return sum_ratio(numerator, denominator, axis) - sum_ratio(reference_numerator, reference_denominator, axis)


def answer(lo: float, hi: float) -> str:
    """Say in a word what the interval of a difference tells: larger, smaller or undecided."""
    return "larger" if lo > 0 else "smaller" if hi < 0 else "undecided"

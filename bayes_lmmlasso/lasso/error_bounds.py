"""Bounds on the expected number of false selections of stability selection.

p variables, q selected by a base run on half of the samples, theta = q / p, threshold tau, B pairs of
subsamples. Meinshausen and Buehlmann (2010, doi:10.1111/j.1467-9868.2010.00740.x), theorem 1, bound the
falsely selected variables when these are exchangeable and the selection is no worse than random guessing:

    E V <= q^2 / ((2 tau - 1) p)

Shah and Samworth (2013, doi:10.1111/j.1467-9868.2011.01034.x), for complementary pairs, bound the selected
variables of low selection probability (at most theta), without these assumptions:

    unimodal (theorem 2, theta <= 1/sqrt 3, tau >= 1/2 + 1/B):    E <= C(tau, B) q^2 / p,
        C = 1 / (2 (2 tau - 1 - 1/(2B)))        min(1/2 + theta^2, 1/2 + 1/(2B) + 3/4 theta^2) < tau <= 3/4
        C = 4 (1 - tau + 1/(2B)) / (1 + 1/B)    3/4 < tau <= 1
    r-concave (section 3.3):   E <= min{ D(theta^2, 2 tau - 1, B, -1/2), D(theta, tau, 2B, -1/4) } p

where D(eta, t, B, r) is the largest P(T >= t) of an r-concave distribution of T on {0, 1/B, ..., 1} with mean
at most eta. Its maximiser has mass proportional to (a + i)^(1/r) on i = 0..k and the rest on k + 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar

__all__ = ["ErrorBound", "error_bound", "r_concave_tail"]

_LOG_A = (-25.0, 25.0)


@dataclass(frozen=True)
class ErrorBound:
    """Bounds on the expected number of false selections; NaN where the conditions do not hold.

    Parameters
    ----------
    threshold
        tau.
    n_selected
        q, mean number of variables that a base run selects.
    n_variables
        p, classes of duplicate SNPs counted once.
    meinshausen_buehlmann
        Needs subsamples of at most half of the samples and tau > 1/2.
    unimodal, r_concave
        Shah and Samworth's; need complementary pairs as well.
    """

    threshold: float
    n_selected: float
    n_variables: int
    meinshausen_buehlmann: float
    unimodal: float
    r_concave: float


def error_bound(
    threshold: float, n_selected: float, n_variables: int, *, n_pairs: int = 0, fraction: float = 0.5
) -> ErrorBound:
    """Evaluate the bounds.

    Parameters
    ----------
    threshold
        tau, above 1/2 and at most 1.
    n_selected, n_variables
        q and p.
    n_pairs
        B, complementary pairs of subsamples; 0 when the subsamples are not paired.
    fraction
        Share of the samples in each subsample.

    Returns
    -------
    ErrorBound
    """
    q, p = n_selected, n_variables
    theta = q / p
    exchangeable = q**2 / ((2 * threshold - 1) * p) if fraction <= 0.5 else np.nan
    unimodal = r_concave = np.nan
    if n_pairs:
        B = n_pairs
        least = max(0.5 + 1 / B, min(0.5 + theta**2, 0.5 + 1 / (2 * B) + 0.75 * theta**2) + 1e-12)
        if threshold >= least and theta <= 3**-0.5:
            low = threshold <= 0.75
            C = 0.5 / (2 * threshold - 1 - 0.5 / B) if low else 4 * (1 - threshold + 0.5 / B) / (1 + 1 / B)
            unimodal = C * q**2 / p
        pairs_tail = r_concave_tail(theta**2, 2 * threshold - 1, B, -0.5)
        r_concave = p * min(pairs_tail, r_concave_tail(theta, threshold, 2 * B, -0.25))
    return ErrorBound(threshold, q, p, exchangeable, unimodal, r_concave)


def r_concave_tail(eta: float, t: float, B: int, r: float) -> float:
    """Return D(eta, t, B, r), the largest tail probability of an r-concave distribution.

    Parameters
    ----------
    eta
        Largest mean of T.
    t
        Tail point, P(T >= t).
    B
        T takes values 0, 1/B, ..., 1.
    r
        Index of concavity, below 0.

    Returns
    -------
    float
        At most 1; 1 where the mean does not restrict the tail (t at or below about twice the mean).
    """
    mean, tail = eta * B, int(np.ceil(t * B - 1e-9))
    start = int(np.ceil(2.0 * mean)) + 1  # the flattest distribution, uniform on 0..k, has mean k / 2
    if tail < start or start > B:
        return 1.0
    if mean <= 0.0:
        return 0.0
    slopes = {k: _log_a(mean, k, 1.0 / r) for k in range(max(start, tail - 1), B + 1)}
    best = 0.0
    for k in range(max(start, tail - 1), B):
        found = minimize_scalar(
            lambda log_a, k=k: -_tail(mean, tail, k, log_a, 1.0 / r),
            bounds=(slopes[k + 1], slopes[k]),
            method="bounded",
            options={"xatol": 1e-10},
        )
        ends = (_tail(mean, tail, k, slopes[k + 1], 1.0 / r), _tail(mean, tail, k, slopes[k], 1.0 / r))
        best = max(best, -float(found.fun), *ends)
    return best


def _weights(k: int, log_a: float, s: float) -> NDArray[np.float64]:
    """Return (a + i)^s / a^s for i = 0..k."""
    return np.asarray((1.0 + np.arange(k + 1) * np.exp(-log_a)) ** s)


def _log_a(mean: float, k: int, s: float) -> float:
    """Log a for which mass proportional to (a + i)^s on 0..k has the given mean."""

    def excess(log_a: float) -> float:
        w = _weights(k, log_a, s)
        return float(np.arange(k + 1) @ w / w.sum() - mean)

    return float(brentq(excess, *_LOG_A, xtol=1e-12))


def _tail(mean: float, tail: int, k: int, log_a: float, s: float) -> float:
    """P(X >= tail) with mass c (a + i)^s on 0..k, the rest on k + 1, and the given mean."""
    w = _weights(k, log_a, s)
    c = (k + 1 - mean) / float((k + 1 - np.arange(k + 1)) @ w)
    return 1.0 - c * float(w[:tail].sum())

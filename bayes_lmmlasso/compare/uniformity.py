r"""Simulation-based calibration: the rank of the truth among posterior draws is uniform.

Parameters theta drawn from the prior and data y drawn given them are one draw from the joint distribution, and so are
y and a draw from the posterior of theta given y. For any quantity f(theta, y) the rank of the true value among L
independent posterior draws is therefore uniform on 0, 1, ..., L (Talts, Betancourt, Simpson, Vehtari, Gelman 2018,
arXiv:1804.06788), with ties broken at random. Quantities that depend on the data, the log-likelihood above all, find
faults that parameters alone do not (Modrak et al. 2023, arXiv:2211.02383, doi:10.1214/23-BA1404).

The number C_k of N ranks below k is Binomial(N, k / (L + 1)) if they are uniform. The p-value is that of the ECDF's
simultaneous bands (Saeilynoja, Buerkner, Vehtari 2022, doi:10.1007/s11222-022-10090-6): with

    tail_k(c) = min(P(C_k <= c), P(C_k >= c))

it is the probability that some C_k is as far out as the worst that was seen, P(min_k tail_k(C_k) <= min_k
tail_k(c_k)). It is computed exactly, since the C_k are a Markov chain: C_{k+1} - C_k given C_k = c is Binomial(N - c,
1 / (L + 1 - k)).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom

from bayes_lmmlasso.errors import InputError

__all__ = ["rank_true_values", "rank_uniformity", "sbc_table"]


def sbc_table(true: Mapping[str, ArrayLike], draws: Mapping[str, ArrayLike], *, seed: int = 0) -> pd.DataFrame:
    """Rank true values among posterior draws and test the ranks of each quantity for uniformity.

    Parameters
    ----------
    true
        Quantity -> its true value in each of N replicates, shape ``(N,)``.
    draws
        Quantity -> its posterior draws in each replicate, shape ``(N, L)``: thinned until they are nearly independent.
    seed
        Of the random order of ties.

    Returns
    -------
    pandas.DataFrame
        One row a quantity: quantity, replicates, mean_rank (0 to 1; 0.5 is right), p_value, and p_adjusted, which is
        that times the number of quantities.

    Raises
    ------
    InputError
        If names or shapes disagree, or a value is not a number.

    Examples
    --------
    >>> import numpy as np
    >>> import bayes_lmmlasso as bl
    >>> rng = np.random.default_rng(1)
    >>> theta = rng.normal(size=200)
    >>> y = theta + rng.normal(size=200)
    >>> posterior = y[:, None] / 2 + np.sqrt(0.5) * rng.normal(size=(200, 31))
    >>> table = bl.compare.sbc_table({"theta": theta}, {"theta": posterior})
    >>> bool(table["p_adjusted"].min() > 0.01)
    True
    """
    if set(true) != set(draws) or not true:
        raise InputError(f"expected the same quantities, got true values of {[*true]} and draws of {[*draws]}")
    rng = np.random.default_rng(seed)
    rows = []
    for name in true:
        ranks, n_draws = rank_true_values(true[name], draws[name], rng), np.shape(draws[name])[1]
        rows.append((name, len(ranks), ranks.mean() / n_draws, rank_uniformity(ranks, n_draws)))
    table = pd.DataFrame(rows, columns=["quantity", "replicates", "mean_rank", "p_value"])
    return table.assign(p_adjusted=np.minimum(len(table) * table["p_value"], 1))


def rank_true_values(true: ArrayLike, draws: ArrayLike, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the rank of each true value among its draws, shape ``(N,)``, in a random order where they are equal.

    Parameters
    ----------
    true, draws
        True value of each replicate, shape ``(N,)``, and its posterior draws, shape ``(N, L)``.
    rng
        Of the order of ties.

    Raises
    ------
    InputError
        If the shapes disagree, or a value is not a number.
    """
    value, drawn = np.asarray(true, dtype=np.float64), np.asarray(draws, dtype=np.float64)
    if value.ndim != 1 or drawn.shape[:1] != value.shape or drawn.ndim != 2 or not drawn.size:
        raise InputError(f"expected true values (N,) and draws (N, L), got shapes {value.shape} and {drawn.shape}")
    if np.isnan(value).any() or np.isnan(drawn).any():
        raise InputError("expected true values and draws that are numbers, got NaN: leave the replicate out")
    ties = (drawn == value[:, None]).sum(axis=1)
    ranks: NDArray[np.int64] = (drawn < value[:, None]).sum(axis=1) + rng.integers(0, ties + 1)
    return ranks


def rank_uniformity(ranks: ArrayLike, n_draws: int) -> float:
    """Return the p-value of the hypothesis that ranks are uniform on 0, 1, ..., ``n_draws``.

    Parameters
    ----------
    ranks
        Rank of the true value in each replicate, shape ``(N,)``.
    n_draws
        Draws L among which it was ranked.

    Raises
    ------
    InputError
        If a rank is none, or there is none.
    """
    rank = np.asarray(ranks)
    if rank.ndim != 1 or not rank.size or rank.dtype.kind not in "iu" or rank.min() < 0 or rank.max() > n_draws:
        raise InputError(f"expected ranks from 0 to {n_draws}, got {rank}: count the draws below the true value")
    n, counts = rank.size, np.arange(rank.size + 1)
    seen = np.bincount(rank, minlength=n_draws + 1).cumsum()[:-1]
    tails = [_tail(counts, n, k / (n_draws + 1)) for k in range(1, n_draws + 1)]
    worst = min(float(tail[c]) for tail, c in zip(tails, seen, strict=True)) * (1 + 1e-9)  # rounding
    # the distribution of C_k on the paths that have stayed less far out
    place, mass = np.zeros(1, dtype=np.int64), np.ones(1)
    for k, tail in enumerate(tails):
        following = np.flatnonzero(tail > worst)
        step = binom.pmf(following[:, None] - place, n - place, 1 / (n_draws + 1 - k))
        place, mass = following, step @ mass
    return float(np.clip(1 - mass.sum(), 0, 1))


def _tail(counts: NDArray[np.int64], n: int, probability: float) -> NDArray[np.float64]:
    """Return the smaller of P(C <= c) and P(C >= c) for C ~ Binomial(n, probability)."""
    tail: NDArray[np.float64] = np.minimum(binom.cdf(counts, n, probability), binom.sf(counts - 1, n, probability))
    return tail

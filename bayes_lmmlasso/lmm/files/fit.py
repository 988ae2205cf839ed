"""Whether a given kinship fits the genotypes.

r = correlation over pairs i < k of (PKP)_ik with G_ik,   G = XX' / p,   P = I - 11'/n

of a given kinship K with the realised relationships G of the SNPs themselves. K in another order has the distribution
of r under permutations of the samples (Mantel 1967), with mean near 0 and standard deviation s; a K of these samples
has more. Whether the SNPs could show it is the same question put to both halves of them: r' = correlation of G of the
first half with G of the second. Measured: a pedigree of mice r = 0.47 (r' = 0.62), of wheat 0.42 (0.83), one half
of the genome of A. thaliana against the other 0.91 (0.78), all in the right order and s below 0.02.

Another order that keeps populations together has a high r as well. It is seen where K was estimated from these SNPs:
the sorted values of row i of K are then those of another row of G, several times nearer than those of row i. In the
right order the nearest other row was at least a third as far away as row i itself (median, the same data).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.numerics.threads import blas_threads
from bayes_lmmlasso.remarks import Remark

__all__ = ["cross_fit_to_snps", "fit_to_snps"]

_MOST_SAMPLES, _MOST_SNPS = 600, 5_000  # evenly spaced ones stand for all
_PERMUTATIONS = 20
_STANDARD_DEVIATIONS = 5.0  # what no order gives by chance
_SIMILAR, _LEAST = 0.3, 0.2  # where halves of the SNPs agree that well, a kinship agrees at least so with them
_NEAR = 0.15  # of the distance to the own row
_ALIKE = 0.01  # standard deviations by which rows of clones differ
_VARIATION = 1e-6  # of the pairs, against the diagonal, below which all samples are equally related


def fit_to_snps(K: NDArray[np.float64], X: NDArray[np.floating], sd: NDArray[np.float64], source: str) -> Remark:
    """Compare a given kinship with that of the SNPs.

    Parameters
    ----------
    K
        Kinship, shape ``(n, n)``.
    X, sd
        Standardised SNPs of the same samples, shape ``(n, p)``, and their standard deviations, ``(p,)``.
    source
        The file, for the text; a ``pedigree:`` need not tell what the SNPs do.

    Returns
    -------
    Remark
        The correlation; a caution where it is that of samples in another order.
    """
    n, p = X.shape
    rows, columns = _spaced(n, _MOST_SAMPLES), _spaced(p, _MOST_SNPS)
    with blas_threads(rows.size):
        given = _centred(K[np.ix_(rows, rows)])
        halves = [_relationships(X[np.ix_(rows, part)]) for part in np.array_split(columns, 2)]
    snps = halves[0] + halves[1]
    if min(map(_variation, (given, *halves))) < _VARIATION:
        return Remark(f"{source}: it, or the SNPs, hold the same relatedness for all samples: no check by the SNPs")
    r, chance = _mantel(given, snps)
    agreement, chance_of_halves = _mantel(*halves)
    centred = _relationships(X[np.ix_(rows, columns)] * sd[columns])
    others = min(_distance_to_others(given, G) for G in (snps, centred)) < _NEAR
    strict = agreement >= _SIMILAR and not source.startswith("pedigree:")
    told = f"{source}: correlation {r:.2f} with the SNPs' own kinship"
    if not others and r > max(_STANDARD_DEVIATIONS * chance, _LEAST if strict else 0.0):
        return Remark(told)
    if not others and agreement <= _STANDARD_DEVIATIONS * chance_of_halves:
        return Remark(f"{told}, which tells too little relatedness for a check of the samples' order")
    return Remark(
        f"{told}: it does not fit the genotypes. Its samples may be others, or in another order if it has no ids: give "
        "a file with the right ids, or have it estimated (--kinship rrm)",
        caution=True,
    )


def cross_fit_to_snps(
    cross: NDArray[np.float64], new: NDArray[np.floating], train: NDArray[np.floating], source: str
) -> Remark:
    """Compare a given kinship of new samples with the analysed ones with that of the SNPs, each row less its mean.

    Parameters
    ----------
    cross
        Kinship, shape ``(n_new, n)``.
    new, train
        SNPs of both, standardised alike, shapes ``(n_new, p)`` and ``(n, p)``.
    source
        The file, for the text.

    Returns
    -------
    Remark
        The correlation; a caution where it is that of samples in another order.
    """
    rows, others = (_spaced(n, _MOST_SAMPLES) for n in cross.shape)
    columns = _spaced(new.shape[1], _MOST_SNPS)
    given = _less_mean(cross[np.ix_(rows, others)])
    halves = [
        _less_mean(new[np.ix_(rows, part)].astype(np.float64) @ train[np.ix_(others, part)].T)
        for part in np.array_split(columns, 2)
    ]
    if min(K.std() for K in (given, *halves)) < _VARIATION * max(np.abs(cross).max(), np.finfo(float).tiny):
        return Remark(f"{source}: it, or the SNPs, hold the same relatedness for all samples: no check by the SNPs")
    r, chance = _in_any_order(given, halves[0] + halves[1])
    agreement, chance_of_halves = _in_any_order(*halves)
    told = f"{source}: correlation {r:.2f} with the kinship of the new samples by the SNPs"
    if r > max(_STANDARD_DEVIATIONS * chance, _LEAST if agreement >= _SIMILAR else 0.0):
        return Remark(told)
    if agreement <= _STANDARD_DEVIATIONS * chance_of_halves:
        return Remark(f"{told}, which tells too little relatedness for a check of the samples' order")
    return Remark(
        f"{told}: it does not fit the genotypes. Its samples may be others, or in another order if it has no ids: give "
        "a file with the right ids",
        caution=True,
    )


def _spaced(n: int, most: int) -> NDArray[np.intp]:
    """Return evenly spaced places, all if they are few."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(np.intp))


def _less_mean(K: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(K - K.mean(axis=1, keepdims=True))


def _relationships(X: NDArray[np.floating]) -> NDArray[np.float64]:
    block = X.astype(np.float64)
    return _centred(block @ block.T)


def _centred(K: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return PKP, from which P takes the mean of rows and columns."""
    rows = K - K.mean(axis=0)
    return np.asarray(rows - rows.mean(axis=1, keepdims=True))


def _variation(K: NDArray[np.float64]) -> float:
    """Return the standard deviation over pairs, relative to the mean diagonal."""
    return float(_pairs(K).std() / max(np.diag(K).mean(), np.finfo(float).tiny))


def _pairs(K: NDArray[np.float64]) -> NDArray[np.float64]:
    return K[np.triu_indices(len(K), 1)]


def _distance_to_others(K: NDArray[np.float64], G: NDArray[np.float64]) -> float:
    """Return how near rows of K are to the nearest other row of G, relative to their own (median)."""
    from scipy.spatial.distance import cdist  # a fifth of a second that few need

    distance = cdist(_profiles(K), _profiles(G))
    own = distance.diagonal().copy()
    np.fill_diagonal(distance, np.inf)
    alike = _ALIKE * np.sqrt(len(K))
    return float(np.median((distance.min(axis=1) + alike) / (own + alike)))


def _profiles(K: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sorted values of each row but for the diagonal, which are the same in every order of the others."""
    n = len(K)
    values = K[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    return np.sort(values / values.std(), axis=1)


def _mantel(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[float, float]:
    """Return the correlation over pairs, and its root mean square when the samples of one are in no order."""
    return _against_chance((_pairs(K) for K in (one, *_permuted(one))), _pairs(other))


def _in_any_order(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[float, float]:
    """Return the same of all elements, where rows and columns are different samples."""
    rng = np.random.default_rng(0)
    orders = [tuple(rng.permutation(n) for n in one.shape) for _ in range(_PERMUTATIONS)]
    return _against_chance((K.ravel() for K in (one, *(one[np.ix_(*order)] for order in orders))), other.ravel())


def _against_chance(candidates: Iterable[NDArray[np.float64]], values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the correlation of the first with some values, and the root mean square of those of the others."""
    observed, *by_chance = (float(np.corrcoef(candidate, values)[0, 1]) for candidate in candidates)
    return observed, float(np.sqrt(np.mean(np.square(by_chance))))


def _permuted(K: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    rng = np.random.default_rng(0)
    for _ in range(_PERMUTATIONS):
        order = rng.permutation(len(K))
        yield K[np.ix_(order, order)]

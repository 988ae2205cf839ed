"""SNPs in linkage disequilibrium thinned out, before an analysis (pruning) or after a scan (clumping).

r^2 is the squared correlation of dosages; two SNPs are compared when they lie on one chromosome, no farther apart than
a window.

Pruning, as PLINK's ``--indep-pairwise`` with a step of 1 does it (Chang et al. 2015, doi:10.1186/s13742-015-0047-8):
the window starts at each SNP in turn; of a pair in it with r^2 above the threshold the SNP with the lower minor-allele
frequency goes (of equals the later one). Pairs are taken in rounds over their first SNP, each round one removal for
each, until none is left. SNPs without variation go, also those that PLINK keeps as they are alone in their window.

Clumping, as PLINK's ``--clump`` does it (Purcell et al. 2007, doi:10.1086/519795): the SNP with the smallest p that is
in no clump yet and at most p1 is an index SNP; every SNP in no clump yet that lies in its window, has p at most p2 and
r^2 with it of at least the threshold joins its clump; and so on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.display import Display
from bayes_lmmlasso.errors import InputError

__all__ = ["Clumps", "ld_clump", "ld_prune"]

_CHUNK = 256  # SNPs that are compared with those before them at a time
_ROUNDING = 1e-9  # within which numbers are taken as equal


@dataclass(frozen=True, eq=False, repr=False)
class Clumps(Display):
    """SNPs gathered around those with the smallest p.

    Attributes
    ----------
    index
        Index SNPs, ascending in p, shape ``(c,)``.
    clump
        Number of the clump of each SNP, an index into ``index``; -1 for none; shape ``(p,)``.
    """

    index: NDArray[np.intp]
    clump: NDArray[np.intp]


def ld_prune(
    X: ArrayLike,
    positions: ArrayLike | None = None,
    chromosomes: ArrayLike | None = None,
    *,
    r2: float = 0.2,
    window: float = 1_000_000,
    maf: ArrayLike | None = None,
) -> NDArray[np.bool_]:
    """Choose SNPs none of which is in linkage disequilibrium with another one nearby.

    Parameters
    ----------
    X
        Genotypes without missing values, shape ``(n, p)``; of any coding if ``maf`` is given, else dosages 0 to 2.
    positions
        Ascending on every chromosome, shape ``(p,)``; None counts SNPs along the chromosome.
    chromosomes
        Chromosome of each SNP, shape ``(p,)``, those of one chromosome together; None for a single one.
    r2
        Largest squared correlation that is left.
    window
        Greatest distance of two SNPs that are compared, in the unit of ``positions``: bp, or with None SNPs (PLINK's
        window of 50 variants is 49).
    maf
        Minor-allele frequency of each SNP, shape ``(p,)``.

    Returns
    -------
    ndarray of bool, shape (p,)
        The SNPs to keep. SNPs that do not vary are not kept.

    Raises
    ------
    InputError
        If shapes, order or values are not as above.
    """
    genotypes, position, slices = _validated(X, positions, chromosomes, r2)
    frequency = _minor_frequency(genotypes) if maf is None else _vector(maf, genotypes.shape[1], "maf", "frequency")
    keep = np.zeros(genotypes.shape[1], dtype=bool)
    for on in slices:
        keep[on] = _prune_chromosome(genotypes[:, on], position[on], frequency[on], r2, window)
    return keep


def ld_clump(
    p: ArrayLike,
    X: ArrayLike,
    positions: ArrayLike | None = None,
    chromosomes: ArrayLike | None = None,
    *,
    r2: float = 0.5,
    window: float = 250_000,
    p1: float = 1e-4,
    p2: float = 1e-2,
) -> Clumps:
    """Gather the SNPs of a scan into clumps around those with the smallest p.

    Parameters
    ----------
    p
        p-values of a scan, shape ``(p,)``; a SNP with NaN is in no clump.
    X, positions, chromosomes, window
        As in `ld_prune`; any coding of the genotypes.
    r2
        Least squared correlation with the index SNP.
    p1, p2
        Largest p of an index SNP and of the other SNPs of a clump.

    Raises
    ------
    InputError
        If shapes, order or values are not as above.
    """
    genotypes, position, slices = _validated(X, positions, chromosomes, r2)
    values = _vector(p, genotypes.shape[1], "p", "p-value", missing=True)
    clump = np.full(values.size, -1, dtype=np.intp)
    slice_of = np.zeros(values.size, dtype=np.intp)
    for number, on in enumerate(slices):
        slice_of[on] = number
    index: list[int] = []
    for j in np.argsort(values, kind="stable"):
        if not values[j] <= p1:
            break
        if clump[j] >= 0:
            continue
        on = slices[slice_of[j]]
        first = on.start + int(np.searchsorted(position[on], position[j] - window))
        last = on.start + int(np.searchsorted(position[on], position[j] + window, side="right"))
        free = first + np.flatnonzero((clump[first:last] < 0) & (values[first:last] <= p2))
        linked = _squared_correlations(genotypes[:, free], genotypes[:, j : j + 1])[:, 0] >= r2 - _ROUNDING
        clump[free[linked]] = len(index)
        clump[j] = len(index)
        index.append(int(j))
    return Clumps(np.array(index, dtype=np.intp), clump)


def _prune_chromosome(
    genotypes: NDArray[Any], position: NDArray[np.float64], frequency: NDArray[np.float64], r2: float, window: float
) -> NDArray[np.bool_]:
    """Prune one chromosome.

    A SNP enters with the first window that reaches it, ``entry[j]``, and is compared there with the SNPs from that
    window's start on. SNPs that enter together stay in one chunk, so that the order of comparisons is that of windows.
    """
    alive: NDArray[np.bool_] = np.ptp(genotypes, axis=0) > 0
    entry = np.searchsorted(position, position - window)
    for start, stop in _chunks(entry):
        before = int(entry[start]) + np.flatnonzero(alive[entry[start] : stop])
        new = start + np.flatnonzero(alive[start:stop])
        linked = _squared_correlations(genotypes[:, before], genotypes[:, new]) > r2 + _ROUNDING
        row, column = np.nonzero(linked)
        i, j = before[row], new[column]
        pairs = (i < j) & (i >= entry[j])
        i, j = i[pairs], j[pairs]
        order = np.lexsort((j, i, entry[j]))
        ordered = zip(i[order].tolist(), j[order].tolist(), strict=True)
        for _, linked_pairs in groupby(ordered, lambda pair: entry[pair[1]]):
            _thin(linked_pairs, alive, frequency)
    return alive


def _thin(pairs: Iterable[tuple[int, int]], alive: NDArray[np.bool_], frequency: NDArray[np.float64]) -> None:
    """Remove one SNP of each linked pair of a window, in rounds of at most one removal for each first SNP."""
    waiting = [(first, iter([j for _, j in group])) for first, group in groupby(pairs, lambda pair: pair[0])]
    while waiting:
        going_on = []
        for first, seconds in waiting:
            second = next((j for j in seconds if alive[j]), None) if alive[first] else None
            if second is not None:
                alive[first if frequency[first] < frequency[second] * (1 - _ROUNDING) else second] = False
                going_on.append((first, seconds))
        waiting = going_on


def _chunks(entry: NDArray[np.intp]) -> Iterator[tuple[int, int]]:
    """Cut SNPs into chunks between SNPs that enter at different windows."""
    ends = np.append(np.flatnonzero(np.diff(entry)) + 1, entry.size)
    start = 0
    while start < entry.size:
        stop = int(ends[min(int(np.searchsorted(ends, start + _CHUNK)), ends.size - 1)])
        yield start, stop
        start = stop


def _squared_correlations(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
    """r^2 of each column of the first with each of the second."""
    return np.asarray((_unit_columns(first).T @ _unit_columns(second)) ** 2)


def _unit_columns(genotypes: NDArray[Any]) -> NDArray[np.float64]:
    """Columns centred and of length 1, so that products are correlations; constant ones 0."""
    centred = genotypes - genotypes.mean(axis=0, dtype=np.float64)
    norm = np.sqrt(np.square(centred).sum(axis=0))
    return np.asarray(centred / np.where(norm > 0, norm, 1.0))


def _minor_frequency(genotypes: NDArray[Any]) -> NDArray[np.float64]:
    if genotypes.min() < 0 or genotypes.max() > 2:
        raise InputError(
            f"genotypes: expected dosages between 0 and 2, got values from {genotypes.min():.3g} to "
            f"{genotypes.max():.3g}: pass maf with genotypes of another coding"
        )
    frequency = genotypes.mean(axis=0, dtype=np.float64) / 2
    return np.asarray(np.minimum(frequency, 1 - frequency))


def _validated(
    X: ArrayLike, positions: ArrayLike | None, chromosomes: ArrayLike | None, r2: float
) -> tuple[NDArray[Any], NDArray[np.float64], list[slice]]:
    """Return genotypes, positions, and the stretch of SNPs of each chromosome."""
    genotypes: NDArray[Any] = np.asarray(X)
    if genotypes.ndim != 2 or 0 in genotypes.shape:
        raise InputError(f"genotypes: expected samples x SNPs, got shape {genotypes.shape}: pass a matrix")
    if not 0 <= r2 <= 1:
        raise InputError(f"expected r2 between 0 and 1, got {r2:g}: give a squared correlation")
    if not np.isfinite(genotypes.sum(axis=0, dtype=np.float64)).all():
        raise InputError("genotypes: expected finite values, got NaN or Inf: fill in missing genotypes first")
    p = genotypes.shape[1]
    position = np.arange(p, dtype=np.float64) if positions is None else _vector(positions, p, "positions", "position")
    labels: NDArray[Any] = np.zeros(p) if chromosomes is None else np.asarray(chromosomes)
    if labels.shape != (p,):
        raise InputError(f"chromosomes: expected one for each of {p} SNPs, got shape {labels.shape}: pass p of them")
    cuts = np.concatenate([[0], np.flatnonzero(labels[1:] != labels[:-1]) + 1, [p]]).tolist()
    slices = [slice(start, stop) for start, stop in pairwise(cuts)]
    if len(slices) != len(np.unique(labels)):
        raise InputError("chromosomes: expected the SNPs of each one together, got one in two places: sort the SNPs")
    for on in slices:
        if (np.diff(position[on]) < 0).any():
            raise InputError(
                f"positions: expected ascending ones on each chromosome, got a step back on {labels[on.start]}: sort "
                "the SNPs, or pass no positions to count SNPs"
            )
    return genotypes, position, slices


def _vector(values: ArrayLike, p: int, name: str, what: str, *, missing: bool = False) -> NDArray[np.float64]:
    vector = np.asarray(values, dtype=np.float64)
    if vector.shape != (p,) or not (missing or np.isfinite(vector).all()):
        raise InputError(f"{name}: expected a {what} for each of {p} SNPs, got shape {vector.shape}, or NaN: pass all")
    return vector

"""The Gram matrix of the active columns, G_AA = L L', as columns come and go.

A column enters by one more row of L; its last element is the square root of sigma, the part of the column's square that
the active ones do not explain. When a column leaves, the rows after it are computed again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.numerics.compiled import compiled

__all__ = ["admit", "remove", "solve"]

_DEPENDENT = 1e-11  # share of a column's square not explained by the active ones, below which it is dependent


@compiled
def admit(
    Z: NDArray[np.float64],
    rows: NDArray[np.float64],
    has_row: NDArray[np.bool_],
    L: NDArray[np.float64],
    gram: NDArray[np.float64],
    active: NDArray[np.int64],
    column: int,
) -> bool:
    """Add a column to L and ``gram`` below the active ones; False when those explain it."""
    k, row = active.size, rows[column]
    if not has_row[column]:
        row[:] = np.dot(Z, Z[column])
        has_row[column] = True
    gram[k, k] = row[column]
    for i in range(k):
        gram[k, i] = gram[i, k] = row[active[i]]
    return bool(_border(L, gram, k) > _DEPENDENT * gram[k, k])


@compiled
def remove(
    L: NDArray[np.float64], gram: NDArray[np.float64], active: NDArray[np.int64], sign: NDArray[np.float64], place: int
) -> None:
    """Take the column at a place out of the active ones; those after it move up."""
    k = active.size - 1
    for i in range(place, k):
        active[i], sign[i] = active[i + 1], sign[i + 1]
        gram[i, : k + 1] = gram[i + 1, : k + 1]
        gram[: k + 1, i] = gram[: k + 1, i + 1]
        _border(L, gram, i)


@compiled
def solve(L: NDArray[np.float64], gram: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return G_AA^-1 times a vector, refined once."""
    k = right.size
    solution, rest = np.zeros(k), right.copy()
    for _ in range(2):
        for a in range(k):
            for b in range(a):
                rest[a] -= L[a, b] * rest[b]
            rest[a] /= L[a, a]
        for a in range(k - 1, -1, -1):
            rest[a] /= L[a, a]
            for b in range(a):
                rest[b] -= L[a, b] * rest[a]
        solution += rest
        for a in range(k):
            rest[a] = right[a]
            for b in range(k):
                rest[a] -= gram[a, b] * solution[b]
    return solution


@compiled
def _border(L: NDArray[np.float64], gram: NDArray[np.float64], i: int) -> float:
    """Compute row i of L from the rows above it; return sigma."""
    for a in range(i):
        value = gram[i, a]
        for b in range(a):
            value -= L[i, b] * L[a, b]
        L[i, a] = value / L[a, a]
    sigma = float(gram[i, i])
    for a in range(i):
        sigma -= L[i, a] ** 2
    L[i, i] = np.sqrt(max(sigma, 1e-16 * gram[i, i]))
    return sigma

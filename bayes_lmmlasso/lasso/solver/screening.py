"""Which SNPs can violate optimality anywhere on a path: products with a few of its points suffice.

A path is certified when |x_j's_t| <= 1 for all SNPs j at every point t, with s_t = A'r_t / mu_t. Two margins turn a
product in float32 at a checkpoint into a certainty about all points (N = max_j |x_j|):

    rounding      lambda sqrt(n) 2^-24 N |s_t|,  lambda = 10        (Higham and Mary 2019, doi:10.1137/18M1226312)
    distance      N |s_t - segment(s_a, s_b)|                       for a point between the checkpoints a and b,

because on the segment |x_j's| is at most the larger of |x_j's_a| and |x_j's_b|. So SNPs whose product exceeds
1 - margins at a checkpoint are candidates, and all others are certified without being looked at again. Checkpoints
are chosen as Douglas and Peucker (1973, doi:10.3138/FM57-6770-U75U-7727) simplify a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.lasso.genotypes import Genotypes
from bayes_lmmlasso.numerics.compiled import compiled
from bayes_lmmlasso.numerics.threads import thread_map

__all__ = ["Above", "Checkpoints", "snps_above"]

_CONFIDENCE = 10.0
_LARGEST_DISTANCE = 0.25  # N |s_t - segment|: more checkpoints cost products, fewer cost candidates
_TILE = 256


@dataclass(frozen=True, eq=False)
class Checkpoints:
    """Points at which all SNPs are looked at, on behalf of all points of a path.

    Parameters
    ----------
    S
        s_a, shape ``(n, c)``.
    floor
        1 - margins: a SNP with |x_j's_a| at or below it is no candidate, shape ``(c,)``.
    """

    S: NDArray[np.float64]
    floor: NDArray[np.float64]

    @classmethod
    def of(cls, S: NDArray[np.float64], norm: float) -> Checkpoints:
        """Choose checkpoints among the points of a path, in its order, shape ``(n, t)``; both ends belong to them."""
        distance = norm * _simplify(np.ascontiguousarray(S), _LARGEST_DISTANCE / norm)
        points = np.flatnonzero(distance >= 0.0)
        rounding = _CONFIDENCE * S.shape[0] ** 0.5 * 2.0**-24 * norm * np.linalg.norm(S[:, points], axis=0)
        return cls(S[:, points], np.maximum(1.0 - rounding - distance[points], 1e-12))

    @property
    def without_first(self) -> Checkpoints:
        """All but the first checkpoint."""
        return Checkpoints(self.S[:, 1:], self.floor[1:])


@dataclass(frozen=True, eq=False)
class Above:
    """The SNPs with |x_j's_a| above the floor of a checkpoint, once for each, without duplicates of other SNPs.

    Parameters
    ----------
    snps
        Shape ``(f,)``, ascending for each checkpoint.
    ratio
        |x_j's_a| / floor, shape ``(f,)``, in float32 unless X is wider.
    """

    snps: NDArray[np.intp]
    ratio: NDArray[Any]


def snps_above(X: Genotypes, checkpoints: Sequence[Checkpoints], *, tile: int = _TILE) -> list[Above]:
    """Compare all SNPs with the checkpoints of each path, in one pass over X for all paths.

    A product has ``tile`` checkpoints at most.
    """
    S = np.hstack([points.S / points.floor for points in checkpoints])
    owner = np.repeat(np.arange(len(checkpoints)), [points.floor.size for points in checkpoints])
    dtype = np.float64 if X.X.dtype.itemsize > 4 else np.float32
    tiles = [slice(start, start + tile) for start in range(0, S.shape[1], tile)]
    parts = [np.ascontiguousarray(S[:, columns], dtype=dtype) for columns in tiles]

    def look(where: slice) -> list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[Any]]]:
        found = []
        for columns, part in zip(tiles, parts, strict=True):
            product: NDArray[Any] = X.product(where, part)
            np.abs(product, out=product)
            flat = np.flatnonzero(product.ravel() > 1.0)
            point, snp = np.divmod(flat, product.shape[1])
            found.append((owner[columns][point], snp + where.start, product.ravel()[flat]))
        return found

    nothing = (owner[:0], owner[:0], np.empty(0, dtype))
    triples = [triple for block in thread_map(look, X.blocks(min(tile, S.shape[1]))) for triple in block]
    path, snp, ratio = (np.concatenate(column) for column in zip(nothing, *triples, strict=True))
    order = np.argsort(path, kind="stable")
    order = order[X.representative[snp[order]] == snp[order]]
    ends = np.searchsorted(path[order], np.arange(1, len(checkpoints)))
    return [Above(*pair) for pair in zip(np.split(snp[order], ends), np.split(ratio[order], ends), strict=True)]


@compiled
def _simplify(S: NDArray[np.float64], limit: float) -> NDArray[np.float64]:
    """Choose columns of S so that all others are within ``limit`` of the segments between them.

    Returns for each chosen column the largest distance from its two segments, and -1 for the others.
    """
    distance = np.full(S.shape[1], -1.0)
    distance[0] = distance[-1] = 0.0
    segments = [(0, S.shape[1] - 1)]
    while len(segments) > 0:
        a, b = segments.pop()
        far, apart = _farthest(S, a, b)
        if apart > limit:
            distance[far] = 0.0
            segments.append((a, far))
            segments.append((far, b))
        else:
            distance[a], distance[b] = max(distance[a], apart), max(distance[b], apart)
    return distance


@compiled
def _farthest(S: NDArray[np.float64], a: int, b: int) -> tuple[int, float]:
    """Return the column farthest from the segment between columns a and b, among those between them, and how far."""
    length, share, square = 0.0, np.zeros(b - a + 1), np.zeros(b - a + 1)
    for i in range(S.shape[0]):
        whole = S[i, b] - S[i, a]
        length += whole**2
        for t in range(b - a + 1):
            share[t] += whole * (S[i, a + t] - S[i, a])
    for t in range(b - a + 1):
        share[t] = min(max(share[t] / length, 0.0), 1.0) if length > 0.0 else 0.0
    for i in range(S.shape[0]):
        whole = S[i, b] - S[i, a]
        for t in range(b - a + 1):
            square[t] += (S[i, a + t] - S[i, a] - share[t] * whole) ** 2
    far = 0
    for t in range(1, b - a):
        if square[t] > square[far]:
            far = t
    return a + far, np.sqrt(square[far])

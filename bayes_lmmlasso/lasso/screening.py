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

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.lasso.genotypes import Genotypes
from bayes_lmmlasso.lmm.threads import thread_map

__all__ = ["Checkpoints", "candidates"]

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
        """Choose checkpoints among the points of a path, in its order, shape ``(n, t)``."""
        chosen, reach = {0: 0.0, S.shape[1] - 1: 0.0}, [(0, S.shape[1] - 1)]
        while reach:
            a, b = reach.pop()
            far, distance = _farthest(S[:, a : b + 1])
            if norm * distance > _LARGEST_DISTANCE:
                chosen[a + far] = 0.0
                reach += [(a, a + far), (a + far, b)]
            else:
                for end in (a, b):
                    chosen[end] = max(chosen[end], norm * distance)
        points = np.array(sorted(chosen))
        rounding = _CONFIDENCE * S.shape[0] ** 0.5 * 2.0**-24 * norm * np.linalg.norm(S[:, points], axis=0)
        distances = np.array([chosen[int(point)] for point in points])
        return cls(S[:, points], np.maximum(1.0 - rounding - distances, 1e-12))


def candidates(X: Genotypes, checkpoints: list[Checkpoints]) -> list[NDArray[np.intp]]:
    """Candidates of each path, ascending, duplicates as their representative; one pass over X for all paths."""
    S = np.hstack([points.S / points.floor for points in checkpoints])
    owner = np.repeat(np.arange(len(checkpoints)), [points.floor.size for points in checkpoints])
    dtype = np.float64 if X.X.dtype.itemsize > 4 else np.float32
    tiles = [slice(start, start + _TILE) for start in range(0, S.shape[1], _TILE)]
    parts = [np.ascontiguousarray(S[:, tile], dtype=dtype) for tile in tiles]

    def look(where: slice) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        found = []
        for tile, part in zip(tiles, parts, strict=True):
            product: NDArray[Any] = X.product(where, part)
            np.abs(product, out=product)
            point, snp = np.divmod(np.flatnonzero(product.ravel() > 1.0), product.shape[1])
            found.append((snp + where.start, owner[tile][point]))
        return found

    pairs = [pair for block in thread_map(look, X.blocks(min(_TILE, S.shape[1]))) for pair in block]
    snps, paths = np.concatenate([snp for snp, _ in pairs]), np.concatenate([path for _, path in pairs])
    keys = np.sort(paths * X.n_snps + X.representative[snps])
    keys = keys[np.diff(keys, prepend=-1) > 0]
    ends = np.searchsorted(keys, np.arange(len(checkpoints) + 1) * X.n_snps)
    return [keys[start:end] % X.n_snps for start, end in pairwise(ends)]


def _farthest(S: NDArray[np.float64]) -> tuple[int, float]:
    """Return the column farthest from the segment between the first and the last, and its distance."""
    if S.shape[1] < 3:
        return 0, 0.0
    from_first, whole = S - S[:, :1], S[:, -1] - S[:, 0]
    length = float(whole @ whole)
    share = np.clip(whole @ from_first / length, 0.0, 1.0) if length > 0.0 else np.zeros(S.shape[1])
    distance = np.linalg.norm(from_first - whole[:, None] * share, axis=0)
    far = int(distance.argmax())
    return far, float(distance[far])

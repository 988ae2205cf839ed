"""Subsamples for stability selection: random halves, complementary pairs, or given ones.

Complementary pairs (Shah and Samworth 2013, doi:10.1111/j.1467-9868.2011.01034.x): one permutation of the
samples gives two subsamples that share no sample.

Strata: of r samples of the rarer value among n, every subsample of m has round(m r / n), and at least one where a
sample (of each half of a pair) is there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.arguments import check_count, check_number
from bayes_lmmlasso.display import Display
from bayes_lmmlasso.errors import InputError

__all__ = ["Subsampling"]


@dataclass(frozen=True, eq=False, repr=False)
class Subsampling(Display):
    """How samples are drawn, B times m of n.

    Parameters
    ----------
    n_subsamples, fraction, seed
        Number of draws B, share of the samples in each (rounded down), and the seed.
    pairs
        Draw complementary pairs: draws 2i and 2i + 1 share no sample.
    subsamples
        Draws to use instead, indices of shape ``(B, m)``; with ``pairs``, consecutive rows are pairs.
    """

    n_subsamples: int = 100
    fraction: float = 0.5
    pairs: bool = False
    subsamples: ArrayLike | None = None
    seed: int = 0

    def draw(self, n: int, rare: NDArray[np.bool_] | None = None) -> NDArray[np.intp]:
        """Return the subsamples of n samples, each ascending, shape ``(B, m)``.

        Parameters
        ----------
        n
            Number of samples.
        rare
            Samples of which each random subsample has its share, shape ``(n,)``.

        Raises
        ------
        InputError
            If the numbers are out of range or given subsamples are no subsets of the samples.
        """
        draws = self._random(n, rare) if self.subsamples is None else _checked(self.subsamples, n)
        if self.pairs:
            _check_pairs(draws, n)
        return draws

    def _random(self, n: int, rare: NDArray[np.bool_] | None) -> NDArray[np.intp]:
        """Draw without replacement; with pairs, two disjoint subsamples from each permutation."""
        m = int(self.fraction * n + 1e-9) if 0.0 < check_number(self.fraction, "fraction") < 1.0 else 0
        if m < 2 or check_number(self.n_subsamples, "n_subsamples") < 1:
            raise InputError(
                "expected at least one subsample and a fraction between 0 and 1 that leaves 2 or more of "
                f"{n} samples, got {self.n_subsamples} and {self.fraction}: 100 subsamples of 0.5 are usual"
            )
        rng, count = np.random.default_rng(check_count(self.seed, "seed", 0)), self.n_subsamples
        if not self.pairs:
            orders = [self._order(rng.permutation(n), m, rare) for _ in range(count)]
            return np.array([np.sort(order[:m]) for order in orders])
        orders = [self._order(rng.permutation(n), m, rare) for _ in range((count + 1) // 2)]
        return np.array([np.sort(half) for order in orders for half in (order[:m], order[n - m :])][:count])

    def _order(self, order: NDArray[np.intp], m: int, rare: NDArray[np.bool_] | None) -> NDArray[np.intp]:
        """Reorder a permutation so that its first m samples, and with pairs its last m, have their share of the rare.

        Both groups keep their random order.
        """
        if rare is None:
            return order
        some, rest = order[rare[order]], order[~rare[order]]
        k = _within(max(round(m * some.size / order.size), 1), m - rest.size, min(some.size, m))
        last = _within(k, 2 * m - rest.size - k, some.size - k) if self.pairs else 0
        end, start = some.size - last, rest.size - (m - last if self.pairs else 0)
        return np.concatenate([some[:k], rest[: m - k], some[k:end], rest[m - k : start], some[end:], rest[start:]])


def _within(value: int, least: int, most: int) -> int:
    """Return the value, or the end of a range that it is beyond."""
    return min(max(value, least), most)


def _checked(subsamples: ArrayLike, n: int) -> NDArray[np.intp]:
    """Check subsamples from the caller."""
    draws = np.asarray(subsamples)
    if draws.ndim != 2 or 0 in draws.shape or draws.dtype.kind not in "iu":
        raise InputError(
            f"subsamples: expected integer sample indices of shape (B, m), got {draws.dtype} of shape "
            f"{draws.shape}: pass one row of equal length for each subsample"
        )
    draws = np.sort(draws.astype(np.intp), axis=1)
    bad = (draws[:, 0] < 0) | (draws[:, -1] >= n) | (np.diff(draws, axis=1) == 0).any(axis=1)
    if bad.any():
        raise InputError(
            f"subsamples: expected distinct indices from 0 to {n - 1} in each row, got others in row "
            f"{int(bad.argmax()) + 1}: draw without replacement from the analysed samples"
        )
    return draws


def _check_pairs(draws: NDArray[np.intp], n: int) -> None:
    """Refuse draws whose consecutive rows are not pairs of disjoint subsamples."""
    if draws.shape[0] % 2:
        raise InputError(f"expected an even number of subsamples for pairs, got {draws.shape[0]}: add one")
    both = np.sort(np.hstack([draws[0::2], draws[1::2]]), axis=1)
    shared = (np.diff(both, axis=1) == 0).any(axis=1)
    if shared.any():
        raise InputError(
            f"expected complementary pairs without a common sample, got {draws.shape[1]} of {n} samples in "
            f"each subsample and an overlap in pair {int(shared.argmax()) + 1}: use a fraction of at most 0.5"
        )

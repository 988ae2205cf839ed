"""Subsamples for stability selection: random halves, complementary pairs, or given ones.

Complementary pairs (Shah and Samworth 2013, doi:10.1111/j.1467-9868.2011.01034.x): one permutation of the
samples gives two subsamples that share no sample.
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

    def draw(self, n: int) -> NDArray[np.intp]:
        """Return the subsamples of n samples, each ascending, shape ``(B, m)``.

        Raises
        ------
        InputError
            If the numbers are out of range or given subsamples are no subsets of the samples.
        """
        draws = self._random(n) if self.subsamples is None else _checked(self.subsamples, n)
        if self.pairs:
            _check_pairs(draws, n)
        return draws

    def _random(self, n: int) -> NDArray[np.intp]:
        """Draw without replacement; with pairs, two disjoint subsamples from each permutation."""
        m = int(self.fraction * n + 1e-9) if 0.0 < check_number(self.fraction, "fraction") < 1.0 else 0
        if m < 2 or check_number(self.n_subsamples, "n_subsamples") < 1:
            raise InputError(
                "expected at least one subsample and a fraction between 0 and 1 that leaves 2 or more of "
                f"{n} samples, got {self.n_subsamples} and {self.fraction}: 100 subsamples of 0.5 are usual"
            )
        rng, count = np.random.default_rng(check_count(self.seed, "seed", 0)), self.n_subsamples
        if not self.pairs:
            return np.array([np.sort(rng.permutation(n)[:m]) for _ in range(count)])
        permuted = [rng.permutation(n) for _ in range((count + 1) // 2)]
        return np.array([np.sort(half) for order in permuted for half in (order[:m], order[n - m :])][:count])


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

"""Subsamples on which the null model can be fitted.

Of a rare group of samples, such as the cases of a disease, a random subsample may hold none. If nothing of a trait y is
left there beyond its covariates, |y - Z (Z'Z)^-1 Z'y| <= 1e-9 |y|, no model can be fitted: the subsample is drawn
again, some times, and left out if that does not help. A trait of two values is drawn in strata instead, so that its
rarer value is in every subsample.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso.subsamples import Subsampling
from bayes_lmmlasso.lmm.tridiagonal import orthonormal_span

__all__ = ["FittingSubsamples", "draw_fitting"]

_TRIES = 20
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class FittingSubsamples:
    """Subsamples, ascending, shape ``(B, m)``; how many of them were drawn again, and how many more were left out."""

    rows: NDArray[np.intp]
    redrawn: int
    failed: int


def draw_fitting(subsampling: Subsampling, Y: NDArray[np.float64], Z: NDArray[np.float64]) -> FittingSubsamples:
    """Draw subsamples on which every trait varies beyond its covariates.

    Parameters
    ----------
    subsampling
        How samples are drawn; given subsamples are never drawn again. Of a pair both are.
    Y, Z
        Traits, shape ``(n, t)``, and covariates, shape ``(n, q)``.

    Raises
    ------
    InputError
        If no subsample can be fitted, or one that was given cannot.
    """
    n, rare = Y.shape[0], _rarer(Y)
    rows = subsampling.draw(n, rare)
    together = 2 if subsampling.pairs else 1
    unfit = _unfit(rows, Y, Z, together)
    if unfit.any() and subsampling.subsamples is not None:
        raise InputError(
            f"subsamples: expected a trait that varies beyond its covariates in each, got none of that in row "
            f"{int(unfit.argmax()) + 1}: leave it out, or draw with the rare values and levels in every row"
        )
    first = unfit
    for attempt in range(1, _TRIES + 1):
        if not unfit.any():
            break
        again = replace(subsampling, seed=_seed(subsampling.seed, attempt)).draw(n, rare)
        rows[unfit] = again[unfit]
        unfit = _unfit(rows, Y, Z, together)
    m, q = rows.shape[1], Z.shape[1]
    if unfit.all() or m <= q:
        raise InputError(
            f"expected subsamples in which the trait varies beyond its {q} covariates, got none in {rows.shape[0]} of "
            f"{m} of the {n} samples: raise --subsample-fraction, or leave out covariates of rare levels"
        )
    return FittingSubsamples(rows[~unfit], int((first & ~unfit).sum()), int(unfit.sum()))


def _rarer(Y: NDArray[np.float64]) -> NDArray[np.bool_] | None:
    """Return the samples with the rarer value of the only trait, if it has two values."""
    values, counts = np.unique(Y, return_counts=True)
    if Y.shape[1] > 1 or values.size != 2:
        return None
    rare: NDArray[np.bool_] = Y[:, 0] == values[counts.argmin()]
    return rare


def _unfit(rows: NDArray[np.intp], Y: NDArray[np.float64], Z: NDArray[np.float64], together: int) -> NDArray[np.bool_]:
    """Return where a trait is explained wholly, in a subsample or in its other half."""
    unfit = np.empty(rows.shape[0], dtype=bool)
    for b, draw in enumerate(rows):
        span, traits = orthonormal_span(Z[draw]), Y[draw]
        rest = traits - span @ (span.T @ traits)
        unfit[b] = (np.linalg.norm(rest, axis=0) <= _ROUNDING * np.linalg.norm(traits, axis=0)).any()
    return unfit.reshape(-1, together).any(axis=1).repeat(together)


def _seed(seed: int, attempt: int) -> int:
    """Return the seed of a further attempt."""
    return int(np.random.SeedSequence([seed, attempt]).generate_state(1)[0])

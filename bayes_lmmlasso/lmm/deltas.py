"""Optimal delta of many null models at once, without an eigendecomposition.

The profile likelihood is that of `null_model` (Kang et al. 2008, doi:10.1534/genetics.107.080101), evaluated on a grid
of log delta by the recursion of `tridiagonal`. Inside the best bracket its derivative comes from a complex step (Squire
and Trapp 1998, doi:10.1137/S003614459631241X) at Chebyshev nodes. The profile is analytic in log delta for |Im| < pi,
so on a bracket of width 0.2 the interpolant through 7 nodes has a relative error near (0.1 / 2 pi)^7 = 3e-13, and its
root is the optimum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.display import Display
from bayes_lmmlasso.lmm.kinship import validate_kinship
from bayes_lmmlasso.lmm.null_model import NullMethod, check_method, log_delta_grid
from bayes_lmmlasso.lmm.tridiagonal import Tridiagonal, orthonormal_span, profile
from bayes_lmmlasso.numerics.checks import check_covariates, check_trait
from bayes_lmmlasso.numerics.compiled import compiled
from bayes_lmmlasso.numerics.threads import blas_threads

__all__ = ["DeltaEstimate", "fit_deltas", "null_deltas", "subsample_deltas"]

_PART_BYTES = 32 * 2**20
_NODES = np.cos(np.pi * (np.arange(7) + 0.5) / 7)
_STEP = 1e-30


@dataclass(frozen=True, eq=False, repr=False)
class DeltaEstimate(Display):
    """Optimal log delta of B problems with t traits, and whether it is a bound of the grid, shape ``(B, t)`` each."""

    log_delta: NDArray[np.float64]
    at_bound: NDArray[np.bool_]

    @classmethod
    def join(cls, parts: Sequence[DeltaEstimate]) -> DeltaEstimate:
        """Put the problems of several parts together."""
        return cls(
            np.concatenate([part.log_delta for part in parts]), np.concatenate([part.at_bound for part in parts])
        )

    @property
    def delta(self) -> float:
        """Delta of the only problem and trait."""
        return float(np.exp(self.log_delta.item()))


def null_deltas(
    Y: ArrayLike, K: ArrayLike, covariates: ArrayLike | None = None, method: NullMethod = "ml"
) -> DeltaEstimate:
    """Fit log delta of one or several traits from their kinship, without its eigendecomposition.

    The values are those of `fit_null_model`, in a fraction of its time when nothing else needs the eigenbasis.

    Parameters
    ----------
    Y
        Trait, shape ``(n,)``, or traits, shape ``(n, t)``.
    K
        Kinship matrix, shape ``(n, n)``.
    covariates
        Fixed effects Z, shape ``(n, q)``; None means none, not even an intercept.
    method
        Maximum likelihood or restricted maximum likelihood.

    Returns
    -------
    DeltaEstimate
        Of shape ``(1, t)``.

    Raises
    ------
    InputError
        If shapes disagree, values are not finite, or K is no kinship.
    """
    kinship = validate_kinship(K)
    n = kinship.shape[0]
    traits = np.asarray(Y, dtype=np.float64)
    traits = np.column_stack([check_trait(trait, n) for trait in np.atleast_2d(traits.T)])
    span = orthonormal_span(check_covariates(covariates, n))
    with blas_threads(n):
        return fit_deltas(Tridiagonal.of(kinship, traits, span[None], np.arange(n)[None]), method)


def subsample_deltas(
    K: NDArray[np.float64],
    Y: NDArray[np.float64],
    spans: Sequence[NDArray[np.float64]],
    subsamples: NDArray[np.intp],
    method: NullMethod,
) -> DeltaEstimate:
    """Fit the null model of every trait on every subsample.

    Parameters
    ----------
    K, Y
        Kinship, shape ``(n, n)``, and traits, shape ``(n, t)``, of all samples.
    spans
        Orthonormal covariates of each subsample, shape ``(m, q)``; q may differ.
    subsamples
        Sample indices, shape ``(B, m)``.
    method
        Maximum likelihood or restricted maximum likelihood.

    Returns
    -------
    DeltaEstimate
        Of shape ``(B, t)``.
    """
    log_delta = np.empty((len(spans), Y.shape[1]))
    at_bound = np.empty(log_delta.shape, dtype=bool)
    for q in {span.shape[1] for span in spans}:
        same = [b for b, span in enumerate(spans) if span.shape[1] == q]
        problems = Tridiagonal.of(K, Y, np.stack([spans[b] for b in same]), subsamples[same])
        estimate = fit_deltas(problems, method)
        log_delta[same], at_bound[same] = estimate.log_delta, estimate.at_bound
    return DeltaEstimate(log_delta, at_bound)


def fit_deltas(problems: Tridiagonal, method: NullMethod, *, part_bytes: int = _PART_BYTES) -> DeltaEstimate:
    """Maximise the profiles of B problems: grid, best bracket, root of the derivative.

    The result is `fit_null_model`'s up to rounding; a bound is returned as the grid value. Problems are done in parts
    of ``part_bytes``.
    """
    check_method(method)
    grid = log_delta_grid()
    B, c, _ = problems.W.shape
    size = max(1, part_bytes // (8 * grid.size * c**2))
    found = [_fit(problems.part(slice(start, start + size)), grid, method) for start in range(0, B, size)]
    return DeltaEstimate.join(found)


def _fit(problems: Tridiagonal, grid: NDArray[np.float64], method: NullMethod) -> DeltaEstimate:
    """Fit as many problems as fit into memory together."""
    B, t = problems.diagonal.shape[0], problems.n_traits
    values = profile(problems, np.tile(grid, (B, 1)), range(t), method)
    best = values.argmax(axis=2).T
    at_bound = (best == 0) | (best == grid.size - 1)
    middle = np.clip(best, 1, grid.size - 2)
    refined = [
        _stationary(problems, trait, grid[middle[:, trait] - 1], grid[middle[:, trait] + 1], method)
        for trait in range(t)
    ]
    return DeltaEstimate(np.where(at_bound, grid[best], np.column_stack(refined)), at_bound)


def _stationary(
    problems: Tridiagonal,
    trait: int,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    method: NullMethod,
) -> NDArray[np.float64]:
    """Root of the profile's derivative in each bracket, by bisection on its Chebyshev interpolant."""
    centre, half = 0.5 * (low + high), 0.5 * (high - low)
    points = centre[:, None] + half[:, None] * _NODES
    slopes = profile(problems, points + 1j * _STEP, range(trait, trait + 1), method)[0].imag / _STEP
    order = np.arange(_NODES.size)
    series = slopes @ np.cos(np.arccos(_NODES)[:, None] * order) * (2.0 / _NODES.size)
    series[:, 0] *= 0.5
    return np.asarray(centre + half * _descending_root(series))


@compiled
def _descending_root(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the Chebyshev series in each row falls below zero on [-1, 1], by bisection with Clenshaw's recurrence."""
    root = np.zeros(series.shape[0])
    for b in range(root.size):
        width = 1.0
        for _ in range(60):
            near, far = 0.0, 0.0
            for k in range(series.shape[1] - 1, 0, -1):
                near, far = series[b, k] + 2.0 * root[b] * near - far, near
            width *= 0.5
            root[b] += width if series[b, 0] + root[b] * near - far > 0.0 else -width
    return root

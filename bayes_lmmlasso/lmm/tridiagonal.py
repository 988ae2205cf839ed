"""The profile likelihood of many null models, from tridiagonal forms.

    K = Q T Q',   V = K + delta I = Q (T + delta I) Q',   T + delta I = L D L'

Reducing K to tridiagonal T takes a fraction of its eigendecomposition, and afterwards every delta costs O(m): with
w = L^-1 Q'[y, Z] the recursion over rows i, e the off-diagonal of T,

    l_i = e_{i-1} / D_{i-1},   D_i = T_ii + delta - l_i e_{i-1},   w_i = (Q'[y, Z])_i - l_i w_{i-1}

gives log|V| = sum log D_i and [y, Z]'V^-1[y, Z] = sum w_i w_i' / D_i (Golub and Van Loan 2013, Matrix Computations,
section 4.3.6; Kang et al. 2008, doi:10.1534/genetics.107.080101, for the profile itself, whose equations are those of
`null_model`). The recursion is compiled and runs over all deltas of a grid at once. Inside the best bracket the
derivative is taken by a complex step (Squire and Trapp 1998, doi:10.1137/S003614459631241X) at Chebyshev nodes. The
profile is analytic in log delta for |Im| < pi, so on a bracket of width 0.2 the interpolant through 7 nodes has a
relative error near (0.1 / 2 pi)^7 = 3e-13, and its root is the optimum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.lmm.compiled import compiled
from bayes_lmmlasso.lmm.lapack import tridiagonalise
from bayes_lmmlasso.lmm.null_model import NullMethod, check_variation, log_delta_grid
from bayes_lmmlasso.lmm.threads import blas_threads, thread_map
from bayes_lmmlasso.lmm.validation import check_covariates, check_trait, validate_kinship

__all__ = ["DeltaEstimate", "Tridiagonal", "fit_deltas", "null_deltas", "orthonormal_span", "subsample_deltas"]

_PART_BYTES = 32 * 2**20
_NODES = np.cos(np.pi * (np.arange(7) + 0.5) / 7)
_STEP = 1e-30


@dataclass(frozen=True, eq=False)
class Tridiagonal:
    """Traits and covariates of one set of samples in the basis where its kinship is tridiagonal.

    Parameters
    ----------
    diagonal, off_diagonal
        Of T, shapes ``(m,)`` and ``(m - 1,)``.
    W
        Q'[Y, Z], shape ``(m, t + q)``: t traits without their component in Z, q orthonormal covariates.
    n_traits
        t.
    """

    diagonal: NDArray[np.float64]
    off_diagonal: NDArray[np.float64]
    W: NDArray[np.float64]
    n_traits: int

    @classmethod
    def of(cls, K: NDArray[np.float64], Y: NDArray[np.float64], Z: NDArray[np.float64]) -> Self:
        """Reduce a kinship matrix, which is overwritten; Y has shape ``(m, t)``, Z orthonormal columns ``(m, q)``.

        Raises
        ------
        InputError
            If the covariates explain a trait wholly.
        """
        rest = Y - Z @ (Z.T @ Y)
        for trait, remainder in zip(Y.T, rest.T, strict=True):
            check_variation(trait, remainder, Z.shape[1])
        W = np.asfortranarray(np.hstack([rest, Z]))
        diagonal, off_diagonal = tridiagonalise(np.asfortranarray(K.T), W)
        return cls(diagonal, off_diagonal, W, Y.shape[1])


@dataclass(frozen=True, eq=False)
class DeltaEstimate:
    """Optimal log delta of B problems with t traits, and whether it is a bound of the grid, shape ``(B, t)`` each."""

    log_delta: NDArray[np.float64]
    at_bound: NDArray[np.bool_]

    @property
    def delta(self) -> float:
        """Delta of the only problem and trait."""
        return float(np.exp(self.log_delta.item()))


def orthonormal_span(Z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal basis of the columns of Z, without redundant directions, shape ``(m, r)``."""
    if Z.shape[1] == 0:
        return Z
    norms = np.linalg.norm(Z, axis=0)
    U, singular, _ = np.linalg.svd(Z / np.where(norms > 0.0, norms, 1.0), full_matrices=False)
    return np.asarray(U[:, singular > 1e-10 * singular[0]])


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
        return fit_deltas([Tridiagonal.of(kinship.copy(), traits, span)], method)


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
    problems = thread_map(
        lambda item: Tridiagonal.of(K.take(item[0], 0).take(item[0], 1), Y[item[0]], item[1]),
        zip(subsamples, spans, strict=True),
    )
    log_delta = np.empty((len(problems), Y.shape[1]))
    at_bound = np.empty(log_delta.shape, dtype=bool)
    for q in {span.shape[1] for span in spans}:
        same = [b for b, span in enumerate(spans) if span.shape[1] == q]
        estimate = fit_deltas([problems[b] for b in same], method)
        log_delta[same], at_bound[same] = estimate.log_delta, estimate.at_bound
    return DeltaEstimate(log_delta, at_bound)


def fit_deltas(problems: Sequence[Tridiagonal], method: NullMethod) -> DeltaEstimate:
    """Maximise the profiles of problems of one shape: grid, best bracket, root of the derivative.

    The result is `fit_null_model`'s up to rounding; a bound is returned as the grid value.
    """
    grid = log_delta_grid()
    size = max(1, _PART_BYTES // (8 * grid.size * problems[0].W.shape[1] ** 2))
    found = [_fit(problems[start : start + size], grid, method) for start in range(0, len(problems), size)]
    return DeltaEstimate(
        np.concatenate([part.log_delta for part in found]), np.concatenate([part.at_bound for part in found])
    )


def _fit(problems: Sequence[Tridiagonal], grid: NDArray[np.float64], method: NullMethod) -> DeltaEstimate:
    """Fit as many problems as fit into memory together."""
    t = problems[0].n_traits
    values = _profile(problems, np.broadcast_to(grid, (len(problems), grid.size)), range(t), method)
    best = values.argmax(axis=2).T
    at_bound = (best == 0) | (best == grid.size - 1)
    middle = np.clip(best, 1, grid.size - 2)
    refined = [
        _stationary(problems, trait, grid[middle[:, trait] - 1], grid[middle[:, trait] + 1], method)
        for trait in range(t)
    ]
    return DeltaEstimate(np.where(at_bound, grid[best], np.column_stack(refined)), at_bound)


def _stationary(
    problems: Sequence[Tridiagonal],
    trait: int,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    method: NullMethod,
) -> NDArray[np.float64]:
    """Root of the profile's derivative in each bracket, by bisection on its Chebyshev interpolant."""
    centre, half = 0.5 * (low + high), 0.5 * (high - low)
    points = centre[:, None] + half[:, None] * _NODES
    slopes = _profile(problems, points + 1j * _STEP, range(trait, trait + 1), method)[0].imag / _STEP
    order = np.arange(_NODES.size)
    series = np.cos(order[:, None] * np.arccos(_NODES)) @ slopes.T * (2.0 / _NODES.size)
    series[0] *= 0.5
    left, right = np.full(centre.size, -1.0), np.ones(centre.size)
    for _ in range(60):
        x = 0.5 * (left + right)
        rising = (series * np.cos(order[:, None] * np.arccos(x))).sum(axis=0) > 0.0
        left, right = np.where(rising, x, left), np.where(rising, right, x)
    return np.asarray(centre + half * 0.5 * (left + right))


def _profile(
    problems: Sequence[Tridiagonal], log_delta: NDArray[Any], traits: range, method: NullMethod
) -> NDArray[Any]:
    """Profile log-likelihoods without constants, shape ``(t, B, g)``, at real or complex log_delta, ``(B, g)``."""
    t, m = len(traits), problems[0].diagonal.size

    def evaluate(item: tuple[Tridiagonal, NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
        own, delta = item
        W = np.vstack([own.W.T[traits.start : traits.stop], own.W.T[own.n_traits :]])
        return _recursion(own.diagonal, own.off_diagonal, W, delta, t)

    parts = thread_map(evaluate, zip(problems, np.exp(log_delta), strict=True))
    log_det = np.array([part for part, _ in parts])
    gram = np.array([part for _, part in parts])  # (B, t + q, t + q, g)
    rss = np.array([gram[:, i, i] for i in range(t)])
    degrees = m
    if gram.shape[1] > t:
        right, normal = np.moveaxis(gram[:, :, t:], 3, 1)[:, :, :t], np.moveaxis(gram[:, t:, t:], 3, 1)
        solved = np.linalg.solve(normal, right.swapaxes(2, 3))
        rss = rss - np.moveaxis((right * solved.swapaxes(2, 3)).sum(axis=3), 2, 0)
        if method == "reml":
            degrees = m - normal.shape[2]
            log_det = log_det + np.log(np.linalg.det(normal))
    return np.asarray(-0.5 * (degrees * np.log(rss) + log_det))


@compiled
def _recursion(
    T: NDArray[np.float64], e: NDArray[np.float64], W: NDArray[np.float64], delta: NDArray[Any], n_traits: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return log|T + delta I| of shape ``(g,)`` and W (T + delta I)^-1 W' of shape ``(c, c, g)``.

    W has a row for each trait, then for each covariate; products of two different traits are left out.
    """
    c, g = W.shape[0], delta.size
    D, inverse, ratio = T[0] + delta, np.zeros_like(delta), np.zeros_like(delta)
    w, gram = np.zeros((c, g), delta.dtype), np.zeros((c, c, g), delta.dtype)
    log_det, product = np.zeros_like(delta), np.ones_like(delta)
    for i in range(T.size):
        if i > 0:
            for k in range(g):
                ratio[k] = e[i - 1] * inverse[k]
                D[k] = T[i] + delta[k] - e[i - 1] * ratio[k]
        for k in range(g):
            inverse[k] = 1.0 / D[k]
            product[k] *= D[k]
        if i % 8 == 7 or i == T.size - 1:  # a logarithm takes longer than the rest of the row
            log_det += np.log(product)
            product[:] = 1.0
        for a in range(c):
            for k in range(g):
                w[a, k] = W[a, i] - ratio[k] * w[a, k]
        for a in range(c):
            for b in range(a, c):
                if b == a or b >= n_traits:
                    for k in range(g):
                        gram[a, b, k] += w[a, k] * w[b, k] * inverse[k]
    for a in range(n_traits, c):
        for b in range(n_traits, a):
            gram[a, b] = gram[b, a]
    return log_det, gram

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
from bayes_lmmlasso.lmm.lapack import LAPACK, submatrix, tridiagonalise
from bayes_lmmlasso.lmm.null_model import NullMethod, check_variation, log_delta_grid
from bayes_lmmlasso.lmm.threads import blas_threads, thread_slices
from bayes_lmmlasso.lmm.validation import check_covariates, check_trait, validate_kinship

__all__ = [
    "DeltaEstimate",
    "Tridiagonal",
    "fit_deltas",
    "null_deltas",
    "orthonormal_span",
    "orthonormal_spans",
    "subsample_deltas",
]

_PART_BYTES = 32 * 2**20
_NODES = np.cos(np.pi * (np.arange(7) + 0.5) / 7)
_STEP = 1e-30


@dataclass(frozen=True, eq=False)
class Tridiagonal:
    """Traits and covariates of B sets of m samples, each in the basis where its kinship is tridiagonal.

    Parameters
    ----------
    diagonal, off_diagonal
        Of T, shapes ``(B, m)`` and ``(B, m - 1)``.
    W
        Q'[Y, Z], a row for each of t traits without their component in Z and q orthonormal covariates, shape
        ``(B, t + q, m)``.
    n_traits
        t.
    """

    diagonal: NDArray[np.float64]
    off_diagonal: NDArray[np.float64]
    W: NDArray[np.float64]
    n_traits: int

    @classmethod
    def of(
        cls, K: NDArray[np.float64], Y: NDArray[np.float64], spans: NDArray[np.float64], rows: NDArray[np.intp]
    ) -> Self:
        """Reduce the kinship of chosen samples.

        Parameters
        ----------
        K, Y
            Kinship, shape ``(n, n)``, and traits, shape ``(n, t)``, of all samples.
        spans
            Orthonormal covariates of the chosen samples, shape ``(B, m, q)``.
        rows
            The chosen samples, shape ``(B, m)``.

        Raises
        ------
        InputError
            If the covariates explain a trait wholly.
        """
        (B, m), t, q = rows.shape, Y.shape[1], spans.shape[2]
        traits = Y[rows].swapaxes(1, 2)
        W = np.empty((B, t + q, m))
        W[:, t:] = spans.swapaxes(1, 2)
        W[:, :t] = traits - (traits @ spans) @ W[:, t:]
        for b, i in np.argwhere(np.linalg.norm(W[:, :t], axis=2) <= 1e-9 * np.linalg.norm(traits, axis=2)):
            check_variation(traits[b, i], W[b, i], q)
        diagonal, off_diagonal = np.empty((B, m)), np.empty((B, m - 1))
        thread_slices(lambda part: _reduce(LAPACK, K, rows[part], W[part], diagonal[part], off_diagonal[part]), B)
        return cls(diagonal, off_diagonal, W, t)

    def part(self, where: slice) -> Tridiagonal:
        """Return some of the B sets."""
        return Tridiagonal(self.diagonal[where], self.off_diagonal[where], self.W[where], self.n_traits)


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
    return orthonormal_spans(Z[None])[0]


def orthonormal_spans(Z: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Orthonormal bases of the columns of many matrices of one shape, shape ``(B, m, q)``; their ranks may differ."""
    if Z.shape[2] == 0:
        return list(Z)
    norms = np.linalg.norm(Z, axis=1, keepdims=True)
    U, singular, _ = np.linalg.svd(Z / np.where(norms > 0.0, norms, 1.0), full_matrices=False)
    return [basis[:, values > 1e-10 * values[0]] for basis, values in zip(U, singular, strict=True)]


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


def fit_deltas(problems: Tridiagonal, method: NullMethod) -> DeltaEstimate:
    """Maximise the profiles of B problems: grid, best bracket, root of the derivative.

    The result is `fit_null_model`'s up to rounding; a bound is returned as the grid value.
    """
    grid = log_delta_grid()
    B, c, _ = problems.W.shape
    size = max(1, _PART_BYTES // (8 * grid.size * c**2))
    found = [_fit(problems.part(slice(start, start + size)), grid, method) for start in range(0, B, size)]
    return DeltaEstimate(
        np.concatenate([part.log_delta for part in found]), np.concatenate([part.at_bound for part in found])
    )


def _fit(problems: Tridiagonal, grid: NDArray[np.float64], method: NullMethod) -> DeltaEstimate:
    """Fit as many problems as fit into memory together."""
    B, t = problems.diagonal.shape[0], problems.n_traits
    values = _profile(problems, np.tile(grid, (B, 1)), range(t), method)
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
    slopes = _profile(problems, points + 1j * _STEP, range(trait, trait + 1), method)[0].imag / _STEP
    order = np.arange(_NODES.size)
    series = slopes @ np.cos(np.arccos(_NODES)[:, None] * order) * (2.0 / _NODES.size)
    series[:, 0] *= 0.5
    return np.asarray(centre + half * _descending_root(series))


def _profile(problems: Tridiagonal, log_delta: NDArray[Any], traits: range, method: NullMethod) -> NDArray[Any]:
    """Profile log-likelihoods without constants, shape ``(t, B, g)``, at real or complex log_delta, ``(B, g)``."""
    B, g = log_delta.shape
    t, m = len(traits), problems.diagonal.shape[1]
    W = np.concatenate([problems.W[:, traits.start : traits.stop], problems.W[:, problems.n_traits :]], axis=1)
    delta, c = np.exp(log_delta), W.shape[1]
    log_det, gram = np.empty((B, g), delta.dtype), np.empty((B, c, c, g), delta.dtype)
    thread_slices(
        lambda part: _recursions(
            problems.diagonal[part], problems.off_diagonal[part], W[part], delta[part], t, log_det[part], gram[part]
        ),
        B,
    )
    rss = np.array([gram[:, i, i] for i in range(t)])
    degrees = m
    if c > t:
        right, normal = np.moveaxis(gram[:, :, t:], 3, 1)[:, :, :t], np.moveaxis(gram[:, t:, t:], 3, 1)
        solved = np.linalg.solve(normal, right.swapaxes(2, 3))
        rss = rss - np.moveaxis((right * solved.swapaxes(2, 3)).sum(axis=3), 2, 0)
        if method == "reml":
            degrees = m - normal.shape[2]
            log_det = log_det + np.log(np.linalg.det(normal))
    return np.asarray(-0.5 * (degrees * np.log(rss) + log_det))


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


@compiled
def _reduce(
    lapack: NDArray[np.int64],
    K: NDArray[np.float64],
    rows: NDArray[np.intp],
    W: NDArray[np.float64],
    diagonal: NDArray[np.float64],
    off_diagonal: NDArray[np.float64],
) -> None:
    """Fill in T for every set of samples; each row w of W becomes Q'w."""
    for b in range(rows.shape[0]):
        diagonal[b], off_diagonal[b] = tridiagonalise(lapack, submatrix(K, rows[b], 0.0), W[b])


@compiled
def _recursions(
    T: NDArray[np.float64],
    e: NDArray[np.float64],
    W: NDArray[np.float64],
    delta: NDArray[Any],
    n_traits: int,
    log_det: NDArray[Any],
    gram: NDArray[Any],
) -> None:
    """Fill in what the recursion gives for every set of samples."""
    for b in range(T.shape[0]):
        log_det[b], gram[b] = _recursion(T[b], e[b], W[b], delta[b], n_traits)


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

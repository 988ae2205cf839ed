"""Kinship in tridiagonal form, where a likelihood costs O(m) for every delta.

    K = Q T Q',   V = K + delta I = Q (T + delta I) Q',   T + delta I = L D L'

Reducing K to tridiagonal T takes a fraction of its eigendecomposition, and afterwards every delta costs O(m): with
w = L^-1 Q'[y, Z] the recursion over rows i, e the off-diagonal of T,

    l_i = e_{i-1} / D_{i-1},   D_i = T_ii + delta - l_i e_{i-1},   w_i = (Q'[y, Z])_i - l_i w_{i-1}

gives log|V| = sum log D_i and [y, Z]'V^-1[y, Z] = sum w_i w_i' / D_i (Golub and Van Loan 2013, Matrix Computations,
section 4.3.6). Reductions and recursions are compiled and run over many sets of samples side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.lmm.null_model import NullMethod, check_variation
from bayes_lmmlasso.numerics.compiled import compiled
from bayes_lmmlasso.numerics.lapack import LAPACK, submatrix, tridiagonalise
from bayes_lmmlasso.numerics.threads import thread_slices

__all__ = ["Tridiagonal", "orthonormal_span", "orthonormal_spans", "profile"]


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


def profile(problems: Tridiagonal, log_delta: NDArray[Any], traits: range, method: NullMethod) -> NDArray[Any]:
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
def _reduce(
    lapack: NDArray[np.int64],
    K: NDArray[np.float64],
    rows: NDArray[np.intp],
    W: NDArray[np.float64],
    diagonal: NDArray[np.float64],
    off_diagonal: NDArray[np.float64],
) -> None:
    """Fill in T = Q'KQ for every set of samples; each row w of W becomes Q'w."""
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

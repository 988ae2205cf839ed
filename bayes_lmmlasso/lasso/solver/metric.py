"""The metric of the Lasso: whitening by the mixed model and projection of covariates.

With V = K + delta I, the estimate minimises over a (covariates Z, unpenalised) and b

    1/2 (y - Z a - X b)' V^-1 (y - Z a - X b) + mu |b|_1

(Rakitsch et al. 2013, doi:10.1093/bioinformatics/bts669). Minimising over a first leaves an ordinary Lasso of
A y on A X, where A'A = P = V^-1 - V^-1 Z (Z'V^-1 Z)^-1 Z'V^-1 and A = (I - Q Q') R with

    R = (S + delta)^(-1/2) U'   from an eigenbasis K = U S U', or
    R = L^-1                    from a Cholesky factor V = L L' (a fraction of the work, for one delta only)

and Q an orthonormal basis of R Z. A is never formed and X never rotated: only working-set columns are whitened, and
correlations are X'(A'r).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import Basis
from bayes_lmmlasso.numerics.compiled import compiled
from bayes_lmmlasso.numerics.lapack import LAPACK, cholesky, solve_triangular, submatrix

__all__ = ["Metric"]


@dataclass(frozen=True, eq=False)
class Metric:
    """Whitening of one set of samples.

    Parameters
    ----------
    factor
        L' in the upper triangle, shape ``(m, m)``, or the eigenbasis.
    root_w
        (S + delta)^(-1/2), shape ``(m,)``, when ``factor`` is an eigenbasis; empty when it is L'.
    Q
        Orthonormal basis of the whitened covariates, one in each row, shape ``(q, m)``.
    rows
        The m samples among all n, shape ``(m,)``.
    n_samples
        n.
    """

    factor: NDArray[np.float64] | Basis
    root_w: NDArray[np.float64]
    Q: NDArray[np.float64]
    rows: NDArray[np.intp]
    n_samples: int

    @classmethod
    def of(cls, basis: Basis, delta: float, Z: NDArray[np.float64]) -> Self:
        """Metric of all samples from an eigenbasis; Z has shape ``(n, q)``, q = 0 for no covariates.

        Raises
        ------
        InputError
            If delta is not positive and finite, or the covariates leave no sample free.
        """
        _check(delta, Z)
        n = basis.n_samples
        plain = cls(basis, 1.0 / np.sqrt(basis.values + delta), np.empty((0, n)), np.arange(n), n)
        return replace(plain, Q=np.ascontiguousarray(np.linalg.qr(plain.plain(Z))[0].T))

    @classmethod
    def from_kinship(
        cls, K: NDArray[np.float64], delta: float, Z: NDArray[np.float64], rows: NDArray[np.intp] | None = None
    ) -> Self:
        """Metric of chosen samples (None: all) from the kinship of all n; Z has a row for each chosen one.

        Raises
        ------
        InputError
            As `of`, or if K + delta I is not positive definite.
        """
        _check(delta, Z)
        chosen = np.arange(K.shape[0]) if rows is None else rows
        factor, Q, definite = _factorise(LAPACK, K, chosen, delta, np.array(Z.T, order="C"))
        if not definite:
            raise InputError(
                f"kinship: expected K + {delta:.3g} I to be positive definite, got an indefinite one: "
                "pass a positive semi-definite kinship"
            )
        return cls(factor, np.empty(0), Q, chosen, K.shape[0])

    def among(self, rows: NDArray[np.intp], n_samples: int) -> Self:
        """Return the same metric, its samples being those rows of a larger set."""
        return replace(self, rows=rows, n_samples=n_samples)

    def plain(self, C: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return R C, covariates not projected out, for C of shape ``(m, t)``."""
        return self._whiten(C, np.empty((0, self.Q.shape[1])))

    def whiten(self, C: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return A C for C of shape ``(m, t)``, in Fortran order."""
        return self._whiten(C, self.Q)

    def _whiten(self, C: NDArray[np.float64], Q: NDArray[np.float64]) -> NDArray[np.float64]:
        if isinstance(self.factor, Basis):
            white = self.factor.rotate(C).T * self.root_w
            return (white - (white @ Q.T) @ Q).T
        white = np.array(C.T, order="C")
        _whiten(LAPACK, self.factor, Q, white)
        return white.T

    def back(self, R: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return A'R with a row for each of the n samples (zero outside ``rows``), shape ``(n, t)``."""
        if isinstance(self.factor, Basis):
            out = np.zeros((self.n_samples, R.shape[1]))
            out[self.rows] = self.factor.unrotate(self.root_w[:, None] * (R - self.Q.T @ (self.Q @ R)))
            return out
        return _back(LAPACK, self.factor, self.Q, np.array(R.T, order="C"), self.rows, self.n_samples).T


def _check(delta: float, Z: NDArray[np.float64]) -> None:
    if not (np.isfinite(delta) and delta > 0.0):
        raise InputError(f"expected delta above 0, got {delta}: pass NullModel.delta")
    m, q = Z.shape
    if q >= m:
        raise InputError(f"expected fewer covariates than samples, got {q} and {m}: remove covariates")


@compiled
def _factorise(
    lapack: NDArray[np.int64], K: NDArray[np.float64], rows: NDArray[np.intp], delta: float, Q: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    """Return L', an orthonormal basis of L^-1 times the rows of Q, and whether V is positive definite."""
    factor = submatrix(K, rows, delta)
    definite = cholesky(lapack, factor)
    solve_triangular(lapack, factor, Q, False)
    for i in range(Q.shape[0]):
        for _ in range(2):  # twice is enough (Giraud, Langou, Rozloznik 2005, doi:10.1016/j.camwa.2005.08.009)
            for j in range(i):
                Q[i] -= np.dot(Q[j], Q[i]) * Q[j]
        Q[i] /= np.sqrt(np.dot(Q[i], Q[i]))
    return factor, Q, definite


@compiled
def _whiten(
    lapack: NDArray[np.int64], factor: NDArray[np.float64], Q: NDArray[np.float64], C: NDArray[np.float64]
) -> None:
    """Overwrite each row c of C, shape ``(t, m)``, by (I - Q'Q) L^-1 c."""
    solve_triangular(lapack, factor, C, False)
    if Q.shape[0] > 0:
        C -= np.dot(np.dot(C, Q.T), Q)


@compiled
def _back(
    lapack: NDArray[np.int64],
    factor: NDArray[np.float64],
    Q: NDArray[np.float64],
    R: NDArray[np.float64],
    rows: NDArray[np.intp],
    n_samples: int,
) -> NDArray[np.float64]:
    """Return L'^-1 (I - Q'Q) r for each row r of R, which is overwritten, spread over all samples."""
    if Q.shape[0] > 0:
        R -= np.dot(np.dot(R, Q.T), Q)
    solve_triangular(lapack, factor, R, True)
    out = np.zeros((R.shape[0], n_samples))
    for t in range(R.shape[0]):
        for i in range(rows.size):
            out[t, rows[i]] = R[t, i]
    return out

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
from bayes_lmmlasso.lmm.lapack import cholesky, solve_lower

__all__ = ["Metric"]


@dataclass(frozen=True, eq=False)
class Metric:
    """Whitening of one set of samples.

    Parameters
    ----------
    factor
        L, lower triangular in Fortran order, shape ``(m, m)``, or the eigenbasis.
    root_w
        (S + delta)^(-1/2), shape ``(m,)``, when ``factor`` is an eigenbasis; empty when it is L.
    Q
        Orthonormal basis of the whitened covariates, shape ``(m, q)``.
    rows
        The m samples among all n, or None for all of them in order.
    n_samples
        n.
    """

    factor: NDArray[np.float64] | Basis
    root_w: NDArray[np.float64]
    Q: NDArray[np.float64]
    rows: NDArray[np.intp] | None
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
        plain = cls(basis, 1.0 / np.sqrt(basis.values + delta), np.empty((n, 0)), None, n)
        return replace(plain, Q=np.linalg.qr(plain.whiten(Z))[0])

    @classmethod
    def from_kinship(
        cls,
        K: NDArray[np.float64],
        delta: float,
        Z: NDArray[np.float64],
        rows: NDArray[np.intp] | None,
        n_samples: int,
    ) -> Self:
        """Metric of chosen samples (None: all) from their kinship, shape ``(m, m)``, which is overwritten.

        Raises
        ------
        InputError
            As `of`, or if K + delta I is not positive definite.
        """
        _check(delta, Z)
        K[np.diag_indices_from(K)] += delta
        L = K.T
        if not cholesky(L):
            raise InputError(
                f"kinship: expected K + {delta:.3g} I to be positive definite, got an indefinite one: "
                "pass a positive semi-definite kinship"
            )
        plain = cls(L, np.empty(0), np.empty((Z.shape[0], 0)), rows, n_samples)
        return replace(plain, Q=np.linalg.qr(plain.whiten(Z))[0])

    @property
    def n_free(self) -> int:
        """Rank of A: samples less covariates."""
        return int(self.Q.shape[0] - self.Q.shape[1])

    def plain(self, C: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return R C, covariates not projected out, for C of shape ``(m, t)``."""
        if isinstance(self.factor, Basis):
            return np.asarray(self.root_w[:, None] * self.factor.rotate(C))
        return solve_lower(self.factor, C)

    def whiten(self, C: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return A C for C of shape ``(m, t)``."""
        white = self.plain(C)
        if self.Q.shape[1]:
            white -= ((white.T @ self.Q) @ self.Q.T).T
        return white

    def back(self, R: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return A'R with a row for each of the n samples (zero outside ``rows``), shape ``(n, t)``."""
        if self.Q.shape[1]:
            R = R - self.Q @ (self.Q.T @ R)
        if isinstance(self.factor, Basis):
            rotated = self.factor.unrotate(self.root_w[:, None] * R)
        else:
            rotated = solve_lower(self.factor, R, transposed=True)
        if self.rows is None:
            return rotated
        out = np.zeros((self.n_samples, R.shape[1]))
        out[self.rows] = rotated
        return out


def _check(delta: float, Z: NDArray[np.float64]) -> None:
    if not (np.isfinite(delta) and delta > 0.0):
        raise InputError(f"expected delta above 0, got {delta}: pass NullModel.delta")
    m, q = Z.shape
    if q >= m:
        raise InputError(f"expected fewer covariates than samples, got {q} and {m}: remove covariates")

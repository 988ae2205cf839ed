"""The metric of the Lasso: whitening by the mixed model and projection of covariates.

With V = K + delta I, the estimate minimises over a (covariates Z, unpenalised) and b

    1/2 (y - Z a - X b)' V^-1 (y - Z a - X b) + mu |b|_1

(Rakitsch et al. 2013, doi:10.1093/bioinformatics/bts669). Minimising over a first leaves an ordinary Lasso of
A y on A X, where A'A = P = V^-1 - V^-1 Z (Z'V^-1 Z)^-1 Z'V^-1. In the eigenbasis K = U S U':

    A = (I - Q Q') (S + delta)^(-1/2) U',   Q = orthonormal basis of (S + delta)^(-1/2) U'Z

X itself is never rotated: only working-set columns are, and correlations are X'(A'r).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import Eigenbasis

__all__ = ["Metric"]


@dataclass(frozen=True, eq=False)
class Metric:
    """Whitening matrix of one set of samples.

    Parameters
    ----------
    A
        Shape ``(m, m)``.
    rows
        The m samples among all n, or None for all of them in order.
    n_samples
        n.
    n_free
        Rank of A: samples less covariates.
    """

    A: NDArray[np.float64]
    rows: NDArray[np.intp] | None
    n_samples: int
    n_free: int

    @classmethod
    def of(
        cls,
        basis: Eigenbasis,
        delta: float,
        Z: NDArray[np.float64],
        rows: NDArray[np.intp] | None = None,
        n_samples: int | None = None,
    ) -> Metric:
        """Build A for one delta; Z has shape ``(m, q)``, q = 0 for no covariates.

        Raises
        ------
        InputError
            If delta is not positive and finite, or the covariates leave no sample free.
        """
        if not (np.isfinite(delta) and delta > 0.0):
            raise InputError(f"expected delta above 0, got {delta}: pass NullModel.delta")
        m, q = Z.shape
        if q >= m:
            raise InputError(f"expected fewer covariates than samples, got {q} and {m}: remove covariates")
        A = basis.vectors.T / np.sqrt(basis.values + delta)[:, None]
        if q:
            Q = np.linalg.qr(A @ Z)[0]
            A -= Q @ (Q.T @ A)
        return cls(A, rows, basis.n_samples if n_samples is None else n_samples, m - q)

    def back(self, R: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return A'R with a row for each of the n samples (zero outside ``rows``), shape ``(n, t)``."""
        if self.rows is None:
            return np.asarray(self.A.T @ R)
        out = np.zeros((self.n_samples, R.shape[1]))
        out[self.rows] = self.A.T @ R
        return out

"""The eigenbasis of a kinship matrix among the contrasts that covariates leave free.

    K_c = A'KA = U_c diag(S) U_c',    A'Z = 0,  A'A = I

with A of shape (n, n - q). The rotated data (A U_c)'y, (A U_c)'x follow the mixed model without covariates, and its
likelihood is the restricted likelihood of the model with them: one decomposition serves every delta and every SNP, and
covariates need no further thought (Kang et al. 2008, doi:10.1534/genetics.107.080101).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.display import Display
from bayes_lmmlasso.lmm.eigenbasis import Eigenbasis
from bayes_lmmlasso.lmm.kinship import check_matrix, check_spectrum
from bayes_lmmlasso.lmm.tridiagonal import orthonormal_span
from bayes_lmmlasso.numerics.checks import check_covariates
from bayes_lmmlasso.numerics.threads import blas_threads

__all__ = ["ContrastBasis"]

_CONTAINED = 1e-10  # squared distance from a span below which a vector counts as inside


@dataclass(frozen=True, eq=False, repr=False)
class ContrastBasis(Display):
    """Eigenvalues S and eigenvectors A U_c.

    Parameters
    ----------
    values
        Eigenvalues of A'KA, not negative, shape ``(n - q,)``.
    vectors
        Orthonormal and orthogonal to the covariates, shape ``(n, n - q)``.
    """

    values: NDArray[np.float64]
    vectors: NDArray[np.float64]

    @classmethod
    def of(cls, K: ArrayLike | Eigenbasis, covariates: ArrayLike | None = None) -> Self:
        """Decompose a kinship matrix, or take over an eigenbasis whose vectors contain the covariates' span.

        Parameters
        ----------
        K
            Kinship, shape ``(n, n)``, or its eigenbasis.
        covariates
            Z, shape ``(n, q)``; None means none.

        Raises
        ------
        InputError
            If shapes disagree, values are not finite, covariates are redundant or K is no kinship.
        """
        if isinstance(K, Eigenbasis):
            span = orthonormal_span(check_covariates(covariates, K.n_samples))
            free = (K.rotate(span) ** 2).sum(axis=1) < _CONTAINED
            if np.count_nonzero(free) == K.n_samples - span.shape[1]:
                return cls(K.values[free], K.vectors[:, free])
            matrix = (K.vectors * K.values) @ K.vectors.T
        else:
            matrix = check_matrix(K, None)
            span = orthonormal_span(check_covariates(covariates, matrix.shape[0]))
        return cls._decompose(matrix, span)

    @classmethod
    def _decompose(cls, matrix: NDArray[np.float64], span: NDArray[np.float64]) -> Self:
        """Decompose PKP + c QQ' with c beyond the spectrum of PKP: the last q vectors are the covariates' span."""
        n, q = span.shape
        projected = matrix - span @ (span.T @ matrix)
        projected -= (projected @ span) @ span.T
        beyond = 2.0 * max(float(np.linalg.norm(projected)), 1e-300)
        with blas_threads(n):
            values, vectors = np.linalg.eigh(projected + beyond * (span @ span.T))
        values, vectors = values[: n - q], vectors[:, : n - q]
        check_spectrum(values)
        return cls(np.maximum(values, 0.0), vectors)

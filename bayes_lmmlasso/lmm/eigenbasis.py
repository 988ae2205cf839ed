"""The eigenbasis of a kinship matrix.

    K = U diag(S) U',    V = K + delta I = U diag(S + delta) U'

One decomposition serves every delta: in the basis ``U`` the mixed model's covariance is diagonal
(Kang et al. 2008, doi:10.1534/genetics.107.080101; Lippert et al. 2011, doi:10.1038/nmeth.1681).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from bayes_lmmlasso.display import Display
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm.kinship import check_matrix, check_spectrum
from bayes_lmmlasso.numerics.checks import number_array
from bayes_lmmlasso.numerics.threads import blas_threads

__all__ = ["Eigenbasis", "check_rows"]


@dataclass(frozen=True, eq=False, repr=False)
class Eigenbasis(Display):
    """Eigenvalues and eigenvectors of a kinship matrix.

    Parameters
    ----------
    values
        Eigenvalues S, ascending and not negative, shape ``(n,)``.
    vectors
        Orthonormal eigenvectors U, one a column, shape ``(n, n)``.
    """

    values: NDArray[np.float64]
    vectors: NDArray[np.float64]

    @classmethod
    def from_kinship(cls, K: ArrayLike, source: str = "kinship") -> Self:
        """Decompose a kinship matrix.

        Parameters
        ----------
        K
            Symmetric positive semi-definite matrix, shape ``(n, n)``. It is decomposed as it is:
            neither scaled nor centred. Negative eigenvalues within rounding error become 0.
        source
            What an error message calls the matrix, for instance a file name.

        Returns
        -------
        Eigenbasis

        Raises
        ------
        InputError
            If the matrix is not square, finite, symmetric and positive semi-definite.
        """
        matrix = check_matrix(K, None, source)
        with blas_threads(matrix.shape[0], small=500):
            values, vectors = np.linalg.eigh(matrix)
        check_spectrum(values, source)
        return cls(np.maximum(values, 0.0), vectors)

    @property
    def n_samples(self) -> int:
        """Number of samples n."""
        return self.values.size

    def rotate(self, A: ArrayLike) -> NDArray[np.float64]:
        """Return ``U'A`` in float64 for ``A`` of shape ``(n,)`` or ``(n, k)``.

        Raises
        ------
        InputError
            If the first dimension of ``A`` is not the number of samples.
        """
        return np.asarray(self.vectors.T @ check_rows(A, self.n_samples), dtype=np.float64)

    def unrotate(self, B: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ``U B``, what `rotate` made ``B`` from, for ``B`` of shape ``(n,)`` or ``(n, m)``."""
        return np.asarray(self.vectors @ B)

    def row_rotation(self, dtype: DTypeLike) -> Callable[[NDArray[Any]], NDArray[Any]]:
        """Return the function that rotates SNPs given one a row, shape ``(p, n)``, in a floating-point type."""
        U = self.vectors.astype(dtype, copy=False)
        return lambda rows: rows @ U


def check_rows(A: ArrayLike, n: int) -> NDArray[Any]:
    """Return an array of shape ``(n,)`` or ``(n, m)``.

    Raises
    ------
    InputError
        If its first dimension is not n.
    """
    array = number_array(A, "rows to rotate")
    if array.ndim not in (1, 2) or array.shape[0] != n:
        raise InputError(
            f"expected an array with {n} rows, one for each sample of the kinship matrix, got shape {array.shape}: "
            "align both by sample id first"
        )
    return array

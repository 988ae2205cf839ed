"""The eigenbasis of a kinship matrix of low rank, in memory that grows with n k and not with n^2.

    K = W W' = U diag(s) U',    W of shape (n, k),  U of shape (n, r),  r <= k << n

from the singular values of W. The other n - r eigenvalues are 0, and their eigenvectors N need never be formed (Lippert
et al. 2011, doi:10.1038/nmeth.1681): a block reflector (Schreiber and Parlett 1988, doi:10.1137/0725014) completes U to
an orthonormal basis. With U split into its first r rows U1 and the rest U2, U1 = P O the polar decomposition,

    F = -U2 O',   G = F (I + P)^-1,   N = [ F' ; I - G F' ],   N'A = A2 + F (A1 - G'A2),   N B = [ F'B ; B - G F'B ]

so that rotating m columns costs O(n r m).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from bayes_lmmlasso.arguments import named
from bayes_lmmlasso.display import Display
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm.eigenbasis import Eigenbasis, check_rows
from bayes_lmmlasso.numerics.threads import blas_threads

__all__ = ["Basis", "LowRankBasis", "check_basis"]

_LEAST = 1e-10  # singular values below this share of the largest count as 0


@dataclass(frozen=True, eq=False, repr=False)
class LowRankBasis(Display):
    """Eigenvalues and implicit eigenvectors of a kinship matrix of low rank.

    It takes the place of an `Eigenbasis` in the null model, the scan ``lmm-p3d``, `mlmm`, `lasso_path` and `joint_map`.

    Parameters
    ----------
    values
        All n eigenvalues, ascending: n - r times 0, then s; shape ``(n,)``.
    U
        Eigenvectors of s, shape ``(n, r)``.
    F, G
        What the others are made of, shape ``(n - r, r)`` each.
    """

    values: NDArray[np.float64]
    U: NDArray[np.float64]
    F: NDArray[np.float64]
    G: NDArray[np.float64]

    @classmethod
    def from_factor(cls, W: ArrayLike) -> Self:
        """Decompose K = W W'.

        Parameters
        ----------
        W
            Shape ``(n, k)`` with k below n, for instance k standardised SNPs over sqrt(k) for their realised
            relationship matrix. It is taken as it is, neither centred nor scaled.

        Raises
        ------
        InputError
            If it is no matrix of finite values with fewer columns than rows, or all zero.
        """
        factor = np.asarray(W, dtype=np.float64)
        if factor.ndim != 2 or not 0 < factor.shape[1] < factor.shape[0]:
            raise InputError(
                f"kinship factor: expected shape (n, k) with k below n, got {factor.shape}: use "
                "Eigenbasis.from_kinship(W W') for as many columns as samples"
            )
        if not np.isfinite(factor).all() or not factor.any():
            raise InputError("kinship factor: expected finite values that are not all 0, got others: check the SNPs")
        with blas_threads(factor.shape[0], small=500):
            vectors, singular, _ = np.linalg.svd(factor, full_matrices=False)
            rank = int(np.count_nonzero(singular > _LEAST * singular[0]))
            U = np.ascontiguousarray(vectors[:, rank - 1 :: -1])
            left, cosines, right = np.linalg.svd(U[:rank])
            F = -U[rank:] @ (left @ right).T
            G = np.linalg.solve(np.eye(rank) + (left * cosines) @ left.T, F.T).T
        values = np.concatenate([np.zeros(factor.shape[0] - rank), singular[rank - 1 :: -1] ** 2])
        return cls(values, U, F, np.ascontiguousarray(G))

    @property
    def n_samples(self) -> int:
        """Number of samples n."""
        return self.values.size

    @property
    def rank(self) -> int:
        """Rank r of the kinship matrix."""
        return int(self.U.shape[1])

    @property
    def vectors(self) -> NDArray[np.float64]:
        """Refuse to form the eigenvectors.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(
            f"expected a kinship or its Eigenbasis here, got a LowRankBasis, of which the {self.n_samples} x "
            f"{self.n_samples} matrix is never formed: pass Eigenbasis.from_kinship(W @ W.T)"
        )

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[np.float64]:
        """Refuse to become a matrix where a function expects one."""
        return self.vectors

    def rotate(self, A: ArrayLike) -> NDArray[np.float64]:
        """Return ``[N'A ; U'A]`` in float64 for ``A`` of shape ``(n,)`` or ``(n, m)``.

        Raises
        ------
        InputError
            If the first dimension of ``A`` is not the number of samples.
        """
        array = check_rows(A, self.n_samples).astype(np.float64, copy=False)
        one, two = array[: self.rank], array[self.rank :]
        return np.concatenate([two + self.F @ (one - self.G.T @ two), self.U.T @ array])

    def unrotate(self, B: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ``[N U] B``, what `rotate` made ``B`` from, for ``B`` of shape ``(n,)`` or ``(n, m)``."""
        free, own = B[: -self.rank], B[-self.rank :]
        mixed = self.F.T @ free
        return np.asarray(np.concatenate([mixed, free - self.G @ mixed]) + self.U @ own)

    def row_rotation(self, dtype: DTypeLike) -> Callable[[NDArray[Any]], NDArray[Any]]:
        """Return the function that rotates SNPs given one a row, shape ``(p, n)``, in a floating-point type."""
        U, F, G = (part.astype(dtype, copy=False) for part in (self.U, self.F, self.G))
        r = self.rank

        def rotate_rows(rows: NDArray[Any]) -> NDArray[Any]:
            one, two = rows[:, :r], rows[:, r:]
            return np.concatenate([two + (one - two @ G) @ F.T, rows @ U], axis=1)

        return rotate_rows


Basis = Eigenbasis | LowRankBasis
"""Either eigenbasis."""


def check_basis(basis: object) -> Basis:
    """Return an eigenbasis.

    Raises
    ------
    InputError
        If it is anything else.
    """
    if not isinstance(basis, Basis):
        raise InputError(f"expected the eigenbasis of a kinship, got {named(basis)}: pass Eigenbasis.from_kinship(K)")
    return basis

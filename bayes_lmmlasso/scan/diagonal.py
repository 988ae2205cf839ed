"""Single-SNP tests with the same covariance for every SNP: linear model and P3D mixed model.

    lm:       V = I
    lmm-p3d:  V = K + delta I, delta from the null model, the same for every SNP
              (EMMAX, Kang et al. 2010, doi:10.1038/ng.548; P3D, Zhang et al. 2010, doi:10.1038/ng.546)

In coordinates where V^-1 = W is diagonal, with Q an orthonormal basis of W^(1/2) Z and G = W^(1/2) Q,

    P = W - G G',    x'Px = sum_i w_i x_i^2 - |G'x|^2
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.scan.wald import Wald, wald

__all__ = ["DiagonalModel"]


@dataclass(frozen=True, eq=False)
class DiagonalModel:
    """A trait without its covariates under a diagonal V, ready to test SNPs.

    Parameters
    ----------
    w
        Diagonal of W, shape ``(n,)``.
    G
        Shape ``(n, q)``.
    Py
        P y, shape ``(n,)``.
    s
        y'P y.
    """

    w: NDArray[np.float64]
    G: NDArray[np.float64]
    Py: NDArray[np.float64]
    s: float

    @classmethod
    def of(cls, w: NDArray[np.float64], y: NDArray[np.float64], Z: NDArray[np.float64]) -> Self:
        """Take the covariates out of a trait; both in the coordinates of w."""
        root_w = np.sqrt(w)
        Q = np.linalg.qr(root_w[:, None] * Z)[0]
        white = root_w * y
        white = white - Q @ (Q.T @ white)
        return cls(w, root_w[:, None] * Q, root_w * white, float(white @ white))

    @property
    def degrees(self) -> int:
        """V = n - q - 1."""
        return int(self.w.size - self.G.shape[1] - 1)

    def test(self, rows: NDArray[Any]) -> Wald:
        """Test SNPs, one a row, in the coordinates of w."""
        exact = rows.astype(np.float64, copy=False)
        products = exact @ np.column_stack([self.Py, self.G])
        size = np.square(exact) @ self.w
        a = size - np.square(products[:, 1:]).sum(axis=1)
        return wald(a, products[:, 0], self.s, size, self.degrees)

r"""Leave-one-out over individuals, in closed form, for given a, b and variances.

Rows of U'y mix all individuals, so leaving one of them out answers no one's question. With C = U diag(d) U',
m = Z a + X b, g = C^-1 (y - m) and cbar_i = [C^-1]_ii = sum_k U_ik^2 / d_k the conditional density of individual
i given all others is normal with

    mean y_i - g_i / cbar_i    and variance 1 / cbar_i

(Sundararajan and Keerthi 2001, doi:10.1162/08997660151134343; Buerkner, Gabry, Vehtari 2021,
doi:10.1007/s00180-020-01045-4).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["loo_log_likelihood"]


def loo_log_likelihood(
    U: NDArray[np.floating], residual: NDArray[np.floating], d: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return log p(y_i | y_-i, a, b, variances) for each draw and individual.

    Parameters
    ----------
    U
        Eigenvectors of the kinship, shape ``(n, n)``.
    residual
        U'(y - Z a - X b) of each draw, shape ``(draws, n)``.
    d
        sg2 S + se2 of each draw, shape ``(draws, n)``.

    Returns
    -------
    Shape ``(draws, n)``, individuals in the order of U's rows.
    """
    vectors = np.asarray(U, dtype=np.float64)
    precision = 1.0 / np.asarray(d, dtype=np.float64)
    g = (precision * residual) @ vectors.T
    cbar = precision @ np.square(vectors).T
    log_density: NDArray[np.float64] = 0.5 * (np.log(cbar) - np.log(2 * np.pi) - g**2 / cbar)
    return log_density

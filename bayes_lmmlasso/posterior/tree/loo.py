r"""Leave-one-out over individuals, in closed form, for given a, b and variances.

Rows of U'y mix all individuals, so leaving one of them out answers no one's question. With C = U diag(d) U',
m = Z a + X b, g = C^-1 (y - m) and cbar_i = [C^-1]_ii = sum_k U_ik^2 / d_k the conditional density of individual
i given all others is normal with

    mean y_i - g_i / cbar_i    and variance 1 / cbar_i

(Sundararajan and Keerthi 2001, doi:10.1162/08997660151134343; Buerkner, Gabry, Vehtari 2021,
doi:10.1007/s00180-020-01045-4).

A tree holds them as ``log_likelihood``, which ArviZ's ``loo`` and ``compare`` take: as densities of the trait in its
own units, those of one trait under different transforms compare. Ranks have no density in these units. Theirs are in a
group of another name, of which ``compare`` knows nothing, so that it fails in place of a false answer.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

__all__ = ["OF_RANKS", "loo_log_likelihood", "loo_residual", "normal_log_density", "with_log_likelihood"]

OF_RANKS = "log_likelihood_of_ranks"
"""The group that a trait of ranks has in place of log_likelihood."""


def with_log_likelihood(tree: xr.DataTree) -> xr.DataTree:
    """Return a tree with its densities where ArviZ looks for them, those of ranks too: to look at them by themselves.

    Pareto k and power-scaling are of one posterior. Two posteriors compare if both are of the same ranks, no other.
    """
    return tree.assign(log_likelihood=tree[OF_RANKS]) if OF_RANKS in tree.children else tree


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
    distance, sd = loo_residual(U, residual, d)
    return normal_log_density(distance, sd)


def loo_residual(
    U: NDArray[np.floating], residual: NDArray[np.floating], d: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far each individual lies above its mean given all others, and the standard deviation about it.

    Arguments as of `loo_log_likelihood`; both of shape ``(draws, n)``.
    """
    vectors = np.asarray(U, dtype=np.float64)
    precision = 1.0 / np.asarray(d, dtype=np.float64)
    cbar = precision @ np.square(vectors).T
    return ((precision * residual) @ vectors.T) / cbar, 1.0 / np.sqrt(cbar)


def normal_log_density(distance: NDArray[np.float64], sd: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log density of a normal at a distance from its mean."""
    return np.asarray(-0.5 * (np.log(2 * np.pi) + np.square(distance / sd)) - np.log(sd))

"""What users of other Lasso programs would run for the LMM-Lasso: null model, rotation, solver.

Peers get what they are best at: the rotated matrix in the layout and precision they want, the penalties (which they
could not know), and a looser tolerance than ours. A new peer is one function here.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

import bayes_lmmlasso as bl

__all__ = ["PEERS", "celer_search", "rotated"]

Effects = NDArray[np.float64]
Solver = Callable[[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


def rotated(
    X: NDArray[np.float32], y: NDArray[np.float64], K: NDArray[np.float64], Z: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Null model by eigendecomposition, then A X and A y with the covariates projected out."""
    basis = bl.Eigenbasis.from_kinship(K)
    null = bl.fit_null_model(y, basis, Z)
    A = basis.vectors.T / np.sqrt(basis.values + null.delta)[:, None]
    Q = np.linalg.qr(A @ Z)[0]
    A -= Q @ (Q.T @ A)
    return np.asfortranarray(A @ X.astype(np.float64)), A @ y


def celer(X: NDArray[np.float64], y: NDArray[np.float64], mu: NDArray[np.float64], tol: float = 1e-6) -> Effects:
    from celer import celer_path

    return celer_path(X, y, pb="lasso", alphas=mu / y.size, tol=tol, max_iter=200, max_epochs=100_000)[1].T


def celer_search(X: NDArray[np.float64], y: NDArray[np.float64], n_active: int) -> Effects:
    """Go down warm-started penalties, each 0.9 of the one before, until enough SNPs are active."""
    from celer import celer_path

    mu, coef = float(np.abs(X.T @ y).max()), None
    while coef is None or np.count_nonzero(coef) < n_active:
        mu *= 0.9
        coef = celer_path(X, y, pb="lasso", alphas=[mu / y.size], coef_init=coef, tol=1e-6, max_iter=200)[1][:, 0]
    return coef


def skglm(X: NDArray[np.float64], y: NDArray[np.float64], mu: NDArray[np.float64]) -> Effects:
    from skglm.datafits import Quadratic
    from skglm.penalties import L1
    from skglm.solvers import AndersonCD

    solver = AndersonCD(tol=1e-6 * mu[0] / y.size, fit_intercept=False, max_iter=200)
    return solver.path(X, y, Quadratic(), L1(1.0), alphas=mu / y.size)[1].T


def scikit_learn(X: NDArray[np.float64], y: NDArray[np.float64], mu: NDArray[np.float64]) -> Effects:
    from sklearn.linear_model import lasso_path

    return lasso_path(X, y, alphas=mu / y.size, tol=1e-6, max_iter=100_000, precompute=False)[1].T


def adelie(X: NDArray[np.float64], y: NDArray[np.float64], mu: NDArray[np.float64]) -> Effects:
    import adelie as ad

    state = ad.grpnet(
        X, ad.glm.gaussian(y), lmda_path=mu / y.size, intercept=False, early_exit=False, tol=1e-9, progress_bar=False
    )
    return state.betas.toarray()


def quiet(solver: Solver) -> Solver:
    def run(X: NDArray[np.float64], y: NDArray[np.float64], mu: NDArray[np.float64]) -> NDArray[np.float64]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return solver(X, y, mu)

    return run


PEERS: dict[str, Solver] = {
    "celer": quiet(celer),
    "celer at 1e-10": quiet(partial(celer, tol=1e-10)),
    "skglm": quiet(skglm),
    "scikit-learn": quiet(scikit_learn),
    "adelie": quiet(adelie),
}

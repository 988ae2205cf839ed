"""Baselines behind one interface: data in, one score a SNP out, larger for stronger evidence.

lm, lmm-p3d, lmm-exact    -log10 p of the scan
mlmm                      -log10 p given the cofactors of the chosen model
bslmm                     inclusion probability of GEMMA, 110,000 iterations; needs the program
lasso, lmm-lasso          1 / order of entry into the path, 0 for SNPs that never enter; the Lasso has V = I
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.compare.bslmm import bslmm
from bayes_lmmlasso.compare.mlmm import mlmm
from bayes_lmmlasso.compare.scan import ScanMethod, scan
from bayes_lmmlasso.lasso import lasso_path
from bayes_lmmlasso.lmm import Eigenbasis, fit_null_model

__all__ = ["BASELINES", "Baseline"]

Array = NDArray[np.floating]
Baseline = Callable[[Array, Array, Eigenbasis, Array], NDArray[np.float64]]
"""Function of X ``(n, p)``, y ``(n,)``, the eigenbasis of K and Z ``(n, q)`` that returns scores ``(p,)``."""

_N_ACTIVE = 50  # SNPs on the Lasso paths


def _scan_scores(method: ScanMethod) -> Baseline:
    def scores(X: Array, y: Array, basis: Eigenbasis, Z: Array) -> NDArray[np.float64]:
        return np.nan_to_num(-scan(X, y, basis, covariates=Z, method=method).log10_p, nan=0.0)

    return scores


def _mlmm_scores(X: Array, y: Array, basis: Eigenbasis, Z: Array) -> NDArray[np.float64]:
    return np.nan_to_num(-mlmm(X, y, basis, covariates=Z).scan.log10_p, nan=0.0)


def _bslmm_scores(X: Array, y: Array, basis: Eigenbasis, Z: Array) -> NDArray[np.float64]:
    return np.nan_to_num(bslmm(X, y, basis, covariates=Z, burn_in=10_000, steps=100_000).pip, nan=0.0)


def _lasso_scores(X: Array, y: Array, basis: Eigenbasis, Z: Array) -> NDArray[np.float64]:
    n = basis.n_samples
    return _path_scores(X, y, Eigenbasis(np.zeros(n), np.eye(n)), 1.0, Z)


def _lmm_lasso_scores(X: Array, y: Array, basis: Eigenbasis, Z: Array) -> NDArray[np.float64]:
    return _path_scores(X, y, basis, fit_null_model(y, basis, Z, "reml").delta, Z)


def _path_scores(X: Array, y: Array, basis: Eigenbasis, delta: float, Z: Array) -> NDArray[np.float64]:
    n_active = min(_N_ACTIVE, X.shape[1], X.shape[0] - Z.shape[1])
    path = lasso_path(X, y, basis, delta, n_active=n_active, covariates=Z)
    return np.nan_to_num(1.0 / path.path_rank, nan=0.0)


BASELINES: dict[str, Baseline] = {
    "lm": _scan_scores("lm"),
    "lmm-p3d": _scan_scores("lmm-p3d"),
    "lmm-exact": _scan_scores("lmm-exact"),
    "mlmm": _mlmm_scores,
    "bslmm": _bslmm_scores,
    "lasso": _lasso_scores,
    "lmm-lasso": _lmm_lasso_scores,
}
"""Name -> baseline."""

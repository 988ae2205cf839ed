"""Methods behind one interface: data in, one score a SNP out, larger for stronger evidence.

lm, lmm-p3d, lmm-exact              -log10 p of the scan
mlmm                                -log10 p given the cofactors of the chosen model
lasso, lmm-lasso                    1 / order of entry into the path, 0 for SNPs that never enter; the Lasso has V = I
lasso-stability, lmm-lasso-stability    share of subsamples whose path of n_active SNPs holds the SNP
spike_slab-pip                      posterior probability that the SNP has an effect
spike_slab-pip-no-polygenic         the same without the polygenic term, K = 0: relatedness is noise
bslmm                               the same by GEMMA's BSLMM; needs the program
susie                               the same by SuSiE, which has no polygenic term; needs the package pysusie

A method is one entry of `BASELINES`. Keyword arguments of its function are its settings, with their defaults; one named
``seed`` is given by whoever calls.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.compare.peers.bslmm import STUDY_BURN_IN, STUDY_STEPS, bslmm
from bayes_lmmlasso.compare.peers.susie import susie
from bayes_lmmlasso.lasso import lasso_path, stability_selection
from bayes_lmmlasso.lmm import Eigenbasis, fit_null_model, rotate
from bayes_lmmlasso.posterior import sample_posterior
from bayes_lmmlasso.posterior.summaries.effect_summary import inclusion_means
from bayes_lmmlasso.scan.association import ScanMethod, scan
from bayes_lmmlasso.scan.stepwise import mlmm

__all__ = ["BASELINES", "Baseline"]

Array = NDArray[np.floating]
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Baseline:
    """A method that scores SNPs.

    Attributes
    ----------
    scores
        Function of X ``(n, p)``, y ``(n,)``, the eigenbasis of K and Z ``(n, q)`` that returns scores ``(p,)``.
    is_share
        Whether scores are shares (of subsamples, of posterior probability) that can be compared with how often they
        are right.
    """

    scores: Callable[..., Scores]
    is_share: bool = False

    def __call__(self, X: Array, y: Array, basis: Eigenbasis, Z: Array, **settings: Any) -> Scores:
        """Score every SNP."""
        return self.scores(X, y, basis, Z, **settings)

    @property
    def settings(self) -> dict[str, Any]:
        """Names and defaults of the settings."""
        parameters = inspect.signature(self.scores).parameters.values()
        return {each.name: each.default for each in parameters if each.kind is each.KEYWORD_ONLY}


def _scan_scores(method: ScanMethod) -> Callable[..., Scores]:
    def scores(X: Array, y: Array, basis: Eigenbasis, Z: Array) -> Scores:
        return np.nan_to_num(-scan(X, y, basis, covariates=Z, method=method).log10_p, nan=0.0)

    return scores


def _mlmm_scores(X: Array, y: Array, basis: Eigenbasis, Z: Array, *, max_steps: int = 10) -> Scores:
    return np.nan_to_num(-mlmm(X, y, basis, covariates=Z, max_steps=max_steps).scan.log10_p, nan=0.0)


def _bslmm_scores(
    X: Array,
    y: Array,
    basis: Eigenbasis,
    Z: Array,
    *,
    burn_in: int = STUDY_BURN_IN,
    steps: int = STUDY_STEPS,
    seed: int = 0,
) -> Scores:
    found = bslmm(X, y, basis, covariates=Z, burn_in=burn_in, steps=steps, seed=seed)
    return np.nan_to_num(found.pip, nan=0.0)


def _lasso_scores(X: Array, y: Array, basis: Eigenbasis, Z: Array, *, n_active: int = 50) -> Scores:
    n = basis.n_samples
    return _path_scores(X, y, Eigenbasis(np.zeros(n), np.eye(n)), 1.0, Z, n_active)


def _lmm_lasso_scores(X: Array, y: Array, basis: Eigenbasis, Z: Array, *, n_active: int = 50) -> Scores:
    return _path_scores(X, y, basis, fit_null_model(y, basis, Z, "reml").delta, Z, n_active)


def _path_scores(X: Array, y: Array, basis: Eigenbasis, delta: float, Z: Array, n_active: int) -> Scores:
    size = min(n_active, X.shape[1], X.shape[0] - Z.shape[1])
    path = lasso_path(X, y, basis, delta, n_active=size, covariates=Z)
    return np.nan_to_num(1.0 / path.path_rank, nan=0.0)


def _stability_scores(uses_kinship: bool) -> Callable[..., Scores]:
    def scores(
        X: Array,
        y: Array,
        basis: Eigenbasis,
        Z: Array,
        *,
        n_active: int = 20,
        subsamples: int = 100,
        fraction: float = 0.5,
        seed: int = 0,
    ) -> Scores:
        # a multiple of I is a Lasso, whatever delta the null model finds
        K = (basis.vectors * basis.values) @ basis.vectors.T if uses_kinship else np.eye(basis.n_samples)
        return stability_selection(
            X,
            y,
            K,
            n_active=n_active,
            covariates=Z,
            n_subsamples=subsamples,
            fraction=fraction,
            seed=seed,
            method="reml",
        ).frequency

    return scores


def _susie_scores(X: Array, y: Array, basis: Eigenbasis, Z: Array, *, n_effects: int = 10) -> Scores:
    return np.nan_to_num(susie(X, y, covariates=Z, n_effects=n_effects), nan=0.0)


def _pip_scores(polygenic: bool) -> Callable[..., Scores]:
    def scores(
        X: Array,
        y: Array,
        basis: Eigenbasis,
        Z: Array,
        *,
        chains: int = 1,
        warmup: int = 10,
        draws: int = 30,
        seed: int = 0,
    ) -> Scores:
        n = basis.n_samples
        data = rotate(X, basis if polygenic else Eigenbasis(np.zeros(n), np.eye(n)), y=y, covariates=Z)
        tree = sample_posterior(data, "spike_slab", chains=chains, warmup=warmup, draws=draws, seed=seed)
        return inclusion_means(tree, 0.001).astype(np.float64)  # exact zeros: the share of variance plays no part

    return scores


BASELINES: dict[str, Baseline] = {
    "lm": Baseline(_scan_scores("lm")),
    "lmm-p3d": Baseline(_scan_scores("lmm-p3d")),
    "lmm-exact": Baseline(_scan_scores("lmm-exact")),
    "mlmm": Baseline(_mlmm_scores),
    "lasso": Baseline(_lasso_scores),
    "lmm-lasso": Baseline(_lmm_lasso_scores),
    "lasso-stability": Baseline(_stability_scores(uses_kinship=False), is_share=True),
    "lmm-lasso-stability": Baseline(_stability_scores(uses_kinship=True), is_share=True),
    "spike_slab-pip": Baseline(_pip_scores(polygenic=True), is_share=True),
    "spike_slab-pip-no-polygenic": Baseline(_pip_scores(polygenic=False), is_share=True),
    "bslmm": Baseline(_bslmm_scores, is_share=True),
    "susie": Baseline(_susie_scores, is_share=True),
}
"""Name -> method."""

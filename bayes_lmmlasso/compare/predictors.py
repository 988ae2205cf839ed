r"""Predictors behind one interface: a prepared fold in, predictions of its test samples out.

blup        z'a + k'V^-1 (y - Z a): no SNP by itself; REML variances plugged in, and a normal interval with variance
            sg2 (k0 - k'(K + delta I)^-1 k) + se2
lmm-lasso   the LMM-Lasso with BLUP, of the size that 5-fold cross-validation within the training samples prefers; their
            kinship is not estimated anew there, as it knows no trait
lasso       the Lasso: the same with K = I, under which V is a multiple of I and relatives predict nothing
posterior   predictive mean and interval of a sampled model (`bayes_lmmlasso.predict_posterior`)
bslmm       posterior mean of GEMMA's BSLMM (`bayes_lmmlasso.bslmm`), which needs the program, and the kinship ``rrm``:
            GEMMA gives u as effects of the SNPs

(Henderson 1975, doi:10.2307/2529430; Rakitsch et al. 2013, doi:10.1093/bioinformatics/bts669.) Predictions are means in
the units of the trait. Under a nonlinear transform the mean depends on the variance: lmm-lasso and lasso plug in what
their path leaves, bslmm the noise of GEMMA's posterior mean of pve alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import ndtri

from bayes_lmmlasso.compare.folds import Fold
from bayes_lmmlasso.compare.peers.bslmm import STUDY_BURN_IN, STUDY_STEPS, bslmm
from bayes_lmmlasso.display import Table
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso import Genotypes, cross_validate
from bayes_lmmlasso.lasso.goal import read_goal
from bayes_lmmlasso.lasso.trained import train_path
from bayes_lmmlasso.lmm import CrossKinship, blup, rotate
from bayes_lmmlasso.posterior import effect_draws, predict_posterior, sample_posterior

__all__ = ["PREDICTORS", "FoldPrediction", "Predictor", "posterior_predictor"]

_LARGEST = 100  # active SNPs of the Lasso models that cross-validation chooses from
_INNER_FOLDS = 5
_INTERVAL = 0.95


@dataclass(frozen=True, eq=False, repr=False)
class FoldPrediction(Table):
    """Predictions of t test samples.

    Attributes
    ----------
    mean
        In the units of the trait, shape ``(t,)``.
    lo, hi
        95% interval, shape ``(t,)`` each; NaN where a method has none.
    size
        SNPs in the model: active ones, or the posterior mean of the number included; NaN for dense posteriors.
    mcse
        Monte Carlo standard error of the mean, shape ``(t,)``: 0 where the method has none, NaN where one chain
        does not tell.
    """

    _columns = ("mean", "lo", "hi", "mcse")

    mean: NDArray[np.float64]
    lo: NDArray[np.float64]
    hi: NDArray[np.float64]
    size: float
    mcse: NDArray[np.float64] | float = 0.0


Predictor = Callable[[Fold, int], FoldPrediction]
"""Function of a fold and a seed."""


def _blup(fold: Fold, seed: int) -> FoldPrediction:
    null, back = fold.null_model, fold.analysis.trait.inverse
    residual = fold.analysis.y - fold.analysis.covariates @ null.fixed_effects
    mean = fold.covariates_new @ null.fixed_effects + blup(fold.new.cross, fold.K, null.delta, residual)
    explained = np.square(fold.new.cross @ fold.basis.vectors) @ (1.0 / (fold.basis.values + null.delta))
    sd = np.sqrt(null.sigma2_g * np.maximum(fold.new.diagonal - explained, 0.0) + null.sigma2_e)
    width = ndtri(0.5 * (1 + _INTERVAL)) * sd
    return FoldPrediction(fold.analysis.trait.expectation(mean, sd), back(mean - width), back(mean + width), 0.0)


def _path_prediction(fold: Fold, seed: int, K: NDArray[np.float64], new: CrossKinship) -> FoldPrediction:
    """Choose a size within the training samples, train on all of them, predict."""
    analysis = fold.analysis
    X, y, Z = Genotypes.of(analysis.X), analysis.y, analysis.covariates
    n = y.size
    n_folds = min(_INNER_FOLDS, n // 2)
    largest = max(1, min(_LARGEST, X.n_snps, n - -(-n // n_folds) - Z.shape[1] - 1))
    size = cross_validate(X, y, K, n_active=largest, covariates=Z, n_folds=n_folds, seed=seed).best
    model = train_path(X, y, K, Z, np.arange(n), read_goal(None, max(size, 1), X.n_snps, n), "reml")
    mean = model.predict(fold.X_new, fold.covariates_new, new.cross)[:, size]
    sd = model.sd(K, new.cross, new.diagonal)[:, size]
    none = np.full(mean.size, np.nan)
    return FoldPrediction(analysis.trait.expectation(mean, sd), none, none, float(np.count_nonzero(model.coef[size])))


def _lmm_lasso(fold: Fold, seed: int) -> FoldPrediction:
    return _path_prediction(fold, seed, fold.K, fold.new)


def _lasso(fold: Fold, seed: int) -> FoldPrediction:
    strangers = CrossKinship(np.zeros_like(fold.new.cross), np.ones_like(fold.new.diagonal))
    return _path_prediction(fold, seed, np.eye(fold.analysis.y.size), strangers)


def _bslmm(fold: Fold, seed: int) -> FoldPrediction:
    analysis = fold.analysis
    X, Z = analysis.X.astype(np.float64), analysis.covariates
    related = X @ (analysis.y @ X)
    if not np.allclose(fold.K @ analysis.y, related * np.trace(fold.K) / np.square(X).sum(), atol=1e-3):
        raise InputError("expected the kinship rrm for the method bslmm, got another: leave bslmm out, or choose rrm")
    found = bslmm(X, analysis.y, fold.basis, covariates=Z, burn_in=STUDY_BURN_IN, steps=STUDY_STEPS, seed=seed)
    effects = np.nan_to_num(found.effects + found.alpha)
    fixed = np.linalg.lstsq(Z, analysis.y - X @ effects)[0]
    noise = np.sqrt(max(1.0 - found.hyper["pve"].mean(), 0.0)) * np.std(analysis.y - Z @ fixed)
    latent = fold.covariates_new @ fixed + fold.X_new @ effects
    mean = analysis.trait.expectation(latent, np.full(latent.shape, noise))
    none = np.full(mean.size, np.nan)
    return FoldPrediction(mean, none, none, float(found.hyper["n_gamma"].mean()), np.nan)


def posterior_predictor(
    model: str, *, chains: int = 4, warmup: int | None = None, draws: int | None = None
) -> Predictor:
    """Return the predictor of a model's posterior.

    Parameters
    ----------
    model
        A name in `bayes_lmmlasso.MODELS`.
    chains, warmup, draws
        As in `sample_posterior`.
    """

    def predict(fold: Fold, seed: int) -> FoldPrediction:
        data = rotate(fold.analysis, fold.basis)
        tree = sample_posterior(data, model, chains=chains, warmup=warmup, draws=draws, seed=seed)
        found = predict_posterior(
            tree,
            fold.X_new,
            fold.new,
            covariates=fold.covariates_new,
            trait=fold.analysis.trait,
            interval=_INTERVAL,
        )
        b = effect_draws(tree).b
        size = b.count_nonzero() / b.shape[0] if isinstance(b, csr_array) else np.nan
        return FoldPrediction(found.mean, found.lo, found.hi, float(size), found.mcse)

    return predict


PREDICTORS: dict[str, Predictor] = {
    "blup": _blup,
    "lasso": _lasso,
    "lmm-lasso": _lmm_lasso,
    "laplace": posterior_predictor("laplace"),
    "spike_slab": posterior_predictor("spike_slab"),
    "bslmm": _bslmm,
}
"""Name -> predictor."""

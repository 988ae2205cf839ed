r"""The posterior predictive distribution of new samples.

Given a draw of a, b, sg2, se2 the trait of a new sample with covariates z, SNPs x, kinship k with the analysed samples
and k0 with itself is normal; the analysed samples' own u is integrated out:

    mean      z'a + x'b + sg2 k'V^-1 (y - Z a - X b)                V = sg2 K + se2 I = U diag(d) U'
    variance  sg2 k0 - sg2^2 k'V^-1 k + se2

(Henderson 1975, doi:10.2307/2529430; Sorensen and Gianola 2002, doi:10.1007/b98952). With c = U'k, one product for all
draws, both take O(n) a draw:

    k'V^-1 r = sum_i c_i r_i / d_i,    k'V^-1 k = sum_i c_i^2 / d_i            (r in the eigenbasis)

The predictive distribution is the mixture of these normals over draws (`bayes_lmmlasso.posterior.mixture`): chance is
in the draws alone. The Monte Carlo error of the mean is told by how much chains differ, which holds for chains of any
length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.cohort import (
    Cohort,
    TraitTransform,
    code_covariates,
    has_covariates,
    sample_frame,
    standardise_new_samples,
)
from bayes_lmmlasso.cohort.dataset import check_cohort
from bayes_lmmlasso.display import Table
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import CrossKinship, KinshipMethod, cross_kinship
from bayes_lmmlasso.posterior.mixture import NormalMixture
from bayes_lmmlasso.posterior.tree.effects import EffectDraws, by_chain, effect_draws
from bayes_lmmlasso.posterior.tree.training import TrainingSet, read_training

__all__ = ["Prediction", "predict_cohort", "predict_posterior"]

_SLACK = 1e-3  # of a variance, lost to rounding of kinships in float32


@dataclass(frozen=True, eq=False, repr=False)
class Prediction(Table):
    """Posterior predictive mean, standard deviation and interval of each new sample, each of shape ``(n_new,)``.

    ``mcse`` is the Monte Carlo standard error of the mean, NaN where there is one chain or the mean is infinite.
    """

    _columns = ("mean", "sd", "lo", "hi", "mcse")

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    lo: NDArray[np.float64]
    hi: NDArray[np.float64]
    mcse: NDArray[np.float64]


def predict_posterior(
    tree: xr.DataTree,
    X: NDArray[np.floating],
    kinship: CrossKinship,
    *,
    covariates: ArrayLike | None = None,
    trait: TraitTransform | None = None,
    interval: float = 0.95,
) -> Prediction:
    """Predict the trait of new samples from arrays on the scales of the analysed ones.

    Parameters
    ----------
    tree
        Result of `sample_posterior`.
    X
        SNPs of the new samples, standardised by the statistics of the analysed ones, shape ``(n_new, p)``.
    kinship
        Of the new samples, on the scale of the analysed samples' kinship matrix.
    covariates
        Their covariates, shape ``(n_new, q)``, coded as those of the analysed samples; None where there are none.
    trait
        Transform by which the trait was brought to the scale that was analysed; None predicts on that scale.
    interval
        Probability of the equal-tailed interval.

    Raises
    ------
    InputError
        If shapes disagree, the kinship is no covariance together with that of the analysed samples, or the interval is
        not in (0, 1).
    """
    if not 0 < interval < 1:
        raise InputError(f"expected an interval in (0, 1), got {interval}: 0.95 is usual")
    effects = effect_draws(tree)
    mixture = _predictive(tree, effects, np.asarray(X), kinship, covariates)
    lo, hi = (mixture.quantile(level) for level in (0.5 * (1 - interval), 0.5 * (1 + interval)))
    means, sd = mixture.means, mixture.sd()
    if trait is not None:
        lo, hi = trait.inverse(lo), trait.inverse(hi)
    if trait is not None and trait.name == "none":  # linear
        error = trait.sd * _monte_carlo_error(effects, means)
        return Prediction(trait.inverse(means.mean(axis=0)), sd * trait.sd, lo, hi, error)
    if trait is not None:
        means, sd = mixture.moments(trait)
    return Prediction(means.mean(axis=0), sd, lo, hi, _monte_carlo_error(effects, means))


def predict_cohort(
    tree: xr.DataTree, cohort: Cohort, kinship: CrossKinship | None = None, *, interval: float = 0.95
) -> pd.DataFrame:
    """Predict the trait of the samples of a cohort, in trait units.

    Parameters
    ----------
    tree
        Result of `sample_posterior` with what `add_training` adds.
    cohort
        Genotypes that hold every analysed SNP, and the covariates. SNPs are matched by id and alleles, and counted by
        the analysed allele.
    kinship
        Kinship of the samples with every covariate (all, where there are none), in their order, where the analysed
        kinship was given; not scaled. Otherwise it is estimated from the SNPs.
    interval
        Probability of the interval ``lo`` to ``hi``.

    Returns
    -------
    pandas.DataFrame
        Columns fid, iid, mean, sd, lo, hi; samples that lack a covariate are left out.

    Raises
    ------
    InputError
        If a SNP or covariate is absent or other than analysed, no sample is left, or a kinship is needed.
    """
    training = read_training(tree)
    rows = predictable(training, cohort)
    chosen = cohort.isel(samples=rows)
    X = standardise_new_samples(chosen, training.variants, training.mean, training.sd)
    if kinship is None:
        train = tree.children["constant_data"].dataset["X"].values.T
        kinship = _estimated(training, X, train)
    prediction = predict_posterior(
        tree,
        X,
        kinship.scaled(training.kinship_scale),
        covariates=code_covariates(chosen, training.covariates, np.arange(len(rows))),
        trait=training.trait,
        interval=interval,
    )
    return sample_frame(chosen).assign(mean=prediction.mean, sd=prediction.sd, lo=prediction.lo, hi=prediction.hi)


def predictable(training: TrainingSet, cohort: Cohort) -> NDArray[np.intp]:
    """Positions of the samples of a cohort that have every covariate.

    Raises
    ------
    InputError
        If there is none, or a covariate is absent.
    """
    names = [code.covariate for code in training.covariates]
    check_cohort(cohort)
    absent = [name for name in names if name not in cohort]
    if absent:
        raise InputError(
            f"expected the covariates {', '.join(names)} of the analysis for the new samples, got no {absent[0]}: "
            "give a table that has them all"
        )
    rows = np.flatnonzero(has_covariates(cohort, names))
    if not rows.size:
        raise InputError(f"expected a sample with all covariates ({', '.join(names)}), got none: check missing values")
    return rows


def _estimated(training: TrainingSet, X: NDArray[np.float32], train: NDArray[np.floating]) -> CrossKinship:
    """Estimate the kinship of new samples as that of the analysed ones was."""
    if training.kinship not in ("rrm", "centred", "ibs"):
        raise InputError(
            f"expected the kinship of the new samples with the analysed ones, as that was given ({training.kinship}), "
            "got none: pass a kinship file"
        )
    method = cast(KinshipMethod, training.kinship)
    return cross_kinship(X, train, method, mean=training.mean, sd=training.sd)


def _predictive(
    tree: xr.DataTree,
    effects: EffectDraws,
    X: NDArray[np.floating],
    kinship: CrossKinship,
    covariates: ArrayLike | None,
) -> NormalMixture:
    """Return the normals of every draw and new sample."""
    constant = tree.children["constant_data"].dataset
    XT, Z = constant["X"].values, constant["covariates"].values.astype(np.float64)
    U, S = (constant[name].values.astype(np.float64) for name in ("eigenvectors", "eigenvalues"))
    Z_new = np.empty((len(X), 0)) if covariates is None else np.asarray(covariates, dtype=np.float64)
    _check_shapes(X, Z_new, kinship, XT.shape, Z.shape[1])
    fixed = effects.values(tree, "a") if Z.shape[1] else np.empty((effects.chain.size, 0))
    sigma2_g, sigma2_e = (effects.values(tree, name).astype(np.float64)[:, None] for name in ("sigma2_g", "sigma2_e"))
    y = tree.children["observed_data"].dataset["y"].values
    residual = (y - fixed @ Z.T - np.asarray(effects.b @ XT, dtype=np.float64)) @ U
    d = sigma2_g * S + sigma2_e
    c = kinship.cross @ U
    means = fixed @ Z_new.T + np.asarray(effects.b @ X.T, dtype=np.float64) + sigma2_g * ((residual / d) @ c.T)
    prior = sigma2_g * kinship.diagonal
    variances = prior - sigma2_g**2 * ((1 / d) @ np.square(c).T)
    if (variances < -_SLACK * np.abs(prior)).any():
        i = int((variances / np.abs(prior)).min(axis=0).argmin())
        raise InputError(
            f"new-by-training kinship: expected a covariance together with the analysed samples' kinship, got row "
            f"{i + 1} that explains more than its diagonal element: compute both kinships together"
        )
    return NormalMixture(means, np.sqrt(np.maximum(variances, 0.0) + sigma2_e))


def _check_shapes(
    X: NDArray[np.floating], Z: NDArray[np.float64], kinship: CrossKinship, analysed: tuple[int, ...], q: int
) -> None:
    """Refuse arrays that do not fit each other or the posterior."""
    p, n = analysed
    for what, got, wanted in (
        ("SNPs", X.shape, (len(X), p)),
        ("covariates", Z.shape, (len(X), q)),
        ("new-by-training kinship", kinship.cross.shape, (len(X), n)),
    ):
        if got != wanted:
            raise InputError(f"{what} of the new samples: expected shape {wanted}, got {got}: one row a sample")


def _monte_carlo_error(effects: EffectDraws, means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard error of the average of the chains' means, which are independent."""
    chains = by_chain(effects, means).mean(axis=1)
    if len(chains) == 1:
        return np.full(chains.shape[1], np.nan)
    with np.errstate(invalid="ignore"):  # infinite means
        error: NDArray[np.float64] = chains.std(axis=0, ddof=1) / np.sqrt(len(chains))
    return error

r"""SuSiE, the sum of single effects, by the package pysusie, which is no part of this one.

    y = X b + e,    b = sum_l b_l,    each b_l zero but for one SNP,    e ~ N(0, se2 I)

(Wang, Sarkar, Carbonetto, Stephens 2020, doi:10.1111/rssb.12388), fitted to all SNPs at once by variational Bayes. It
has no polygenic term: relatedness is noise to it. Covariates are projected out of y and X first. pip_j is the
probability that any of the L single effects is that of SNP j.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from types import ModuleType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.numerics.checks import check_covariates, check_trait
from bayes_lmmlasso.scan.blocks import read_snps

__all__ = ["susie"]

_NOTHING_LEFT = 1e-8  # size of a SNP beside the covariates, relative to its own, that is rounding


def susie(
    X: ArrayLike, y: ArrayLike, *, covariates: ArrayLike | None = None, n_effects: int = 10, max_iterations: int = 500
) -> NDArray[np.float64]:
    """Return the posterior inclusion probability of every SNP, shape ``(p,)``; NaN where the covariates determine it.

    Parameters
    ----------
    X, y, covariates
        SNPs ``(n, p)``, trait ``(n,)`` and covariates ``(n, q)``; an intercept is added.
    n_effects
        The number L of single effects.
    max_iterations
        Rounds of updates at most.

    Raises
    ------
    InputError
        If shapes disagree, values are not finite, a number is out of range, pysusie is not installed, or the updates do
        not converge.
    """
    n = np.shape(y)[0] if np.ndim(y) else 0
    trait, Z, genotypes = check_trait(y, n), check_covariates(covariates, n), read_snps(X, n)
    for name, value in (("n_effects", n_effects), ("max_iterations", max_iterations)):
        if value < 1:
            raise InputError(f"expected {name} of at least 1 for SuSiE, got {value}: give a larger number")
    package = _package()
    basis = np.linalg.qr(np.column_stack([np.ones(n), Z]))[0]
    snps = genotypes.astype(np.float64)
    size = np.linalg.norm(snps, axis=0)
    snps -= basis @ (basis.T @ snps)
    varies = np.linalg.norm(snps, axis=0) > _NOTHING_LEFT * size
    rest = trait - basis @ (basis.T @ trait)
    with warnings.catch_warnings(action="ignore"):  # told below
        fit = package.susie(snps[:, varies], rest, L=n_effects, max_iter=max_iterations, coverage=None)
    if not fit["converged"]:
        raise InputError(
            f"expected SuSiE to converge, got {max_iterations} rounds of updates without: raise max_iterations"
        )
    pip = np.full(snps.shape[1], np.nan)
    pip[varies] = package.susie_get_pip(fit)
    return pip


def _package() -> ModuleType:
    try:
        return import_module("pysusie")
    except ImportError as error:
        raise InputError(
            f"expected the package pysusie for the method susie, got none ({error}): install it with "
            "`python3 -m pip install pysusie`, or leave susie out of methods"
        ) from error

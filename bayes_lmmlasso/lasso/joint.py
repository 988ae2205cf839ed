"""The joint MAP: SNP effects, fixed effects and both variances of one objective, to a stationary point.

    F(a, b, sg2, delta) = n/2 log sg2 + 1/2 log|V| + 1/(2 sg2) (y - Z a - X b)'V^-1 (y - Z a - X b) + lambda |b|_1

with V = K + delta I. `lasso_path` fixes delta at the null model; here the two blocks alternate (ggmix: Bhatnagar et
al. 2020, doi:10.1371/journal.pgen.1008766):

    (a, b):           LMM-Lasso at mu = sg2 lambda
    (a, sg2, delta):  null model (ML) of y - X b

Each block minimises F over its variables, so F descends; it is not convex, and a stationary point is what is claimed.
Iterations stop when log delta and log sg2 move by less than 1e-9; delta keeps to [e^-5, e^5].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.display import Display
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso.genotypes import Genotypes, read_genotypes
from bayes_lmmlasso.lasso.path import LassoPath, lasso_path
from bayes_lmmlasso.lmm import Basis, NullModel, fit_null_model
from bayes_lmmlasso.numerics.checks import check_covariates, check_trait

__all__ = ["JointMap", "joint_map"]

_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class JointMap(Display):
    """A stationary point, beside the two-step solution it started from.

    Parameters
    ----------
    path, two_step
        LMM-Lasso at the joint delta and at the null model's; one penalty each.
    model, null_model
        Variances given the SNP effects, and without any.
    penalty
        lambda = mu / sg2, the same for both.
    objective
        F at the two-step solution and after each iteration, descending, shape ``(i,)``.
    converged
        Whether the variances stopped moving.
    """

    path: LassoPath
    two_step: LassoPath
    model: NullModel
    null_model: NullModel
    penalty: float
    objective: NDArray[np.float64]
    converged: bool


def joint_map(
    X: ArrayLike | Genotypes,
    y: ArrayLike,
    basis: Basis,
    *,
    n_active: int | None = None,
    mu: float | None = None,
    covariates: ArrayLike | None = None,
    max_iterations: int = 200,
) -> JointMap:
    """Alternate between SNP effects and variances.

    Parameters
    ----------
    X, y, basis, covariates
        As for `lasso_path`.
    n_active, mu
        Either the size of the two-step solution or its penalty; lambda = mu / sg2 of the null model is then kept.
    max_iterations
        When to give up.

    Returns
    -------
    JointMap

    Raises
    ------
    InputError
        As `lasso_path`.
    """
    if max_iterations < 1:
        raise InputError(f"expected at least one iteration, got {max_iterations}: 200 is the default")
    trait = check_trait(y, basis.n_samples)
    Z = check_covariates(covariates, basis.n_samples)
    genotypes = read_genotypes(X, basis.n_samples)
    null = fit_null_model(trait, basis, Z, "ml")
    found = lasso_path(genotypes, trait, basis, null.delta, n_active=n_active, mu=mu, covariates=Z)
    penalty = float(found.mu[-1]) / null.sigma2_g
    two_step = lasso_path(genotypes, trait, basis, null.delta, mu=found.mu[-1:], covariates=Z)
    path, model = two_step, null
    values = [_objective(genotypes, trait, Z, basis, path, model, penalty)]
    converged = False
    for _ in range(max_iterations):
        before = model
        model = fit_null_model(trait - _fitted(genotypes, path), basis, Z, "ml")
        path = lasso_path(genotypes, trait, basis, model.delta, mu=penalty * model.sigma2_g, covariates=Z)
        values.append(_objective(genotypes, trait, Z, basis, path, model, penalty))
        moved = max(abs(model.log_delta - before.log_delta), abs(np.log(model.sigma2_g) - np.log(before.sigma2_g)))
        if moved < _TOLERANCE:
            converged = True
            break
    return JointMap(path, two_step, model, null, penalty, np.array(values), converged)


def _fitted(X: Genotypes, path: LassoPath) -> NDArray[np.float64]:
    """X b of the last penalty."""
    b = path.coef[-1]
    snps = np.flatnonzero(b)
    return X.fitted(snps, b[None, snps])[:, 0]


def _objective(
    X: Genotypes,
    y: NDArray[np.float64],
    Z: NDArray[np.float64],
    basis: Basis,
    path: LassoPath,
    model: NullModel,
    penalty: float,
) -> float:
    """F at the effects of a path and the variances of a model."""
    residual = basis.rotate(y - _fitted(X, path) - Z @ path.fixed_effects[-1])
    d = basis.values + model.delta
    quadratic = float((residual**2 / d).sum()) / model.sigma2_g
    log_det = y.size * np.log(model.sigma2_g) + float(np.log(d).sum())
    return float(0.5 * (log_det + quadratic) + penalty * np.abs(path.coef[-1]).sum())

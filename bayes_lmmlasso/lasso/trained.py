"""A path trained on some samples, one model for each size, and its predictions for others.

    y_new = Z_new a + X_new b + K_new,train V^-1 (y - Z a - X b)          V = K + delta I
    var   = sg2 (k0 - k'V^-1 k + delta)                                   k = K_new,train, k0 = K_new,new

(Henderson 1975, doi:10.2307/2529430; Rakitsch et al. 2013, doi:10.1093/bioinformatics/bts669). The model of size s is
the middle of the first segment of the path with at least s active SNPs. Everything is learnt from the training
samples: SNPs are standardised by their standard deviations there (through penalty weights; means go into the
intercept, which the covariates must span), K is scaled so that tr(PKP) = m - 1 there, and delta is fitted there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.lasso.genotypes import Genotypes
from bayes_lmmlasso.lasso.goal import Goal
from bayes_lmmlasso.lasso.solver.metric import Metric
from bayes_lmmlasso.lasso.solver.problem import Solution
from bayes_lmmlasso.lasso.solver.working_set import solve_paths
from bayes_lmmlasso.lmm import NullMethod, gower_scale
from bayes_lmmlasso.lmm.deltas import fit_deltas
from bayes_lmmlasso.lmm.tridiagonal import Tridiagonal, orthonormal_span
from bayes_lmmlasso.numerics.threads import thread_map

__all__ = ["TrainedPath", "moments", "train_path", "training_kinship"]

_BLOCK_BYTES = 16 * 2**20


@dataclass(frozen=True, eq=False)
class TrainedPath:
    """Models of sizes 0..k, or at one penalty; s of them, trained on m samples.

    Parameters
    ----------
    snps, coef
        SNPs with an effect in any model, shape ``(w,)``, and effects per unit of X, shape ``(s, w)``.
    fixed_effects
        Effects of the covariates, shape ``(s, q)``.
    dual
        V^-1 (y - Z a - X b) of the training samples, shape ``(s, m)``; times ``kinship_scale`` the weights of K.
    sigma2_g
        Genetic variance left by the covariates and SNPs of each model, for the scaled kinship: r'V^-1 r / (m - q -
        active SNPs) (the Lasso's degrees of freedom: Zou et al. 2007,
        doi:10.1214/009053607000000127), shape ``(s,)``.
    log_delta, at_bound
        Null model of the training samples, for the scaled kinship.
    kinship_scale
        Factor by which K was scaled.
    mu
        Penalties, on the scale of standardised SNPs, shape ``(s,)``.
    duality_gap
        Largest relative duality gap of the path.
    """

    snps: NDArray[np.intp]
    coef: NDArray[np.float64]
    fixed_effects: NDArray[np.float64]
    dual: NDArray[np.float64]
    sigma2_g: NDArray[np.float64]
    log_delta: float
    at_bound: bool
    kinship_scale: float
    mu: NDArray[np.float64]
    duality_gap: float

    def predict(
        self, X: NDArray[np.floating], Z: NDArray[np.float64], K_new_train: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Predict new samples by every model, shape ``(n_new, s)``; arrays on the scale of those of training."""
        snp_part = X[:, self.snps].astype(np.float64) @ self.coef.T
        return np.asarray(Z @ self.fixed_effects.T + snp_part + self.kinship_scale * (K_new_train @ self.dual.T))

    def sd(
        self, K: NDArray[np.float64], K_new_train: NDArray[np.float64], diagonal: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return standard deviations of new samples under every model, shape ``(n_new, s)``, estimates plugged in.

        ``K`` and ``diagonal`` are the kinship of the training samples and of the new samples with themselves.
        """
        delta = np.exp(self.log_delta)
        cross, V = self.kinship_scale * K_new_train, self.kinship_scale * K + delta * np.eye(len(K))
        explained = np.einsum("nm,mn->n", cross, np.linalg.solve(V, cross.T))
        variance = np.maximum(self.kinship_scale * diagonal - explained, 0.0) + delta
        return np.sqrt(np.outer(variance, self.sigma2_g))


def train_path(
    X: Genotypes,
    y: NDArray[np.float64],
    K: NDArray[np.float64],
    Z: NDArray[np.float64],
    rows: NDArray[np.intp],
    goal: Goal,
    method: NullMethod,
) -> TrainedPath:
    """Train on chosen samples.

    Parameters
    ----------
    X, y, Z
        Genotypes, trait and covariates (which span the intercept) of all n samples.
    K
        Kinship of the m training samples, shape ``(m, m)``.
    rows
        The training samples.
    goal
        ``n_active`` gives all sizes up to it, ``mu`` (one value) the model at this penalty.
    method
        How the null model is fitted.
    """
    scaled = gower_scale(K)
    span, trait = orthonormal_span(Z[rows]), y[rows]
    estimate = fit_deltas(Tridiagonal.of(scaled, trait[:, None], span[None], np.arange(rows.size)[None]), method)
    log_delta = float(estimate.log_delta[0, 0])
    metric = Metric.from_kinship(scaled, float(np.exp(log_delta)), span).among(rows, y.size)
    deviation = moments(X, rows)[1]
    weighted = X.weighted(np.where(deviation > 0.0, deviation, np.inf))
    solution = solve_paths(weighted, [metric], [trait], goal)[0]
    mu, coef, dual = _models(solution, goal)
    dual = dual[:, rows]
    unexplained = scaled @ dual.T + np.exp(log_delta) * dual.T  # y - Z a - X b = V dual
    fitted = X.fitted(solution.snps, coef)[rows]
    freedom = rows.size - span.shape[1] - np.count_nonzero(coef, axis=1)
    return TrainedPath(
        snps=solution.snps,
        coef=coef,
        fixed_effects=np.linalg.lstsq(Z[rows], trait[:, None] - fitted - unexplained, rcond=None)[0].T,
        dual=dual,
        sigma2_g=np.einsum("sm,ms->s", dual, unexplained) / np.maximum(freedom, 1),
        log_delta=log_delta,
        at_bound=bool(estimate.at_bound[0, 0]),
        kinship_scale=float(np.trace(scaled) / np.trace(K)),
        mu=mu,
        duality_gap=float(solution.gap.max()),
    )


def _models(solution: Solution, goal: Goal) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Penalties, effects and duals of the models that are asked for."""
    if goal.n_active is None:
        return solution.mu, solution.coef, solution.residual
    middle = [  # the path ends in the middle of its last segment
        np.concatenate([0.5 * (part[1:-1] + part[:-2]), part[-1:]])
        for part in (solution.mu, solution.coef, solution.residual)
    ]
    size = np.maximum.accumulate(np.count_nonzero(middle[1], axis=1))
    first = np.minimum(np.searchsorted(size, np.arange(1, goal.n_active + 1)), size.size - 1)
    mu, coef, dual = (
        np.concatenate([part[:1], centres[first]])
        for part, centres in zip((solution.mu, solution.coef, solution.residual), middle, strict=True)
    )
    return mu, coef, dual


def moments(X: Genotypes, rows: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation (divisor m, 0 for constant SNPs) of every SNP over chosen samples."""
    mean, deviation = np.empty(X.n_snps), np.empty(X.n_snps)

    def measure(where: slice) -> None:
        block = X.X[:, where].T.astype(np.float64)[:, rows]
        mean[where] = block.mean(axis=1)
        block -= mean[where, None]
        spread = np.sqrt(np.einsum("ij,ij->i", block, block) / rows.size)
        deviation[where] = np.where(spread > 1e-7 * np.abs(mean[where]), spread, 0.0)

    thread_map(measure, X.blocks(1))
    return mean, deviation


def training_kinship(X: Genotypes, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Realised relationships of all samples, SNPs standardised over the training samples, shape ``(n, n)``.

    SNPs that do not vary there are left out.
    """
    mean, deviation = moments(X, rows)
    varies = deviation > 0.0
    inverse = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies)
    total = np.zeros((X.n_samples, X.n_samples))
    size = max(1, _BLOCK_BYTES // (8 * X.n_samples))
    for start in range(0, X.n_snps, size):
        where = slice(start, start + size)
        block = X.X[:, where].T.astype(np.float64)
        block -= mean[where, None]
        block *= inverse[where, None]
        total += block.T @ block
    return np.asarray(total / np.count_nonzero(varies))

"""Lasso paths of many problems that share one genotype matrix, each on a small working set of SNPs.

    1. score all SNPs by |X'A'y| in one product; the highest scores form the working set W of each problem
    2. follow the path on W (`homotopy`)
    3. look for SNPs that violate |x_j'A'r| <= mu anywhere on a path in one product shared by all problems
       (`screening`); candidates are decided in float64. Correlations are linear in mu between knots, so the knots
       certify the whole path, and what the first product says about its beginning is not asked again
    4. add the violators to W and repeat the problems that had any

The evidence of a solution is its relative duality gap over all p SNPs (theta is the feasible dual point):

    gap = [1/2 |r|^2 + mu |b|_1 - 1/2 |Ay|^2 + 1/2 |Ay - theta|^2] / (1/2 |Ay|^2)
    theta = r min(1, mu / max_j|x_j'A'r|)

(Working sets: Massias, Gramfort, Salmon 2018, arXiv:1802.07481.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso.genotypes import Genotypes
from bayes_lmmlasso.lasso.goal import Goal
from bayes_lmmlasso.lasso.homotopy import homotopy
from bayes_lmmlasso.lasso.metric import Metric
from bayes_lmmlasso.lasso.screening import Above, Checkpoints, snps_above
from bayes_lmmlasso.numerics.compiled import compiled
from bayes_lmmlasso.numerics.threads import blas_threads, thread_map

__all__ = ["Solution", "solve_paths"]

_SMALLEST_MU = 1e-10  # share of mu_max below which rounding decides
_FIRST_WORKING_SET = 160  # SNPs, or more
_FIRST_ELEMENTS = 30_000  # with few samples, where they are cheap: so many values in all
_SAMPLE = 4096  # SNPs that tell how large the highest scores are
_ADDED = 64  # violators added to a working set at once, at least
_BLOCK_BYTES = 8 * 2**20
_SLACK = 1e-12  # relative excess below which a SNP is no violator


@dataclass(frozen=True, eq=False)
class Solution:
    """A certified path.

    Parameters
    ----------
    mu
        Reported penalties, shape ``(m,)``.
    snps
        The SNPs with a coefficient somewhere on the path, shape ``(w,)``.
    coef
        Their coefficients, shape ``(m, w)``, on the scale of X (weights undone).
    entry_mu
        Penalty at which each of them first entered, shape ``(w,)``.
    gap
        Relative duality gap at each reported penalty, shape ``(m,)``.
    residual
        A'(A y - A X b) = V^-1 (y - Z a - X b) at each reported penalty for the samples in use, shape ``(m, n)``
        with zeros elsewhere: what BLUP multiplies by K.
    n_passes
        Products with all SNPs that this solution took.
    reached
        False when no segment has ``n_active`` active SNPs.
    """

    mu: NDArray[np.float64]
    snps: NDArray[np.intp]
    coef: NDArray[np.float64]
    entry_mu: NDArray[np.float64]
    gap: NDArray[np.float64]
    residual: NDArray[np.float64]
    n_passes: int
    reached: bool


class _Problem:
    """One problem and its growing working set."""

    def __init__(self, X: Genotypes, metric: Metric, trait: NDArray[np.float64], goal: Goal) -> None:
        self.X, self.metric, self.goal = X, metric, goal
        self.y = metric.whiten(trait[:, None])[:, 0]
        self.W = np.empty(0, dtype=np.intp)
        self.Z = np.empty((self.y.size, 0), order="F")
        self.n_passes = 1

    def start(self, q: NDArray[np.float64], scores: Above, level: float) -> None:
        """Fill the working set with the highest scores |x_j'q|, q = A'y, among those above ``level``."""
        self.scores, self.level = scores, level
        size = min(_first_size(self.goal, self.y.size), scores.snps.size)
        if size:
            self.grow(np.sort(scores.snps[np.argpartition(-scores.ratio, size - 1)[:size]]))
        self.mu_max = float(np.abs(self.Z.T @ self.y).max(initial=0.0))
        if self.mu_max <= 1e-6 * self.X.norm * np.linalg.norm(q):
            raise InputError(
                "genotypes: expected a SNP that varies beyond the covariates, got none that correlates with "
                "the trait: filter constant SNPs and check the covariates"
            )
        if self.goal.mu is not None and self.goal.mu.min() < _SMALLEST_MU * self.mu_max:
            raise InputError(
                f"expected mu of at least {_SMALLEST_MU * self.mu_max:.3g} ({_SMALLEST_MU} of mu_max), got "
                f"{self.goal.mu.min():.3g}: choose a larger penalty"
            )

    def grow(self, snps: NDArray[np.intp]) -> None:
        """Add SNPs to the working set."""
        new = self.metric.whiten(self.X.columns(snps, self.metric.rows))
        self.Z = np.asfortranarray(np.hstack([self.Z, new])) if self.W.size else np.asfortranarray(new)
        self.W = np.concatenate([self.W, snps])

    def follow(self) -> Checkpoints:
        """Follow the path on the working set; return the points to compare with all SNPs.

        The points to be certified are kept by descending mu. The first is proportional to A'y, so that the scores
        tell its candidates, unless its floor is below their level.
        """
        mu_min = self.goal.mu_min(self.mu_max)
        path = homotopy(self.Z, self.y, n_active=self.goal.n_active, mu_min=mu_min)
        self.path, self.mu, self.coef = path, path.mu, path.coef
        self.place = np.arange(self.mu.size)
        if self.goal.mu is not None:
            before = path.mu > mu_min
            mu = np.concatenate([self.goal.mu, path.mu[before]])
            order = np.argsort(-mu, kind="stable")
            self.mu = mu[order]
            self.coef = np.vstack([path.at(self.goal.mu), path.coef[before]])[order]
            self.place = np.argsort(order)[: self.goal.mu.size]
        entries = np.flatnonzero(path.entered >= 0)
        self.used, first = np.unique(path.entered[entries], return_index=True)
        self.first_entry = entries[first]
        self.coef = self.coef[:, self.used]
        self.residual = self.y[:, None] - self.Z[:, self.used] @ self.coef.T
        self.scaled = self.metric.back(self.residual / self.mu)
        points = Checkpoints.of(self.scaled, self.X.norm)
        lowest = float(points.floor[0] * self.mu[0])
        if lowest < self.level:
            self.known = np.empty(0, dtype=np.intp)
            return points
        self.known = self.scores.snps[self.scores.ratio * self.level > lowest]
        return points.without_first

    def settle(self, found: Above) -> bool:
        """Decide the candidates in float64 and add the worst violators; True when there is none."""
        self.n_passes += 1
        snps = _without(np.concatenate([self.known, found.snps]), self.W)
        self.largest, worst = np.zeros(self.scaled.shape[1]), np.zeros(snps.size)
        size = max(1, _BLOCK_BYTES // (8 * self.scaled.shape[0]))
        for start in range(0, snps.size, size):
            ratio = self.X.columns(snps[start : start + size]).T @ self.scaled
            _largest(ratio, self.largest, worst[start : start + size])
        chosen = np.argsort(-worst, kind="stable")[: max(_ADDED, self.W.size // 2)]
        violators = np.sort(snps[chosen[worst[chosen] > 1.0 + _SLACK]])
        if violators.size:
            self.grow(violators)
        return not violators.size

    def solution(self, end_only: bool) -> Solution:
        """Collect what is reported, once all points are certified."""
        place = self.place[-1:] if end_only else self.place
        snps = self.W[self.used]
        coef = self.coef[place]
        if self.X.inverse_weights is not None:
            coef = coef * self.X.inverse_weights[snps]
        return Solution(
            mu=self.mu[place],
            snps=snps,
            coef=coef,
            entry_mu=self.path.mu[self.first_entry],
            gap=_gaps(self.y, self.Z, self.residual[:, place], self.largest[place], self.mu[place], self.coef[place]),
            residual=(self.scaled[:, place] * self.mu[place]).T,
            n_passes=self.n_passes,
            reached=self.path.reached,
        )


def solve_paths(
    X: Genotypes,
    metrics: Sequence[Metric],
    traits: Sequence[NDArray[np.float64]],
    goal: Goal,
    *,
    end_only: bool = False,
) -> list[Solution]:
    """Solve several Lasso problems on the same genotypes.

    Parameters
    ----------
    X
        Genotypes of all n samples.
    metrics, traits
        One metric and one trait, shape ``(m,)``, for each problem.
    goal
        Where each path goes.
    end_only
        Report the last solution of each path alone; all of its points are certified in any case.

    Returns
    -------
    list of Solution
        In the order of the problems. The gap is reported as it came out: compare it with what is asked for.

    Raises
    ------
    InputError
        If no SNP correlates with a trait at all.
    """
    with blas_threads(max(y.size for y in traits)):
        problems = thread_map(lambda pair: _Problem(X, *pair, goal), zip(metrics, traits, strict=True))
        _start(X, problems)
        todo = problems
        while todo:
            found = snps_above(X, thread_map(_Problem.follow, todo))
            certified = thread_map(lambda pair: pair[0].settle(pair[1]), zip(todo, found, strict=True))
            todo = [problem for problem, done in zip(todo, certified, strict=True) if not done]
        return [problem.solution(end_only) for problem in problems]


def _start(X: Genotypes, problems: Sequence[_Problem]) -> None:
    """Fill each working set with the SNPs of highest score; a sample of SNPs tells where to look for them."""
    Q = np.hstack(thread_map(lambda problem: problem.metric.back(problem.y[:, None]), problems))
    step = max(1, X.n_snps // _SAMPLE)
    sample = np.abs(X.product(slice(0, None, step), Q))
    size = max(_first_size(problem.goal, problem.y.size) for problem in problems)
    rank = min(sample.shape[1], -(-3 * size // (2 * step)))
    height = np.partition(sample, sample.shape[1] - rank, axis=1)[:, -rank].astype(np.float64)
    level = np.maximum(0.999 * height, 1e-7 * X.norm * np.linalg.norm(Q, axis=0))
    level[level == 0.0] = 1.0
    scores = snps_above(X, [Checkpoints(q[:, None], height) for q, height in zip(Q.T, level[:, None], strict=True)])
    thread_map(lambda item: item[0].start(*item[1:]), zip(problems, Q.T, scores, level.tolist(), strict=True))


def _first_size(goal: Goal, n_samples: int) -> int:
    """Size of the first working set."""
    return max(_FIRST_WORKING_SET, _FIRST_ELEMENTS // n_samples, 4 * (goal.n_active or 0))


@compiled
def _without(snps: NDArray[np.intp], others: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the SNPs that are not among others, once each and ascending."""
    known, kept = np.sort(others), np.unique(snps)
    place = np.minimum(np.searchsorted(known, kept), known.size - 1)
    return np.asarray(kept[known[place] != kept])


@compiled
def _largest(ratio: NDArray[np.float64], of_points: NDArray[np.float64], of_snps: NDArray[np.float64]) -> None:
    """Raise the largest absolute values of columns and rows to those of ``ratio``."""
    for j in range(ratio.shape[0]):
        for t in range(ratio.shape[1]):
            value = abs(ratio[j, t])
            of_points[t] = max(of_points[t], value)
            of_snps[j] = max(of_snps[j], value)


@compiled
def _gaps(
    y: NDArray[np.float64],
    Z: NDArray[np.float64],
    residual: NDArray[np.float64],
    largest: NDArray[np.float64],
    mu: NDArray[np.float64],
    coef: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Relative duality gap at every mu; ``largest`` holds max_j |x_j'A'r| / mu over the SNPs outside Z."""
    gap, scale = np.empty(mu.size), 0.5 * np.dot(y, y)
    for t in range(mu.size):
        r = residual[:, t].copy()
        theta = r / max(1.0, largest[t], np.abs(np.dot(Z.T, r)).max() / mu[t])
        primal = 0.5 * np.dot(r, r) + mu[t] * np.abs(coef[t]).sum()
        dual = scale - 0.5 * np.square(y - theta).sum()
        gap[t] = (primal - dual) / scale
    return gap

"""Lasso paths of many problems that share one genotype matrix, each on a small working set of SNPs.

    1. score all SNPs by |X'A'y| in one product; the highest scores form the working set W of each problem
    2. follow the paths on W by their Gram matrices, all problems in step (`homotopy`)
    3. look for SNPs that violate |x_j'A'r| <= mu in one product shared by all problems, first at the end of each
       path, then at all its points (`screening`); candidates are decided in float64. Correlations are linear in mu
       between knots, so the knots certify the whole path
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
from bayes_lmmlasso.lasso.homotopy import Homotopy, homotopies
from bayes_lmmlasso.lasso.metric import Metric
from bayes_lmmlasso.lasso.screening import Checkpoints, candidates
from bayes_lmmlasso.lmm.threads import blas_threads, thread_map

__all__ = ["Solution", "solve_paths"]

_SMALLEST_MU = 1e-10  # share of mu_max below which rounding decides
_FIRST_WORKING_SET = 160
_SAMPLE = 8192  # SNPs that tell how large the highest scores are
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
    """One problem and its growing working set.

    ``end_holds`` tells that no SNP violated the conditions at the smallest mu; only then are all points
    checked.
    """

    def __init__(self, X: Genotypes, metric: Metric, trait: NDArray[np.float64], goal: Goal) -> None:
        self.X, self.metric, self.goal = X, metric, goal
        self.y = metric.whiten(trait[:, None])[:, 0]
        self.W = np.empty(0, dtype=np.intp)
        self.Z = np.empty((self.y.size, 0))
        self.gram = np.empty((0, 0))
        self.c = np.empty(0)
        self.end_holds = False

    def start(self, snps: NDArray[np.intp], q: NDArray[np.float64]) -> None:
        """Fill the working set with those SNPs that score highest at b = 0, where A'r = q."""
        score = np.abs(self.X.columns(snps).T @ q)
        mu_max = float(score.max(initial=0.0))
        if mu_max <= 1e-6 * self.X.norm * np.linalg.norm(q):
            raise InputError(
                "genotypes: expected a SNP that varies beyond the covariates, got none that correlates with "
                "the trait: filter constant SNPs and check the covariates"
            )
        if self.goal.mu is not None and self.goal.mu.min() < _SMALLEST_MU * mu_max:
            raise InputError(
                f"expected mu of at least {_SMALLEST_MU * mu_max:.3g} ({_SMALLEST_MU} of mu_max), got "
                f"{self.goal.mu.min():.3g}: choose a larger penalty"
            )
        size = min(self.first_size, snps.size)
        self.grow(np.sort(snps[np.argpartition(-score, size - 1)[:size]]))

    @property
    def first_size(self) -> int:
        """Size of the first working set."""
        return max(_FIRST_WORKING_SET, 4 * (self.goal.n_active or 0))

    def grow(self, snps: NDArray[np.intp]) -> None:
        """Add SNPs to the working set."""
        new = self.metric.whiten(self.X.columns(snps, self.metric.rows))
        if self.W.size:
            cross = self.Z.T @ new
            self.gram = np.block([[self.gram, cross], [cross.T, new.T @ new]])
            self.Z = np.hstack([self.Z, new])
        else:
            self.gram, self.Z = new.T @ new, new
        self.W = np.concatenate([self.W, snps])
        self.c = np.concatenate([self.c, new.T @ self.y])

    @property
    def mu_min(self) -> float:
        """Where the path on the working set ends at the latest."""
        return self.goal.mu_min(float(np.abs(self.c).max()))

    def follow(self, path: Homotopy) -> None:
        """Take a path on the working set; keep the points to be certified, by descending mu."""
        self.path, self.mu, self.coef = path, path.mu, path.coef
        if self.goal.mu is not None:
            before = path.mu > self.mu_min
            mu = np.concatenate([self.goal.mu, path.mu[before]])
            order = np.argsort(-mu, kind="stable")
            self.mu = mu[order]
            self.coef = np.vstack([path.at(self.goal.mu), path.coef[before]])[order]
            self.place = np.argsort(order)[: self.goal.mu.size]
        else:
            self.place = np.arange(self.mu.size)
        self.residual = self.y[:, None] - self.Z @ self.coef.T

    def checkpoints(self) -> Checkpoints:
        """Prepare the points to compare with all SNPs next."""
        points = slice(None) if self.end_holds else slice(self.mu.size - 1, None)
        self.scaled = self.metric.back(self.residual[:, points] / self.mu[points])
        return Checkpoints.of(self.scaled, self.X.norm)

    def violators(self, snps: NDArray[np.intp]) -> NDArray[np.intp]:
        """Decide candidates in float64; return the worst violators."""
        known = np.sort(self.W)
        snps = snps[known[np.minimum(np.searchsorted(known, snps), known.size - 1)] != snps]
        self.largest, worst = np.zeros(self.scaled.shape[1]), np.zeros(snps.size)
        size = max(1, _BLOCK_BYTES // (8 * self.scaled.shape[0]))
        for start in range(0, snps.size, size):
            ratio = np.abs(self.X.columns(snps[start : start + size]).T @ self.scaled)
            np.maximum(self.largest, ratio.max(axis=0), out=self.largest)
            worst[start : start + size] = ratio.max(axis=1)
        chosen = np.argsort(-worst, kind="stable")[: max(_ADDED, self.W.size // 2)]
        return np.sort(snps[chosen[worst[chosen] > 1.0 + _SLACK]])

    def solution(self, n_passes: int) -> Solution:
        """Collect what is reported, once all points are certified."""
        entries = np.flatnonzero(self.path.entered >= 0)
        columns, first = np.unique(self.path.entered[entries], return_index=True)
        coef = self.coef[self.place][:, columns]
        if self.X.inverse_weights is not None:
            coef = coef * self.X.inverse_weights[self.W[columns]]
        return Solution(
            mu=self.mu[self.place],
            snps=self.W[columns],
            coef=coef,
            entry_mu=self.path.mu[entries[first]],
            gap=self._gap()[self.place],
            residual=(self.scaled * self.mu).T[self.place],
            n_passes=n_passes,
            reached=self.path.reached,
        )

    def _gap(self) -> NDArray[np.float64]:
        known = np.abs(self.Z.T @ self.residual).max(axis=0) / self.mu
        theta = self.residual / np.maximum(1.0, np.maximum(known, self.largest))
        scale = 0.5 * float(self.y @ self.y)
        primal = 0.5 * (self.residual**2).sum(axis=0) + self.mu * np.abs(self.coef).sum(axis=1)
        dual = scale - 0.5 * ((self.y[:, None] - theta) ** 2).sum(axis=0)
        return np.asarray((primal - dual) / scale)


def solve_paths(
    X: Genotypes, metrics: Sequence[Metric], traits: Sequence[NDArray[np.float64]], goal: Goal
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
        return _solve_together(X, [_Problem(X, *pair, goal) for pair in zip(metrics, traits, strict=True)], goal)


def _solve_together(X: Genotypes, problems: list[_Problem], goal: Goal) -> list[Solution]:
    """Repeat paths, screens and violators until every problem is certified."""
    _start(X, problems)
    todo = grown = problems
    n_passes = 1
    passes: dict[_Problem, int] = {}
    while todo:
        paths = homotopies(
            [problem.gram for problem in grown],
            [problem.c for problem in grown],
            n_active=goal.n_active,
            mu_min=[problem.mu_min for problem in grown],
        )
        thread_map(lambda pair: pair[0].follow(pair[1]), zip(grown, paths, strict=True))
        found = candidates(X, thread_map(_Problem.checkpoints, todo))
        n_passes += 1
        violators = thread_map(lambda pair: pair[0].violators(pair[1]), zip(todo, found, strict=True))
        grown = [problem for problem, snps in zip(todo, violators, strict=True) if snps.size]
        thread_map(
            lambda pair: pair[0].grow(pair[1]),
            [(problem, snps) for problem, snps in zip(todo, violators, strict=True) if snps.size],
        )
        for problem, snps in zip(todo, violators, strict=True):
            if not snps.size and problem.end_holds:
                passes[problem] = n_passes
            problem.end_holds |= not snps.size
        todo = [problem for problem in todo if problem not in passes]
    return [problem.solution(passes[problem]) for problem in problems]


def _start(X: Genotypes, problems: Sequence[_Problem]) -> None:
    """Fill each working set with the SNPs of highest score; a sample of SNPs tells where to look for them."""
    Q = np.hstack(thread_map(lambda problem: problem.metric.back(problem.y[:, None]), problems))
    step = max(1, X.n_snps // _SAMPLE)
    sample = np.abs(X.product(slice(0, None, step), Q))
    rank = min(sample.shape[1], -(-3 * problems[0].first_size // (2 * step)))
    level = -np.partition(-sample, rank - 1, axis=1)[:, rank - 1].astype(np.float64)
    floor = np.maximum(0.999 * level, 1e-7 * X.norm * np.linalg.norm(Q, axis=0))
    floor[floor == 0.0] = 1.0
    found = candidates(X, [Checkpoints(q[:, None], height) for q, height in zip(Q.T, floor[:, None], strict=True)])
    thread_map(lambda item: item[0].start(item[1], item[2]), zip(problems, found, Q.T, strict=True))

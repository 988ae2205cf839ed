"""Lasso paths of many problems that share one genotype matrix, each on a small working set of SNPs.

    1. score all SNPs by |X'A'y| in one product; the highest scores form the working set W of each problem
    2. follow the path on W by its Gram matrix (`homotopy`)
    3. compare |X'A'r| with mu in one product shared by all problems, first at the end of each path, then at
       all its points; correlations are linear in mu between knots, so the knots certify the whole path
    4. add the violators to W and repeat the problems that had any

The evidence of a solution is its relative duality gap over all p SNPs (theta is the feasible dual point):

    gap = [1/2 |r|^2 + mu |b|_1 - 1/2 |Ay|^2 + 1/2 |Ay - theta|^2] / (1/2 |Ay|^2)
    theta = r min(1, mu / max_j|x_j'A'r|)

(Working sets: Massias, Gramfort, Salmon 2018, arXiv:1802.07481.)
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso.goal import Goal
from bayes_lmmlasso.lasso.homotopy import Homotopy, homotopy
from bayes_lmmlasso.lasso.metric import Metric
from bayes_lmmlasso.lasso.screening import Genotypes

__all__ = ["Solution", "solve_paths"]

_SMALLEST_MU = 1e-10  # share of mu_max below which rounding decides
_FIRST_WORKING_SET = 96
_ADDED = 64  # violators added to a working set at once, at least


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
        Their coefficients, shape ``(m, w)``.
    entry_mu
        Penalty at which each of them first entered, shape ``(w,)``.
    gap
        Relative duality gap at each reported penalty, shape ``(m,)``.
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
    n_passes: int
    reached: bool


class _Problem:
    """One problem and its growing working set.

    ``end_holds`` tells that no SNP violated the conditions at the smallest mu; only then are all points
    checked.
    """

    def __init__(self, X: Genotypes, metric: Metric, trait: NDArray[np.float64], goal: Goal) -> None:
        self.X, self.metric, self.goal = X, metric, goal
        self.y = metric.A @ trait
        self.start = metric.back(self.y[:, None])
        self.W = np.empty(0, dtype=np.intp)
        self._Z = np.empty((self.y.size, 0))
        self._gram = np.empty((0, 0))
        self.end_holds = False

    def grow(self, snps: NDArray[np.intp]) -> None:
        """Add SNPs to the working set."""
        new = self.metric.A @ self.X.columns(snps, self.metric.rows)
        cross = self._Z.T @ new
        self._gram = np.block([[self._gram, cross], [cross.T, new.T @ new]])
        self._Z = np.hstack([self._Z, new])
        self.W = np.concatenate([self.W, snps])

    def solve(self) -> None:
        """Follow the path on the working set; keep the points to be certified and their residuals."""
        c = self._Z.T @ self.y
        mu_min = self.goal.mu_min(float(np.abs(c).max()))
        self.path: Homotopy = homotopy(self._gram, c, n_active=self.goal.n_active, mu_min=mu_min)
        self.mu, self.coef = self.path.mu, self.path.coef
        if self.goal.mu is not None:
            before = self.path.mu > mu_min
            self.mu = np.concatenate([self.goal.mu, self.path.mu[before]])
            self.coef = np.vstack([self.path.at(self.goal.mu), self.path.coef[before]])
        self.residual = self.y[:, None] - self._Z @ self.coef.T

    def to_check(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return A'r and mu of the points to compare with all SNPs next."""
        points = slice(None) if self.end_holds else [int(self.mu.argmin())]
        return self.metric.back(self.residual[:, points]), self.mu[points]

    def violators(self, snps: NDArray[np.intp], ratio: NDArray[np.float64]) -> NDArray[np.intp]:
        """SNPs to add: the worst of those that are not in the working set."""
        candidates, place = np.unique(self.X.representative[snps], return_inverse=True)
        worst = np.zeros(candidates.size)
        np.maximum.at(worst, place, ratio)
        worst[np.isin(candidates, self.W)] = 0.0
        chosen = np.argsort(-worst, kind="stable")[: max(_ADDED, self.W.size // 2)]
        return np.sort(candidates[chosen[worst[chosen] > 0.0]])

    def solution(self, largest: NDArray[np.float64], n_passes: int) -> Solution:
        """Collect what is reported, given max_j |x_j'A'r| / mu at each point."""
        entries = np.flatnonzero(self.path.entered >= 0)
        columns, first = np.unique(self.path.entered[entries], return_index=True)
        m = self.mu.size if self.goal.mu is None else self.goal.mu.size
        return Solution(
            mu=self.mu[:m],
            snps=self.W[columns],
            coef=self.coef[:m, columns],
            entry_mu=self.path.mu[entries[first]],
            gap=self._gap(largest)[:m],
            n_passes=n_passes,
            reached=self.path.reached,
        )

    def _gap(self, largest: NDArray[np.float64]) -> NDArray[np.float64]:
        theta = self.residual / np.maximum(1.0, largest)
        scale = 0.5 * float(self.y @ self.y)
        primal = 0.5 * (self.residual**2).sum(axis=0) + self.mu * np.abs(self.coef).sum(axis=1)
        dual = scale - 0.5 * ((self.y[:, None] - theta) ** 2).sum(axis=0)
        return np.asarray((primal - dual) / scale)


def solve_paths(
    X: Genotypes, metrics: Sequence[Metric], traits: Sequence[NDArray[np.float64]], goal: Goal, tol: float
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
    tol
        Relative duality gap aimed at.

    Returns
    -------
    list of Solution
        In the order of the problems. The gap is reported as it came out: compare it with ``tol``.

    Raises
    ------
    InputError
        If no SNP correlates with a trait at all.
    """
    problems = [_Problem(X, metric, y, goal) for metric, y in zip(metrics, traits, strict=True)]
    solutions: dict[int, Solution] = {}
    controller = ThreadpoolController()
    _start(X, problems)
    n_passes = 1
    todo = list(range(len(problems)))
    grown = todo
    while todo:
        with ThreadPoolExecutor(cpu_count()) as pool, controller.limit(limits=1 if len(grown) > 1 else None):
            list(pool.map(lambda b: problems[b].solve(), grown))
        checks = [problems[b].to_check() for b in todo]
        found = X.screen(
            np.hstack([Q for Q, _ in checks]), np.concatenate([mu for _, mu in checks]), 0.1 * tol
        )
        n_passes += 1
        grown = []
        ends = np.cumsum([0] + [mu.size for _, mu in checks])
        for b, start, end in zip(todo, ends[:-1], ends[1:], strict=True):
            problem = problems[b]
            mine = (found.point >= start) & (found.point < end)
            violators = problem.violators(found.snp[mine], found.ratio[mine])
            if violators.size:
                problem.grow(violators)
                grown.append(b)
            elif problem.end_holds:
                solutions[b] = problem.solution(found.largest[start:end], n_passes)
            else:
                problem.end_holds = True
        todo = [b for b in todo if b not in solutions]
    return [solutions[b] for b in range(len(problems))]


def _start(X: Genotypes, problems: Sequence[_Problem]) -> None:
    """Fill each working set with the SNPs that score highest at b = 0."""
    Q = np.hstack([problem.start for problem in problems])
    scores = np.abs(X.correlations(Q))
    scores[X.representative != np.arange(X.n_snps)] = 0.0
    for problem, score, q in zip(problems, scores.T, Q.T, strict=True):
        mu_max = float(score.max())
        if mu_max <= 1e-6 * X.norm * np.linalg.norm(q):
            raise InputError(
                "genotypes: expected a SNP that varies beyond the covariates, got none that correlates with "
                "the trait: filter constant SNPs and check the covariates"
            )
        if problem.goal.mu is not None and problem.goal.mu.min() < _SMALLEST_MU * mu_max:
            raise InputError(
                f"expected mu of at least {_SMALLEST_MU * mu_max:.3g} ({_SMALLEST_MU} of mu_max), got "
                f"{problem.goal.mu.min():.3g}: choose a larger penalty"
            )
        size = min(max(_FIRST_WORKING_SET, 4 * (problem.goal.n_active or 0)), score.size)
        problem.grow(np.sort(np.argpartition(-score, size - 1)[:size]))

"""One Lasso problem: its working set, the path on it, and what is asked of all SNPs before the path is a solution.

The evidence of a solution is its relative duality gap over all p SNPs (theta is the feasible dual point):

    gap = [1/2 |r|^2 + mu |b|_1 - 1/2 |Ay|^2 + 1/2 |Ay - theta|^2] / (1/2 |Ay|^2)
    theta = r min(1, mu / max_j|x_j'A'r|)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso.genotypes import Genotypes
from bayes_lmmlasso.lasso.goal import Goal
from bayes_lmmlasso.lasso.solver.homotopy import Homotopy, homotopy
from bayes_lmmlasso.lasso.solver.metric import Metric
from bayes_lmmlasso.lasso.solver.screening import Above, Checkpoints
from bayes_lmmlasso.numerics.compiled import compiled

__all__ = ["Problem", "Solution", "Trial"]

_SMALLEST_MU = 1e-10  # share of mu_max below which rounding decides
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


@dataclass(frozen=True, eq=False)
class Trial:
    """The path on a working set, at all points to be certified, by descending mu.

    Parameters
    ----------
    mu, coef, residual
        Penalties, coefficients of ``used`` and A y - A X b, shapes ``(t,)``, ``(t, w)`` and ``(m, t)``.
    scaled
        s_t = A'r_t / mu_t over all samples, shape ``(n, t)``.
    reported
        Points that the goal asks for, in its order.
    used, entry_mu
        Places in the working set with a coefficient anywhere, and the penalties at which they first entered.
    reached
        Whether the goal was reached.
    checkpoints
        Points to compare with all SNPs.
    candidates
        SNPs that may violate optimality at the first point, where the scores tell them.
    """

    mu: NDArray[np.float64]
    coef: NDArray[np.float64]
    residual: NDArray[np.float64]
    scaled: NDArray[np.float64]
    reported: NDArray[np.intp]
    used: NDArray[np.intp]
    entry_mu: NDArray[np.float64]
    reached: bool
    checkpoints: Checkpoints
    candidates: NDArray[np.intp]


@dataclass(eq=False)
class Problem:
    """One problem and its working set, which `settle` lets grow.

    Parameters
    ----------
    X, metric, y, goal
        Genotypes, metric, A y and where the path goes.
    scores, level
        |x_j'A'y| of the SNPs above a level, as shares of it.
    mu_max
        Largest of them: where the path starts.
    snps, columns
        The working set W and its whitened columns, shape ``(m, |W|)``, in Fortran order.
    n_passes
        Products with all SNPs so far.
    """

    X: Genotypes
    metric: Metric
    y: NDArray[np.float64]
    goal: Goal
    scores: Above
    level: float
    mu_max: float
    snps: NDArray[np.intp]
    columns: NDArray[np.float64]
    n_passes: int = 1

    @classmethod
    def of(
        cls,
        X: Genotypes,
        metric: Metric,
        y: NDArray[np.float64],
        goal: Goal,
        q: NDArray[np.float64],
        scores: Above,
        level: float,
        size: int,
    ) -> Self:
        """Begin with ``size`` SNPs of highest score |x_j'q|, q = A'y, among those above ``level``."""
        size = min(size, scores.snps.size)
        highest = np.argpartition(-scores.ratio, size - 1)[:size] if size else np.empty(0, dtype=np.intp)
        snps = np.sort(scores.snps[highest])
        columns = np.asfortranarray(metric.whiten(X.columns(snps, metric.rows)))
        mu_max = float(np.abs(columns.T @ y).max(initial=0.0))
        if mu_max <= 1e-6 * X.norm * np.linalg.norm(q):
            raise InputError(
                "genotypes: expected a SNP that varies beyond the covariates, got none that correlates with "
                "the trait: filter constant SNPs and check the covariates"
            )
        if goal.mu is not None and goal.mu.min() < _SMALLEST_MU * mu_max:
            raise InputError(
                f"expected mu of at least {_SMALLEST_MU * mu_max:.3g} ({_SMALLEST_MU} of mu_max), got "
                f"{goal.mu.min():.3g}: choose a larger penalty"
            )
        return cls(X, metric, y, goal, scores, level, mu_max, snps, columns)

    def follow(self) -> Trial:
        """Follow the path on the working set.

        The first point is proportional to A'y, so that the scores tell its candidates, unless its floor is below their
        level.
        """
        mu_min = self.goal.mu_min(self.mu_max)
        path = homotopy(self.columns, self.y, n_active=self.goal.n_active, mu_min=mu_min)
        mu, coef, reported = _points(path, self.goal, mu_min)
        entries = np.flatnonzero(path.entered >= 0)
        used, first = np.unique(path.entered[entries], return_index=True)
        coef = coef[:, used]
        residual = self.y[:, None] - self.columns[:, used] @ coef.T
        scaled = self.metric.back(residual / mu)
        checkpoints, candidates = Checkpoints.of(scaled, self.X.norm), np.empty(0, dtype=np.intp)
        lowest = float(checkpoints.floor[0] * mu[0])
        if lowest >= self.level:
            checkpoints = checkpoints.without_first
            candidates = self.scores.snps[self.scores.ratio * self.level > lowest]
        entry_mu = path.mu[entries[first]]
        return Trial(mu, coef, residual, scaled, reported, used, entry_mu, path.reached, checkpoints, candidates)

    def settle(self, path: Trial, found: Above, added: int) -> NDArray[np.float64] | None:
        """Decide the candidates in float64: add the worst violators, or return the evidence that there is none.

        The evidence is max_j |x_j'A'r_t| / mu_t over the candidates at each point.
        """
        self.n_passes += 1
        snps = _without(np.concatenate([path.candidates, found.snps]), self.snps)
        largest, worst = np.zeros(path.mu.size), np.zeros(snps.size)
        size = max(1, _BLOCK_BYTES // (8 * path.scaled.shape[0]))
        for start in range(0, snps.size, size):
            ratio = self.X.columns(snps[start : start + size]).T @ path.scaled
            _raise_to(ratio, largest, worst[start : start + size])
        chosen = np.argsort(-worst, kind="stable")[: max(added, self.snps.size // 2)]
        violators = np.sort(snps[chosen[worst[chosen] > 1.0 + _SLACK]])
        if not violators.size:
            return largest
        new = self.metric.whiten(self.X.columns(violators, self.metric.rows))
        self.columns = np.asfortranarray(np.hstack([self.columns, new]))
        self.snps = np.concatenate([self.snps, violators])
        return None

    def solution(self, path: Trial, largest: NDArray[np.float64], end_only: bool) -> Solution:
        """Collect what is reported of a path whose points are all certified."""
        place = path.reported[-1:] if end_only else path.reported
        mu, coef, snps = path.mu[place], path.coef[place], self.snps[path.used]
        gap = _gaps(self.y, self.columns, path.residual[:, place], largest[place], mu, coef)
        return Solution(
            mu=mu,
            snps=snps,
            coef=coef if self.X.inverse_weights is None else coef * self.X.inverse_weights[snps],
            entry_mu=path.entry_mu,
            gap=gap,
            residual=(path.scaled[:, place] * mu).T,
            n_passes=self.n_passes,
            reached=path.reached,
        )


def _points(
    path: Homotopy, goal: Goal, mu_min: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Return penalties and coefficients of the points to be certified, by descending mu, and where the reported are."""
    if goal.mu is None:
        return path.mu, path.coef, np.arange(path.mu.size)
    before = path.mu > mu_min
    mu = np.concatenate([goal.mu, path.mu[before]])
    order = np.argsort(-mu, kind="stable")
    return mu[order], np.vstack([path.at(goal.mu), path.coef[before]])[order], np.argsort(order)[: goal.mu.size]


@compiled
def _without(snps: NDArray[np.intp], others: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the SNPs that are not among others, once each and ascending."""
    known, kept = np.sort(others), np.unique(snps)
    place = np.minimum(np.searchsorted(known, kept), known.size - 1)
    return np.asarray(kept[known[place] != kept])


@compiled
def _raise_to(ratio: NDArray[np.float64], of_points: NDArray[np.float64], of_snps: NDArray[np.float64]) -> None:
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

"""Lasso paths of many problems that share one genotype matrix, each on a small working set of SNPs (`problem`).

    1. score all SNPs by |X'A'y| in one product; the highest scores form the working set W of each problem
    2. follow the path on W (`homotopy`)
    3. look for SNPs that violate |x_j'A'r| <= mu anywhere on a path in one product shared by all problems
       (`screening`); candidates are decided in float64. Correlations are linear in mu between knots, so the knots
       certify the whole path, and what the first product says about its beginning is not asked again
    4. add the violators to W and repeat the problems that had any

(Massias, Gramfort, Salmon 2018, arXiv:1802.07481.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.lasso.genotypes import Genotypes
from bayes_lmmlasso.lasso.goal import Goal
from bayes_lmmlasso.lasso.solver.metric import Metric
from bayes_lmmlasso.lasso.solver.problem import Problem, Solution, Trial
from bayes_lmmlasso.lasso.solver.screening import Checkpoints, snps_above
from bayes_lmmlasso.numerics.threads import blas_threads, thread_map

__all__ = ["WorkingSetSizes", "solve_paths"]

_SAMPLE = 4096  # SNPs that tell how large the highest scores are


@dataclass(frozen=True)
class WorkingSetSizes:
    """How large working sets are: size decides time and memory, never the solution.

    Parameters
    ----------
    first
        SNPs of the first one, or more.
    first_elements
        With few samples, where they are cheap: so many values in all.
    added
        Violators added at once, at least.
    """

    first: int = 160
    first_elements: int = 30_000
    added: int = 64

    def of_first(self, goal: Goal, n_samples: int) -> int:
        """Return the size of the first working set."""
        return max(self.first, self.first_elements // n_samples, 4 * (goal.n_active or 0))


def solve_paths(
    X: Genotypes,
    metrics: Sequence[Metric],
    traits: Sequence[NDArray[np.float64]],
    goal: Goal,
    *,
    end_only: bool = False,
    sizes: WorkingSetSizes = WorkingSetSizes(),
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
    sizes
        Of the working sets.

    Returns
    -------
    list of Solution
        In the order of the problems. The gap is reported as it came out: compare it with what is asked for.

    Raises
    ------
    InputError
        If no SNP correlates with a trait at all.
    """
    certified: dict[Problem, tuple[Trial, NDArray[np.float64]]] = {}
    with blas_threads(max(y.size for y in traits)):
        todo = problems = _start(X, metrics, traits, goal, sizes)
        while todo:
            paths = thread_map(Problem.follow, todo)
            found = snps_above(X, [path.checkpoints for path in paths])
            trials = list(zip(todo, paths, found, strict=True))
            evidence = thread_map(lambda trial: trial[0].settle(*trial[1:], sizes.added), trials)
            for (problem, path, _), largest in zip(trials, evidence, strict=True):
                if largest is not None:
                    certified[problem] = path, largest
            todo = [problem for problem in todo if problem not in certified]
        return [problem.solution(*certified[problem], end_only) for problem in problems]


def _start(
    X: Genotypes,
    metrics: Sequence[Metric],
    traits: Sequence[NDArray[np.float64]],
    goal: Goal,
    sizes: WorkingSetSizes,
) -> list[Problem]:
    """Fill each working set with the SNPs of highest score; a sample of SNPs tells where to look for them."""
    white = thread_map(lambda pair: pair[0].whiten(pair[1][:, None])[:, 0], zip(metrics, traits, strict=True))
    Q = np.hstack(thread_map(lambda pair: pair[0].back(pair[1][:, None]), zip(metrics, white, strict=True)))
    step = max(1, X.n_snps // _SAMPLE)
    sample = np.abs(X.product(slice(0, None, step), Q))
    first = [sizes.of_first(goal, y.size) for y in white]
    rank = min(sample.shape[1], -(-3 * max(first) // (2 * step)))
    height = np.partition(sample, sample.shape[1] - rank, axis=1)[:, -rank].astype(np.float64)
    level = np.maximum(0.999 * height, 1e-7 * X.norm * np.linalg.norm(Q, axis=0))
    level[level == 0.0] = 1.0
    scores = snps_above(X, [Checkpoints(q[:, None], height) for q, height in zip(Q.T, level[:, None], strict=True)])
    each = zip(metrics, white, Q.T, scores, level.tolist(), first, strict=True)
    return thread_map(lambda one: Problem.of(X, one[0], one[1], goal, *one[2:]), each)

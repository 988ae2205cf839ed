"""Claim: on every subsample the selected SNPs are celer's at tolerance 1e-13, duplicates counted as one.

20 subsamples of half of the samples of each cohort, 20 active SNPs, at the penalty where our path stops. Run it with

    python3 -m uv run --group bench python benchmarks/lasso_selections.py

It writes ``benchmarks/lasso_selections.md``.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
from cohorts import Problem, load
from lasso_peers import celer

import bayes_lmmlasso as bl
from bayes_lmmlasso.lasso.genotypes import Genotypes
from bayes_lmmlasso.lasso.solver.metric import Metric

SUBSAMPLES, ACTIVE = 20, 20


def agreement(problem: Problem) -> tuple[int, float]:
    """Count the subsamples with the same selection; return the count and our largest duality gap."""
    X = Genotypes.of(problem.X)
    same, gap = 0, 0.0
    rng = np.random.default_rng(1)
    n = problem.y.size
    for _ in range(SUBSAMPLES):
        rows = np.sort(rng.permutation(n)[: n // 2])
        K, Z = problem.K[np.ix_(rows, rows)], problem.Z[rows]
        ours = bl.stability_selection(
            X, problem.y, problem.K, n_active=ACTIVE, covariates=problem.Z, subsamples=rows[None]
        )
        basis = bl.Eigenbasis.from_kinship(K)
        delta = float(np.exp(ours.log_delta[0]))
        subset = np.asfortranarray(problem.X[rows])
        path = bl.lasso_path(subset, problem.y[rows], basis, delta, n_active=ACTIVE, covariates=Z)
        gap = max(gap, float(ours.duality_gap.max()), float(path.duality_gap.max()))
        metric = Metric.of(basis, delta, Z)
        whitened = np.asfortranarray(metric.whiten(subset.astype(np.float64)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = celer(whitened, metric.whiten(problem.y[rows][:, None])[:, 0], path.mu[-1:], tol=1e-13)[0]
        classes = Genotypes.of(subset).representative  # duplicates among these samples
        chosen = {frozenset(classes[np.flatnonzero(b)]) for b in (ours.frequency * first_of(ours), theirs)}
        same += len(chosen) == 1
    return same, gap


def first_of(result: bl.lasso.StabilitySelection) -> np.ndarray:
    """Whether a SNP is the first of its duplicates."""
    return result.duplicate_of == np.arange(result.duplicate_of.size)


def main() -> None:
    lines = ["| cohort | same selection | largest relative duality gap |", "| --- | ---: | ---: |"]
    for name in sys.argv[1:] or ("mouse", "chr5_181", "genome"):
        same, gap = agreement(load(name))
        lines.append(f"| {name} | {same} of {SUBSAMPLES} | {gap:.0e} |")
        print(lines[-1], flush=True)
    table = "\n".join([f"{ACTIVE} active SNPs, celer at tolerance 1e-13, duplicates count as one.\n", *lines]) + "\n"
    Path(__file__).with_suffix(".md").write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()

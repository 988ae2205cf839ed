r"""Posterior-projected selection: how often a SNP is selected when the signal is drawn from the posterior.

A draw's effects b are rarely sparse, or sparse in the Lasso's way. Its fitted values f = X b are projected onto models
of k SNPs by the Lasso of the point estimate, with the draw's f in the place of the trait:

    min over a, beta   1/2 (f - Z a - X beta)' V^-1 (f - Z a - X beta) + mu |beta|_1,    V = K + delta I

mu being the largest penalty with k active SNPs, and delta that of the null model. The selection frequency of SNP j is
the share of draws that select it (Hahn and Carvalho 2015, doi:10.1080/01621459.2014.993077; Woody, Carvalho, Murray
2021, doi:10.1080/10618600.2020.1796398). It has the scale of the stability frequency, by the same solver and with the
same k: that one perturbs the data, this one draws from the posterior.

The target has no noise. A draw with fewer than k effects is explained exactly by them, and its path may end before k
SNPs are active; what is active at the end (mu a millionth of where the path began) is then its selection. A draw
without any effect selects nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.sparse import csr_array

from bayes_lmmlasso.display import Table
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso.genotypes import Genotypes
from bayes_lmmlasso.lasso.goal import Goal, read_goal
from bayes_lmmlasso.lasso.solver.metric import Metric
from bayes_lmmlasso.lasso.solver.problem import Solution
from bayes_lmmlasso.lasso.solver.working_set import solve_paths
from bayes_lmmlasso.lmm import Eigenbasis
from bayes_lmmlasso.posterior.summaries.effect_summary import probability_error
from bayes_lmmlasso.posterior.tree.effects import effect_draws
from bayes_lmmlasso.progress import Progress, silent

__all__ = ["Projection", "project_posterior"]

_CHUNK_BYTES = 64 * 2**20
_COLUMNS = 500  # whitened columns and residuals of a draw, roughly


@dataclass(frozen=True, eq=False, repr=False)
class Projection(Table):
    """Selection frequencies over draws, and what they rest on.

    Attributes
    ----------
    frequency
        Share of draws that select the SNP or a duplicate of it, shape ``(p,)``.
    mcse
        Its Monte Carlo error, shape ``(p,)``.
    n_active
        The k that each draw's path goes to.
    n_selected
        SNPs that each draw selects, duplicates counted once, shape ``(m,)``.
    reached
        Whether the draw's path reached k active SNPs, shape ``(m,)``.
    duality_gap
        Relative duality gap of each selecting solution, 0 for a draw without effects, shape ``(m,)``.
    """

    _columns = ("frequency", "mcse")

    frequency: NDArray[np.float64]
    mcse: NDArray[np.float64]
    n_active: int
    n_selected: NDArray[np.intp]
    reached: NDArray[np.bool_]
    duality_gap: NDArray[np.float64]


def project_posterior(
    tree: xr.DataTree,
    *,
    n_active: int | None = None,
    delta: float | None = None,
    draws: int = 400,
    progress: Progress = silent,
) -> Projection:
    """Project posterior draws of the signal onto Lasso models of ``n_active`` SNPs and count.

    Parameters
    ----------
    tree
        Result of `sample_posterior`.
    n_active
        Number of SNPs to select in each draw, at most the number of SNPs, and of samples less covariates; by default
        that of the tree's point estimate.
    delta
        Residual over genetic variance; by default that of the tree's point estimate.
    draws
        Draws to project, at most: every so many of each chain.
    progress
        Told of finished draws.

    Raises
    ------
    InputError
        If there is neither a point estimate nor an argument, or an argument is out of range.
    """
    constant = tree.children["constant_data"].dataset
    Z = constant["covariates"].values.astype(np.float64)
    genotypes = Genotypes.of(constant["X"].values.T)
    n_active, delta = _defaults(tree, n_active, delta)
    goal = read_goal(None, n_active, genotypes.n_snps, genotypes.n_samples - Z.shape[1])
    basis = Eigenbasis(*(constant[name].values.astype(np.float64) for name in ("eigenvalues", "eigenvectors")))
    b, chains = _thinned(tree, draws)
    solutions = _project(genotypes, Metric.of(basis, delta, Z), b, goal, progress)
    chosen = [
        np.empty(0, np.intp) if solution is None else solution.snps[solution.coef[-1] != 0.0] for solution in solutions
    ]
    frequency, mcse = _count(chosen, chains, genotypes.n_snps)
    return Projection(
        frequency=frequency[genotypes.representative],
        mcse=mcse[genotypes.representative],
        n_active=goal.n_active or 0,
        n_selected=np.array([snps.size for snps in chosen]),
        reached=np.array([solution is not None and solution.reached for solution in solutions]),
        duality_gap=np.array([0.0 if solution is None else solution.gap[-1] for solution in solutions]),
    )


def _defaults(tree: xr.DataTree, n_active: int | None, delta: float | None) -> tuple[int, float]:
    """Fill in what the point estimate used."""
    if n_active is not None and delta is not None:
        return n_active, delta
    if "point_estimate" not in tree.children:
        raise InputError(
            "expected n_active and delta for a posterior without point estimate, got "
            f"n_active={n_active}, delta={delta}: pass both or call add_point_estimate first"
        )
    point = tree.children["point_estimate"].dataset
    last = int(point["n_active"].values[-1])
    return last if n_active is None else n_active, point.attrs["null_model_delta"] if delta is None else delta


def _thinned(tree: xr.DataTree, draws: int) -> tuple[csr_array | NDArray[np.floating], int]:
    """Return at most ``draws`` rows of effects, the same number from each chain, and the number of chains."""
    effects = effect_draws(tree)
    chains = np.unique(effects.chain).size
    each = effects.chain.size // chains
    if draws < chains:
        raise InputError(f"expected draws of at least the number of chains, {chains}, got {draws}: 400 is usual")
    step = -(-each // (draws // chains))
    kept = (np.arange(chains)[:, None] * each + np.arange(0, each, step)).ravel()
    return effects.b[kept], chains


def _project(genotypes: Genotypes, metric: Metric, b: Any, goal: Goal, progress: Progress) -> list[Solution | None]:
    """Follow the path of every draw's fitted values, None for a draw without effects; products with X are shared."""
    m, n = b.shape[0], genotypes.n_samples
    size = max(1, _CHUNK_BYTES // (8 * n * _COLUMNS))
    solutions: list[Solution | None] = [None] * m
    for rows in np.array_split(np.arange(m), -(-m // size)):
        fitted = np.asarray(b[rows] @ genotypes.X.T, dtype=np.float64)
        some = np.flatnonzero(fitted.any(axis=1))
        if some.size:
            found = solve_paths(genotypes, [metric] * some.size, list(fitted[some]), goal, end_only=True)
            for k, solution in zip(rows[some], found, strict=True):
                solutions[k] = solution
        progress("projection", int(rows[-1]) + 1, m)
    return solutions


def _count(chosen: list[NDArray[np.intp]], chains: int, p: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the share of draws that choose each SNP, and its Monte Carlo error."""
    ever, row = np.unique(np.concatenate(chosen), return_inverse=True)
    draw = np.repeat(np.arange(len(chosen)), [snps.size for snps in chosen])
    events = np.zeros((ever.size + 1, len(chosen)), dtype=bool)  # the last for SNPs that no draw chooses
    events[row, draw] = True
    error = probability_error(events.reshape(ever.size + 1, chains, -1), np.full(ever.size + 1, float(len(chosen))))
    frequency, mcse = np.zeros(p), np.full(p, error[-1])
    frequency[ever], mcse[ever] = events[:-1].mean(axis=1), error[:-1]
    return frequency, mcse

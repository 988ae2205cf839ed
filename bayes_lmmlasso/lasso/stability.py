"""Stability selection: how often a SNP is selected when the samples change.

The samples are drawn without replacement B times; on each draw the null model is fitted again and the
LMM-Lasso selects SNPs, either a fixed number of them or at a fixed penalty:

    frequency_j = 1/B sum_b [ SNP j active in draw b ],      selected = { j : frequency_j >= threshold }

(Meinshausen and Buehlmann 2010, doi:10.1111/j.1467-9868.2010.00740.x; complementary pairs of halves: Shah and
Samworth 2013, doi:10.1111/j.1467-9868.2011.01034.x; with the LMM-Lasso: Rakitsch et al. 2013,
doi:10.1093/bioinformatics/bts669). Duplicate SNPs (columns equal up to sign) are one variable: each of them
has the frequency of their class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso.error_bounds import ErrorBound, error_bound
from bayes_lmmlasso.lasso.genotypes import Genotypes, read_genotypes
from bayes_lmmlasso.lasso.goal import read_goal
from bayes_lmmlasso.lasso.metric import Metric
from bayes_lmmlasso.lasso.problem import Solution
from bayes_lmmlasso.lasso.subsamples import read_subsamples
from bayes_lmmlasso.lasso.working_set import solve_paths
from bayes_lmmlasso.lmm import NullMethod
from bayes_lmmlasso.lmm.deltas import DeltaEstimate, subsample_deltas
from bayes_lmmlasso.lmm.tridiagonal import orthonormal_spans
from bayes_lmmlasso.numerics.checks import check_covariates, check_trait, validate_kinship
from bayes_lmmlasso.numerics.threads import blas_threads, thread_map
from bayes_lmmlasso.progress import Progress, silent

__all__ = ["StabilitySelection", "stability_selection", "stability_selections"]

_CHUNK_BYTES = 192 * 2**20
_COLUMNS = 500  # whitened columns and residuals of a problem, roughly


@dataclass(frozen=True, eq=False)
class StabilitySelection:
    """Selection frequencies and what they rest on.

    Parameters
    ----------
    frequency
        Share of subsamples that select the SNP or a duplicate of it, shape ``(p,)``.
    selected
        Whether the frequency reaches the threshold, shape ``(p,)``.
    error_bound
        Bounds on the expected number of false selections at the threshold; duplicates count once.
    duplicate_of
        First SNP with the same column up to sign, shape ``(p,)``.
    subsamples
        Samples of each draw, ascending, shape ``(B, m)``.
    log_delta, at_bound
        Null model of each draw: its log delta, and whether that is a bound of the search, shape ``(B,)``.
    n_selected
        SNPs selected in each draw, duplicates counted once, shape ``(B,)``; below ``n_active`` when the path
        of a draw ended before.
    duality_gap
        Relative duality gap of the selecting solution of each draw, over all SNPs, shape ``(B,)``.
    certified
        Whether that gap is at most ``tol``, shape ``(B,)``.
    """

    frequency: NDArray[np.float64]
    selected: NDArray[np.bool_]
    error_bound: ErrorBound
    duplicate_of: NDArray[np.intp]
    subsamples: NDArray[np.intp]
    log_delta: NDArray[np.float64]
    at_bound: NDArray[np.bool_]
    n_selected: NDArray[np.intp]
    duality_gap: NDArray[np.float64]
    certified: NDArray[np.bool_]


def stability_selection(
    X: ArrayLike | Genotypes,
    y: ArrayLike,
    K: ArrayLike,
    *,
    n_active: int | None = None,
    mu: float | None = None,
    covariates: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    n_subsamples: int = 100,
    fraction: float = 0.5,
    pairs: bool = False,
    threshold: float = 0.6,
    subsamples: ArrayLike | None = None,
    seed: int = 0,
    method: NullMethod = "ml",
    tol: float = 1e-8,
    progress: Progress = silent,
) -> StabilitySelection:
    """Select SNPs on many subsamples and count.

    Parameters
    ----------
    X
        Genotypes as they are to be used, shape ``(n, p)``, or a `Genotypes` handle. Rows are subset, never centred or
        scaled again.
    y
        Trait, shape ``(n,)``.
    K
        Kinship matrix, shape ``(n, n)``. Rows and columns are subset, never scaled again.
    n_active
        Number of SNPs to select in each draw. Either ``n_active`` or ``mu`` is given.
    mu
        Penalty of each draw.
    covariates
        Unpenalised effects, shape ``(n, q)``; None means none, not even an intercept. Columns that become
        redundant in a draw (a level that is absent there) are left out there.
    weights
        Penalty weights above 0, shape ``(p,)``, the same in every draw: SNP j pays mu w_j |b_j| (adaptive Lasso).
    n_subsamples, fraction
        Number of draws B and share of the samples in each.
    pairs
        Draw complementary pairs: draws 2i and 2i + 1 share no sample.
    threshold
        Frequency from which a SNP counts as selected, above 1/2 and at most 1.
    subsamples
        Draws to use instead of random ones, indices of shape ``(B, m)``; with ``pairs``, consecutive rows are
        pairs.
    seed
        Seed of the draws.
    method
        How the null model is fitted.
    tol
        Relative duality gap up to which a draw counts as certified; solutions are exact up to rounding regardless.
    progress
        Told about finished draws.

    Returns
    -------
    StabilitySelection

    Raises
    ------
    InputError
        If shapes disagree, values are not finite, or an argument is out of range.
    """
    trait = np.asarray(y, dtype=np.float64)
    check_trait(trait, np.shape(K)[0] if np.ndim(K) == 2 else trait.size)
    return stability_selections(
        X,
        trait[:, None],
        K,
        n_active=n_active,
        mu=mu,
        covariates=covariates,
        weights=weights,
        n_subsamples=n_subsamples,
        fraction=fraction,
        pairs=pairs,
        threshold=threshold,
        subsamples=subsamples,
        seed=seed,
        method=method,
        tol=tol,
        progress=progress,
    )[0]


def stability_selections(
    X: ArrayLike | Genotypes,
    Y: ArrayLike,
    K: ArrayLike,
    *,
    n_active: int | None = None,
    mu: float | None = None,
    covariates: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    n_subsamples: int = 100,
    fraction: float = 0.5,
    pairs: bool = False,
    threshold: float = 0.6,
    subsamples: ArrayLike | None = None,
    seed: int = 0,
    method: NullMethod = "ml",
    tol: float = 1e-8,
    progress: Progress = silent,
) -> list[StabilitySelection]:
    """Select SNPs for several traits on the same subsamples; products and reductions of K are shared.

    Parameters are those of `stability_selection`, but ``Y`` holds a trait in each column, shape ``(n, t)``.
    """
    kinship = validate_kinship(K)
    n = kinship.shape[0]
    traits = np.asarray(Y, dtype=np.float64)
    traits = np.column_stack([check_trait(trait, n) for trait in traits.T])
    Z = check_covariates(covariates, n)
    genotypes = read_genotypes(X, n)
    if weights is not None:
        genotypes = genotypes.weighted(weights)
    if not 0.5 < threshold <= 1.0:
        raise InputError(f"expected a threshold above 0.5 and at most 1, got {threshold}: 0.6 to 0.9 is usual")
    draws = read_subsamples(subsamples, n, n_subsamples, fraction, pairs, seed)
    goal = read_goal(mu, n_active, genotypes.n_snps, draws.shape[1] - Z.shape[1])
    t = traits.shape[1]
    solutions: list[Solution] = []  # by draw, then by trait
    deltas: list[DeltaEstimate] = []
    with blas_threads(draws.shape[1]):
        for rows in _chunks(draws, t):
            spans = orthonormal_spans(Z[rows])
            estimate = subsample_deltas(kinship, traits, spans, rows, method)
            deltas.append(estimate)
            metrics = thread_map(
                lambda item: Metric.from_kinship(kinship, *item),
                [
                    (float(np.exp(log_delta)), span, draw)
                    for draw, span, row in zip(rows, spans, estimate.log_delta, strict=True)
                    for log_delta in row
                ],
            )
            responses = [traits[draw, i] for draw in rows for i in range(t)]
            solutions += solve_paths(genotypes, metrics, responses, goal, end_only=True)
            progress("stability", len(solutions) // t, draws.shape[0])
    log_delta = np.concatenate([estimate.log_delta for estimate in deltas])
    at_bound = np.concatenate([estimate.at_bound for estimate in deltas])
    return [
        _count(genotypes, draws, solutions[i::t], log_delta[:, i], at_bound[:, i], threshold, pairs, tol)
        for i in range(t)
    ]


def _count(
    genotypes: Genotypes,
    draws: NDArray[np.intp],
    solutions: list[Solution],
    log_delta: NDArray[np.float64],
    at_bound: NDArray[np.bool_],
    threshold: float,
    pairs: bool,
    tol: float,
) -> StabilitySelection:
    """Count the selections of one trait."""
    n_draws, m = draws.shape
    chosen = [solution.snps[solution.coef[-1] != 0.0] for solution in solutions]
    counts = np.bincount(np.concatenate(chosen), minlength=genotypes.n_snps)
    frequency = (counts / n_draws)[genotypes.representative]
    n_selected = np.array([snps.size for snps in chosen])
    gap = np.array([solution.gap[-1] for solution in solutions])
    return StabilitySelection(
        frequency=frequency,
        selected=frequency >= threshold,
        error_bound=error_bound(
            threshold,
            float(n_selected.mean()),
            genotypes.n_classes,
            n_pairs=n_draws // 2 if pairs else 0,
            fraction=m / genotypes.n_samples,
        ),
        duplicate_of=genotypes.representative,
        subsamples=draws,
        log_delta=log_delta,
        at_bound=at_bound,
        n_selected=n_selected,
        duality_gap=gap,
        certified=gap <= tol,
    )


def _chunks(draws: NDArray[np.intp], n_traits: int) -> list[NDArray[np.intp]]:
    """Split the draws evenly so that the problems of a chunk fit a fixed memory."""
    m = draws.shape[1]
    size = max(1, _CHUNK_BYTES // (8 * m * (m + n_traits * (m + _COLUMNS))))
    return np.array_split(draws, -(-draws.shape[0] // size))

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

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.arguments import check_number
from bayes_lmmlasso.display import Table
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso.error_bounds import ErrorBound, error_bound
from bayes_lmmlasso.lasso.fitting_subsamples import FittingSubsamples, draw_fitting
from bayes_lmmlasso.lasso.genotypes import Genotypes, read_genotypes
from bayes_lmmlasso.lasso.goal import Goal, read_goal, size_limit
from bayes_lmmlasso.lasso.selector import SelectionOptions, Selector, read_selection
from bayes_lmmlasso.lasso.solver.metric import Metric
from bayes_lmmlasso.lasso.solver.problem import Solution
from bayes_lmmlasso.lasso.solver.working_set import solve_paths
from bayes_lmmlasso.lasso.subsamples import Subsampling
from bayes_lmmlasso.lmm.deltas import DeltaEstimate, subsample_deltas
from bayes_lmmlasso.lmm.kinship import validate_kinship
from bayes_lmmlasso.lmm.tridiagonal import orthonormal_spans
from bayes_lmmlasso.numerics.checks import check_covariates, check_trait, real_numbers
from bayes_lmmlasso.numerics.threads import blas_threads, thread_map
from bayes_lmmlasso.progress import Progress, silent
from bayes_lmmlasso.remarks import Remark

__all__ = ["StabilitySelection", "stability_selection", "stability_selections"]

_CHUNK_BYTES = 192 * 2**20
_COLUMNS = 500  # whitened columns and residuals of a problem, roughly


@dataclass(frozen=True, eq=False, repr=False)
class StabilitySelection(Table):
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
    redrawn, failed
        Subsamples that were drawn again since no null model could be fitted to the first draw, and those that were
        left out since it could not be fitted to any: B does not count the latter.
    selector
        What selected them.
    """

    _columns = ("frequency", "selected", "duplicate_of")

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
    redrawn: int
    failed: int
    selector: Selector

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What was not as asked for: fewer SNPs in each subsample, subsamples drawn again or left out."""
        told = []
        n_draws, m = self.subsamples.shape
        limit = size_limit(self.selector.n_active or 0, self.frequency.size, m - _n_covariates(self.selector))
        if limit:
            told.append(Remark(f"stability selection takes {limit} in each subsample of {m} samples (--n-active)"))
        if self.redrawn or self.failed:
            told.append(
                Remark(
                    f"of {n_draws + self.failed} subsamples {self.redrawn} were drawn again and {self.failed} left "
                    "out, as their trait does not vary beyond the covariates: a value or a level is rare; raise "
                    "--subsample-fraction to have it in more",
                    caution=self.failed > 0,
                )
            )
        return tuple(told)


def stability_selection(
    X: ArrayLike | Genotypes,
    y: ArrayLike,
    K: ArrayLike,
    *,
    threshold: float = 0.6,
    progress: Progress = silent,
    **options: Unpack[SelectionOptions],
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
    threshold
        Frequency from which a SNP counts as selected, above 1/2 and at most 1.
    progress
        Told about finished draws.
    n_active, mu, covariates, weights, method, tol
        What selects SNPs in each draw: see `Selector`.
    n_subsamples, fraction, pairs, subsamples, seed
        How samples are drawn: see `Subsampling`.

    Returns
    -------
    StabilitySelection

    Raises
    ------
    InputError
        If shapes disagree, values are not finite, an argument is out of range, or the null model can be fitted to no
        subsample.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> cohort = bl.simulate_cohort(n_samples=60, n_variants=100, seed=1)
    >>> cohort = cohort.assign(height=("samples", bl.simulate_trait(cohort, n_causal=2, seed=1).y))
    >>> analysis = bl.prepare(cohort, "height")
    >>> K = bl.gower_scale(bl.kinship(analysis.X))
    >>> stability = bl.stability_selection(
    ...     analysis.X, analysis.y, K, n_active=3, covariates=analysis.covariates, n_subsamples=10
    ... )
    >>> stability.to_frame(analysis.variants).nlargest(3, "frequency")["frequency"].min() > 0
    np.True_
    """
    trait = real_numbers(y, "trait")
    check_trait(trait, np.shape(K)[0] if np.ndim(K) == 2 else trait.size)
    selector, subsampling = read_selection(options)
    return stability_selections(X, trait[:, None], K, selector, subsampling, threshold=threshold, progress=progress)[0]


def stability_selections(
    X: ArrayLike | Genotypes,
    Y: ArrayLike,
    K: ArrayLike,
    selector: Selector,
    subsampling: Subsampling,
    *,
    threshold: float = 0.6,
    progress: Progress = silent,
    chunk_bytes: int = _CHUNK_BYTES,
) -> list[StabilitySelection]:
    """Select SNPs for several traits on the same subsamples; products and reductions of K are shared.

    Parameters
    ----------
    X, K, threshold, progress
        As in `stability_selection`.
    Y
        A trait in each column, shape ``(n, t)``.
    selector, subsampling
        What selects SNPs in each draw, and how samples are drawn.
    chunk_bytes
        Memory for the draws that are computed together; it changes no result.

    Raises
    ------
    InputError
        As `stability_selection`.
    """
    kinship = validate_kinship(K)
    n = kinship.shape[0]
    traits = real_numbers(Y, "traits")
    traits = np.column_stack([check_trait(trait, n) for trait in traits.T])
    Z = check_covariates(selector.covariates, n)
    genotypes = read_genotypes(X, n)
    if selector.weights is not None:
        genotypes = genotypes.weighted(selector.weights)
    if not 0.5 < check_number(threshold, "threshold") <= 1.0:
        raise InputError(f"expected a threshold above 0.5 and at most 1, got {threshold}: 0.6 to 0.9 is usual")
    drawn = draw_fitting(subsampling, traits, Z)
    draws = drawn.rows
    goal = read_goal(selector.mu, selector.n_active, genotypes.n_snps, draws.shape[1] - Z.shape[1])
    solutions: list[Solution] = []  # by draw, then by trait
    deltas: list[DeltaEstimate] = []
    with blas_threads(draws.shape[1]):
        for rows in _chunks(draws, traits.shape[1], chunk_bytes):
            spans = orthonormal_spans(Z[rows])
            deltas.append(subsample_deltas(kinship, traits, spans, rows, selector.method))
            solutions += _solve_draws(genotypes, traits, kinship, spans, rows, deltas[-1], goal)
            progress("stability", len(solutions) // traits.shape[1], draws.shape[0])
    delta = DeltaEstimate.join(deltas)
    t = traits.shape[1]
    return [
        _count(genotypes, drawn, solutions[i::t], *at_trait, threshold, subsampling.pairs, selector)
        for i, at_trait in enumerate(zip(delta.log_delta.T, delta.at_bound.T, strict=True))
    ]


def _solve_draws(
    genotypes: Genotypes,
    traits: NDArray[np.float64],
    kinship: NDArray[np.float64],
    spans: Sequence[NDArray[np.float64]],
    rows: NDArray[np.intp],
    delta: DeltaEstimate,
    goal: Goal,
) -> list[Solution]:
    """Solve the Lasso of every trait in some draws, by draw, then by trait."""
    metrics = thread_map(
        lambda item: Metric.from_kinship(kinship, *item),
        [
            (float(np.exp(log_delta)), span, draw)
            for draw, span, of_traits in zip(rows, spans, delta.log_delta, strict=True)
            for log_delta in of_traits
        ],
    )
    responses = [trait[draw] for draw in rows for trait in traits.T]
    return solve_paths(genotypes, metrics, responses, goal, end_only=True)


def _count(
    genotypes: Genotypes,
    drawn: FittingSubsamples,
    solutions: list[Solution],
    log_delta: NDArray[np.float64],
    at_bound: NDArray[np.bool_],
    threshold: float,
    pairs: bool,
    selector: Selector,
) -> StabilitySelection:
    """Count the selections of one trait."""
    n_draws, m = drawn.rows.shape
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
        subsamples=drawn.rows,
        redrawn=drawn.redrawn,
        failed=drawn.failed,
        log_delta=log_delta,
        at_bound=at_bound,
        n_selected=n_selected,
        duality_gap=gap,
        certified=gap <= selector.tol,
        selector=selector,
    )


def _n_covariates(selector: Selector) -> int:
    """Return the number of columns of the covariates."""
    return 0 if selector.covariates is None else np.shape(selector.covariates)[1]


def _chunks(draws: NDArray[np.intp], n_traits: int, chunk_bytes: int) -> list[NDArray[np.intp]]:
    """Split the draws evenly so that the problems of a chunk fit a fixed memory."""
    m = draws.shape[1]
    size = max(1, chunk_bytes // (8 * m * (m + n_traits * (m + _COLUMNS))))
    return np.array_split(draws, -(-draws.shape[0] // size))

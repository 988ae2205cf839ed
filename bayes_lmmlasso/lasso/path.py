"""The LMM-Lasso path: SNP effects in the metric of the mixed model.

    min over a, b:   1/2 (y - Z a - X b)' V^-1 (y - Z a - X b) + mu |b|_1,    V = K + delta I

(Rakitsch, Lippert, Stegle, Borgwardt 2013, doi:10.1093/bioinformatics/bts669). Each reported solution is
exact up to rounding and comes with its relative duality gap over all SNPs (equation in `problem`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from bayes_lmmlasso.display import Table
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso.genotypes import Genotypes, read_genotypes
from bayes_lmmlasso.lasso.goal import Goal, read_goal
from bayes_lmmlasso.lasso.solver.metric import Metric
from bayes_lmmlasso.lasso.solver.problem import Solution
from bayes_lmmlasso.lasso.solver.working_set import solve_paths
from bayes_lmmlasso.lasso.status import PathStatus
from bayes_lmmlasso.lmm import Basis
from bayes_lmmlasso.lmm.kinship import check_matrix
from bayes_lmmlasso.lmm.null_model import check_variation
from bayes_lmmlasso.numerics.checks import check_covariates, check_trait, real_numbers
from bayes_lmmlasso.numerics.threads import blas_threads, thread_map

__all__ = ["LassoPath", "lasso_path", "lasso_paths"]

_CHUNK_BYTES = 256 * 2**20
_COLUMNS = 1000  # whitened columns and residuals of a path, roughly


@dataclass(frozen=True, eq=False, repr=False)
class LassoPath(Table):
    """Solutions of the LMM-Lasso at several penalties.

    Parameters
    ----------
    mu
        Penalties, shape ``(m,)``: those asked for, or the knots from mu_max (where all effects are zero) down
        and last the middle of the first segment with ``n_active`` active SNPs. Between consecutive knots the
        effects are linear in mu.
    coef_sparse
        Effects b, one row for each penalty, sparse, shape ``(m, p)``.
    n_active
        Number of effects that are not zero, shape ``(m,)``.
    duality_gap
        Relative duality gap over all p SNPs in float64, shape ``(m,)``.
    fixed_effects
        Generalised least squares estimate of a given b, shape ``(m, q)``.
    path_rank
        Order of first entry from 1, shape ``(p,)``: SNPs that enter at the same penalty share a rank, so do
        duplicates (columns equal up to sign, of which the first carries the effect); NaN if never entered.
    n_passes
        Number of products with all SNPs.
    status, message
        How the path ended, and one sentence about it: certified, or what fell short and what to change.
    """

    _columns = ("mu", "n_active", "duality_gap")

    mu: NDArray[np.float64]
    coef_sparse: csr_array
    n_active: NDArray[np.intp]
    duality_gap: NDArray[np.float64]
    fixed_effects: NDArray[np.float64]
    path_rank: NDArray[np.float64]
    n_passes: int
    status: PathStatus
    message: str

    @property
    def coef(self) -> NDArray[np.float64]:
        """Effects as a dense array, shape ``(m, p)``."""
        return np.asarray(self.coef_sparse.toarray())


def lasso_path(
    X: ArrayLike | Genotypes,
    y: ArrayLike,
    basis: Basis | ArrayLike,
    delta: float,
    *,
    mu: ArrayLike | None = None,
    n_active: int | None = None,
    covariates: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    tol: float = 1e-8,
) -> LassoPath:
    """Solve the LMM-Lasso at given penalties, or down to a number of active SNPs.

    Parameters
    ----------
    X
        Genotypes as they are to be used (nothing is centred or scaled here), shape ``(n, p)``, any real dtype
        and layout, or a `Genotypes` handle. A float32 matrix is taken as exact and never copied whole.
    y
        Trait, shape ``(n,)``.
    basis
        Eigenbasis of the kinship matrix of the same samples, of full or of low rank, or that matrix itself: for one
        path its Cholesky factor is much cheaper than a decomposition.
    delta
        se2 / sg2 of the null model.
    mu
        Penalties above 0, shape ``(m,)`` or a number. Either ``mu`` or ``n_active`` is given.
    n_active
        Number of active SNPs; at most min(p, n - q) are sought, and the message says so.
    covariates
        Unpenalised effects Z, shape ``(n, q)``; None means none, not even an intercept.
    weights
        Penalty weights w_j above 0, shape ``(p,)``: SNP j pays mu w_j |b_j| (adaptive Lasso); infinity leaves it out.
    tol
        Relative duality gap to certify.

    Returns
    -------
    LassoPath

    Raises
    ------
    InputError
        If shapes disagree, values are not finite, or ``mu``, ``n_active`` or ``delta`` is out of range.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> cohort = bl.simulate_cohort(n_samples=60, n_variants=100, seed=1)
    >>> cohort = cohort.assign(height=("samples", bl.simulate_trait(cohort, n_causal=2, seed=1).y))
    >>> analysis = bl.prepare(cohort, "height")
    >>> basis = bl.Eigenbasis.from_kinship(bl.gower_scale(bl.kinship(analysis.X)))
    >>> path = bl.lasso_path(analysis.X, analysis.y, basis, 1.0, n_active=3, covariates=analysis.covariates)
    >>> path.to_frame()["n_active"].max()
    np.int64(3)
    """
    trait = real_numbers(y, "trait")
    check_trait(trait, _n_samples(basis, trait.size))
    return lasso_paths(
        X, trait[:, None], basis, delta, mu=mu, n_active=n_active, covariates=covariates, weights=weights, tol=tol
    )[0]


def lasso_paths(
    X: ArrayLike | Genotypes,
    Y: ArrayLike,
    basis: Basis | ArrayLike,
    delta: ArrayLike,
    *,
    mu: ArrayLike | None = None,
    n_active: int | None = None,
    covariates: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    tol: float = 1e-8,
    chunk_bytes: int = _CHUNK_BYTES,
) -> list[LassoPath]:
    """Solve the LMM-Lasso for several traits; products with all SNPs are shared.

    Parameters are those of `lasso_path`, but ``Y`` holds a trait in each column, shape ``(n, t)``, and ``delta`` is one
    number or one for each trait, shape ``(t,)``. With an eigenbasis the decomposition is shared as well; a kinship
    matrix is factorised for each trait. ``chunk_bytes`` is memory for the traits that are solved together.
    """
    given = basis if isinstance(basis, Basis) else check_matrix(basis, None)
    traits = real_numbers(Y, "traits")
    n = _n_samples(basis, traits.shape[0])
    if traits.ndim != 2 or traits.shape[1] == 0:
        raise InputError(
            f"traits: expected shape ({n}, t), one column for each trait, got {traits.shape}: use lasso_path for one"
        )
    traits = np.column_stack([check_trait(trait, n) for trait in traits.T])
    deltas = real_numbers(delta, "delta")
    if deltas.shape not in ((), (traits.shape[1],)):
        raise InputError(
            f"expected one delta, or one for each of {traits.shape[1]} traits, got shape {deltas.shape}: fit the null "
            "model of each trait"
        )
    Z = check_covariates(covariates, n)
    genotypes = read_genotypes(X, n)
    if weights is not None:
        genotypes = genotypes.weighted(weights)
    goal = read_goal(mu, n_active, genotypes.n_snps, n - Z.shape[1])

    def metric_of(value: float) -> Metric:
        if isinstance(given, Basis):
            return Metric.of(given, value, Z)
        return Metric.from_kinship(given, value, Z)

    size = max(1, chunk_bytes // (8 * n * (_COLUMNS + n * (not isinstance(given, Basis)))))
    paths: list[LassoPath] = []
    with blas_threads(n):
        for start in range(0, traits.shape[1], size):
            part = list(traits.T[start : start + size])
            metrics = thread_map(metric_of, np.broadcast_to(deltas, traits.shape[1])[start : start + size].tolist())
            for metric, trait in zip(metrics, part, strict=True):
                check_variation(metric.plain(trait[:, None]), metric.whiten(trait[:, None]), Z.shape[1])
            solutions = solve_paths(genotypes, metrics, part, goal)
            paths += [
                _report(solution, metric, genotypes, trait, Z, goal, tol)
                for solution, metric, trait in zip(solutions, metrics, part, strict=True)
            ]
    return paths


def _n_samples(basis: Basis | ArrayLike, otherwise: int) -> int:
    """Return n as basis or kinship have it; another value where the latter is no matrix, which is told elsewhere."""
    if isinstance(basis, Basis):
        return basis.n_samples
    return np.shape(basis)[0] if np.ndim(basis) == 2 else otherwise


def _report(
    solution: Solution,
    metric: Metric,
    genotypes: Genotypes,
    trait: NDArray[np.float64],
    Z: NDArray[np.float64],
    goal: Goal,
    tol: float,
) -> LassoPath:
    """Bring a solution into the form that is returned."""
    rest = trait[:, None] - genotypes.fitted(solution.snps, solution.coef)
    fixed = np.linalg.lstsq(metric.plain(Z), metric.plain(rest), rcond=None)[0]
    status, message = _outcome(solution, goal, tol)
    return LassoPath(
        mu=solution.mu,
        coef_sparse=_scatter(solution, genotypes.n_snps),
        n_active=np.count_nonzero(solution.coef, axis=1),
        duality_gap=solution.gap,
        fixed_effects=fixed.T,
        path_rank=_path_rank(solution, genotypes.representative),
        n_passes=solution.n_passes,
        status=status,
        message=message,
    )


def _scatter(solution: Solution, n_snps: int) -> csr_array:
    """Effects of all SNPs as a sparse array, shape ``(m, p)``."""
    row, column = np.nonzero(solution.coef)
    return csr_array((solution.coef[row, column], (row, solution.snps[column])), shape=(solution.mu.size, n_snps))


def _path_rank(solution: Solution, representative: NDArray[np.intp]) -> NDArray[np.float64]:
    """Order of first entry; penalties equal to 10 digits count as the same."""
    ranks = np.full(representative.size, np.nan)
    order = np.argsort(-solution.entry_mu)
    descending = solution.entry_mu[order]
    fresh = np.concatenate([[True], np.diff(descending) < -1e-10 * descending[:-1]])[: order.size]
    ranks[solution.snps[order]] = np.flatnonzero(fresh)[np.cumsum(fresh) - 1] + 1
    return ranks[representative]


def _outcome(solution: Solution, goal: Goal, tol: float) -> tuple[PathStatus, str]:
    """Return how the path ended, and the sentence that says it with its evidence."""
    gap, most = float(solution.gap.max()), int(np.count_nonzero(solution.coef, axis=1).max())
    status = (
        PathStatus.NOT_CERTIFIED if gap > tol else PathStatus.CERTIFIED if solution.reached else PathStatus.ENDED_EARLY
    )
    message = status.message(gap=gap, tol=tol, most=most, n_active=goal.n_active)
    return status, f"{message}; {goal.limit}" if goal.limit else message

"""The null model: fixed and polygenic effects, no SNPs, fitted in one dimension.

    y ~ N(Z a, sg2 (K + delta I)),   K = U S U',   delta = se2 / sg2

With w_i = 1 / (S_i + delta) and everything rotated by U', a and sg2 have closed forms for each delta
(n samples, q covariates, rss the weighted residual sum of squares):

    ML:    l(delta) = -n/2 [log(2 pi rss / n) + 1] + 1/2 sum log w
    REML:  l(delta) = -v/2 [log(2 pi rss / v) + 1] + 1/2 sum log w - 1/2 log|Z'V^-1 Z| + 1/2 log|Z'Z|

with v = n - q degrees of freedom

(Patterson and Thompson 1971, doi:10.1093/biomet/58.3.545; Kang et al. 2008, doi:10.1534/genetics.107.080101).
Derivatives follow from P = V^-1 - V^-1 Z (Z'V^-1 Z)^-1 Z'V^-1, dP/d delta = -P P.

PVE is GEMMA's (Zhou and Stephens 2012, doi:10.1038/ng.2310; function CalcPve): with C = I - 11'/n and
t = tr(CKC)/n, the mean diagonal of the centred kinship,

    pve = t sg2 / (t sg2 + se2) = t / (t + delta),   se(pve) = t delta / (t + delta)^2 se(log delta)

and se(log delta) from the curvature of the profile log-likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

from bayes_lmmlasso.arguments import check_count
from bayes_lmmlasso.display import Table
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm.low_rank import Basis, check_basis
from bayes_lmmlasso.numerics.checks import check_covariates, check_trait, real_numbers

__all__ = [
    "NullMethod",
    "NullModel",
    "NullStatus",
    "check_method",
    "check_variation",
    "fit_null_model",
    "log_delta_grid",
]

NullMethod = Literal["ml", "reml"]


class NullStatus(Enum):
    """Where the optimum of the profile lies in the search."""

    INSIDE = "inside the bounds of the search"
    AT_LOWER_BOUND = "at the lower bound of the search"
    AT_UPPER_BOUND = "at the upper bound of the search"

    @property
    def advice(self) -> str:
        """What a bound means and how to read on; empty inside."""
        if self is NullStatus.INSIDE:
            return ""
        seen = "no" if self is NullStatus.AT_UPPER_BOUND else "almost only"
        return f"the data see {seen} polygenic variance. Read the Lasso path and its stability with that in mind."


@dataclass(frozen=True, eq=False, repr=False)
class NullModel(Table):
    """A fitted null model.

    Parameters
    ----------
    method
        ``"ml"`` or ``"reml"``.
    log_delta, delta
        Optimum of the profile, delta = se2 / sg2.
    sigma2_g, sigma2_e
        Variances sg2 and se2 at the optimum.
    fixed_effects
        Generalised least squares estimate of a, shape ``(q,)``.
    pve, pve_se
        Share of variance explained by the kinship and its standard error (NaN at a bound).
    log_likelihood
        Maximum of the (restricted) log-likelihood, with all constants.
    grid, profile
        The grid of log delta and the profile log-likelihood on it, shape ``(g,)`` each.
    at_bound
        True when the best grid point is the first or the last; then log_delta is that point.
    """

    _columns = ("grid", "profile")

    method: NullMethod
    log_delta: float
    delta: float
    sigma2_g: float
    sigma2_e: float
    fixed_effects: NDArray[np.float64]
    pve: float
    pve_se: float
    log_likelihood: float
    grid: NDArray[np.float64]
    profile: NDArray[np.float64]
    at_bound: bool

    @property
    def status(self) -> NullStatus:
        """Where the optimum lies, and at which bound."""
        if not self.at_bound:
            return NullStatus.INSIDE
        return NullStatus.AT_LOWER_BOUND if self.log_delta == self.grid[0] else NullStatus.AT_UPPER_BOUND


def fit_null_model(
    y: ArrayLike,
    basis: Basis,
    covariates: ArrayLike | None = None,
    method: NullMethod = "ml",
    *,
    bounds: tuple[float, float] = (-5.0, 5.0),
    n_grid: int = 101,
) -> NullModel:
    """Fit the null model by a grid on log delta, then Brent's method inside the best bracket.

    Parameters
    ----------
    y
        Trait, shape ``(n,)``.
    basis
        Eigenbasis of the kinship matrix of the same samples, of full or of low rank.
    covariates
        Fixed effects Z, shape ``(n, q)``; None means none, not even an intercept.
    method
        Maximum likelihood or restricted maximum likelihood.
    bounds, n_grid
        Range of log delta and number of grid points.

    Returns
    -------
    NullModel

    Raises
    ------
    InputError
        If shapes disagree, values are not finite, covariates are redundant, or they explain the trait wholly.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> cohort = bl.simulate_cohort(n_samples=60, n_variants=100, seed=1)
    >>> cohort = cohort.assign(height=("samples", bl.simulate_trait(cohort, n_causal=2, seed=1).y))
    >>> analysis = bl.prepare(cohort, "height")
    >>> basis = bl.Eigenbasis.from_kinship(bl.gower_scale(bl.kinship(analysis.X)))
    >>> null = bl.fit_null_model(analysis.y, basis, analysis.covariates, "reml")
    >>> 0 < null.pve < 1
    True
    """
    check_method(method)
    grid = log_delta_grid(bounds, n_grid)
    basis = check_basis(basis)
    trait = check_trait(y, basis.n_samples)
    Z = check_covariates(covariates, basis.n_samples)
    profile = _Profile.of(trait, Z, basis, method)
    values = profile.log_likelihood(grid)
    best = int(values.argmax())
    at_bound = best in (0, n_grid - 1)
    log_delta = float(grid[best]) if at_bound else _refine(profile, grid[best - 1], grid[best + 1])
    delta = float(np.exp(log_delta))
    sigma2_g = profile.scale(log_delta)
    t = _mean_centred_diagonal(basis)
    pve_se = np.nan if at_bound else t * delta / (t + delta) ** 2 * profile.standard_error(log_delta)
    root_w = np.sqrt(1.0 / (basis.values + delta))
    fixed = np.linalg.lstsq(root_w[:, None] * basis.rotate(Z), root_w * basis.rotate(trait), rcond=None)[0]
    return NullModel(
        method=method,
        log_delta=log_delta,
        delta=delta,
        sigma2_g=sigma2_g,
        sigma2_e=sigma2_g * delta,
        fixed_effects=fixed,
        pve=t / (t + delta),
        pve_se=float(pve_se),
        log_likelihood=float(profile.log_likelihood(np.array([log_delta]))[0]),
        grid=grid,
        profile=values,
        at_bound=at_bound,
    )


def check_method(method: object) -> None:
    """Refuse what is neither ml nor reml.

    Raises
    ------
    InputError
        If it is neither.
    """
    if method not in get_args(NullMethod):
        raise InputError(f"expected method ml or reml, got {method!r}: choose one of the two")


def log_delta_grid(bounds: tuple[float, float] = (-5.0, 5.0), n_grid: int = 101) -> NDArray[np.float64]:
    """Return the grid of log delta, shape ``(g,)``.

    Raises
    ------
    InputError
        If the bounds do not rise or there are fewer than 3 points.
    """
    ends = real_numbers(bounds, "bounds of log delta")
    count = check_count(n_grid, "n_grid")
    if not (ends.shape == (2,) and np.isfinite(ends).all() and ends[0] < ends[1] and count >= 3):
        raise InputError(
            f"expected rising finite bounds of log delta and 3 or more grid points, got {bounds}, {n_grid}: "
            "the default is (-5, 5) with 101 points"
        )
    return np.linspace(*bounds, count)


def check_variation(trait: NDArray[np.float64], remainder: NDArray[np.float64], n_covariates: int) -> None:
    """Refuse a trait of which the covariates leave no remainder.

    Raises
    ------
    InputError
        If there are as many covariates as samples, or the remainder is rounding error.
    """
    if n_covariates >= trait.size or np.linalg.norm(remainder) <= 1e-10 * np.linalg.norm(trait):
        raise InputError(
            f"trait: expected variation beyond the {n_covariates} covariates, got none in {trait.size} "
            "samples: check that the trait is not constant and remove covariates that determine it"
        )


@dataclass(frozen=True, eq=False)
class _Profile:
    """The profile log-likelihood as a function of log delta.

    ``Q`` is an orthonormal basis of the rotated covariates and ``y`` the rotated trait without its component
    in Q: neither changes rss or the likelihood, both keep the normal equations well conditioned.
    """

    S: NDArray[np.float64]
    y: NDArray[np.float64]
    Q: NDArray[np.float64]
    restricted: bool

    @classmethod
    def of(cls, trait: NDArray[np.float64], Z: NDArray[np.float64], basis: Basis, method: NullMethod) -> _Profile:
        Q = np.linalg.qr(basis.rotate(Z))[0]
        rotated = basis.rotate(trait)
        remainder = rotated - Q @ (Q.T @ rotated)
        check_variation(trait, remainder, Z.shape[1])
        return cls(basis.values, remainder, Q, method == "reml")

    @property
    def degrees(self) -> int:
        """Divisor of rss: n, or n - q when restricted."""
        return self.y.size - (self.Q.shape[1] if self.restricted else 0)

    def _solve(self, w: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        """Return P y for one delta, and log|Q'V^-1 Q|."""
        weighted = w[:, None] * self.Q
        normal = self.Q.T @ weighted
        fixed = np.linalg.solve(normal, weighted.T @ self.y)
        return w * (self.y - self.Q @ fixed), float(np.linalg.slogdet(normal)[1])

    def log_likelihood(self, log_delta: NDArray[np.float64]) -> NDArray[np.float64]:
        """Profile log-likelihood at each log delta, shape ``(g,)``."""
        w = 1.0 / (self.S + np.exp(log_delta)[:, None])
        if self.Q.shape[1] == 0:
            rss, log_det = w @ self.y**2, np.zeros(log_delta.size)
        else:
            solved = [self._solve(row) for row in w]
            rss = np.array([self.y @ Py for Py, _ in solved])
            log_det = np.array([value for _, value in solved])
        v = self.degrees
        value = -0.5 * v * (np.log(2.0 * np.pi * rss / v) + 1.0) + 0.5 * np.log(w).sum(axis=1)
        return np.asarray(value - 0.5 * log_det if self.restricted else value)

    def scale(self, log_delta: float) -> float:
        """sg2 = rss / n (ML) or rss / (n - q) (REML)."""
        Py, _ = self._solve(1.0 / (self.S + np.exp(log_delta)))
        return float(self.y @ Py) / self.degrees

    def derivatives(self, log_delta: float) -> tuple[float, float]:
        """First and second derivative of the profile with respect to log delta."""
        delta = float(np.exp(log_delta))
        w = 1.0 / (self.S + delta)
        Py, _ = self._solve(w)
        PPy = w * Py
        M = np.linalg.inv(self.Q.T @ (w[:, None] * self.Q))
        PPy -= w * (self.Q @ (M @ (self.Q.T @ PPy)))
        rss, rss1, rss2 = self.y @ Py, -(Py @ Py), 2.0 * (Py @ PPy)
        trace, trace2 = w.sum(), (w**2).sum()
        if self.restricted:  # tr(P) and tr(PP) in place of tr(V^-1) and tr(V^-2)
            B = M @ (self.Q.T @ ((w**2)[:, None] * self.Q))
            C = M @ (self.Q.T @ ((w**3)[:, None] * self.Q))
            trace -= np.trace(B)
            trace2 += np.trace(B @ B) - 2.0 * np.trace(C)
        first = -0.5 * self.degrees * rss1 / rss - 0.5 * trace
        second = -0.5 * self.degrees * (rss2 / rss - (rss1 / rss) ** 2) + 0.5 * trace2
        return float(delta * first), float(delta**2 * second + delta * first)

    def standard_error(self, log_delta: float) -> float:
        """Return the standard error of log delta (infinite where the profile is flat)."""
        curvature = -self.derivatives(log_delta)[1]
        return float(curvature**-0.5) if curvature > 0.0 else float(np.inf)


def _refine(profile: _Profile, low: float, high: float) -> float:
    """Maximise inside a bracket: Brent's method, then Newton steps to full precision."""
    found = minimize_scalar(
        lambda x: -profile.log_likelihood(np.array([x]))[0],
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-7},
    )
    log_delta = float(found.x)
    for _ in range(2):
        first, second = profile.derivatives(log_delta)
        step = -first / second if second < 0.0 else 0.0
        if abs(step) < 1e-4:
            log_delta += step
    return log_delta


def _mean_centred_diagonal(basis: Basis) -> float:
    """Return tr(CKC)/n with C = I - 11'/n."""
    n = basis.n_samples
    total = float(basis.values @ basis.rotate(np.ones(n)) ** 2)
    return (float(basis.values.sum()) - total / n) / n

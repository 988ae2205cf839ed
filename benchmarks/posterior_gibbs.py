"""The Bayesian Lasso's Gibbs sampler (Park and Casella 2008, doi:10.1198/016214508000000337) for the model `laplace`.

    b_j | t_j ~ N(0, s^2 t_j),  t_j ~ Exp(mean 2)      is      b_j ~ Laplace(0, s),    s = sqrt(v h rho / (2 p))

One iteration, with Phi = diag(d)^(-1/2) [Z X], alpha = diag(d)^(-1/2) y and D = diag(100, s^2 t):

    log v, h, rho | a, b       t integrated out (Hans 2009, doi:10.1093/biomet/asp047), slice sampling of one coordinate
                               after the other on the real line (Neal 2003, doi:10.1214/aos/1056562461)
    1 / t_j | b, s             inverse Gaussian of mean s / |b_j| and shape 1
    a, b | t, v, h, rho        one block, by an n x n system (Bhattacharya et al. 2016, doi:10.1093/biomet/asw042):
                               g ~ N(0, D), e ~ N(0, I), (Phi D Phi' + I) w = alpha - Phi g - e, (a, b) = g + D Phi' w
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from threadpoolctl import threadpool_limits

from bayes_lmmlasso.models import RotatedData
from bayes_lmmlasso.models.rotated import FIXED_SD

__all__ = ["park_casella"]

Array = NDArray[np.float64]

_WIDTHS = np.array([0.3, 0.5, 1.0])  # of the slices: log v, logit h, logit rho


def park_casella(data: RotatedData, *, chains: int, warmup: int, draws: int, seed: int) -> dict[str, Array]:
    """Return log_v, h, rho and b, each of shape (chains, draws, ...); chains in parallel, one BLAS thread each."""
    y, Z, XT, S = (np.asarray(values, dtype=np.float64) for values in (data.y, data.Z, data.XT, data.S))
    seeds = np.random.default_rng(seed).spawn(chains)
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as pool:
        kept = list(pool.map(lambda rng: _chain(y, Z, XT.T.copy(), S, warmup, draws, rng), seeds))
    return {name: np.stack([chain[name] for chain in kept]) for name in ("log_v", "h", "rho", "b")}


def _chain(
    y: Array, Z: Array, X: Array, S: Array, warmup: int, draws: int, rng: np.random.Generator
) -> dict[str, Array]:
    (n, p), q = X.shape, Z.shape[1]
    design = np.hstack([Z, X])
    theta, effects = rng.normal(size=3) * _WIDTHS, np.r_[np.zeros(q), rng.laplace(scale=0.01, size=p)]
    kept = {name: np.empty((draws, *shape)) for name, shape in (("log_v", ()), ("h", ()), ("rho", ()), ("b", (p,)))}
    for i in range(-warmup, draws):
        b = effects[q:]
        squares, size = np.square(y - design @ effects), np.abs(b).sum()
        theta = _slice(theta, lambda at: _log_density(at, squares, size, S, p), rng)  # noqa: B023
        s, d = _scales(theta, S, p)
        spread = np.r_[np.full(q, FIXED_SD**2), s**2 / _inverse_gaussian(s / np.abs(b), rng)]
        Phi = design / np.sqrt(d)[:, None]
        g = np.sqrt(spread) * rng.standard_normal(q + p)
        system = (Phi * spread) @ Phi.T
        system[np.diag_indices(n)] += 1.0
        w = cho_solve(cho_factor(system, lower=True), y / np.sqrt(d) - Phi @ g - rng.standard_normal(n))
        effects = g + spread * (Phi.T @ w)
        if i >= 0:
            log_v, h, rho = theta[0], *_share(theta[1:])
            for name, value in (("log_v", log_v), ("h", h), ("rho", rho), ("b", effects[q:])):
                kept[name][i] = value
    return kept


def _share(logit: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-logit))


def _scales(theta: Array, S: Array, p: int) -> tuple[float, Array]:
    """s and d."""
    v, (h, rho) = np.exp(theta[0]), _share(theta[1:])
    return np.sqrt(v * h * rho / (2 * p)), v * (h * (1 - rho) * S + 1 - h)


def _log_density(theta: Array, squares: Array, size: float, S: Array, p: int) -> float:
    """Log density of log v, logit h and logit rho given the squared residuals and sum |b_j|."""
    if np.abs(theta).max() > 30.0:  # beyond it a share is 0 or 1 in floating point
        return -np.inf
    s, d = _scales(theta, S, p)
    jacobian = -np.logaddexp(0.0, theta[1:]).sum() - np.logaddexp(0.0, -theta[1:]).sum()
    likelihood = -0.5 * (np.log(d) + squares / d).sum() - p * np.log(s) - size / s
    return float(likelihood - 2.0 * theta[0] ** 2 + jacobian)


def _slice(theta: Array, log_density: Callable[[Array], float], rng: np.random.Generator) -> Array:
    """Update each coordinate by slice sampling with stepping out and shrinkage."""
    for k, width in enumerate(_WIDTHS):

        def at(value: float, k: int = k) -> float:
            moved = theta.copy()  # noqa: B023
            moved[k] = value
            return log_density(moved)

        level = at(theta[k]) + np.log(rng.uniform())
        low = theta[k] - width * rng.uniform()
        high = low + width
        while at(low) > level:
            low -= width
        while at(high) > level:
            high += width
        while True:
            value = rng.uniform(low, high)
            if at(value) > level:
                break
            low, high = (value, high) if value < theta[k] else (low, value)
        theta = theta.copy()
        theta[k] = value
    return theta


def _inverse_gaussian(mean: Array, rng: np.random.Generator) -> Array:
    """Inverse Gaussian of shape 1 (Michael, Schucany, Haas 1976), in a form that does not cancel for large means."""
    half = 0.5 * mean * np.square(rng.standard_normal(mean.size))
    x = mean / (1.0 + half + np.sqrt(half * (2.0 + half)))
    return np.where(rng.uniform(size=mean.size) * (mean + x) <= mean, x, mean * (mean / x))

r"""What the prior says of a SNP or a window before any data: the baseline of pip and window_pip.

With a point mass, of m SNPs any is included with probability

    1 - E[(1 - pi)^m],    log pi ~ U(log 1/p, log min(0.3, 300 / p))    (Gauss-Legendre quadrature)

Without one, the share of variance of a window is v h rho times that of effects b0 with E[sum_j b0_j^2] = 1, so that

    P(var(X_w b_w) > t) = E[T(t / var(X_w b0_w))],    T(x) = P(v h rho > x)

over 4,096 seeded draws of b0, the same for all windows. Its relative error is 10% where it is 1e-3, less above, and a
factor of two at 1e-6, which is the least that is given (for the horseshoe 20% at 1e-3). T is known: with c = log x /
sigma, log v ~ N(0, sigma^2), sigma = 1/2, and P(h rho > y) = 1 - y + y log y for two uniforms,

    T(x) = Phi(-c) + x e^(sigma^2 / 2) ((log x - 1 + sigma^2) Phi(-c - sigma) - sigma phi(c + sigma))

The Bayes factor of a window is its posterior odds over its prior odds. Draws cannot tell a probability of 1 from one
just below: window_pip counts as (m window_pip + prior) / (m + 1), m the effective number of draws, as if one more draw
had come from the prior. So the Bayes factor of a window that every draw includes is about m over its prior, a bound
that grows with the draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtr

from bayes_lmmlasso.models.sparsity import sparsity_range
from bayes_lmmlasso.numerics.threads import thread_map

__all__ = ["UNIT_EFFECTS", "bayes_factors", "snp_prior", "window_priors"]

_DRAWS, _SEED = 4096, 20130129
_STRETCH = 512  # SNPs whose effects are drawn at a time
_SIGMA = 0.5  # standard deviation of log v
_LEAST = 1e-6  # so many draws say nothing of less


def snp_prior(tree: xr.DataTree, variance_share: float) -> float:
    """Return the prior probability that a SNP is included; NaN for a model whose prior is not known here."""
    p = tree.children["constant_data"].sizes["variant"]
    if tree.attrs.get("exact_zeros"):
        return float(_any_included(p, np.array([1]))[0])
    if tree.attrs.get("model") not in UNIT_EFFECTS:
        return np.nan
    return _exceeds(np.square(_unit_effects(tree.attrs["model"], p, 0)), variance_share)


def window_priors(tree: xr.DataTree, members: Sequence[NDArray[np.intp]], variance_share: float) -> NDArray[np.float64]:
    """Return the prior probability that each window is included, NaN for a model whose prior is not known here.

    Parameters
    ----------
    tree
        Result of `sample_posterior`.
    members
        SNPs of each of the k windows.
    variance_share
        Share t of phenotypic variance, for a prior without a point mass.
    """
    X = tree.children["constant_data"].dataset["X"].values
    if tree.attrs.get("exact_zeros"):
        return _any_included(len(X), np.array([len(inside) for inside in members]))
    if tree.attrs.get("model") not in UNIT_EFFECTS:
        return np.full(len(members), np.nan)
    effects = _PriorEffects(tree.attrs["model"], len(X), X.shape[1], max(map(len, members)))
    return np.array(thread_map(lambda inside: _exceeds(effects.explained(X[inside]), variance_share), members))


def bayes_factors(
    pip: NDArray[np.float64], prior: NDArray[np.float64], effective: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return posterior odds over prior odds, shape ``(k,)``, by the rule of the module docstring.

    Parameters
    ----------
    pip, prior
        Posterior and prior probability of each window.
    effective
        Effective number of draws behind each posterior probability.
    """
    # with q = (m pip + prior) / (m + 1), the odds of q are (m pip + prior) / (m (1 - pip) + 1 - prior)
    odds = (effective * pip + prior) / (effective * (1 - pip) + 1 - prior)
    factors: NDArray[np.float64] = odds * (1 - prior) / prior
    return factors


def _any_included(p: int, sizes: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return 1 - E[(1 - pi)^m] for windows of m of the p SNPs."""
    lower, upper = sparsity_range(p)
    nodes, weights = np.polynomial.legendre.leggauss(100)
    pi = np.exp((lower + upper) / 2 + (upper - lower) / 2 * nodes)
    distinct, where = np.unique(sizes, return_inverse=True)
    included: NDArray[np.float64] = -np.expm1(distinct[:, None] * np.log1p(-pi)) @ (weights / 2)
    return included[where]


def _exceeds(unit_share: NDArray[np.floating], share: float) -> float:
    """Return P(v h rho times a unit share > share), the mean of T over draws of the unit share."""
    log_x = np.log(share) - np.log(np.maximum(unit_share.ravel(), 1e-30))
    return max(_LEAST, float(np.interp(log_x, *_tail()).mean()))  # 30 times faster than T itself


@cache
def _tail() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return log x from 1e-9 to 400, and T(x)."""
    log_x = np.linspace(-20.0, 6.0, 8192)
    c = log_x / _SIGMA
    density = np.exp(-0.5 * np.square(c + _SIGMA)) / np.sqrt(2 * np.pi)
    inner = (log_x - 1 + _SIGMA**2) * ndtr(-c - _SIGMA) - _SIGMA * density
    return log_x, np.clip(ndtr(-c) + np.exp(log_x + _SIGMA**2 / 2) * inner, 0, 1)


class _PriorEffects:
    """Draws b0 of the effects of a window, in stretches of SNPs that all windows share."""

    def __init__(self, model: str, p: int, n: int, largest: int) -> None:
        self._model, self._p, self._few = model, p, max(n, _STRETCH)
        self._first = np.concatenate([b for _, b in self._stretches(min(largest, self._few))])

    def explained(self, X: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the variance that draws explain in a window with SNPs X of shape ``(w, n)``."""
        w = len(X)
        if w > self._few:
            fitted = sum(X[k : k + _STRETCH].T @ b[: w - k] for k, b in self._stretches(w))
            return np.asarray(np.var(fitted, axis=0))
        b, covariance = self._first[:w], np.cov(X, ddof=0, dtype=np.float32).reshape(w, w)
        shares: NDArray[np.floating] = np.einsum("jd,jd->d", b, covariance @ b)
        return shares

    def _stretches(self, w: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
        for start in range(0, w, _STRETCH):
            yield start, _unit_effects(self._model, self._p, start // _STRETCH)


def _unit_effects(model: str, p: int, stretch: int) -> NDArray[np.float32]:
    """Draw effects at v h rho = 1, shape ``(512, 4096)``; the k-th draws of all stretches share hyper-parameters."""
    return UNIT_EFFECTS[model](p, (_STRETCH, _DRAWS), np.random.default_rng([_SEED, stretch]))


def _laplace(p: int, shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw from Laplace(0, s), s = sqrt(1 / (2 p)): the difference of two exponentials."""
    first, second = (rng.standard_exponential(shape, dtype=np.float32) for _ in range(2))
    return (first - second) * np.float32((2 * p) ** -0.5)


def _normal(p: int, shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw from N(0, 1 / p)."""
    return rng.standard_normal(shape, dtype=np.float32) * np.float32(p**-0.5)


def _horseshoe(p: int, shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw from the regularised horseshoe of `models/horseshoe.py`, log pi at the middles of equal parts."""
    lower, upper = sparsity_range(p)
    pi = np.exp(lower + (upper - lower) * (np.arange(shape[1]) + 0.5) / shape[1]).astype(np.float32)
    half_cauchy = np.tan(np.float32(np.pi / 2) * rng.random(shape, dtype=np.float32))
    ratio = half_cauchy * (pi / (1 - pi))
    normal = rng.standard_normal(shape, dtype=np.float32)
    effects: NDArray[np.float32] = ratio / np.sqrt(1 + np.square(ratio)) * normal / np.sqrt(p * pi)
    return effects


UNIT_EFFECTS: dict[str, Callable[[int, tuple[int, int], np.random.Generator], NDArray[np.float32]]] = {
    "laplace": _laplace,
    "normal": _normal,
    "horseshoe": _horseshoe,
}
"""Name of a prior without a point mass -> effects at v h rho = 1 of some SNPs, from a number of draws."""

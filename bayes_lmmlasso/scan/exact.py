"""Single-SNP mixed-model tests with delta re-estimated for every SNP by REML.

Among the m = n - q contrasts orthogonal to the covariates (`lmm.contrasts`), with w_i = 1 / (S_i + delta),

    a = sum w x^2,  c = sum w x y,  s = sum w y^2,  r = s - c^2 / a,
    l(delta) = -1/2 [(m - 1) log r - sum log w + log a]

is the restricted log-likelihood up to a constant, and SNPs are tested at its maximum over 1 / delta in [1e-5, 1e5]
(Zhou and Stephens 2012, doi:10.1038/ng.2310). The search, for a block of SNPs at once: the sign of the derivative at 11
equally spaced values of log delta tells in which of the 10 regions a maximum lies. Within a region a, c and l are
interpolated at Chebyshev points of log delta: they are analytic for |Im log delta| < pi, as neither r nor a has a zero
there (e^(-i arg(delta) / 2) (K + delta I) has a positive definite real part), so that an interpolant of degree 11 is
exact to about 5.6^-12 = 1e-9. Maxima of interpolants, found by safeguarded Newton steps, and the two ends of the range
compete; everything that depends on n is a matrix product with all SNPs of the block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from bayes_lmmlasso.scan.wald import wald

__all__ = ["LOG_DELTA_BOUNDS", "ExactModel", "ExactTest"]

LOG_DELTA_BOUNDS = (-float(np.log(1e5)), float(np.log(1e5)))
_REGIONS = 10
_NODES = np.cos(np.pi * (np.arange(12) + 0.5) / 12)
_ORDERS = np.arange(_NODES.size)
_TO_SERIES = np.cos(_ORDERS[:, None] * np.arccos(_NODES)) * np.where(_ORDERS == 0, 1.0, 2.0)[:, None] / _NODES.size
_DERIVATIVE = np.stack([chebyshev.cheb2poly(chebyshev.chebder(column)) for column in _TO_SERIES.T], axis=1)
_NEWTON_STEPS = 40


@dataclass(frozen=True, eq=False)
class ExactTest:
    """Tests of p SNPs at their own log delta, shape ``(p,)`` each."""

    beta: NDArray[np.float64]
    se: NDArray[np.float64]
    log10_p: NDArray[np.float64]
    log_delta: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Forms:
    """Quadratic forms of the trait at g values of log delta, and the weights that give those of SNPs.

    Shapes: ``log_delta``, ``s`` and ``log_det`` (= -sum log w) ``(g,)``; ``w`` and ``wy`` ``(m, g)``.
    """

    log_delta: NDArray[np.float64]
    w: NDArray[np.float64]
    wy: NDArray[np.float64]
    s: NDArray[np.float64]
    log_det: NDArray[np.float64]

    @classmethod
    def at(cls, log_delta: NDArray[np.float64], S: NDArray[np.float64], y: NDArray[np.float64]) -> Self:
        w = 1.0 / (S[:, None] + np.exp(log_delta))
        return cls(log_delta, w, w * y[:, None], y**2 @ w, -np.log(w).sum(axis=0))


@dataclass(frozen=True, eq=False)
class ExactModel:
    """A trait among the contrasts, ready to test SNPs.

    Parameters
    ----------
    y
        Rotated trait, shape ``(m,)``.
    edges
        Quadratic forms at the edges of the regions.
    regions
        Quadratic forms at the Chebyshev points of each region.
    """

    y: NDArray[np.float64]
    edges: _Forms
    regions: tuple[_Forms, ...]

    @classmethod
    def of(cls, S: NDArray[np.float64], y: NDArray[np.float64], bounds: tuple[float, float]) -> Self:
        """Prepare the search of log delta within bounds, for eigenvalues S and a trait of shape ``(m,)``."""
        edges = np.linspace(*bounds, _REGIONS + 1)
        half = 0.5 * (edges[1] - edges[0])
        centres = edges[:-1] + half
        return cls(y, _Forms.at(edges, S, y), tuple(_Forms.at(centre + half * _NODES, S, y) for centre in centres))

    @property
    def degrees(self) -> int:
        """V = m - 1."""
        return self.y.size - 1

    def test(self, rows: NDArray[Any], size: NDArray[np.float64]) -> ExactTest:
        """Test SNPs.

        Parameters
        ----------
        rows
            Rotated SNPs, shape ``(p, m)``.
        size
            Squared norm of each SNP before the covariates were taken out, shape ``(p,)``.
        """
        x = rows.astype(np.float64, copy=False)
        square = np.square(x)
        norm = square.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):  # SNPs of norm 0: NaN in the end
            best, slope = self._edges(x, square)
            for k, forms in enumerate(self.regions):
                inside = np.flatnonzero((slope[:, k] > 0.0) & (slope[:, k + 1] <= 0.0))
                if inside.size:
                    chosen = slice(None) if inside.size == len(x) else inside
                    best.update(inside, *_maximum(x[chosen] @ forms.wy, square[chosen] @ forms.w, forms, self.degrees))
        found = wald(np.where(norm > 1e-8 * size, best.a, 0.0), best.c, best.s, best.a, self.degrees)
        return ExactTest(found.beta, found.se, found.log10_p, best.log_delta)

    def _edges(self, x: NDArray[np.float64], square: NDArray[np.float64]) -> tuple[_Best, NDArray[np.float64]]:
        """Return the better end of the range, and dl / d delta at the edges, shape ``(p, 11)``."""
        forms, g = self.edges, self.edges.log_delta.size
        a, minus_a1 = np.hsplit(square @ np.hstack([forms.w, forms.w**2]), [g])
        c, minus_c1 = np.hsplit(x @ np.hstack([forms.wy, forms.w * forms.wy]), [g])
        ratio = c / a
        rest = forms.s - ratio * c
        rest1 = -np.square(forms.wy).sum(axis=0) + ratio * (2.0 * minus_c1 - ratio * minus_a1)
        slope = -0.5 * (self.degrees * rest1 / rest + forms.w.sum(axis=0) - minus_a1 / a)
        ends = np.array([0, g - 1])
        value = _log_likelihood(a[:, ends], c[:, ends], forms.s[ends], forms.log_det[ends], self.degrees)
        better = value.argmax(axis=1)
        row, end = np.arange(len(x)), ends[better]
        return _Best(value[row, better], forms.log_delta[end], a[row, end], c[row, end], forms.s[end]), slope


@dataclass(eq=False)
class _Best:
    """The best maximum of each SNP so far, shape ``(p,)`` each."""

    value: NDArray[np.float64]
    log_delta: NDArray[np.float64]
    a: NDArray[np.float64]
    c: NDArray[np.float64]
    s: NDArray[np.float64]

    def update(self, rows: NDArray[np.intp], value: NDArray[np.float64], *others: NDArray[np.float64]) -> None:
        """Take over maxima of some SNPs where they are higher."""
        higher = value > self.value[rows]
        self.value[rows[higher]] = value[higher]
        for mine, other in zip((self.log_delta, self.a, self.c, self.s), others, strict=True):
            mine[rows[higher]] = other[higher]


def _log_likelihood(a: Any, c: Any, s: Any, log_det: Any, degrees: int) -> NDArray[np.float64]:
    rest = np.maximum(s - c**2 / a, 1e-300)
    return np.asarray(-0.5 * (degrees * np.log(rest) + log_det + np.log(a)))


def _maximum(
    c: NDArray[np.float64], a: NDArray[np.float64], forms: _Forms, degrees: int
) -> tuple[NDArray[np.float64], ...]:
    """Return likelihood, log delta, a, c and s at the maximum inside a region, from values at its Chebyshev points."""
    derivative = _log_likelihood(a, c, forms.s, forms.log_det, degrees) @ _DERIVATIVE.T
    place = _decreasing_root(derivative.T)
    weights = np.cos(np.arccos(place)[:, None] * _ORDERS) @ _TO_SERIES
    a, c = (a * weights).sum(axis=1), (c * weights).sum(axis=1)
    s, log_det, log_delta = weights @ forms.s, weights @ forms.log_det, weights @ forms.log_delta
    return _log_likelihood(a, c, s, log_det, degrees), log_delta, a, c, s


def _decreasing_root(coef: NDArray[np.float64]) -> NDArray[np.float64]:
    """Root in [-1, 1] of polynomials that are positive on its left and negative on its right.

    Newton's method, or bisection where it would leave the bracket; coefficients by ascending power, one polynomial a
    column.
    """
    low, high = np.full(coef.shape[1], -1.0), np.ones(coef.shape[1])
    x = np.zeros(coef.shape[1])
    for _ in range(_NEWTON_STEPS):
        value, slope = coef[-1], np.zeros_like(x)
        for order in coef[-2::-1]:  # Horner's scheme for value and derivative
            slope = slope * x + value
            value = value * x + order
        low, high = np.where(value > 0.0, x, low), np.where(value > 0.0, high, x)
        step = x - value / slope
        step = np.where((step > low) & (step < high), step, 0.5 * (low + high))
        moved = np.abs(step - x).max()
        x = step
        if moved < 1e-9:
            break
    return x

"""Trait transforms with their inverses: y = (g(t) - mean) / sd for a trait t in its own units.

g is the identity (``none``), the Box-Cox power transform with the maximum-likelihood exponent
(Box and Cox 1964, doi:10.1111/j.2517-6161.1964.tb00553.x; ``box-cox``), or the normal score of the rank r
among n values, Phi^-1((r - 3/8) / (n + 1/4)), ties sharing their mean rank (Blom 1958; ``rank-normal``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.display import Display
from bayes_lmmlasso.errors import InputError

__all__ = ["TraitTransform", "TransformName", "fit_trait_transform"]

TransformName = Literal["none", "box-cox", "rank-normal"]

_NODES = np.linspace(-6.0, 6.0, 481)  # of integrals over a standard normal; rank-normal has a kink at every value


@dataclass(frozen=True, repr=False)
class TraitTransform(Display):
    """A fitted transform between a trait's own units and the standardised scale.

    Attributes
    ----------
    name
        ``none``, ``box-cox`` or ``rank-normal``.
    mean, sd
        Mean and standard deviation (ddof 0) of the transformed training values.
    exponent
        The Box-Cox exponent (1 otherwise).
    values, scores
        ``(m,)`` distinct training values, ascending, and their normal scores (rank-normal, else empty).
    """

    name: TransformName
    mean: float
    sd: float
    exponent: float
    values: NDArray[np.float64]
    scores: NDArray[np.float64]

    def forward(self, values: ArrayLike) -> NDArray[np.float64]:
        """From trait units to the standardised scale; rank-normal interpolates between training values."""
        return (self._apply(np.asarray(values, dtype=np.float64)) - self.mean) / self.sd

    def inverse(self, values: ArrayLike) -> NDArray[np.float64]:
        """From the standardised scale to trait units.

        A value beyond what the transform can produce gives the limit: the smallest or largest training
        value for rank-normal; 0 (positive exponent) or infinity (negative) for Box-Cox.
        """
        z = np.asarray(values, dtype=np.float64) * self.sd + self.mean
        if self.name == "rank-normal":
            return np.interp(z, self.scores, self.values)
        if self.name == "box-cox":
            if self.exponent == 0:
                return np.exp(z)
            with np.errstate(divide="ignore"):  # log1p(-1) at the limit
                return np.exp(np.log1p(np.maximum(self.exponent * z, -1.0)) / self.exponent)
        return z

    def log_slope(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return log dy/dt at values t in trait units, which makes a density of y one of t; NaN for ranks: none."""
        t = np.asarray(values, dtype=np.float64)
        if self.name == "rank-normal":
            return np.full(t.shape, np.nan)
        slope = (self.exponent - 1) * np.log(t) if self.name == "box-cox" else np.zeros(t.shape)
        return np.asarray(slope - np.log(self.sd))

    def expectation(self, mean: ArrayLike, sd: ArrayLike) -> NDArray[np.float64]:
        """Mean in trait units of a trait that is normal on the standardised scale; ``inverse(mean)`` is its median."""
        centre, width = np.asarray(mean, dtype=np.float64), np.asarray(sd, dtype=np.float64)
        if self.name == "none":
            return self.inverse(centre)
        density = np.exp(-0.5 * np.square(_NODES))
        return np.asarray(self.inverse(centre[..., None] + width[..., None] * _NODES) @ (density / density.sum()))

    def _apply(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.name == "rank-normal":
            return np.where(np.isnan(values), np.nan, np.interp(values, self.values, self.scores))
        if self.name == "box-cox":
            from scipy.special import boxcox

            return np.asarray(boxcox(values, self.exponent))
        return values


def fit_trait_transform(values: NDArray[np.float64], name: TransformName = "none") -> TraitTransform:
    """Fit a transform to the trait of the analysed samples.

    Parameters
    ----------
    values
        ``(n,)`` finite trait values that are not all equal.
    name
        ``none``, ``box-cox`` or ``rank-normal``.

    Raises
    ------
    InputError
        Unknown transform, constant trait, or a trait that is not positive with ``box-cox``.
    """
    if name not in get_args(TransformName):
        choices = ", ".join(get_args(TransformName))
        raise InputError(f"expected a transform among {choices}, got {name!r}; choose one of them")
    if np.ptp(values) == 0:
        raise InputError(
            f"expected a trait that varies, got {values[0]:g} for all {len(values)} samples; choose another trait"
        )
    exponent, distinct, scores = 1.0, np.empty(0), np.empty(0)
    if name == "box-cox":
        if values.min() <= 0:
            raise InputError(
                f"expected positive values for the Box-Cox transform, got {values.min():g}; "
                "shift the trait or use 'rank-normal'"
            )
        from sklearn.preprocessing import PowerTransformer  # a process that needs none is smaller without

        fitted = PowerTransformer(method="box-cox", standardize=False).fit(values[:, None])
        exponent = float(fitted.lambdas_[0])
    elif name == "rank-normal":
        from scipy.special import ndtri

        distinct, counts = np.unique(values, return_counts=True)
        mean_ranks = np.cumsum(counts) - (counts - 1) / 2
        scores = ndtri((mean_ranks - 0.375) / (len(values) + 0.25))
    raw = TraitTransform(name, 0.0, 1.0, exponent, distinct, scores)
    transformed = raw.forward(values)
    return TraitTransform(name, transformed.mean(), transformed.std(), exponent, distinct, scores)

r"""Mixtures of normals over the draws of a posterior: their moments and quantiles.

The mean and the variance of a mixture follow from those of its normals; a quantile q solves

    mean over draws of Phi((q - mean) / sd) = level

by bisection. Under a monotone transform of the trait mean and sd are integrals over the normals (trapezoidal rule,
spectrally accurate for smooth transforms).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from bayes_lmmlasso.cohort import TraitTransform

__all__ = ["Moments", "NormalMixture"]

_BLOCK = 512  # mixtures whose normals are in the cache at a time
_BISECTIONS = 50  # of a bracket a few standard deviations wide: to 1e-14 of it
_NODES = np.linspace(-6.0, 6.0, 49)  # of the integrals, in standard deviations of a normal


class Moments(NamedTuple):
    """Mean of every normal, shape ``(m, k)``, and standard deviation of each mixture, shape ``(k,)``."""

    means: NDArray[np.float64]
    sd: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NormalMixture:
    """Mixtures of m normals each, of equal weight.

    Attributes
    ----------
    means, sds : of the normals, shape ``(m, k)`` each, for k mixtures.
    """

    means: NDArray[np.float64]
    sds: NDArray[np.float64]

    def sd(self) -> NDArray[np.float64]:
        """Return the standard deviation of each mixture, shape ``(k,)``."""
        result: NDArray[np.float64] = np.sqrt(self.means.var(axis=0) + np.square(self.sds).mean(axis=0))
        return result

    def quantile(self, level: float) -> NDArray[np.float64]:
        """Return a quantile of each mixture, shape ``(k,)``."""
        return np.concatenate([_quantile(*normals, level) for normals in self._blocks()])

    def moments(self, trait: TraitTransform) -> Moments:
        """Return the moments in the units of the trait."""
        parts = [_moments(*normals, trait) for normals in self._blocks()]
        return Moments(*(np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True)))

    def _blocks(self) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        for start in range(0, self.means.shape[1], _BLOCK):
            yield self.means[:, start : start + _BLOCK], self.sds[:, start : start + _BLOCK]


def _quantile(means: NDArray[np.float64], sds: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    # between the least and the greatest quantile of the normals
    each = means + ndtri(level) * sds
    low, high = each.min(axis=0), each.max(axis=0)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        below = ndtr((middle - means) / sds).mean(axis=0) < level
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(0.5 * (low + high))


def _moments(means: NDArray[np.float64], sds: NDArray[np.float64], trait: TraitTransform) -> Moments:
    density = np.exp(-0.5 * np.square(_NODES))
    centre = trait.inverse(0.0)  # squares of what is left do not cancel
    each, second = np.zeros(means.shape), np.zeros(means.shape[1])
    for node, weight in zip(_NODES, density / density.sum(), strict=True):
        values = trait.inverse(means + node * sds) - centre
        each += weight * values
        second += weight * np.square(values).mean(axis=0)
    first = each.mean(axis=0)
    finite = np.isfinite(first)  # a Box-Cox transform with a negative exponent reaches infinity
    variance = np.subtract(second, np.square(first), out=np.full(first.shape, np.inf), where=finite)
    return Moments(each + centre, np.sqrt(np.maximum(variance, 0.0)))

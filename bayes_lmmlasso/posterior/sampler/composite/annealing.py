r"""Annealing of the first third of warm-up: chains begin on a trait with noise, of which less and less is left.

    y + T z,    z ~ N(0, I) drawn once for each chain,    T from 1 down to 0.01 in equal ratios, then 0

A point mass and little noise give real modes: where a few SNPs explain a trait to the last digit, so may a mixture of
many others, and no move of one SNP leads from there. Under noise of the trait's own size nothing holds a chain in such
a mixture, and as the noise goes the best mode is the one that it finds (compare simulated annealing, Kirkpatrick,
Gelatt and Vecchi 1983, doi:10.1126/science.220.4598.671). What follows, the rest of warm-up and every draw, is of the
posterior itself. Every chain has noise of its own, so that chains come from different places.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, Self

import jax
import jax.numpy as jnp
from jax import random

from bayes_lmmlasso.models import RotatedData

__all__ = ["Annealing"]

_COLDEST = 0.01
_PART = 3  # of warm-up, the first: one


class Annealing(NamedTuple):
    """How far a chain is in it.

    Attributes
    ----------
    noise : (n,) standard normal z.
    draws : that are made with noise.
    left : of these, to come.
    """

    noise: jax.Array
    draws: jax.Array
    left: jax.Array

    @classmethod
    def over(cls, warmup: jax.Array, data: RotatedData, key: jax.Array) -> Self:
        """Begin a warm-up of so many draws."""
        draws = warmup // _PART
        return cls(random.normal(key, data.y.shape, data.y.dtype), draws, draws)

    def heat(self, data: RotatedData) -> RotatedData:
        """Return the data with the noise of the next draw."""
        done = (self.draws - self.left) / jnp.maximum(self.draws - 1, 1)
        temperature = jnp.where(self.left > 0, _COLDEST**done, 0.0).astype(data.y.dtype)
        return replace(data, y=data.y + temperature * self.noise)

    def cooled(self) -> Self:
        """Go on to the next draw."""
        return self._replace(left=jnp.maximum(self.left - 1, 0))

"""Slice sampling of a few scalars, one after the other (Neal 2003, doi:10.1214/aos/1056562461).

A slice {x : density(x) > level} is bracketed by stepping out from a window of unit width placed at random around the
point, then sampled by shrinkage. The scalars are unconstrained, so that a unit is a natural width; where the slice is
far narrower, shrinkage finds it in as many evaluations as halvings. There is nothing to adapt, and no step can diverge.
Steps are limited in number: a limit split at random between both sides leaves the distribution as it is (Neal's Figure
3), and ends where a density does not fall off. A point that is impossible is left for the first that is not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax, random

__all__ = ["slice_sample"]

_WIDTH = 1.0
_STEPS = 128  # of stepping out, both sides together; slices of the hyper-parameters take a few
_DRAWS = 60  # after which an interval has no width left in double precision: the point stays


class _Interval(NamedTuple):
    left: jax.Array
    right: jax.Array
    at: jax.Array
    density: jax.Array
    draws: jax.Array
    key: jax.Array


def slice_sample(
    log_density: Callable[[jax.Array], jax.Array], x: jax.Array, key: jax.Array, limit: int = _STEPS
) -> tuple[jax.Array, jax.Array]:
    """Update each coordinate of a point in turn, leaving a distribution as it is.

    Parameters
    ----------
    log_density
        Unnormalised log density of a point of shape (d,). NaN counts as impossible.
    x
        The point, shape (d,).
    key
        Random key.
    limit
        Steps to either side of the point that stepping out takes at most, both sides together.

    Returns
    -------
    x, evaluations
        The new point, and how often the density was evaluated.
    """

    def update(j: jax.Array, carry: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
        x, density, evaluations = carry
        key_level, key_window, key_shrink, key_limit = random.split(random.fold_in(key, j), 4)
        level = density - random.exponential(key_level, dtype=x.dtype)

        def along(t: jax.Array) -> jax.Array:
            return log_density(x.at[j].add(t))

        # every loop begins one step before its first: the density is compiled four times, no more
        def step_out(end: jax.Array, by: float, limit: jax.Array) -> tuple[jax.Array, jax.Array]:
            def step(carry: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
                end, _, steps = carry
                return end + by, (steps < limit) & (along(end + by) > level), steps + 1

            end, _, steps = lax.while_loop(lambda carry: carry[1], step, (end - by, jnp.bool_(True), jnp.int32(0)))
            return end, steps

        def shrink(interval: _Interval) -> _Interval:
            left = jnp.where(interval.at < 0, interval.at, interval.left)
            right = jnp.where(interval.at < 0, interval.right, interval.at)
            key, key_at = random.split(interval.key)
            at = left + (right - left) * random.uniform(key_at, dtype=x.dtype)
            return _Interval(left, right, at, along(at), interval.draws + 1, key)

        def outside(interval: _Interval) -> jax.Array:
            return ~(interval.density > level) & (interval.draws < _DRAWS)

        window = -_WIDTH * random.uniform(key_window, dtype=x.dtype)
        to_left = random.randint(key_limit, (), 0, limit, jnp.int32)
        left, steps_left = step_out(window, -_WIDTH, to_left)
        right, steps_right = step_out(window + _WIDTH, _WIDTH, limit - 1 - to_left)
        none = jnp.full_like(density, -jnp.inf)
        found = lax.while_loop(outside, shrink, _Interval(left, right, left, none, jnp.int32(0), key_shrink))
        inside = found.density > level
        return (
            x.at[j].add(jnp.where(inside, found.at, 0)),
            jnp.where(inside, found.density, density),
            evaluations + steps_left + steps_right + found.draws,
        )

    density = log_density(x)
    start = (x, jnp.where(jnp.isnan(density), -jnp.inf, density), jnp.int32(1))
    x, _, evaluations = lax.fori_loop(jnp.int32(0), jnp.int32(x.shape[0]), update, start)
    return x, evaluations

"""The compiled program that advances chains, and the memory that compiling takes.

JAX keeps what it has traced and compiled for a later call, which is fast then: equal samplers share one program. The
first states and the program need hundreds of megabytes of that. Where X is large and the draws go into a folder, long
runs, it is dropped after each; and in a process that samples data of many shapes, before there is no room for more.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bayes_lmmlasso.memory import count_maps, release_memory
from bayes_lmmlasso.models import RotatedData
from bayes_lmmlasso.posterior.sampler.registry import Sampler

__all__ = ["compile_program", "forget_programs"]

_LARGE = 16 * 2**20  # bytes of X from which memory can count for more than a second compilation
_MANY_MAPS = 8_192  # those of about ten compiled programs


def compile_program(sampler: Sampler, block: int, states: Sequence[Any], data: RotatedData) -> Any:
    """Return the program that makes ``count`` draws, at most ``block``, in each of some chains.

    It takes their states, the data and ``count``, and returns for each the state and the records of a block of draws,
    of which the first ``count`` are filled in.
    """
    return _program(sampler, block).lower(list(states), data, np.int32(1)).compile()


@lru_cache(maxsize=4)
def _program(sampler: Sampler, block: int) -> Any:
    """Return the function of `compile_program`; the same one for equal samplers, so that JAX knows it again."""

    def advance(state: Any, data: RotatedData, count: jax.Array) -> Any:
        def draw(i: int, carry: Any) -> Any:
            state, rows = carry
            state = sampler.step(state, data)
            values = sampler.record(state, data)
            return state, {name: rows[name].at[i].set(value) for name, value in values.items()}

        shapes = jax.eval_shape(sampler.record, state, data)
        rows = {name: jnp.zeros((block, *x.shape), x.dtype) for name, x in shapes.items()}
        return jax.lax.fori_loop(0, count, draw, (state, rows))

    @jax.jit
    def advance_all(states: list[Any], *arguments: Any) -> list[Any]:
        if len(states) == 1:
            return [advance(states[0], *arguments)]
        stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
        advanced = jax.vmap(advance, in_axes=(0, None, None))(stacked, *arguments)
        return [jax.tree.map(lambda leaf, k=k: leaf[k], advanced) for k in range(len(states))]

    return advance_all


def forget_programs(data: RotatedData, long_run: bool) -> None:
    """Free what JAX has traced and compiled, but for programs that are held, as the chains' own is."""
    if (long_run and data.XT.nbytes >= _LARGE) or count_maps() >= _MANY_MAPS:
        jax.clear_caches()  # type: ignore[no-untyped-call]  # JAX gives it no types
        release_memory()

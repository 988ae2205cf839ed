"""The state of a chain as plain arrays, and back: what a file of a store holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

__all__ = ["as_arrays", "as_state", "strongly_typed"]


def strongly_typed(state: Any) -> Any:
    """Give every leaf a type of its own, as a state that comes back from its file has."""
    return jax.tree.map(lambda leaf: leaf if _is_key(leaf) else jnp.asarray(np.asarray(leaf)), state)


def as_arrays(state: Any) -> list[NDArray[Any]]:
    """Return the leaves of a state."""
    return [np.asarray(jax.random.key_data(leaf) if _is_key(leaf) else leaf) for leaf in jax.tree.leaves(state)]


def as_state(leaves: Sequence[NDArray[Any]], like: Any) -> Any:
    """Return the state that has these leaves and the structure of another one."""
    known, structure = jax.tree.flatten(like)
    found = [
        jax.random.wrap_key_data(jnp.asarray(leaf)) if _is_key(old) else jnp.asarray(leaf)
        for old, leaf in zip(known, leaves, strict=True)
    ]
    return jax.tree.unflatten(structure, found)


def _is_key(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)

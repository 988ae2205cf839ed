"""Compilation of the few loops that NumPy can't express: scalar recursions where each step needs the one before.

A compiled function gives the bits of the Python source (no reordering of sums), runs without Python's lock, so that
`thread_map` uses all cores, and is kept on disk: a machine compiles once, in seconds. What is kept is found by the text
of the function's own file: when a compiled function that other files call changes, change those files too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numba

__all__ = ["compiled"]


def compiled[F: Callable[..., Any]](function: F) -> F:
    """Compile a function of arrays and numbers at its first call.

    Where neither the folder of the source nor the user's cache can be written, each process compiles anew.
    """
    try:
        return cast(F, numba.njit(nogil=True, cache=True)(function))
    except RuntimeError:  # no place for the cache
        return cast(F, numba.njit(nogil=True)(function))

"""Compilation of the few loops that NumPy can't express: scalar recursions where each step needs the one before.

A compiled function gives the bits of the Python source (no reordering of sums), runs without Python's lock, so that
`thread_map` uses all cores, and is kept on disk: a machine compiles once, in seconds.

Machine code holds all that a function calls, but Numba knows what it has kept by the function's own file. Here the key
also has the files of the compiled functions that it calls, at any depth, and the values of the constants that it names,
so that stale machine code is never run. (Numba's extension point, a cache locator, would not do: it is asked when a
function is decorated, before those below it exist. The key is asked for at the first call.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from types import CodeType, ModuleType
from typing import Any, cast

import numba
import numpy as np
from numba.core.caching import FunctionCache
from numba.core.dispatcher import Dispatcher

__all__ = ["compiled"]

_DISPATCHER: type[Any] = Dispatcher
_CONSTANT = (bool, int, float, complex, str, bytes, tuple, np.generic)


def compiled[F: Callable[..., Any]](function: F) -> F:
    """Compile a function of arrays and numbers at its first call.

    Where neither the folder of the source nor the user's cache can be written, each process compiles anew.
    """
    dispatcher: Any = numba.njit(nogil=True)(function)
    with suppress(RuntimeError):  # no place for the cache
        dispatcher._cache = _Cache(function)
    return cast(F, dispatcher)


class _Cache(FunctionCache):
    """Machine code on disk, found by all that was compiled in."""

    def __init__(self, function: Callable[..., Any]) -> None:
        own: Any = super()
        own.__init__(function)
        self.source = self._impl.locator.get_source_stamp()

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        own: Any = super()
        digest = sha256()
        for part in _compiled_in(self._py_func, set()):
            digest.update(part)
        return (*own._index_key(sig, codegen), digest.hexdigest())


def _compiled_in(function: Any, seen: set[Any]) -> Iterator[bytes]:
    """Yield the sources of the compiled functions that a function calls, and the constants that it and they name."""
    seen.add(function)
    names, scope = sorted(_names(function.__code__)), function.__globals__
    modules = [scope[name] for name in names if isinstance(scope.get(name), ModuleType)]
    values: list[Any] = [scope_[name] for scope_ in (scope, *map(vars, modules)) for name in names if name in scope_]
    for value in values:
        if isinstance(value, _DISPATCHER) and value.py_func not in seen:
            # what has no place in a cache has no source either: its code, of another address in each process
            yield repr(getattr(value._cache, "source", value.py_func.__code__)).encode()
            yield from _compiled_in(value.py_func, seen)
        elif isinstance(value, _CONSTANT):
            yield repr(value).encode()
        elif isinstance(value, np.ndarray):
            yield repr((value.dtype, value.shape)).encode() + value.tobytes()


def _names(code: CodeType) -> set[str]:
    """Return the global names and attributes in code, functions within it included."""
    return set(code.co_names).union(*(_names(part) for part in code.co_consts if isinstance(part, CodeType)))

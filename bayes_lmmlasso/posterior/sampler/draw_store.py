"""Where draws go while chains run: what a store must do, and the store that keeps them in memory."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["DrawStore", "MemoryStore", "Saved", "block_length", "site_dims"]

_BLOCK_BYTES = 8 * 2**20


class Saved(NamedTuple):
    """How far a chain has come: iterations done, and the leaves of its kernel's state (None before the first)."""

    done: int
    leaves: list[NDArray[Any]] | None


class DrawStore(Protocol):
    """Takes the draws of several chains, block by block, from a thread for each chain; ``lasting`` if in a folder."""

    lasting: ClassVar[bool]

    def prepare(self, shapes: Mapping[str, Any], chains: int, draws: int, block: int) -> None:
        """Make room for sites of given shapes and dtypes: ``draws`` of each chain, which come ``block`` at a time."""

    def saved(self, chain: int) -> Saved:
        """Return where a chain can continue."""

    def append(
        self, chain: int, first: int, values: Mapping[str, NDArray[Any]], done: int, leaves: list[NDArray[Any]]
    ) -> None:
        """Keep draws ``first``, ``first + 1``, ... of a chain (none in warm-up), then its state."""

    def finish(self, draws: int) -> None:
        """Keep only so many draws of each chain."""

    def read(self, name: str) -> NDArray[Any]:
        """Return the draws of a site, of shape ``(chains, draws, ...)``."""

    def sites(self) -> xr.Dataset:
        """Return the draws of every site; from a folder, what is used is read."""


def block_length(shapes: Mapping[str, Any], most: int) -> int:
    """Draws in a block: as many as fit into a fixed memory, at most ``most``."""
    bytes_per_draw: int = sum(prod(x.shape) * x.dtype.itemsize for x in shapes.values())
    return max(1, min(most, _BLOCK_BYTES // max(1, bytes_per_draw)))


class MemoryStore:
    """Draws in memory: for problems that are small enough."""

    lasting: ClassVar[bool] = False

    def prepare(self, shapes: Mapping[str, Any], chains: int, draws: int, block: int) -> None:
        """Allocate all arrays."""
        self._arrays = {name: np.empty((chains, draws, *x.shape), x.dtype) for name, x in shapes.items()}

    def saved(self, chain: int) -> Saved:
        """Nothing is ever saved."""
        return Saved(0, None)

    def append(
        self, chain: int, first: int, values: Mapping[str, NDArray[Any]], done: int, leaves: list[NDArray[Any]]
    ) -> None:
        """Keep a block of draws."""
        for name, block in values.items():
            self._arrays[name][chain, first : first + len(block)] = block

    def finish(self, draws: int) -> None:
        """Keep only so many draws of each chain."""
        self._arrays = {name: array[:, :draws] for name, array in self._arrays.items()}

    def read(self, name: str) -> NDArray[Any]:
        """Return the draws of a site."""
        return self._arrays[name]

    def sites(self) -> xr.Dataset:
        """Return the draws of every site."""
        import xarray as xr  # needs pandas: with it the sampler's process would be a third larger

        return xr.Dataset({name: (site_dims(name, array.ndim), array) for name, array in self._arrays.items()})


def site_dims(name: str, ndim: int) -> tuple[str, ...]:
    """Name the dimensions of a site."""
    own = {"a": ("covariate",), "fitted": ("sample",)} | dict.fromkeys(("b", "inclusion", "visits"), ("variant",))
    return ("chain", "draw", *own.get(name, tuple(f"{name}_dim_{k}" for k in range(ndim - 2))))

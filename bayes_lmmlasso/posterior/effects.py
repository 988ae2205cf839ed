"""Joint draws of all effects, in the form in which a tree holds them.

Priors with a point mass keep every draw, sparse; others 400 draws, evenly spaced over all chains, which is what
prediction and projection need.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.sparse import csr_array

__all__ = ["EffectDraws", "effect_draws"]

_KEPT = 400  # draws of a prior without a point mass, all chains together


@dataclass(frozen=True, eq=False)
class EffectDraws:
    """Draws of the effects, and which draws of the tree they are.

    Attributes
    ----------
    chain, draw
        Where in the tree's posterior each row was drawn, shape ``(m,)`` each.
    b
        Effects, shape ``(m, p)``: sparse where they can be exactly zero. ``b @ X.T`` are fitted values.
    """

    chain: NDArray[np.intp]
    draw: NDArray[np.intp]
    b: csr_array | NDArray[np.floating]

    def values(self, tree: xr.DataTree, name: str) -> NDArray[np.floating]:
        """Return another quantity of the same draws, shape ``(m, ...)``."""
        drawn: NDArray[np.floating] = tree.children["posterior"].dataset[name].values[self.chain, self.draw]
        return drawn


def effect_draws(tree: xr.DataTree) -> EffectDraws:
    """Return the joint draws of the effects that a tree holds, in the order of chains and draws."""
    b = tree.children["posterior"].dataset["b"]
    chains, draws = b.sizes["chain"], b.sizes["draw"]
    step = 1 if tree.attrs.get("exact_zeros") else max(1, -(-chains * draws // _KEPT))
    place = np.arange(0, draws, step)
    kept = b.values[:, place].reshape(-1, b.sizes["variant"])
    chain, draw = (index.ravel() for index in np.meshgrid(np.arange(chains), place, indexing="ij"))
    return EffectDraws(chain, draw, csr_array(kept) if tree.attrs.get("exact_zeros") else kept)

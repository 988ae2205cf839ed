"""Draws of the effects, in whichever form a tree holds them.

A tree fresh from the sampler holds every draw of all effects, in memory or in the sampler's folder. `compact` makes of
it what is worth keeping: a summary of every SNP, all draws of the SNPs that matter most, and joint draws of all SNPs,

    priors with a point mass      every draw, without its zeros
    others                        400 draws, evenly spaced, which is what prediction and projection need

Quantiles in the summary are those of all draws, by linear interpolation between order statistics (Hyndman and Fan 1996,
doi:10.1080/00031305.1996.10473566, definition 7).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

__all__ = ["EffectDraws", "chain_draws", "effect_draws", "has_all_draws", "snp_blocks"]

_KEPT = 400  # joint draws of a prior without a point mass, all chains together
_BLOCK_BYTES = 64 * 2**20

Draws = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class EffectDraws:
    """Joint draws of the effects, and which draws of the tree they are.

    Attributes
    ----------
    chain, draw
        Where in the tree's posterior each row was drawn, shape ``(m,)`` each; ordered by chain, then by draw, with as
        many rows from each chain.
    b
        Effects, shape ``(m, p)``: sparse where they can be exactly zero. ``b @ X.T`` are fitted values.
    """

    chain: NDArray[np.intp]
    draw: NDArray[np.intp]
    b: csr_array | Draws

    def values(self, tree: xr.DataTree, name: str) -> Draws:
        """Return another quantity of the same draws, shape ``(m, ...)``."""
        drawn: Draws = tree.children["posterior"].dataset[name].values[self.chain, self.draw]
        return drawn


def has_all_draws(tree: xr.DataTree) -> bool:
    """Whether a tree holds every draw of all effects."""
    return "b" in tree.children["posterior"].dataset


def effect_draws(tree: xr.DataTree) -> EffectDraws:
    """Return the joint draws of the effects that a tree holds, or those it would keep of them."""
    if not has_all_draws(tree):
        return _kept(tree.children["effects"].dataset)
    b = tree.children["posterior"].dataset["b"]
    chains, draws = b.sizes["chain"], b.sizes["draw"]
    sparse = bool(tree.attrs.get("exact_zeros"))
    place = np.arange(0, draws, 1 if sparse else max(1, -(-chains * draws // _KEPT)))
    chain, draw = (index.ravel() for index in np.meshgrid(np.arange(chains), place, indexing="ij"))
    if not sparse:
        return EffectDraws(chain, draw, b[:, place].values.reshape(-1, b.sizes["variant"]))
    size = max(1, _BLOCK_BYTES // (b.dtype.itemsize * b.sizes["variant"]))
    parts = [csr_array(b[c, s : s + size].values) for c in range(chains) for s in range(0, draws, size)]
    return EffectDraws(chain, draw, vstack(parts, format="csr"))


def chain_draws(draws: EffectDraws, members: NDArray[np.intp] | slice) -> Draws:
    """Return joint draws of some SNPs by chain, shape ``(chains, draws, len(members))``."""
    chains = int(draws.chain[-1]) + 1
    chosen = draws.b[:, members]
    dense = chosen.toarray() if isinstance(chosen, csr_array) else chosen
    return np.asarray(dense).reshape(chains, -1, dense.shape[1])


def snp_blocks(b: xr.DataArray, multiple: int) -> Iterator[slice]:
    """Split the SNPs into blocks, multiples of a number, so that all draws of a block fit into a fixed memory."""
    draws = b.sizes["chain"] * b.sizes["draw"]
    size = multiple * max(1, _BLOCK_BYTES // (b.dtype.itemsize * draws * multiple))
    for start in range(0, b.sizes["variant"], size):
        yield slice(start, min(start + size, b.sizes["variant"]))


def _kept(effects: xr.Dataset) -> EffectDraws:
    """Return the joint draws of a compact tree."""
    chain, draw = effects["kept_chain"].values, effects["kept_draw"].values
    if "b" in effects:
        return EffectDraws(chain, draw, effects["b"].values)
    ends = np.concatenate([[0], np.cumsum(effects["kept_entries"].values)])
    entries = (effects["entry_value"].values, effects["entry_variant"].values, ends)
    return EffectDraws(chain, draw, csr_array(entries, shape=(len(chain), effects.sizes["variant"])))

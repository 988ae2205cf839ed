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
from itertools import product

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from bayes_lmmlasso.arguments import named
from bayes_lmmlasso.display import Display
from bayes_lmmlasso.errors import InputError

__all__ = ["EffectDraws", "by_chain", "check_tree", "effect_draws", "has_all_draws", "pack", "snp_blocks"]

_KEPT = 400  # joint draws of a prior without a point mass, all chains together
_BLOCK_BYTES = 16 * 2**20

Draws = NDArray[np.floating]


@dataclass(frozen=True, eq=False, repr=False)
class EffectDraws(Display):
    """Joint draws of the effects, and which draws of the tree they are.

    Attributes
    ----------
    chain, draw
        Where in the tree's posterior each row was drawn, shape ``(m,)`` each; ordered by chain, then by draw, with as
        many rows from each chain.
    b
        Effects, shape ``(m, p)``: sparse where they can be exactly zero. ``b @ X.T`` are fitted values.
    visits
        Sparse, shape ``(m, p)``: bit k says whether the effect was in at snapshot k of the draw; None where the sampler
        takes none.
    """

    chain: NDArray[np.intp]
    draw: NDArray[np.intp]
    b: csr_array | Draws
    visits: csr_array | None = None

    def values(self, tree: xr.DataTree, name: str) -> Draws:
        """Return another quantity of the same draws, shape ``(m, ...)``."""
        values: Draws = tree.children["posterior"].dataset[name].values[self.chain, self.draw]
        return values


def check_tree(tree: object) -> xr.DataTree:
    """Return the tree of a posterior.

    Raises
    ------
    InputError
        If it is anything else.
    """
    if not isinstance(tree, xr.DataTree) or not {"posterior", "constant_data"} <= tree.children.keys():
        raise InputError(
            f"expected the tree of a posterior, got {named(tree)}: pass what `bl.sample_posterior` or `bl.read_tree` "
            "returns, or `Analysis.tree`"
        )
    return tree


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
    visits = tree.children["posterior"].dataset.get("visits")
    return EffectDraws(chain, draw, _sparse(b), None if visits is None else _sparse(visits))


def by_chain(draws: EffectDraws, columns: csr_array | Draws) -> Draws:
    """Return some columns of joint draws as ``(chains, draws, w)``."""
    dense = columns.toarray() if isinstance(columns, csr_array) else columns
    return np.asarray(dense).reshape(int(draws.chain[-1]) + 1, -1, dense.shape[1])


def _sparse(site: xr.DataArray) -> csr_array:
    """Return the draws of a site, chain after chain, without their zeros."""
    size = max(1, _BLOCK_BYTES // (site.dtype.itemsize * site.sizes["variant"]))
    starts = product(range(site.sizes["chain"]), range(0, site.sizes["draw"], size))
    return vstack([csr_array(site[chain, start : start + size].values) for chain, start in starts], format="csr")


def snp_blocks(b: xr.DataArray, multiple: int) -> Iterator[slice]:
    """Split the SNPs into blocks of which all draws fit into a fixed memory: of a number of SNPs times a power of two.

    So, with a power of two, no block begins within a chunk of the sampler's folder and ends beyond it.
    """
    draws = b.sizes["chain"] * b.sizes["draw"]
    fit = max(1, _BLOCK_BYTES // (b.dtype.itemsize * draws * multiple))
    size = multiple << (fit.bit_length() - 1)
    for start in range(0, b.sizes["variant"], size):
        yield slice(start, min(start + size, b.sizes["variant"]))


def _kept(effects: xr.Dataset) -> EffectDraws:
    """Return the joint draws of a compact tree."""
    chain, draw = effects["kept_chain"].values, effects["kept_draw"].values
    if "b" in effects:
        return EffectDraws(chain, draw, effects["b"].values)
    visits = unpack(effects, "visits") if "visits_value" in effects else None
    return EffectDraws(chain, draw, unpack(effects, "b"), visits)


def pack(name: str, rows: csr_array) -> dict[str, tuple[str, NDArray[np.generic]]]:
    """Return the variables in which a compact tree holds a sparse array: entries of each row, columns and values."""
    return {
        f"{name}_entries": ("kept", np.diff(rows.indptr).astype(np.int32)),
        f"{name}_variant": (f"{name}_entry", rows.indices.astype(np.int32)),
        f"{name}_value": (f"{name}_entry", rows.data),
    }


def unpack(effects: xr.Dataset, name: str) -> csr_array:
    """Return the sparse array that `pack` took apart."""
    entries, columns, values = (effects[f"{name}_{part}"].values for part in ("entries", "variant", "value"))
    ends = np.concatenate([[0], np.cumsum(entries)])
    return csr_array((values, columns, ends), shape=(entries.size, effects.sizes["variant"]))

"""What of the draws of thousands of effects is worth keeping: see `bayes_lmmlasso.posterior.tree.effects`.

effects/    beta_mean, beta_sd, beta_lo, beta_hi, lfsr, pip, pip_mcse, r_hat, ess_bulk of every SNP, from all draws
chain_mean, chain_sd: moments of each chain
joint draws, in rows numbered by kept_chain and kept_draw:
b                                           (kept, variant)     priors without a point mass
kept_entries, entry_variant, entry_value    the nonzero effects of each row, row after row
posterior/  b_top: every draw of the SNPs with the largest pip (of equals, the largest mean), by their ids
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.sparse import csr_array

from bayes_lmmlasso.posterior.summaries.effect_summary import effect_summary
from bayes_lmmlasso.posterior.tree.effects import effect_draws, has_all_draws, pack, snp_blocks

__all__ = ["compact"]

_LARGE = ("b", "inclusion", "visits")


def compact(tree: xr.DataTree, variance_share: float = 0.001, n_top: int = 100) -> xr.DataTree:
    """Summarise the draws of the effects and keep of them what later questions need.

    Parameters
    ----------
    tree
        Result of `sample_posterior`.
    variance_share
        As for `inclusion_table`, which takes this value alone once the draws are gone.
    n_top
        Number of SNPs of which every draw is kept.

    Returns
    -------
    xarray.DataTree
        The same groups, with the group effects in place of posterior/b and posterior/inclusion. A tree that is compact
        already is returned as it is.
    """
    if not has_all_draws(tree):
        return tree
    posterior = tree.children["posterior"].dataset
    b = posterior["b"]
    summary = effect_summary(tree, variance_share)
    top = np.sort(np.lexsort((-np.abs(summary["beta_mean"]), -summary["pip"]))[:n_top])
    effects = xr.Dataset(
        {name: ("variant", values) for name, values in summary.items()} | _chain_moments(b) | _joint(tree),
        coords={"variant": posterior["variant"].values},
        attrs={"variance_share": variance_share},
    )
    small = posterior.drop_vars([name for name in _LARGE if name in posterior])
    b_top = b.isel(variant=top).load().rename(variant="top_variant")
    result = xr.DataTree.from_dict({name: node.dataset for name, node in tree.children.items()})
    result["posterior"] = xr.DataTree(small.drop_vars("variant").assign(b_top=b_top))
    result["effects"] = xr.DataTree(effects)
    result.attrs.update(tree.attrs)
    return result


def _chain_moments(b: xr.DataArray) -> dict[str, tuple[tuple[str, str], NDArray[np.float64]]]:
    """Return mean and standard deviation of each chain, shape ``(chains, p)``."""
    shape = (b.sizes["chain"], b.sizes["variant"])
    mean, sd = np.empty(shape), np.empty(shape)
    for where in snp_blocks(b, 1):
        draws = b[:, :, where].values
        mean[:, where], sd[:, where] = draws.mean(axis=1, dtype=float), draws.std(axis=1, dtype=float, ddof=1)
    return {"chain_mean": (("chain", "variant"), mean), "chain_sd": (("chain", "variant"), sd)}


def _joint(tree: xr.DataTree) -> dict[str, tuple[str | tuple[str, str], NDArray[np.generic]]]:
    """Return the joint draws as variables of the group."""
    draws = effect_draws(tree)
    rows: dict[str, tuple[str | tuple[str, str], NDArray[np.generic]]] = {
        "kept_chain": ("kept", draws.chain.astype(np.int32)),
        "kept_draw": ("kept", draws.draw.astype(np.int32)),
    }
    if not isinstance(draws.b, csr_array):
        return rows | {"b": (("kept", "variant"), draws.b)}
    return rows | pack("b", draws.b) | ({} if draws.visits is None else pack("visits", draws.visits))

"""Chains that do not move: draws of a hyper-parameter, whose posterior is continuous, that are the same over and over.

R-hat of such a chain is undefined or, beside chains that do move, merely large, and its effective sample size is said
to be its length. It happens where a variance is smaller than the precision can bear.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

__all__ = ["unmoved_chains"]

_LEAST_SHARE = 0.1  # of the draws that are distinct in a chain that moves


def unmoved_chains(tree: xr.DataTree) -> dict[str, tuple[int, ...]]:
    """Return the hyper-parameters that do not move, each with the numbers of the chains concerned, counted from 1.

    Parameters
    ----------
    tree
        Result of `sample_posterior`.

    Returns
    -------
    dict
        Empty if every chain moves, or there is one draw. A chain does not move if at most a tenth of its draws are
        distinct, or all are the same.
    """
    posterior = tree["posterior"].dataset
    draws = posterior.sizes["draw"]
    found = {}
    for name in tree.attrs["hyper"] if draws > 1 else ():
        distinct = [len(np.unique(chain)) for chain in posterior[name].values]
        still = tuple(k + 1 for k, count in enumerate(distinct) if count <= max(1, _LEAST_SHARE * draws))
        if still:
            found[name] = still
    return found

"""Shares of phenotypic variance, from the realised pve and pge of each draw.

    SNP effects: pve pge,    polygenic background: pve (1 - pge),    noise: 1 - pve

(Zhou, Carbonetto, Stephens 2013, doi:10.1371/journal.pgen.1003264). The three add up to 1; where SNP effects
and background oppose each other pge exceeds 1 and the background's share, being what is left, is negative.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

__all__ = ["share_draws", "share_table"]


def share_draws(tree: xr.DataTree) -> dict[str, NDArray[np.float64]]:
    """Return the draws of each share, all chains in one row."""
    posterior = tree["posterior"].dataset
    pve, pge = (posterior[name].values.ravel().astype(np.float64) for name in ("pve", "pge"))
    return {"SNP effects": pve * pge, "polygenic background": pve * (1 - pge), "noise": 1 - pve}


def share_table(tree: xr.DataTree) -> pd.DataFrame:
    """Return one row a share: posterior median and 95% equal-tailed interval."""
    rows = {name: np.quantile(draws, [0.5, 0.025, 0.975]) for name, draws in share_draws(tree).items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["median", "lo", "hi"])

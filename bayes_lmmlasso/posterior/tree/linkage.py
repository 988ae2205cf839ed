"""Linkage in the analysed samples: correlations of the SNPs that a tree holds, a few rows of them at a time."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_lmmlasso.posterior.tree.effects import check_tree

__all__ = ["snp_correlations"]


def snp_correlations(tree: xr.DataTree, snp: int, others: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return r of a SNP with others, by their places in the tree, shape ``(k,)``."""
    X = check_tree(tree).children["constant_data"].dataset["X"]
    one, rest = X[snp].values.astype(np.float64), X[others].values.astype(np.float64)
    one, rest = one - one.mean(), rest - rest.mean(axis=1, keepdims=True)
    length = np.linalg.norm(one) * np.linalg.norm(rest, axis=1)
    r: NDArray[np.float64] = np.divide(rest @ one, length, out=np.zeros(len(others)), where=length > 0)
    return r

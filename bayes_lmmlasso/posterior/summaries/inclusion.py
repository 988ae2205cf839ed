"""One row a SNP: point estimate, stability frequency and posterior, side by side.

The posterior columns are those of `bayes_lmmlasso.posterior.summaries.effect_summary`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso import LassoPath, StabilitySelection
from bayes_lmmlasso.posterior.summaries.effect_summary import SUMMARY_COLUMNS, effect_summary
from bayes_lmmlasso.posterior.tree.effects import check_tree

__all__ = ["inclusion_table"]

_LABELS = "chrom pos snp effect_allele other_allele eaf".split()
COLUMNS = [*_LABELS, "beta_map", "path_rank", "stability", *SUMMARY_COLUMNS, "p_lmm", "selection_freq"]


def inclusion_table(
    tree: xr.DataTree,
    path: LassoPath | None = None,
    stability: StabilitySelection | None = None,
    scan: pd.DataFrame | None = None,
    variance_share: float = 0.001,
    *,
    selection_freq: NDArray[np.float64] | None = None,
) -> pd.DataFrame:
    """Set point estimate, stability frequency and posterior of every SNP side by side.

    Parameters
    ----------
    tree
        Result of `sample_posterior`.
    path
        Lasso path of the same SNPs: beta_map is its last solution, path_rank the order of entry.
    stability
        Stability selection of the same SNPs.
    scan
        Single-SNP tests of the same SNPs with a column ``p``.
    variance_share
        Share t of phenotypic variance above which an effect counts as included.
    selection_freq
        Selection frequencies of the same SNPs over posterior draws, `project_posterior`'s.

    Returns
    -------
    pandas.DataFrame
        Labels of the SNP, beta_map, path_rank, stability, the posterior columns, p_lmm and selection_freq; NA where an
        input was not given.

    Raises
    ------
    InputError
        If an input has another number of SNPs, or the share is not in (0, 1).

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> tree = bl.read_tree("results/posterior.zarr")  # doctest: +SKIP
    >>> bl.inclusion_table(tree).nlargest(10, "pip")  # doctest: +SKIP
    """
    labels = check_tree(tree).children["constant_data"].dataset.coords
    p = labels["variant"].size
    if not 0 < variance_share < 1:
        raise InputError(
            f"expected variance_share in (0, 1), got {variance_share}: give a share of phenotypic variance"
        )
    table = pd.DataFrame({name: labels[f"variant_{name}"].values for name in _LABELS})
    table["beta_map"] = np.nan if path is None else _checked(path.coef[-1], p, "the Lasso path")
    table["path_rank"] = pd.Series(np.full(p, np.nan) if path is None else path.path_rank).astype("Int64")
    table["stability"] = np.nan if stability is None else _checked(stability.frequency, p, "stability selection")
    for name, values in effect_summary(tree, variance_share).items():
        table[name] = values
    table["p_lmm"] = np.nan if scan is None else _checked(scan["p"].to_numpy(), p, "the scan")
    table["selection_freq"] = np.nan if selection_freq is None else _checked(selection_freq, p, "selection_freq")
    return table[COLUMNS]


def _checked(values: NDArray[Any], p: int, source: str) -> NDArray[Any]:
    if len(values) != p:
        raise InputError(f"expected {p} SNPs in {source} as in the posterior, got {len(values)}: analyse the same SNPs")
    return values

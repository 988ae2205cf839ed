"""Priors side by side: which one predicts the individuals left out better, and what each says of the variance."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_lmmlasso.posterior import read_tree
from bayes_lmmlasso.posterior.summaries.shares import share_table
from bayes_lmmlasso.report.evidence import leave_one_out
from bayes_lmmlasso.report.tables import PRIORS, read_tsv, write_tsv

__all__ = ["compare_priors", "write_priors"]


def write_priors(store: Path, models: Sequence[str]) -> None:
    """Write ``priors.tsv`` of a store with the posterior of the first prior, and those of the others in folders."""
    first, *others = models
    write_tsv(compare_priors({first: store} | {model: store / model for model in others}), store / PRIORS)


def compare_priors(folders: dict[str, Path]) -> pd.DataFrame:
    """Compare the posteriors of one trait under several priors.

    Parameters
    ----------
    folders
        Where the results of each prior are: ``posterior.zarr`` and ``hyper.tsv``.

    Returns
    -------
    pandas.DataFrame
        One row a prior, as in ``folders``: model; elpd_loo and its standard error; elpd_behind, how far it is behind
        the best, and behind_se; weight, its share in the stack of the priors that predicts best; pareto_k_bad, the
        individuals whose Pareto k is above its limit; r_hat, the worst of the hyper-parameters; snp_share, snp_lo and
        snp_hi, the share of variance of the SNP effects with its 95% interval. Leave-one-out is NA where the draws of
        a prior are too alike for it.
    """
    import arviz_stats

    trees = {model: read_tree(folder / "posterior.zarr") for model, folder in folders.items()}
    hyper = {model: read_tsv(folder / "hyper.tsv").set_index("parameter") for model, folder in folders.items()}
    loo = {model: leave_one_out(tree, hyper[model]) for model, tree in trees.items()}
    rows = []
    for model, tree in trees.items():
        share, found = share_table(tree).loc["SNP effects"], loo[model]
        rows.append(
            {
                "model": model,
                "elpd_loo": np.nan if found is None else found.elpd,
                "elpd_loo_se": np.nan if found is None else found.se,
                "elpd_behind": np.nan,
                "behind_se": np.nan,
                "weight": np.nan,
                "pareto_k_bad": np.nan if found is None else np.count_nonzero(~(found.pareto_k.values <= found.good_k)),
                "r_hat": hyper[model]["r_hat"].max(skipna=False),
                **{"snp_share": share["median"], "snp_lo": share["lo"], "snp_hi": share["hi"]},
            }
        )
    table = pd.DataFrame(rows).set_index("model")
    if all(found is not None for found in loo.values()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # high Pareto k: counted above
            compared = arviz_stats.compare(loo, round_to="none")
        table[["elpd_behind", "behind_se", "weight"]] = compared[["elpd_diff", "dse", "weight"]].abs()
    return table.reset_index()

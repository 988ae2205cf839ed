"""Tables of the commands that do one stage only; column names as in ``inclusion.tsv``."""

from __future__ import annotations

import pandas as pd

from bayes_lmmlasso.lasso import LassoPath, StabilitySelection
from bayes_lmmlasso.run.record import null_record
from bayes_lmmlasso.run.stages import Groundwork

__all__ = ["null_table", "path_table", "stability_table"]


def null_table(ground: Groundwork) -> pd.DataFrame:
    """Return one row: what was analysed and the numbers of the null model."""
    n, p = ground.analysis.X.shape
    numbers = null_record(ground.null_model)
    del numbers["fixed_effects"]
    return pd.DataFrame([{"trait": ground.analysis.trait_name, "n_samples": n, "n_snps": p, **numbers}])


def path_table(ground: Groundwork, path: LassoPath) -> pd.DataFrame:
    """Return one row a SNP: its effect in the last solution and its order of entry."""
    return ground.analysis.variants.assign(
        beta_map=path.coef_sparse[[-1]].toarray()[0],
        path_rank=pd.Series(path.path_rank).astype("Int64"),
    )


def stability_table(ground: Groundwork, stability: StabilitySelection) -> pd.DataFrame:
    """Return one row a SNP: its frequency, whether that reaches the threshold, its first duplicate."""
    names = ground.analysis.variants["snp"].to_numpy()
    return ground.analysis.variants.assign(
        stability=stability.frequency,
        selected=stability.selected,
        duplicate_of=names[stability.duplicate_of],
    )

"""Tables of the commands that do one stage only; column names as in ``inclusion.tsv``."""

from __future__ import annotations

import pandas as pd

from bayes_lmmlasso.lasso import LassoPath, StabilitySelection
from bayes_lmmlasso.run.record import null_record
from bayes_lmmlasso.run.stages import MixedModel

__all__ = ["null_table", "path_table", "stability_table"]


def null_table(mixed: MixedModel) -> pd.DataFrame:
    """Return one row: what was analysed and the numbers of the null model."""
    n, p = mixed.analysis.X.shape
    numbers = null_record(mixed.null_model)
    del numbers["fixed_effects"]
    return pd.DataFrame([{"trait": mixed.analysis.trait_name, "n_samples": n, "n_snps": p, **numbers}])


def path_table(mixed: MixedModel, path: LassoPath) -> pd.DataFrame:
    """Return one row a SNP: its effect in the last solution and its order of entry."""
    return mixed.analysis.variants.assign(
        beta_map=path.coef_sparse[[-1]].toarray()[0],
        path_rank=pd.Series(path.path_rank).astype("Int64"),
    )


def stability_table(mixed: MixedModel, stability: StabilitySelection) -> pd.DataFrame:
    """Return one row a SNP: its frequency, whether that reaches the threshold, its first duplicate."""
    names = mixed.analysis.variants["snp"].to_numpy()
    return mixed.analysis.variants.assign(
        stability=stability.frequency,
        selected=stability.selected,
        duplicate_of=names[stability.duplicate_of],
    )

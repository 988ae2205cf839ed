"""Studies of what SNPs and structure explain: traits x methods x folds (`bayes_lmmlasso.compare.dissection`).

The LMM-Lasso and the Lasso are dissected along the number of active SNPs, in samples that they have not seen and in
those of training, summed over the folds (Rakitsch et al. 2013, doi:10.1093/bioinformatics/bts669, Figure 4). All
methods see the same folds. A posterior is sampled once on all samples and has its three shares (`share_table`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_lmmlasso.compare.dissection import Dissection
from bayes_lmmlasso.compare.dissection_cells import HAS_STRUCTURE, FoldCell, PosteriorCell
from bayes_lmmlasso.compare.prediction_study import LENGTHS
from bayes_lmmlasso.compare.published import read_columns
from bayes_lmmlasso.compare.study import Cell, Kind, Results, Study, derived_seed
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.models import MODELS

__all__ = ["DISSECTION", "DissectionSettings"]

_PUBLISHED = ("trait", "method", "n_active", "snps", "structure", "explained")


@dataclass(frozen=True)
class DissectionSettings:
    """How traits are dissected.

    Attributes
    ----------
    folds
        Number of folds of equal size.
    n_active
        Largest number of active SNPs.
    published
        Table of published shares: trait, method, n_active, snps, structure, explained.
    """

    folds: int = 10
    n_active: int = 100
    published: Path | None = None

    def __post_init__(self) -> None:
        if self.folds < 2 or self.n_active < 1:
            raise InputError(
                f"expected folds of at least 2 and n_active of at least 1, got {self.folds} and {self.n_active}: "
                "10 and 100 are usual"
            )


def _cells(study: Study) -> list[Cell]:
    settings: DissectionSettings = study.settings
    cells: list[Cell] = []
    for trait in study.traits:
        seed = derived_seed(study.seed, trait)
        cells += [
            FoldCell(study.data, trait, settings.folds, fold, seed, settings.n_active, method)
            for fold in range(settings.folds)
            for method in study.methods
            if method.name in HAS_STRUCTURE
        ]
        cells += [PosteriorCell(study.data, trait, seed, method) for method in study.methods if method.name in MODELS]
    return cells


def _tables(study: Study, results: Results) -> dict[str, pd.DataFrame]:
    """Return shares along the path, those of the best size and the published ones, and posterior shares."""
    sums: dict[tuple[str, str, str], Dissection] = {}
    posterior = []
    for labels, result in results:
        trait, method = labels["trait"], labels["method"]
        if "shares" in result:
            posterior.append(pd.DataFrame({"trait": trait, "method": method, **result["shares"]}))
        for samples, numbers in result.get("sums", {}).items():
            one = Dissection(np.array(numbers["parts"]), numbers["total"])
            key = (trait, method, samples)
            sums[key] = sums[key] + one if key in sums else one
    tables = {}
    if sums:
        curves = [
            pd.DataFrame({"trait": trait, "method": method, "samples": samples}, index=range(one.parts.shape[1])).join(
                one.table()
            )
            for (trait, method, samples), one in sums.items()
        ]
        shares = pd.concat(curves, ignore_index=True)
        unseen = shares[shares["samples"] == "unseen"].drop(columns="samples")
        tables = {"shares": shares, "best": _best(unseen)}
        published = read_columns(study.settings.published, _PUBLISHED, _PUBLISHED)
        if published is not None:
            here = unseen[list(_PUBLISHED)]
            tables["reference"] = published.merge(here, on=list(_PUBLISHED[:3]), suffixes=("_published", ""))
    return tables | ({"posterior": pd.concat(posterior, ignore_index=True)} if posterior else {})


def _best(unseen: pd.DataFrame) -> pd.DataFrame:
    """Return the size that explains most, for each trait and method, beside size 0."""
    groups = unseen.groupby(["trait", "method"], sort=False)
    best = unseen.loc[groups["explained"].idxmax()]
    return best.assign(explained_without_snps=groups["explained"].first().to_numpy()).reset_index(drop=True)


DISSECTION = Kind(
    DissectionSettings, {name: {} for name in HAS_STRUCTURE} | dict.fromkeys(MODELS, LENGTHS), _cells, _tables
)

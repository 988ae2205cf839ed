"""Studies of replication: whether all samples bear out what a method is sure of in a part of them.

Every split of a trait draws a random part of the samples, the same for all methods. A SNP is called where its pip
there is above ``high``, and has failed where its pip in all samples is below ``low`` (`compare.replication`).
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import model_validator

from bayes_lmmlasso.compare.baselines import BASELINES
from bayes_lmmlasso.compare.replication import called_snps, failure_differences, failure_rates
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.settings import Settings, knob
from bayes_lmmlasso.studies.cells.replication import LEAST_PIP, ReplicationCell
from bayes_lmmlasso.studies.data import load
from bayes_lmmlasso.studies.study import Cell, Kind, Results, Study, derived_seed

__all__ = ["REPLICATION", "ReplicationSettings"]

_ALL = "all"
_METHODS = ("spike_slab-pip", "spike_slab-pip-no-polygenic", "bslmm", "susie")


class ReplicationSettings(Settings):
    """What is drawn, and when a SNP counts as called and as failed."""

    splits: int = knob(5, "Random parts of the samples, for each trait.", at_least=1, at_most=10_000)
    fraction: float = knob(0.5, "Share of the samples in each.", at_least=0.05, at_most=0.95, remedy="0.5 is usual")
    high: float = knob(0.9, "pip in a part above which a SNP is called.", at_least=0, at_most=1)
    low: float = knob(0.1, "pip in all samples below which it has failed.", at_least=LEAST_PIP, at_most=1)

    @model_validator(mode="after")
    def _check_thresholds(self) -> Self:
        if self.low > self.high:
            raise InputError(f"expected low of at most high, got {self.low} and {self.high}: 0.1 and 0.9 are usual")
        return self


def _cells(study: Study) -> list[Cell]:
    settings: ReplicationSettings = study.settings
    splits = [(_ALL, 1.0, ()), *((str(k), settings.fraction, (k,)) for k in range(1, settings.splits + 1))]
    return [
        ReplicationCell(study.data, trait, name, fraction, derived_seed(study.seed, trait, *parts), method)
        for trait in study.traits
        for name, fraction, parts in splits
        for method in study.methods
    ]


def _tables(study: Study, results: Results) -> dict[str, pd.DataFrame]:
    """Return rates and their differences by method, counts by trait and split, and every SNP called."""
    settings: ReplicationSettings = study.settings
    kept = {(labels["trait"], labels["method"], labels["split"]): result for labels, result in results}
    counts, snps = [], []
    for (trait, method, split), result in kept.items():
        whole = kept.get((trait, method, _ALL))
        if split == _ALL or whole is None:
            continue
        variants = load(study.data, trait).analysis.variants
        found = called_snps(_dense(result, len(variants)), _dense(whole, len(variants)), settings.high, settings.low)
        where = {"trait": trait, "split": split, "method": method}
        expected = float((1 - found["pip_subsample"]).sum())
        counts.append(where | {"called": len(found), "failed": int(found["failed"].sum()), "expected": expected})
        places = variants.loc[found.index, ["chrom", "pos", "snp"]]
        snps.append(pd.concat([places, found], axis=1).assign(**where)[[*where, *places, *found]])
    if not counts:
        raise InputError("expected a method that succeeds in all samples and in a part, got none: see cells.tsv")
    table = pd.DataFrame(counts)
    return {
        "rfr": failure_rates(table),
        "rfr_differences": failure_differences(table, seed=study.seed),
        "rfr_by_split": table,
        "called": pd.concat(snps, ignore_index=True),
    }


def _dense(result: dict[str, Any], p: int) -> NDArray[np.float64]:
    """Return the pip of every SNP, 0 where it was not worth keeping."""
    pip = np.zeros(p)
    pip[result["snp"]] = result["pip"]
    return pip


REPLICATION = Kind(ReplicationSettings, {name: BASELINES[name].settings for name in _METHODS}, _cells, _tables)

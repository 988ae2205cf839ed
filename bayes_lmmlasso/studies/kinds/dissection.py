"""Studies of what SNPs and structure explain: traits x methods x folds (`bayes_lmmlasso.compare.dissection`).

The LMM-Lasso and the Lasso are dissected along the number of active SNPs, in samples that they have not seen and in
those of training, summed over the folds (Rakitsch et al. 2013, doi:10.1093/bioinformatics/bts669, Figure 4). All
methods see the same folds. What is explained of unseen samples, and its differences between LMM-Lasso, Lasso and the
polygenic effect alone (the LMM-Lasso of size 0), are bootstrapped over folds, as pairs; the few folds make such
intervals somewhat narrow. A posterior is sampled once on all samples and has its three shares (`share_table`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.compare.bootstrap import answer, bootstrap_limits, ratio_difference, sum_ratio
from bayes_lmmlasso.compare.dissection import Dissection
from bayes_lmmlasso.compare.published import read_columns
from bayes_lmmlasso.models import MODELS
from bayes_lmmlasso.settings import Settings, knob
from bayes_lmmlasso.studies.cells.dissection import HAS_STRUCTURE, FoldCell, PosteriorCell
from bayes_lmmlasso.studies.kinds.prediction import LENGTHS
from bayes_lmmlasso.studies.study import Cell, Kind, Results, Study, derived_seed

__all__ = ["DISSECTION", "DissectionSettings"]

_PAIRS = [("lmm-lasso", "structure alone"), ("lmm-lasso", "lasso"), ("lasso", "structure alone")]
_LEVEL = 0.95
_PUBLISHED = ("trait", "method", "n_active", "snps", "structure", "explained")


class DissectionSettings(Settings):
    """How traits are dissected."""

    folds: int = knob(10, "Number of folds of equal size.", at_least=2, at_most=100_000, remedy="10 is usual")
    n_active: int = knob(100, "Largest number of active SNPs.", at_least=1, at_most=100_000, remedy="100 is usual")
    published: Path | None = knob(
        None, "Table of published shares: trait, method, n_active, snps, structure, explained."
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
    """Return shares along the path and at its best size, their differences, published and posterior shares."""
    folds: dict[tuple[str, str, str], dict[int, Dissection]] = {}
    posterior = []
    for labels, result in results:
        trait, method = labels["trait"], labels["method"]
        if "shares" in result:
            posterior.append(pd.DataFrame({"trait": trait, "method": method, **result["shares"]}))
        for samples, numbers in result.get("sums", {}).items():
            one = Dissection(np.array(numbers["parts"]), numbers["total"])
            folds.setdefault((trait, method, samples), {})[labels["fold"]] = one
    tables = {}
    if folds:
        shares = pd.concat([_curve(key, found, study.seed) for key, found in folds.items()], ignore_index=True)
        unseen = shares[shares["samples"] == "unseen"].drop(columns="samples")
        tables = {"shares": shares, "best": _best(unseen)} | _differences(folds, study.seed)
        published = read_columns(study.settings.published, _PUBLISHED, _PUBLISHED)
        if published is not None:
            here = unseen[[*_PUBLISHED, "lo", "hi"]]
            tables["reference"] = published.merge(here, on=list(_PUBLISHED[:3]), suffixes=("_published", ""))
    return tables | ({"posterior": pd.concat(posterior, ignore_index=True)} if posterior else {})


def _curve(key: tuple[str, str, str], folds: dict[int, Dissection], seed: int) -> pd.DataFrame:
    """Return the shares of a trait, method and kind of samples, with the interval of what is explained."""
    table = reduce(add, folds.values()).table()
    lo, hi = bootstrap_limits(sum_ratio, *_sums(list(folds.values())), level=_LEVEL, seed=seed)
    trait, method, samples = key
    labels = pd.DataFrame({"trait": trait, "method": method, "samples": samples}, index=table.index)
    return labels.join(table).assign(lo=lo, hi=hi)


def _sums(folds: Sequence[Dissection]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what is explained at each size in each fold, and the total there, shapes ``(s, f)`` and ``(f,)``."""
    return np.array([one.parts.sum(axis=0) for one in folds]).T, np.array([one.total for one in folds])


def _differences(folds: dict[tuple[str, str, str], dict[int, Dissection]], seed: int) -> dict[str, pd.DataFrame]:
    """Return differences in what is explained of unseen samples: at equal sizes, and at each model's best size."""
    by_size, at_best = [], []
    for trait in dict.fromkeys(trait for trait, *_ in folds):
        found = [folds.get((trait, method, "unseen"), {}) for method in ("lmm-lasso", "lasso")]
        both = sorted(found[0].keys() & found[1].keys())
        if not both:
            continue
        (mixed, total), (lasso, lasso_total) = (_sums([one[fold] for fold in both]) for one in found)
        models = {"lmm-lasso": (mixed, total), "lasso": (lasso, lasso_total), "structure alone": (mixed[:1], total)}
        for method, reference in _PAIRS:
            where = {"trait": trait, "method": method, "reference": reference}
            columns = *models[method], *models[reference]
            lo, hi = bootstrap_limits(ratio_difference, *columns, level=_LEVEL, seed=seed)
            gap, n_active = ratio_difference(*columns), np.arange(lo.size)
            by_size.append(pd.DataFrame({**where, "n_active": n_active, "difference": gap, "lo": lo, "hi": hi}))
            size, other = (int(sum_ratio(*models[name]).argmax()) for name in (method, reference))
            columns = columns[0][size], columns[1], columns[2][other], columns[3]
            lo, hi = bootstrap_limits(ratio_difference, *columns, level=_LEVEL, seed=seed)
            sizes = {"n_active": size, "reference_n_active": other}
            at_best.append(
                where | sizes | {"difference": float(ratio_difference(*columns)), "lo": lo, "hi": hi, "n": len(both)}
            )
    if not by_size:
        return {}
    best = pd.DataFrame(at_best)
    return {
        "best_differences": best.assign(answer=[answer(lo, hi) for lo, hi in best[["lo", "hi"]].to_numpy()]),
        "size_differences": pd.concat(by_size, ignore_index=True),
    }


def _best(unseen: pd.DataFrame) -> pd.DataFrame:
    """Return the size that explains most, for each trait and method, beside size 0."""
    groups = unseen.groupby(["trait", "method"], sort=False)
    best = unseen.loc[groups["explained"].idxmax()]
    return best.assign(explained_without_snps=groups["explained"].first().to_numpy()).reset_index(drop=True)


DISSECTION = Kind(
    DissectionSettings, {name: {} for name in HAS_STRUCTURE} | dict.fromkeys(MODELS, LENGTHS), _cells, _tables
)

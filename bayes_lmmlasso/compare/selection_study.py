"""Studies of selection on real traits: which SNPs methods select, beside candidate genes and published selections.

A SNP is selected where its share (of subsamples, of posterior probability) exceeds the threshold; a hit is a selected
SNP within ``window_kb`` of a candidate gene (the gene's own interval counts as distance 0):

    hit share = hits / selected,    expected share = SNPs within the window of a gene / all SNPs

with the p-value of the rotation test (`candidate_enrichment`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.compare.baselines import BASELINES
from bayes_lmmlasso.compare.enrichment import candidate_enrichment, gene_distances
from bayes_lmmlasso.compare.study import Cell, Kind, MethodCall, Results, Study, derived_seed
from bayes_lmmlasso.compare.study_data import DataSettings, load
from bayes_lmmlasso.errors import InputError

__all__ = ["SELECTION", "SelectionCell", "SelectionSettings"]

_LEAST_SHARE = 0.01  # of what is kept


@dataclass(frozen=True)
class SelectionSettings:
    """What selections are compared with.

    Attributes
    ----------
    threshold
        Share above which a SNP is selected.
    window_kb
        Largest distance from a gene, and from a published SNP.
    genes, gene_columns
        Table of candidate genes, tab separated, and its columns of name, chromosome, start and end.
    published, published_columns
        Table of published SNPs, and its columns of trait, chromosome and position.
    """

    threshold: float = 0.5
    window_kb: float = 10.0
    genes: Path | None = None
    gene_columns: tuple[str, ...] = ("name", "chrom", "start", "end")
    published: Path | None = None
    published_columns: tuple[str, ...] = ("trait", "chrom", "pos")

    def __post_init__(self) -> None:
        if not 0 <= self.threshold < 1 or self.window_kb < 0:
            raise InputError(
                f"expected threshold in [0, 1) and window_kb of at least 0, got {self.threshold:g} and "
                f"{self.window_kb:g}: 0.5 and 10 are usual"
            )
        for key, columns, n in (("gene", self.gene_columns, 4), ("published", self.published_columns, 3)):
            if len(columns) != n:
                raise InputError(f"expected {n} names in {key}_columns, got {list(columns)}: name one column for each")


@dataclass(frozen=True)
class SelectionCell:
    """The shares of all SNPs for one trait by one method."""

    data: DataSettings
    trait: str
    seed: int
    method: MethodCall

    def labels(self) -> dict[str, Any]:
        """Return trait and method."""
        return {"trait": self.trait, "method": self.method.name}

    def content(self) -> dict[str, Any]:
        """Return everything but the data."""
        return {"kind": "selection"} | {name: value for name, value in asdict(self).items() if name != "data"}

    def run(self) -> dict[str, Any]:
        """Score, and return the SNPs with a share worth keeping."""
        data = load(self.data, self.trait)
        method = BASELINES[self.method.name]
        settings = dict(self.method.settings) | {"seed": self.seed}
        share = method(data.analysis.X, data.analysis.y, data.basis, data.analysis.covariates, **settings)
        kept = np.flatnonzero(share >= _LEAST_SHARE)
        return {"snp": kept.tolist(), "share": share[kept].tolist()}


def _cells(study: Study) -> list[Cell]:
    return [
        SelectionCell(study.data, trait, derived_seed(study.seed, trait), method)
        for trait in study.traits
        for method in study.methods
    ]


def _tables(study: Study, results: Results) -> dict[str, pd.DataFrame]:
    """Return selected SNPs, hits by trait and method, and the published SNPs with their shares here."""
    settings: SelectionSettings = study.settings
    genes = (
        None
        if settings.genes is None
        else _read(settings.genes, settings.gene_columns, ("gene", "chrom", "start", "end"))
    )
    published = (
        None
        if settings.published is None
        else _read(settings.published, settings.published_columns, ("trait", "chrom", "pos"))
    )
    selected, hits, found = [], [], []
    for labels, result in results:
        variants = load(study.data, labels["trait"]).analysis.variants
        share = np.zeros(len(variants))
        share[result["snp"]] = result["share"]
        chosen = share > settings.threshold
        table = variants.loc[chosen, ["chrom", "pos", "snp"]].assign(**labels, share=share[chosen])
        row = labels | {"selected": int(chosen.sum())}
        if genes is not None:
            nearest = gene_distances(variants, genes)
            near = nearest["distance"].to_numpy() <= 1000 * settings.window_kb
            table = pd.concat([table, nearest[chosen].replace(np.inf, np.nan)], axis=1)
            row |= {
                "hits": int((chosen & near).sum()),
                "hit_share": float(near[chosen].mean()) if chosen.any() else np.nan,
                "expected_share": float(near.mean()),
                "p_value": _p_value(np.flatnonzero(chosen), variants, genes, settings),
            }
        selected.append(table)
        hits.append(row)
        if published is not None:
            mine = published[(published["trait"] == labels["trait"]) & published["chrom"].isin(variants["chrom"])]
            found.append(_compare(mine, variants, share, settings).assign(method=labels["method"]))
    joined = pd.concat(selected, ignore_index=True)
    tables = {
        "hits": pd.DataFrame(hits),
        "selected": joined[["trait", "method", *joined.columns.drop(["trait", "method"])]],
    }
    return tables | ({"published": pd.concat(found, ignore_index=True)} if found else {})


def _p_value(hits: NDArray[np.intp], variants: pd.DataFrame, genes: pd.DataFrame, settings: SelectionSettings) -> float:
    """Return the p-value of the rotation test, NaN without hits."""
    if not hits.size:
        return float("nan")
    return candidate_enrichment(hits, variants, genes, round(1000 * settings.window_kb)).p_value


def _compare(
    published: pd.DataFrame, variants: pd.DataFrame, share: NDArray[np.float64], settings: SelectionSettings
) -> pd.DataFrame:
    """Put shares beside published SNPs: of the SNP itself (NA where it is absent), and the largest in the window."""
    chrom, pos = variants["chrom"].to_numpy(), variants["pos"].to_numpy()
    own, near = [], []
    for row in published.itertuples():
        away = np.where((chrom == row.chrom) & (pos > 0), np.abs(pos - row.pos), np.inf)
        own.append(share[away == 0].max() if (away == 0).any() else np.nan)
        near.append(share[away <= 1000 * settings.window_kb].max(initial=0.0))
    return published.assign(
        share=own,
        largest_share=near,
        found=np.array(own) > settings.threshold,
        found_near=np.array(near) > settings.threshold,
    )


def _read(path: Path, columns: tuple[str, ...], names: tuple[str, ...]) -> pd.DataFrame:
    """Read columns of a table under other names; rows with a missing value are left out."""
    try:
        table = pd.read_csv(path, sep="\t", dtype={columns[names.index("chrom")]: str})
    except (OSError, ValueError) as error:
        raise InputError(f"expected a tab-separated table at {path}, got {error}: check the path") from error
    for column in columns:
        if column not in table:
            raise InputError(
                f"expected the column {column!r} in {path}, got {', '.join(map(str, table))}: name the columns it has"
            )
    return table[list(columns)].set_axis(list(names), axis=1).dropna().reset_index(drop=True)


SELECTION = Kind(
    SelectionSettings,
    {name: each.settings for name, each in BASELINES.items() if each.is_share},
    _cells,
    _tables,
)

"""Studies of selection on real traits: which SNPs methods select, beside candidate genes and published selections.

A SNP is selected where its share (of subsamples, of posterior probability) exceeds the threshold; a hit is a selected
SNP within ``window_kb`` of a candidate gene (the gene's own interval counts as distance 0):

    hit share = hits / selected,    expected share = SNPs within the window of a gene / all SNPs

with the p-value of the rotation test (`candidate_enrichment`). Over all traits it is that of their sum, all traits
rotated together; the difference between two methods' hit shares has the share of rotations in which it is at least as
large, and a bootstrap interval over traits, which takes them as independent: correlated traits that share a locus make
it too narrow, the rotations do not. Neighbouring selected SNPs within ``pair_kb`` are a pair
(`adjacent_pairs`): a gene is between them if it meets the stretch from one to the other, and near them if it is within
the window of this stretch.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import model_validator

from bayes_lmmlasso.cohort import AnalysisSet
from bayes_lmmlasso.compare.baselines import BASELINES
from bayes_lmmlasso.compare.bootstrap import answer, bootstrap_limits, ratio_difference
from bayes_lmmlasso.compare.enrichment import adjacent_pairs, candidate_enrichment, gene_distances, rotated_counts
from bayes_lmmlasso.compare.published import compare_counts, compare_snps, read_columns
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.settings import Settings, knob
from bayes_lmmlasso.studies.cells.selection import SelectionCell
from bayes_lmmlasso.studies.data import load
from bayes_lmmlasso.studies.study import Cell, Kind, Results, Study, derived_seed

__all__ = ["SELECTION", "SelectionSettings"]

_PLACE = ["chrom", "pos", "snp"]


class SelectionSettings(Settings):
    """What selections are compared with."""

    threshold: float = knob(0.5, "Share above which a SNP is selected.", at_least=0, at_most=1)
    window_kb: float = knob(10.0, "Largest distance from a gene, and from a published SNP.", at_least=0, at_most=1e7)
    pair_kb: float = knob(10.0, "Largest distance of a pair of selected SNPs.", at_least=0, at_most=1e7)
    genes: Path | None = knob(None, "Table of candidate genes, tab separated.")
    gene_columns: tuple[str, ...] = knob(
        ("name", "chrom", "start", "end"), "Its columns of name, chromosome, start and end."
    )
    published: Path | None = knob(None, "Table of published SNPs.")
    published_columns: tuple[str, ...] = knob(
        ("trait", "chrom", "pos"), "Its columns of trait, chromosome and position, then any others to show."
    )
    published_counts: Path | None = knob(None, "Table of published numbers.")
    published_counts_columns: tuple[str, ...] = knob(
        (), "Its columns of trait, then of hits and of selected SNPs of one method after the other."
    )
    published_counts_methods: tuple[str, ...] = knob((), "The names of these methods here.")

    @model_validator(mode="after")
    def _check_columns(self) -> Self:
        n_counts = 1 + 2 * len(self.published_counts_methods) if self.published_counts else 0
        for key, columns, n, more in (
            ("gene_columns", self.gene_columns, 4, False),
            ("published_columns", self.published_columns, 3, True),
            ("published_counts_columns", self.published_counts_columns, n_counts, False),
        ):
            if len(columns) < n or (len(columns) > n and not more):
                least = "at least " if more else ""
                raise InputError(f"expected {least}{n} names in {key}, got {list(columns)}: name one column for each")
        return self


def _cells(study: Study) -> list[Cell]:
    return [
        SelectionCell(study.data, trait, derived_seed(study.seed, trait), method)
        for trait in study.traits
        for method in study.methods
    ]


def _tables(study: Study, results: Results) -> dict[str, pd.DataFrame]:
    """Return selected SNPs and pairs, hits by trait and method and in all, and published results beside them."""
    settings: SelectionSettings = study.settings
    genes = read_columns(settings.genes, settings.gene_columns, ("gene", "chrom", "start", "end"))
    published = read_columns(settings.published, settings.published_columns, ("trait", "chrom", "pos"))
    counts = read_columns(settings.published_counts, settings.published_counts_columns, ("trait",))
    selected, pairs, rows, found = [], [], [], []
    chosen_snps: dict[str, list[pd.DataFrame]] = {}
    analysed: dict[str, pd.DataFrame] = {}
    for labels, result in results:
        analysis = load(study.data, labels["trait"]).analysis
        share = np.zeros(len(analysis.variants))
        share[result["snp"]] = result["share"]
        chosen = np.flatnonzero(share > settings.threshold)
        own_pairs = _pairs(chosen, analysis, genes, settings)
        row = labels | {"selected": chosen.size, "pairs": len(own_pairs)}
        table = analysis.variants.loc[chosen, _PLACE].assign(share=share[chosen])
        if genes is not None:
            nearest = gene_distances(analysis.variants, genes)
            near = nearest["distance"].to_numpy() <= 1000 * settings.window_kb
            table = pd.concat([table, nearest.iloc[chosen].replace(np.inf, np.nan)], axis=1)
            row |= {
                "hits": int(near[chosen].sum()),
                "hit_share": float(near[chosen].mean()) if chosen.size else np.nan,
                "expected_share": float(near.mean()),
                "p_value": _p_value(chosen, analysis.variants, genes, settings),
                "pairs_near": int(own_pairs["near"].sum()),
                "pairs_between": int(own_pairs["between"].sum()),
            }
        rows.append(row)
        analysed[labels["trait"]] = analysis.variants[_PLACE]
        chosen_snps.setdefault(labels["method"], []).append(analysis.variants.loc[chosen, _PLACE])
        selected.append(_labelled(table, labels))
        pairs.append(_labelled(own_pairs, labels))
        if published is not None:
            own = published["chrom"].isin(analysis.variants["chrom"]) & (published["trait"] == labels["trait"])
            beside = compare_snps(
                published[own], analysis.variants, share, settings.threshold, 1000 * settings.window_kb
            )
            found.append(beside.assign(method=labels["method"]))
    hits = pd.DataFrame(rows)
    if counts is not None:
        hits = compare_counts(hits, counts, settings.published_counts_methods)
    tables = {
        "hits": hits,
        "selected": pd.concat(selected, ignore_index=True),
        "pairs": pd.concat(pairs, ignore_index=True),
    }
    if genes is not None:
        rotated = _rotated(chosen_snps, analysed, genes, settings)
        tables["enrichment"] = _enrichment(hits, tables["selected"], rotated, settings)
        if len(rotated) > 1:
            tables["hit_differences"] = _hit_differences(hits, rotated, study.seed)
    return tables | ({"published": pd.concat(found, ignore_index=True)} if found else {})


def _labelled(table: pd.DataFrame, labels: dict[str, Any]) -> pd.DataFrame:
    """Put labels in front."""
    return table.assign(**labels)[[*labels, *table]]


def _pairs(
    chosen: NDArray[np.intp], analysis: AnalysisSet, genes: pd.DataFrame | None, settings: SelectionSettings
) -> pd.DataFrame:
    """List pairs of selected SNPs, with the gene nearest to the middle of each."""
    if not chosen.size:
        return pd.DataFrame({"between": [], "near": []}, dtype=bool)
    pairs = adjacent_pairs(chosen, analysis.variants, round(1000 * settings.pair_kb), X=analysis.X, genes=genes)
    away = pairs["gene_distance"] - pairs["distance"] / 2  # from the stretch: at most 0 where a gene meets it
    return pairs.replace(np.inf, np.nan).assign(between=away <= 0, near=away <= 1000 * settings.window_kb)


def _rotated(
    chosen: dict[str, list[pd.DataFrame]],
    analysed: dict[str, pd.DataFrame],
    genes: pd.DataFrame,
    settings: SelectionSettings,
) -> dict[str, NDArray[np.intp]]:
    """Count hits of all traits in every rotation of the SNPs that any trait has, for each method."""
    snps = pd.concat(analysed.values()).drop_duplicates().sort_values(["chrom", "pos"], kind="stable")
    near = gene_distances(snps, genes)["distance"].to_numpy() <= 1000 * settings.window_kb
    places = pd.MultiIndex.from_frame(snps)
    found = {}
    for method, tables in chosen.items():
        times = pd.MultiIndex.from_frame(pd.concat(tables)).value_counts()
        found[method] = rotated_counts(times.reindex(places, fill_value=0), near)
    return found


def _enrichment(
    hits: pd.DataFrame, selected: pd.DataFrame, rotated: dict[str, NDArray[np.intp]], settings: SelectionSettings
) -> pd.DataFrame:
    """Sum over the traits."""
    groups = hits.groupby("method", sort=False)
    table = groups[["selected", "hits", "pairs", "pairs_near", "pairs_between"]].sum()
    near = selected[selected["distance"] <= 1000 * settings.window_kb].groupby("method")["gene"].nunique()
    table.insert(2, "genes", near.reindex(table.index, fill_value=0))
    table.insert(3, "hit_share", table["hits"] / table["selected"])
    table.insert(4, "expected_share", groups["expected_share"].mean())
    table.insert(5, "p_value", [float((rotated[str(name)] >= rotated[str(name)][0]).mean()) for name in table.index])
    if "published_hits" in hits:
        table = table.join(groups[["published_selected", "published_hits"]].sum())
        table["published_hit_share"] = table["published_hits"] / table["published_selected"]
    return table.reset_index()


def _hit_differences(hits: pd.DataFrame, rotated: dict[str, NDArray[np.intp]], seed: int) -> pd.DataFrame:
    """Compare hit shares over all traits of each pair of methods, here and as published."""
    rows = []
    for reference, method in combinations(rotated, 2):
        row: dict[str, Any] = {"method": method, "reference": reference}
        for prefix in ("", "published_") if "published_hits" in hits else ("",):
            columns = [f"{prefix}hits", f"{prefix}selected"]
            both = hits.pivot_table(index="trait", columns="method", values=columns, sort=False)
            wanted = [(column, name) for name in (method, reference) for column in columns]
            both = both.reindex(columns=wanted).dropna()
            if len(both):
                counts = both.to_numpy(np.float64).T
                lo, hi = map(float, bootstrap_limits(ratio_difference, *counts, seed=seed))
                row |= {f"{prefix}difference": float(ratio_difference(*counts)), f"{prefix}lo": lo, f"{prefix}hi": hi}
                row |= {f"{prefix}answer": answer(lo, hi)}
        n = hits.groupby("method")["selected"].sum().clip(lower=1)
        gaps = rotated[method] / n[method] - rotated[reference] / n[reference]
        rows.append(row | {"p_value": float((abs(gaps) >= abs(gaps[0]) - 1e-12).mean())})
    return pd.DataFrame(rows)


def _p_value(hits: NDArray[np.intp], variants: pd.DataFrame, genes: pd.DataFrame, settings: SelectionSettings) -> float:
    """Return the p-value of the rotation test, NaN without hits."""
    if not hits.size:
        return float("nan")
    return candidate_enrichment(hits, variants, genes, round(1000 * settings.window_kb)).p_value


SELECTION = Kind(
    SelectionSettings,
    {name: each.settings for name, each in BASELINES.items() if each.is_share},
    _cells,
    _tables,
)

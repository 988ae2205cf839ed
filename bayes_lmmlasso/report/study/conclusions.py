"""What a study answers, in sentences: tables in, text out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pandas as pd

__all__ = ["study_conclusions"]


def study_conclusions(kind: str, tables: dict[str, pd.DataFrame]) -> list[str]:
    """Say what the comparisons of a study come to, each with its interval, those that are undecided too.

    Parameters
    ----------
    kind
        Of the study.
    tables
        Its tables by name.
    """
    return _SENTENCES[kind](tables) if kind in _SENTENCES else []


def _simulation(tables: dict[str, pd.DataFrame]) -> list[str]:
    sentences: list[str] = []
    if "answers" not in tables:
        return sentences
    for (method, reference), rows in tables["answers"].groupby(["method", "reference"], sort=False):
        compared = f"{method} against {reference}, area under precision-recall"
        if len(rows) == 1:
            row = rows.iloc[0]
            sentences.append(f"{compared}: {_difference(row)}, {row['n']} replicates: {row['answer']}.")
            continue
        count = rows["answer"].value_counts()
        counted = ", ".join(f"{word} in {count.get(word, 0)}" for word in ("larger", "smaller", "undecided"))
        sentences.append(
            f"{compared}: {counted} of {len(rows)} settings, differences from {rows['difference'].min():+.3f} to "
            f"{rows['difference'].max():+.3f}."
        )
    return sentences


def _prediction(tables: dict[str, pd.DataFrame]) -> list[str]:
    return list(tables["wins"]["conclusion"]) if "wins" in tables else []


def _selection(tables: dict[str, pd.DataFrame]) -> list[str]:
    sentences: list[str] = []
    for row in _rows(tables, "enrichment"):
        published = ""
        if row.get("published_selected", 0) > 0:
            published = f"; published {row['published_hits']:.0f} of {row['published_selected']:.0f}"
        sentences.append(
            f"{row['method']}: {row['hits']} of {row['selected']} selected SNPs are near {row['genes']} candidate "
            f"genes ({row['hit_share']:.1%}, {row['expected_share']:.1%} by chance, rotations p = {row['p_value']:.2g})"
            f"{published}."
        )
    for row in _rows(tables, "hit_differences"):
        published = ""
        if "published_difference" in row and pd.notna(row["published_difference"]):
            interval = _limits(row["published_lo"], row["published_hi"], "+.1%")
            published = f"; published {row['published_difference']:+.1%} ({interval})"
        sentences.append(
            f"{row['method']} against {row['reference']}, share of hits: {row['difference']:+.1%} "
            f"(95% interval over traits {_limits(row['lo'], row['hi'], '+.1%')}, "
            f"rotations p = {row['p_value']:.2g}): "
            f"{row['answer']}{published}."
        )
    if "published" in tables:
        for method, rows in tables["published"].groupby("method", sort=False):
            sentences.append(
                f"{method} finds {rows['found'].sum()} of {len(rows)} published SNPs themselves, and "
                f"{rows['found_near'].sum()} by a SNP within the window."
            )
    return sentences


def _dissection(tables: dict[str, pd.DataFrame]) -> list[str]:
    sentences = []
    for row in _rows(tables, "best_differences"):
        beside = "" if row["reference"] == "structure alone" else f" with {row['reference_n_active']}"
        sentences.append(
            f"{row['trait']}: {row['method']} with {row['n_active']} SNPs against {row['reference']}{beside}, share "
            f"explained of unseen samples: {_difference(row)}, {row['n']} folds, sizes chosen on these samples: "
            f"{row['answer']}."
        )
    return sentences


def _replication(tables: dict[str, pd.DataFrame]) -> list[str]:
    sentences = []
    for row in _rows(tables, "rfr"):
        if row["called"] == 0:
            sentences.append(f"{row['method']} is sure of no SNP in a part of the samples: nothing can fail.")
            continue
        sentences.append(
            f"{row['method']}: of {row['called']} SNPs called in parts of the samples, {row['failed']} lose their "
            f"support in all of them: replication failure rate {row['rate']:.1%} (exact 95% interval {row['lo']:.1%} "
            f"to {row['hi']:.1%}), where at most {row['expected']:.1%} is expected by the pips themselves."
        )
    for row in _rows(tables, "rfr_differences"):
        if pd.notna(row["difference"]):
            limits = _limits(row["lo"], row["hi"], "+.1%")
            sentences.append(
                f"{row['method']} against {row['reference']}, replication failure rate: {row['difference']:+.1%} "
                f"(95% interval over {row['traits']} {'trait' if row['traits'] == 1 else 'traits'} {limits}): "
                f"{row['answer']}."
            )
    return sentences


def _rows(tables: dict[str, pd.DataFrame], name: str) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], tables[name].to_dict("records")) if name in tables else []


def _limits(lo: float, hi: float, form: str = "+.3f") -> str:
    return "not defined" if pd.isna(lo) else f"{lo:{form}} to {hi:{form}}"


def _difference(row: Any) -> str:
    return f"{row['difference']:+.3f} (95% interval {_limits(row['lo'], row['hi'])})"


_SENTENCES: dict[str, Callable[[dict[str, pd.DataFrame]], list[str]]] = {
    "simulation": _simulation,
    "selection": _selection,
    "dissection": _dissection,
    "prediction": _prediction,
    "replication": _replication,
}

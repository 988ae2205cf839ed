"""Results for a program: what `bayes_lmmlasso.run.commands.summary` says in text, as plain values."""

from __future__ import annotations

from typing import Any

import pandas as pd

from bayes_lmmlasso.posterior.summaries.windows import rank_windows
from bayes_lmmlasso.report.cautions import disagreement
from bayes_lmmlasso.report.tables import PRIORS, priors_of, read_tsv
from bayes_lmmlasso.report.verdict import Verdict
from bayes_lmmlasso.run.result import RunResult, SamplingResult

__all__ = ["result_found", "rows", "table_found"]

_N_NAMED = 5


def result_found(result: SamplingResult) -> dict[str, Any]:
    """Return what a run found, or its posterior alone, and what says how far to trust it.

    Returns
    -------
    dict
        chains_agree, without which nothing that follows counts; why_not, the reason where they do not; samples
        and snps, how many; null_model, shares and sampling, as in ``run.json``; of a run verdict and
        regions that are supported or suggestive, windows and snps_by_pip, the first five rows of its tables, and
        priors, all of theirs.
    """
    record = result.record
    reason = disagreement(record)
    found: dict[str, Any] = {
        "chains_agree": reason is None,
        "why_not": reason,
        "samples": record["data"]["samples"]["kept"],
        "snps": record["data"]["snps"]["kept"],
        "null_model": record["null_model"],
        "shares": result.shares.to_dict("index"),
        "sampling": record["evidence"]["sampling"],
    }
    if isinstance(result, RunResult):
        verdict = Verdict.of(record, result.windows)
        found["verdict"], found["regions"] = verdict.sentence, verdict.regions.to_dict("records")
        found["windows"] = rows(rank_windows(result.windows))
        found["snps_by_pip"] = rows(result.inclusion.sort_values("pip", ascending=False, kind="stable"))
        if len(priors_of(record)) > 1:
            found["priors"] = read_tsv(result.folder / PRIORS).to_dict("records")
    return found


def table_found(table: pd.DataFrame, by: str, *, smallest: bool = False) -> dict[str, Any]:
    """Return the number of rows of a table, and the first five by the size of a column."""
    ordered = table.sort_values(by, key=lambda column: column.abs(), ascending=smallest, kind="stable")
    return {"rows": len(table), "first": rows(ordered)}


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the first rows, by column."""
    head = table.head(_N_NAMED)
    return [{str(name): value for name, value in row.items()} for row in head.to_dict("records")]

"""Priors side by side: which one predicts better, what each says of the windows, and why they differ."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from bayes_lmmlasso.posterior.summaries.windows import rank_windows
from bayes_lmmlasso.report.tables import PRIORS, priors_of, read_tsv

__all__ = ["MEANINGS", "priors_section", "verdict"]

MEANINGS = {
    "spike_slab": "spike_slab has most effects exactly zero and shrinks the others little: a signal stays with few "
    "SNPs.",
    "laplace": "laplace has none at zero and shrinks all SNPs alike: it spreads a signal over every SNP correlated "
    "with it, each of which then looks small.",
    "horseshoe": "horseshoe has none at zero, but pulls small effects to it and leaves large ones alone.",
    "normal": "normal gives every SNP a small effect (ridge regression): it names no SNP.",
}
"""What a prior does to a signal, in one sentence."""

_PLACE = ["chrom", "start", "end"]
_OF_WINDOW = ("bayes_factor", "window_pip")
_N_WINDOWS = 6
_CLEAR = 2.0  # standard errors


def priors_section(folder: Path, record: Mapping[str, Any], windows: pd.DataFrame) -> dict[str, Any] | None:
    """Return what the report shows of a run's priors, or None if it has one."""
    first, *others = priors_of(record)
    if not others:
        return None
    table = read_tsv(folder / PRIORS)
    found = {first: windows} | {model: read_tsv(folder / model / "windows.tsv") for model in others}
    return {
        "table": table,
        "verdict": verdict(table),
        "meanings": [MEANINGS[model] for model in found],
        "windows": _side_by_side(found),
        "pages": [f"{model}/report.html" for model in others],
    }


def verdict(priors: pd.DataFrame) -> str:
    """Say which prior predicts the individuals left out better."""
    ranked = priors.sort_values("elpd_behind")
    best, rest = ranked.iloc[0], ranked.iloc[1:]
    if math.isnan(rest["elpd_behind"].max(skipna=False)):
        return "Leave-one-out cannot compare the priors: the draws of one are too alike."
    behind = ", ".join(
        f"{row['model']} is {row['elpd_behind']:.1f} (standard error {row['behind_se']:.1f}) behind"
        for _, row in rest.iterrows()
    )
    if (rest["elpd_behind"] > _CLEAR * rest["behind_se"]).all():
        return f"{best['model']} predicts individuals left out better: in elpd {behind}."
    return f"Leave-one-out does not tell {best['model']} from the others: in elpd {behind}."


def _side_by_side(found: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the first windows of any prior, with what each prior says of them."""
    table = next(iter(found.values()))[_PLACE]
    firsts = pd.concat([rank_windows(windows).head(_N_WINDOWS)[_PLACE] for windows in found.values()])
    for model, windows in found.items():
        named = windows.rename(columns={name: f"{name} ({model})" for name in _OF_WINDOW})
        table = table.merge(named[[*_PLACE, *(f"{name} ({model})" for name in _OF_WINDOW)]], on=_PLACE, how="left")
    table = table.merge(firsts.drop_duplicates(), on=_PLACE)
    keys = [f"{name} ({next(iter(found))})" for name in _OF_WINDOW]
    return table.sort_values(keys, ascending=False, kind="stable").head(2 * _N_WINDOWS)

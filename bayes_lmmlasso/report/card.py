"""An analysis at a glance, as a notebook shows it: verdict, regions, cautions and a small Manhattan plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from bayes_lmmlasso.plots.along_genome import stacked_manhattan
from bayes_lmmlasso.report.findings import named_regions
from bayes_lmmlasso.report.page import page_template, png_text
from bayes_lmmlasso.report.verdict import Verdict

__all__ = ["analysis_card"]

_N_REGIONS, _DPI = 5, 80


def analysis_card(
    record: Mapping[str, Any], inclusion: pd.DataFrame, windows: pd.DataFrame, cautions: Sequence[str]
) -> str:
    """Return a piece of HTML.

    Parameters
    ----------
    record
        What ``run.json`` says.
    inclusion, windows
        The tables of the run.
    cautions
        What calls for caution.
    """
    verdict = Verdict.of(record, windows)
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    stacked_manhattan(inclusion, quantities=["pip", "stability"], axes=list(figure.subplots(2, 1, sharex=True)))
    return page_template("card.html.j2").render(
        record=record,
        verdict=verdict,
        regions=named_regions(verdict.regions, inclusion).head(_N_REGIONS),
        cautions=cautions,
        picture=png_text(figure, _DPI),
    )

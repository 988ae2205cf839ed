"""The explorer of a study's page: differences with their intervals beside their table, and cells beside their cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from bokeh.models import CDSView, ColumnDataSource, HoverTool, IndexFilter, Span, TapTool
from bokeh.plotting import figure
from numpy.typing import NDArray

from bayes_lmmlasso.report.interactive.embed import embed
from bayes_lmmlasso.report.interactive.genome import HIGHLIGHT, styled
from bayes_lmmlasso.report.interactive.tables import linked_table

__all__ = ["study_explorer"]

_DIFFERENCES = ("answers", "traits", "hit_differences", "best_differences", "rfr_differences")
_MOST_LINES = 60
_COLOUR = "#0072B2"


def study_explorer(tables: Mapping[str, pd.DataFrame]) -> tuple[str, list[str]]:
    """Return the JSON of the figures and tables, and which there are: ``differences``, ``cells``.

    Parameters
    ----------
    tables
        Tables of the study by name, ``cells`` among them.
    """
    shown = {}
    name = next((name for name in _DIFFERENCES if len(tables.get(name, ()))), None)
    if name is not None:
        table = tables[name].drop(columns="conclusion", errors="ignore")
        source = _source(table)
        shown["differences"] = linked_table(source, tuple(table.columns), "differences")
        shown["differences-plot"] = _differences(source)
    cells = tables["cells"]
    source = _source(cells)
    shown |= {"cells-plot": _costs(source, cells), "cells": linked_table(source, tuple(cells.columns), "cells")}
    return embed(shown), [each for each in ("differences", "cells") if each in shown]


def _source(table: pd.DataFrame) -> ColumnDataSource:
    """Return a source of a table: numbers as arrays, everything else as text."""
    columns: dict[str, list[str] | NDArray[Any]] = {}
    for name in table:
        column = table[name]
        if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            columns[str(name)] = column.astype(object).fillna("").astype(str).tolist()
        elif pd.api.types.is_integer_dtype(column) and not column.isna().any():
            columns[str(name)] = column.to_numpy(np.int32)
        else:
            columns[str(name)] = column.to_numpy(np.float64, na_value=np.nan)
    return ColumnDataSource(columns)


def _differences(source: ColumnDataSource) -> figure:
    """Return differences as dots with their intervals, a line each."""
    data = source.data
    labels = [name for name in ("method", "reference", "trait", "setting") if name in data]
    rows = list(zip(*(data[name] for name in labels), strict=True))
    source.data["line"] = [f"{k + 1}. {' · '.join(row)}" for k, row in enumerate(rows)]
    lines = source.data["line"][:_MOST_LINES]
    view = CDSView(filter=IndexFilter(indices=list(range(len(lines)))))
    plot = figure(
        height=70 + 22 * len(lines),
        sizing_mode="stretch_width",
        y_range=lines[::-1],
        x_axis_label="difference, with 95% interval",
        tools=["xpan", "xwheel_zoom", "reset", TapTool()],
    )
    plot.toolbar.active_scroll = None
    plot.add_layout(Span(location=0, dimension="height", line_color="#808080"))
    bars = plot.segment("lo", "line", "hi", "line", source=source, view=view, line_width=2, color=_COLOUR)
    dots = plot.scatter("difference", "line", source=source, view=view, size=8, color=_COLOUR)
    for each in (bars, dots):
        each.nonselection_glyph = each.glyph
    bars.selection_glyph = bars.glyph.clone(line_color=HIGHLIGHT)
    dots.selection_glyph = dots.glyph.clone(fill_color=HIGHLIGHT, line_color=HIGHLIGHT)
    tips = [(name, f"@{name}") for name in labels] + [("difference", "@difference{0.000}")]
    plot.add_tools(HoverTool(tooltips=[*tips, ("95% interval", "@lo{0.000} to @hi{0.000}")], renderers=[dots]))
    return styled(plot)


def _costs(source: ColumnDataSource, cells: pd.DataFrame) -> figure:
    """Return seconds of every cell by method."""
    methods = list(dict.fromkeys(cells["method"].astype(str)))
    plot = figure(
        height=70 + 26 * len(methods),
        sizing_mode="stretch_width",
        y_range=methods[::-1],
        x_axis_label="seconds of a cell",
        tools=["xpan", "xbox_zoom", "reset", TapTool()],
    )
    dots = plot.scatter("seconds", "method", source=source, size=7, color=_COLOUR, alpha=0.6, selection_color=HIGHLIGHT)
    named = [name for name in ("trait", "setting", "replicate", "fold", "split", "status") if name in source.data]
    tips = [(name, f"@{name}") for name in ("method", *named)]
    plot.add_tools(HoverTool(tooltips=tips, renderers=[dots]))
    return styled(plot)

"""Tables that sort, are searched, and share their rows with the figures."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import (
    CDSView,
    ColumnDataSource,
    DataTable,
    IndexFilter,
    InlineStyleSheet,
    NumberFormatter,
    ScientificFormatter,
    StringFormatter,
    TableColumn,
)

__all__ = ["linked_table"]

_SCIENTIFIC = frozenset(("p_lmm", "bayes_factor", "lfsr"))
_WHOLE = frozenset(("pos", "start", "end", "n_snps"))
_NAMES = frozenset(("snp", "top_snp", "snps", "error"))
_STYLE = """
:host { --cell: var(--page, #fff); }
.slick-header-column, .slick-cell, .slick-row { background: var(--page, #fff) !important; color: var(--ink, #222);
  border-color: var(--line, #ddd) !important; font: 12.5px/1.6 system-ui, sans-serif; }
.slick-header-column { color: var(--soft, #555); font-weight: 600; }
.slick-row.odd .slick-cell { background: var(--tint, #f5f7f9) !important; }
.slick-cell.selected { background: var(--chosen, #ffe3cc) !important; }
"""


def linked_table(source: ColumnDataSource, columns: tuple[str, ...], table: str, height: int = 330) -> DataTable:
    """Return a table of a source's rows; ``table`` names it and its filter, which a search sets."""
    rows = len(source.data[columns[0]])
    return DataTable(
        source=source,
        view=CDSView(filter=IndexFilter(indices=list(range(rows)), name=f"{table} filter")),
        columns=[
            TableColumn(
                field=column, title=column, formatter=_formatter(column, source.data[column]), width=_width(column)
            )
            for column in columns
        ],
        name=f"{table} table",
        index_position=None,
        height=min(height, 32 + 26 * max(rows, 1)),
        sizing_mode="stretch_width",
        autosize_mode="none",
        selectable=True,
        stylesheets=[InlineStyleSheet(css=_STYLE)],
    )


def _width(column: str) -> int:
    """Return pixels that hold the heading, and more for names."""
    return max(150 if column in _NAMES else 88 if column in _WHOLE else 64, 8 * len(column) + 24)


def _formatter(column: str, values: Any) -> StringFormatter:
    """Return how a column is written: text as it is, counts without decimals."""
    if isinstance(values, list):
        return StringFormatter()
    if column in _SCIENTIFIC:
        limits = {"power_limit_high": 4, "power_limit_low": -2}
        return ScientificFormatter(precision=2, text_align="right", nan_format="NA", **limits)
    whole = column in _WHOLE or np.issubdtype(values.dtype, np.integer)
    return NumberFormatter(format="0,0" if whole else "0.000", text_align="right", nan_format="NA")

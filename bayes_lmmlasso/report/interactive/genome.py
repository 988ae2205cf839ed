"""Manhattan plots of a run, one below the other, on one axis of the genome."""

from __future__ import annotations

import numpy as np
from bokeh.models import (
    BoxZoomTool,
    ColumnDataSource,
    FixedTicker,
    HoverTool,
    PanTool,
    Range1d,
    ResetTool,
    Span,
    TapTool,
    WheelZoomTool,
)
from bokeh.plotting import figure

from bayes_lmmlasso.report.interactive.sources import Sources

__all__ = ["HIGHLIGHT", "SNP_TIPS", "manhattan_panels", "styled"]

HIGHLIGHT = "#D55E00"
"""What is selected."""
SNP_TIPS = [
    ("SNP", "@snp"),
    ("place", "@chrom:@pos{0,0}"),
    ("pip", "@pip{0.000}"),
    ("stability", "@stability{0.00}"),
    ("effect", "@beta_mean{0.000}"),
    ("p_lmm", "@p_lmm{0.0e+0}"),
]
_WINDOW_TIPS = [
    ("window", "@chrom:@start{0,0}-@end{0,0}"),
    ("Bayes factor", "@bayes_factor{0,0.0}"),
    ("window_pip", "@window_pip{0.000}"),
    ("prior", "@window_pip_prior{0.000}"),
    ("top SNP", "@top_snp"),
]


def manhattan_panels(sources: Sources, threshold: float) -> dict[str, figure]:
    """Return a panel each for windows, pip, stability and, after a scan, p-values; they zoom and pan together."""
    genome, margin = sources.genome, 0.01 * sources.genome.length
    x_range = Range1d(genome.x.min() - margin, genome.x.max() + margin, bounds="auto")
    log_factor = sources.windows.data["log_bf"]
    panels = {}
    if np.isfinite(log_factor).any():
        panels["windows"] = _panel(sources, "log10 Bayes factor", x_range, sources.windows, "log_bf", _WINDOW_TIPS)
        panels["windows"].add_layout(Span(location=1, dimension="width", line_dash="dashed", line_color=HIGHLIGHT))
    panels["pip"] = _panel(sources, "pip", x_range, sources.snps, "pip", SNP_TIPS)
    panels["stability"] = _panel(sources, "stability", x_range, sources.snps, "stability", SNP_TIPS)
    panels["stability"].add_layout(
        Span(location=threshold, dimension="width", line_dash="dashed", line_color=HIGHLIGHT)
    )
    if sources.scanned:
        panels["scan"] = _panel(sources, "-log10 p_lmm", x_range, sources.snps, "logp", SNP_TIPS)
    *_, last = panels.values()
    last.xaxis.visible = True
    last.xaxis.axis_label = f"chromosome ({genome.unit})"
    last.height += 40
    return panels


def styled(plot: figure) -> figure:
    """Give a figure what all have in common; colours of text and lines follow the page."""
    plot.toolbar.logo = None
    plot.toolbar.autohide = True
    plot.background_fill_color = plot.border_fill_color = plot.outline_line_color = None
    plot.xgrid.visible = False
    plot.axis.axis_label_text_font_style = "normal"
    plot.axis.minor_tick_line_color = None
    return plot


def _panel(
    sources: Sources, label: str, x_range: Range1d, source: ColumnDataSource, column: str, tips: list[tuple[str, str]]
) -> figure:
    """Return a panel of one quantity along the genome."""
    zoom = BoxZoomTool()
    plot = figure(
        height=150,
        sizing_mode="stretch_width",
        x_range=x_range,
        y_axis_label=label,
        tools=[PanTool(dimensions="width"), zoom, WheelZoomTool(dimensions="width"), TapTool(), ResetTool()],
        active_drag=zoom,
        min_border_left=62,
    )
    plot.toolbar.active_scroll = None
    points = plot.scatter(
        "x",
        column,
        source=source,
        size=5,
        color="colour",
        line_color=None,
        nonselection_alpha=0.45,
        selection_color=HIGHLIGHT,
        selection_line_color="black",
    )
    points.selection_glyph.size = 11
    plot.add_tools(HoverTool(tooltips=tips, renderers=[points], attachment="horizontal"))
    plot.xaxis.ticker = FixedTicker(ticks=sources.genome.ticks)
    plot.xaxis.major_label_overrides = dict(zip(sources.genome.ticks, sources.genome.labels, strict=True))
    plot.xaxis.visible = False
    return styled(plot)

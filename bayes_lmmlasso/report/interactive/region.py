"""A region of the genome, SNP by SNP, coloured by the correlation with its top SNP; the page says which region."""

from __future__ import annotations

from bokeh.models import CDSView, ColorBar, GroupFilter, HoverTool, LinearColorMapper, NumeralTickFormatter, Range1d
from bokeh.palettes import Cividis
from bokeh.plotting import figure
from bokeh.transform import transform

from bayes_lmmlasso.report.interactive.genome import SNP_TIPS, styled
from bayes_lmmlasso.report.interactive.sources import Sources

__all__ = ["region_panels"]

_CLASSES = 5


def region_panels(sources: Sources) -> dict[str, figure]:
    """Return panels of pip and, after a scan, of p-values, of the region that is chosen, at first the first one."""
    view = CDSView(filter=GroupFilter(column_name="region", group="0", name="region filter"))
    x_range = Range1d(0, 1, name="region range")
    ld = LinearColorMapper(palette=Cividis[_CLASSES], low=0, high=1, nan_color="#888888")
    columns = {"pip": ("pip", "region_pip")}
    if sources.scanned:
        columns["scan"] = ("-log10 p_lmm", "region_scan")
    panels = {}
    for name, (label, _) in columns.items():
        column = "logp" if name == "scan" else "pip"
        plot = figure(
            height=230 if name == "pip" else 190,
            sizing_mode="stretch_width",
            x_range=x_range,
            y_range=Range1d(-0.04, 1.06) if name == "pip" else Range1d(0, _top(sources), name="region scan range"),
            y_axis_label=label,
            tools="pan,box_zoom,reset",
            active_drag="box_zoom",
            min_border_left=62,
        )
        points = plot.scatter(
            "place",
            column,
            source=sources.regions,
            view=view,
            size="size",
            color=transform("r2", ld),
            line_color="#808080",
            line_width=0.7,
        )
        tips = [*SNP_TIPS, ("r² with the top SNP", "@r2{0.00}"), ("credible set", "@set")]
        plot.add_tools(HoverTool(tooltips=tips, renderers=[points]))
        plot.xaxis.formatter = NumeralTickFormatter(format="0,0")
        plot.add_layout(ColorBar(color_mapper=ld, width=10, background_fill_color=None), "right")
        panels[name] = styled(plot)
    *_, last = panels.values()
    last.xaxis.axis_label = "position (bp; where positions are unknown, SNPs along the chromosome)"
    return panels


def _top(sources: Sources) -> float:
    """Return the end of the axis of p-values."""
    values = sources.regions.data["logp"]
    return 1.08 * float(values[values == values].max(initial=1.0))

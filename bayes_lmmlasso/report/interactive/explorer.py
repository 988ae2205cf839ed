"""The explorer of a run's page: genome, region and tables, linked."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from bokeh.layouts import column
from bokeh.models import ColumnDataSource, HoverTool, Span
from bokeh.plotting import figure

from bayes_lmmlasso.report.cautions import SNP_R_HAT_LIMIT
from bayes_lmmlasso.report.disagreements import Linkage
from bayes_lmmlasso.report.interactive.embed import embed
from bayes_lmmlasso.report.interactive.genome import HIGHLIGHT, SNP_TIPS, manhattan_panels, styled
from bayes_lmmlasso.report.interactive.region import region_panels
from bayes_lmmlasso.report.interactive.sources import WINDOW_COLUMNS, Sources
from bayes_lmmlasso.report.interactive.tables import linked_table

__all__ = ["Explorer"]

_SNP_COLUMNS = (
    *("snp", "chrom", "pos", "effect_allele", "eaf", "pip", "stability", "p_lmm", "beta_mean", "beta_lo", "beta_hi"),
    *("beta_map", "lfsr", "selection_freq", "r_hat"),
)
_SET_COLUMNS = ("chrom", "start", "end", "n_snps", "coverage", "purity", "n_included", "top_snp", "top_snp_pip", "snps")


@dataclass(frozen=True)
class Explorer:
    """What a page needs to show it.

    Attributes
    ----------
    json
        The models, by element.
    n_drawn
        How many SNPs are drawn.
    n_regions
        How many windows have a plot of their region.
    """

    json: str
    n_drawn: int
    n_regions: int

    @classmethod
    def of(
        cls,
        inclusion: pd.DataFrame,
        windows: pd.DataFrame,
        window: str,
        sets: pd.DataFrame | None,
        threshold: float,
        linkage: Linkage,
    ) -> Explorer:
        """Make it from the tables of a run; parameters as of `Sources.of`."""
        sources = Sources.of(inclusion, windows, window, sets, linkage)
        shown = {
            "genome": column(*manhattan_panels(sources, threshold).values(), sizing_mode="stretch_width"),
            "region": column(*region_panels(sources).values(), sizing_mode="stretch_width"),
            "windows": linked_table(sources.windows, WINDOW_COLUMNS, "windows"),
            "snps": linked_table(sources.snps, _SNP_COLUMNS, "snps"),
            "chains": _agreement(sources.snps),
        }
        if sets is not None and len(sets):
            columns = {
                name: sets[name].astype(str).tolist() if name in ("chrom", "top_snp", "snps") else sets[name].to_numpy()
                for name in _SET_COLUMNS
            }
            shown["sets"] = linked_table(ColumnDataSource(columns), _SET_COLUMNS, "sets", 200)
        return cls(embed(shown), sources.n_drawn, len(set(sources.regions.data["region"])))


def _agreement(snps: ColumnDataSource) -> figure:
    """Return R-hat of each SNP against its pip: chains have to agree where a pip is notable."""
    plot = figure(
        height=240,
        sizing_mode="stretch_width",
        x_axis_label="pip",
        y_axis_label="R-hat of the SNP",
        tools="pan,box_zoom,tap,reset",
        active_drag="box_zoom",
        min_border_left=62,
    )
    points = plot.scatter(
        "pip",
        "r_hat",
        source=snps,
        size=5,
        color="colour",
        line_color=None,
        nonselection_alpha=0.45,
        selection_color=HIGHLIGHT,
    )
    plot.add_tools(HoverTool(tooltips=[*SNP_TIPS, ("R-hat", "@r_hat{0.000}")], renderers=[points]))
    plot.add_layout(Span(location=SNP_R_HAT_LIMIT, dimension="width", line_dash="dashed", line_color=HIGHLIGHT))
    return styled(plot)

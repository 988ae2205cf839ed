"""A region of the genome: SNPs coloured by linkage with the leading one, credible sets, genes."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray

from bayes_lmmlasso.arguments import named
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.plots.along_genome import quantity_values, require
from bayes_lmmlasso.plots.style import axes_for, note, short, styled, theme
from bayes_lmmlasso.posterior.tree.effects import check_tree
from bayes_lmmlasso.posterior.tree.linkage import snp_correlations

__all__ = ["linkage_with", "region"]

_PLACE = re.compile(r"^(?P<chrom>.+):(?P<start>[\d,]+)-(?P<end>[\d,]+)$")
_LANES = 5  # of genes that overlap
_MARKERS = "sD^vP"

Place = tuple[str, int, int]


@styled
def region(
    table: pd.DataFrame,
    place: str | Place,
    *,
    quantity: str = "pip",
    windows: pd.DataFrame | None = None,
    tree: xr.DataTree | None = None,
    lead: str | None = None,
    sets: pd.DataFrame | None = None,
    genes: pd.DataFrame | None = None,
    label: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a quantity of the SNPs of a region, coloured by r2 with the leading SNP, over the genes there.

    Parameters
    ----------
    table, quantity, windows, label
        As in `manhattan`.
    place
        ``chrom:start-end`` in bp, or the three of them.
    tree
        The posterior, whose genotypes tell the linkage; without it colours tell nothing.
    lead
        SNP to which r2 is taken; by default the highest one.
    sets
        Credible sets, ``credible_sets.tsv``: members have a ring and their set's mark.
    genes
        Columns gene, chrom, start, end, and strand if known, such as `bayes_lmmlasso.cohort.read_genes` returns.
    ax
        Axes to draw into, with genes in the lower fourth of their place; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Those of the SNPs.

    Raises
    ------
    InputError
        If a column is absent, the place is not understood or holds no SNP, or the leading SNP is not there.

    Examples
    --------
    >>> import bayes_lmmlasso as bl, pandas as pd
    >>> place = {"chrom": ["1", "1", "2"], "pos": [100, 900, 50], "snp": ["a", "b", "c"]}
    >>> ax = bl.plots.region(pd.DataFrame(place | {"pip": [0.1, 0.9, 0.0]}), "1:50-1,000")
    >>> ax.get_xlabel()
    'position on chromosome 1 (Mb)'
    """
    require(table, "the table", "chrom", "pos", "snp")
    chrom, start, end = _read_place(place)
    known, values = quantity_values(table, quantity, windows)
    on_chrom = (table["chrom"].astype(str) == chrom) & table["pos"].between(max(1, start), end)
    inside = np.flatnonzero(on_chrom.to_numpy() & np.isfinite(values))
    if not inside.size:
        raise InputError(f"expected SNPs with {quantity} in {chrom}:{start}-{end}, got none: choose another region")
    snps, x, y = table["snp"].to_numpy()[inside], table["pos"].to_numpy(float)[inside] / 1e6, values[inside]
    first = _leading(snps, y, lead)
    ax = axes_for(ax, 3.4 if genes is None else 4.2, 7.0)
    _draw_snps(ax, x, y, None if tree is None else linkage_with(tree, snps, str(snps[first])))
    style: dict[str, Any] = {
        "marker": "D",
        "s": 52,
        "zorder": 4,
        "edgecolors": theme().background,
        "color": theme().classes[4],
    }
    ax.scatter(x[first], y[first], **style)
    note(ax, short(snps[first]), (x[first], y[first]), xytext=(0, 7), ha="center", fontsize=8, zorder=5)
    if sets is not None:
        _draw_sets(ax, snps, x, y, sets)
    low, high = min(0.0, float(y.min())), float(y.max())
    ax.set_ylim(1.08 * low - 0.02 * high, max(known.top, 1.16 * high))
    if known.baseline is not None:
        ax.axhline(known.baseline, color=theme().muted, linewidth=0.8)
    ax.set_xlim(start / 1e6, end / 1e6)
    ax.set_ylabel(known.label if label is None else label)
    handles, labels = ax.get_legend_handles_labels()
    if handles:
        title = f"r² with {short(snps[first], 16)}" if tree is not None else None
        legend = ax.legend(handles, labels, title=title, loc="upper left", bbox_to_anchor=(1, 1), fontsize=7.5)
        legend.get_title().set(fontsize=7.5, parse_math=False)
    below = ax if genes is None else _draw_genes(ax, genes, chrom, start, end)
    below.set_xlabel(f"position on chromosome {short(chrom, 12)} (Mb)", parse_math=False)
    return ax


def linkage_with(tree: xr.DataTree, snps: NDArray[np.object_], lead: str) -> NDArray[np.float64]:
    """Return r2 of SNPs with one of them in the analysed samples, shape ``(k,)``.

    Raises
    ------
    InputError
        If the posterior has no such SNP.
    """
    constant = check_tree(tree)["constant_data"].dataset
    rows = pd.Index(constant["variant_snp"].values.astype(object)).get_indexer(snps.astype(object))
    if (rows < 0).any():
        raise InputError(
            f"expected SNPs of the posterior, got {named(str(snps[rows < 0][0]))}: pass the tree of this table"
        )
    return np.square(snp_correlations(tree, int(rows[list(snps).index(lead)]), rows))


def _read_place(place: str | Place) -> Place:
    """Read ``chrom:start-end``."""
    if isinstance(place, str) and (found := _PLACE.match(place.strip())):
        start, end = (int(found[name].replace(",", "")) for name in ("start", "end"))
        place = (found["chrom"], start, end)
    if not isinstance(place, tuple) or len(place) != 3 or not place[1] < place[2]:
        raise InputError(
            f"expected a region chrom:start-end in bp, got {named(place)}: write 5:8,700,000-8,900,000, say"
        )
    return str(place[0]), int(place[1]), int(place[2])


def _leading(snps: NDArray[np.object_], y: NDArray[np.float64], lead: str | None) -> int:
    """Return which SNP the others are set beside."""
    if lead is None:
        return int(np.argmax(y))
    if lead not in snps:
        raise InputError(f"expected a leading SNP within the region, got {named(lead)}: choose one that is drawn")
    return list(snps).index(lead)


def _draw_snps(ax: Axes, x: NDArray[np.float64], y: NDArray[np.float64], r2: NDArray[np.float64] | None) -> None:
    """Draw SNPs in fifths of r2, those most linked on top."""
    if r2 is None:
        ax.scatter(x, y, s=14, color=theme().posterior, linewidths=0, rasterized=True)
        return
    fifth = np.minimum((r2 * 5).astype(int), 4)
    for k, colour in enumerate(theme().linkage):
        on = fifth == k
        text = f"{k / 5:.1f} to {(k + 1) / 5:.1f}"
        ax.scatter(x[on], y[on], s=14 + 3 * k, color=colour, linewidths=0, label=text, rasterized=True)


def _draw_sets(
    ax: Axes, snps: NDArray[np.object_], x: NDArray[np.float64], y: NDArray[np.float64], sets: pd.DataFrame
) -> None:
    """Ring the members of credible sets."""
    require(sets, "the credible sets", "snps", "coverage")
    k = 0
    for members, coverage in zip(sets["snps"], sets["coverage"], strict=True):
        on = np.isin(snps.astype(str), str(members).split(","))
        if on.any():
            marker, colour = _MARKERS[k % len(_MARKERS)], theme().text
            text = f"set {k + 1}: {len(str(members).split(','))} SNPs, {coverage:.0%}"
            style: dict[str, Any] = {
                "s": 74,
                "facecolors": "none",
                "edgecolors": colour,
                "linewidths": 0.9,
                "marker": marker,
            }
            ax.scatter(x[on], y[on], label=text, zorder=3, **style)
            k += 1


def _draw_genes(ax: Axes, genes: pd.DataFrame, chrom: str, start: int, end: int) -> Axes:
    """Draw genes below the SNPs, in lanes in which their names do not collide, and return their axes."""
    require(genes, "the genes", "gene", "chrom", "start", "end")
    near = genes[(genes["chrom"].astype(str) == chrom) & (genes["end"] >= start) & (genes["start"] <= end)]
    track = ax.inset_axes((0, -0.42, 1, 0.36), sharex=ax)
    free = [-np.inf] * _LANES
    for row in near.sort_values("start", kind="stable").to_dict("records"):
        left, right = max(row["start"], start) / 1e6, min(row["end"], end) / 1e6
        name = short(row["gene"], 16)
        arrow = {"+": f"{name} →", "-": f"← {name}"}.get(str(row.get("strand")), name)
        lane = next((k for k in range(_LANES) if free[k] <= left), None)
        if lane is None:
            lane, arrow = _LANES - 1, ""  # no room for a name
        free[lane] = max(right, left + 0.011 * len(arrow) * (end - start) / 1e6)
        track.hlines(-lane, left, right, color=theme().posterior, linewidth=3.5)
        note(track, arrow, (left, -lane), xytext=(0, 3), fontsize=7, annotation_clip=True)
    if near.empty:
        note(track, "no gene here", (start / 1e6, -0.5), xytext=(4, 0), color=theme().muted)
    track.set_ylim(-_LANES + 0.4, 0.95)
    track.set_yticks([])
    track.set_ylabel("genes")
    track.spines["left"].set_visible(False)
    ax.tick_params(labelbottom=False)
    return track

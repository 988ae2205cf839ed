"""The four figures of a report: tables and trees in, Matplotlib figures out.

Figures are built without pyplot, so no window system and no global figure list is involved. Colours are those
of Okabe and Ito (2008, https://jfly.uni-koeln.de/color/), told apart by colour-blind readers.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import wraps
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import gaussian_kde

from bayes_lmmlasso.plots.genome import Genome
from bayes_lmmlasso.posterior.summaries.shares import share_draws

__all__ = ["PALETTE", "effects_figure", "manhattan_figure", "png", "styled", "trace_figure", "variance_figure"]

_BLUE, _ORANGE, _GREEN, _RED, _PURPLE, _SKY, _GREY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#6B7280",
)
_LEAST_P = 1e-300  # p-values are drawn down to here
PALETTE = (_BLUE, _ORANGE, _GREEN, _RED, _PURPLE, _SKY, "#000000", "#8B5E3C", _GREY)
"""Colours in the order in which groups take them."""
_CHAINS = (_BLUE, _ORANGE, _GREEN, _PURPLE, _SKY, _RED)
_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": _GREY,
    "legend.frameon": False,
    "figure.facecolor": "white",
}


def styled[**P, F: Figure | None](draw: Callable[P, F]) -> Callable[P, F]:
    """Draw in the house style, whatever the user's own Matplotlib settings."""

    @wraps(draw)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> F:
        with mpl.rc_context(_STYLE):
            return draw(*args, **kwargs)

    return wrapped


@styled
def manhattan_figure(inclusion: pd.DataFrame, threshold: float, windows: pd.DataFrame | None = None) -> Figure:
    """Stability frequency, posterior inclusion and, if there was a scan, its p-values, along the genome.

    Windows come first, each at its top SNP, by the logarithm of their Bayes factor: at 0 the data say no more than the
    prior. Without Bayes factors there is no such panel.

    Parameters
    ----------
    inclusion
        The inclusion table, ``(p, .)``.
    threshold
        Frequency from which a SNP counts as stable; drawn as a line.
    windows
        The window table of the same SNPs.
    """
    genome = Genome.of(inclusion)
    if windows is not None and windows["bayes_factor"].isna().all():
        windows = None
    panels = {} if windows is None else {"window (log10 Bayes factor)": _by_top_snp(inclusion, windows)}
    panels |= {
        "stability frequency": inclusion["stability"].to_numpy(float),
        "posterior inclusion (pip)": inclusion["pip"].to_numpy(float),
    }
    p_lmm = inclusion["p_lmm"].to_numpy(float)
    if not np.isnan(p_lmm).all():
        panels["scan (-log10 p_lmm)"] = -np.log10(np.maximum(p_lmm, _LEAST_P))
    figure = Figure(figsize=(9.5, 2.6 * len(panels)), layout="constrained")
    grid = figure.subplots(len(panels), 1, sharex=True)
    upper, lower = grid[0 if windows is None else 1], grid[-1]
    for axes, (label, values) in zip(grid, panels.items(), strict=True):
        for parity, colour in ((0, _BLUE), (1, _SKY)):
            on = genome.number % 2 == parity
            axes.scatter(genome.x[on], values[on], s=9, color=colour, linewidths=0, clip_on=False)
        axes.set_ylabel(label)
        least = 1.08 * min(0.0, float(np.nanmin(values)))
        axes.set_ylim(least, max(1.0 if axes is upper else 0.0, 1.08 * float(np.nanmax(values)), 0.02))
        _name_peaks(axes, genome.x, values, inclusion["snp"].to_numpy())
    if upper is not grid[0]:
        grid[0].axhline(0, color=_GREY, linewidth=0.8)
    upper.axhline(threshold, color=_RED, linewidth=0.8, linestyle="--")
    upper.annotate(
        f"stable from {threshold:g}",
        (1, threshold),
        xycoords=("axes fraction", "data"),
        xytext=(-2, 2),
        textcoords="offset points",
        ha="right",
        color=_RED,
        fontsize=8,
    )
    lower.set_xticks(genome.ticks)
    lower.set_xticklabels(genome.labels, parse_math=False)
    lower.tick_params(axis="x", length=0)
    lower.set_xlim(genome.x.min() - 0.01 * genome.length, genome.x.max() + 0.01 * genome.length)
    lower.set_xlabel(f"chromosome ({genome.unit})")
    return figure


@styled
def trace_figure(tree: xr.DataTree) -> Figure:
    """Trace and density of the hyper-parameters and of pve and pge, one colour a chain."""
    posterior = tree["posterior"].dataset
    names = [*tree.attrs["hyper"], "pve", "pge"]
    figure = Figure(figsize=(9.5, 1.25 * len(names) + 0.6), layout="constrained")
    grid = figure.subplots(len(names), 2, squeeze=False, width_ratios=(3, 1), sharey="row")
    for (trace, density), name in zip(grid, names, strict=True):
        for chain, draws in enumerate(posterior[name].values.astype(float)):
            colour = _CHAINS[chain % len(_CHAINS)]
            trace.plot(draws, color=colour, linewidth=0.5, alpha=0.8)
            where, height = _density(draws)
            density.plot(height, where, color=colour, linewidth=1.2)
        trace.set_ylabel(name, parse_math=False)
        density.set_xlim(left=0)
        density.set_xticks([])
        trace.margins(x=0.01)
        if trace is not grid[-1, 0]:
            trace.tick_params(labelbottom=False)
    grid[-1, 0].set_xlabel("draw after warm-up")
    grid[-1, 1].set_xlabel("density")
    chains = len(posterior["chain"])
    grid[0, 0].set_title(f"{chains} chains, one colour each" if chains > 1 else "1 chain")
    return figure


@styled
def effects_figure(inclusion: pd.DataFrame, n_top: int = 12) -> Figure:
    """MAP estimate beside posterior mean and 95% interval.

    Parameters
    ----------
    inclusion
        The inclusion table.
    n_top
        SNPs with the largest MAP estimates and as many with the largest posterior means are shown.
    """
    sizes = [inclusion[column].abs().nlargest(n_top) for column in ("beta_map", "beta_mean")]
    rows = sizes[0].index[sizes[0] > 0].union(sizes[1].index)
    chosen = inclusion.loc[rows].iloc[::-1]
    y = np.arange(len(chosen))
    figure = Figure(figsize=(9.5, 0.24 * len(chosen) + 1.1), layout="constrained")
    axes = figure.subplots()
    axes.axvline(0, color=_GREY, linewidth=0.8)
    axes.hlines(y, chosen["beta_lo"], chosen["beta_hi"], color=_BLUE, linewidth=1.4, label="95% interval")
    axes.scatter(chosen["beta_mean"], y, s=22, color=_BLUE, zorder=3, label="posterior mean")
    axes.scatter(chosen["beta_map"], y, s=30, marker="D", facecolors="white", edgecolors=_RED, zorder=4, label="MAP")
    axes.set_yticks(y)
    axes.set_yticklabels(
        [f"{snp}  ({chrom}:{pos:,})" for snp, chrom, pos in chosen[["snp", "chrom", "pos"]].to_numpy()],
        parse_math=False,
        fontsize=8,
    )
    axes.set_ylim(-0.7, len(chosen) - 0.3)
    axes.set_xlabel("effect of one standard deviation of the SNP (trait standard deviations)")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
    return figure


@styled
def variance_figure(tree: xr.DataTree) -> Figure:
    """Posterior of the shares of variance of SNP effects, polygenic background and noise."""
    parts = [
        (name, share, colour)
        for (name, share), colour in zip(share_draws(tree).items(), (_BLUE, _GREEN, _ORANGE), strict=True)
    ]
    figure = Figure(figsize=(9.5, 3.0), layout="constrained")
    axes = figure.subplots()
    for row, (_, share, colour) in enumerate(reversed(parts)):
        where, height = _density(share)
        axes.fill_between(where, row, row + 0.8 * height / height.max(initial=1e-300), color=colour, alpha=0.35)
        lo, middle, hi = np.quantile(share, [0.025, 0.5, 0.975])
        axes.hlines(row, lo, hi, color=colour, linewidth=3)
        axes.plot(middle, row, "o", color=colour, markersize=7, markeredgecolor="white")
        axes.annotate(
            "{:.2f}  [{:.2f}, {:.2f}]".format(*(round(x, 2) + 0.0 for x in (middle, lo, hi))),
            (1.0, row + 0.12),
            xycoords=("axes fraction", "data"),
            ha="right",
        )
    axes.set_yticks(range(len(parts)), [name for name, _, _ in reversed(parts)])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_ylim(-0.25, len(parts))
    axes.set_xlim(min(0.0, *(float(share.min()) for _, share, _ in parts)), 1.22)
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.set_xlabel("share of phenotypic variance (dot: median, bar: 95% interval)")
    return figure


def png(figure: Figure, dpi: int = 130) -> bytes:
    """Return a figure as PNG, in the house style (ticks are made late) and without varying metadata."""
    buffer = io.BytesIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def _by_top_snp(inclusion: pd.DataFrame, windows: pd.DataFrame) -> NDArray[np.float64]:
    """Return log10 of the Bayes factor of the window that each SNP is the top of, NaN for others, shape ``(p,)``."""
    factors = windows.drop_duplicates("top_snp").set_index("top_snp")["bayes_factor"]
    return np.log10(factors.reindex(inclusion["snp"]).to_numpy(float))


def _name_peaks(
    axes: Axes, x: NDArray[np.float64], values: NDArray[np.float64], names: NDArray[Any], n: int = 4
) -> None:
    """Write the names of the highest SNPs where they do not collide."""
    written: list[int] = []
    width, height = float(np.ptp(x)) or 1.0, float(np.ptp(axes.get_ylim()))
    for j in np.argsort(-values, kind="stable")[:40]:
        if len(written) == n or not values[j] > 0:
            break
        if any(abs(x[j] - x[i]) < 0.14 * width and abs(values[j] - values[i]) < 0.08 * height for i in written):
            continue
        right = (x[j] - x.min()) / width > 0.85
        axes.annotate(
            str(names[j]),
            (x[j], values[j]),
            xytext=(-4 if right else 4, 3),
            textcoords="offset points",
            ha="right" if right else "left",
            fontsize=7.5,
            parse_math=False,
        )
        written.append(int(j))


def _density(draws: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Kernel density between the smallest and the largest draw, reflected at both; empty if all are equal."""
    lo, hi = float(draws.min()), float(draws.max())
    if not hi > lo:
        return np.empty(0), np.empty(0)
    where = np.linspace(lo, hi, 200)
    kernel = gaussian_kde(draws)
    return where, kernel(where) + kernel(2 * lo - where) + kernel(2 * hi - where)

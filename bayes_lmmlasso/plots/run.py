"""The figures of a report: axes of other modules put together."""

from __future__ import annotations

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from bayes_lmmlasso.plots.along_genome import stacked_manhattan
from bayes_lmmlasso.plots.association import effects
from bayes_lmmlasso.plots.checking import trace
from bayes_lmmlasso.plots.densities import density, variance_shares
from bayes_lmmlasso.plots.style import WIDTH, figure_of, styled, theme

__all__ = ["effects_figure", "manhattan_figure", "trace_figure", "variance_figure"]


def manhattan_figure(inclusion: pd.DataFrame, threshold: float, windows: pd.DataFrame | None = None) -> Figure:
    """Bayes factors of windows, stability frequency, posterior inclusion and p-values, those there are.

    Parameters
    ----------
    inclusion
        The inclusion table, ``(p, .)``.
    threshold
        Frequency from which a SNP counts as stable; drawn as a line.
    windows
        The window table of the same SNPs.
    """
    lines = {"stability": {f"stable from {threshold:g}": threshold}}
    return figure_of(stacked_manhattan(inclusion, windows, lines=lines)[0])


@styled
def trace_figure(tree: xr.DataTree) -> Figure:
    """Trace and density of the hyper-parameters and of pve and pge, one colour a chain."""
    names = [*tree.attrs["hyper"], "pve", "pge"]
    figure = Figure(figsize=(WIDTH, 1.25 * len(names) + 0.6), layout="constrained")
    grid = figure.subplots(len(names), 2, squeeze=False, width_ratios=(3, 1), sharey="row")
    for (left, right), name in zip(grid, names, strict=True):
        trace(tree, name, ax=left)
        for chain, draws in enumerate(tree["posterior"].dataset[name].values.astype(float)):
            where, height = density(draws)
            right.plot(height, where, color=theme().classes[chain % len(theme().classes)], linewidth=1.2)
        right.set_xlim(left=0)
        right.set_xticks([])
        if left is not grid[-1, 0]:
            left.set_xlabel("")
            left.tick_params(labelbottom=False)
    grid[-1, 1].set_xlabel("density")
    chains = tree["posterior"].sizes["chain"]
    grid[0, 0].set_title(f"{chains} chains, one colour each" if chains > 1 else "1 chain")
    return figure


def effects_figure(inclusion: pd.DataFrame, n_top: int = 12) -> Figure:
    """MAP estimate beside posterior mean and 95% interval, as `effects` draws them."""
    return figure_of(effects(inclusion, n_top))


def variance_figure(tree: xr.DataTree) -> Figure:
    """Posterior of the shares of variance, as `variance_shares` draws them."""
    return figure_of(variance_shares(tree))

"""Manhattan plots: one quantity of every SNP along the genome, or several of them one below the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.plots.genome import Genome
from bayes_lmmlasso.plots.style import WIDTH, axes_for, note, short, styled, theme, thinned

__all__ = ["QUANTITIES", "Quantity", "manhattan", "quantity_values", "require", "stacked_manhattan"]

_LEAST_P = 1e-300  # p-values are drawn down to here
_PEAKS = 40  # highest SNPs among which names are given


def _minus_log10(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(-np.log10(np.maximum(p, _LEAST_P)))


@dataclass(frozen=True)
class Quantity:
    """What a Manhattan plot shows.

    Attributes
    ----------
    label
        What the vertical axis says.
    scale
        What is drawn of a column.
    top
        The axis reaches at least this far.
    baseline
        Where a line stands for no evidence; None for none.
    """

    label: str
    scale: Callable[[NDArray[np.float64]], NDArray[np.float64]] = np.asarray
    top: float = 0.02
    baseline: float | None = None


QUANTITIES = {
    "bayes_factor": Quantity("log₁₀ Bayes factor\nof the window", np.log10, baseline=0.0),
    "stability": Quantity("stability frequency\n(share of subsamples)", top=1.0),
    "pip": Quantity("posterior inclusion\nprobability (pip)"),
    "p_lmm": Quantity("−log₁₀ p, one SNP at\na time (mixed model)", _minus_log10),
    "p": Quantity("−log₁₀ p, one SNP\nat a time", _minus_log10),
    "selection_freq": Quantity("share of posterior draws\nthat select the SNP", top=1.0),
}
"""What the columns of tables are called on an axis, and how they are drawn."""


def quantity_values(
    table: pd.DataFrame, quantity: str, windows: pd.DataFrame | None = None
) -> tuple[Quantity, NDArray[np.float64]]:
    """Return a quantity and its value for every SNP, shape ``(p,)``; of windows that of the window it is the top of."""
    known = QUANTITIES.get(quantity, Quantity(quantity))
    if quantity == "bayes_factor" and windows is not None:
        require(windows, "the windows", "top_snp", quantity)
        best = windows.sort_values(quantity, ascending=False, kind="stable").drop_duplicates("top_snp")
        values = best.set_index("top_snp")[quantity].reindex(table["snp"]).to_numpy(float)
    else:
        require(table, "the table", quantity)
        values = table[quantity].to_numpy(float)
    return known, known.scale(values)


def require(table: pd.DataFrame, what: str, *columns: str) -> None:
    """Refuse a table that lacks a column.

    Raises
    ------
    InputError
        If it does.
    """
    if absent := [name for name in columns if name not in table]:
        raise InputError(f"expected {what} with a column {absent[0]!r}, got {', '.join(map(str, table))}: add it")


@styled
def manhattan(
    table: pd.DataFrame,
    quantity: str = "pip",
    *,
    windows: pd.DataFrame | None = None,
    lines: Mapping[str, float] | None = None,
    names: int = 4,
    mark: Collection[str] = (),
    label: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw one quantity of every SNP along the genome, chromosomes in alternating colours.

    Beyond 20,000 points, those within a fraction of a pixel of a higher one are left out.

    Parameters
    ----------
    table
        One row a SNP: chrom, pos, snp and the quantity, such as ``inclusion.tsv`` or the table of a scan.
    quantity
        Column to draw: ``pip``, ``stability``, ``selection_freq`` as they are, ``p`` and ``p_lmm`` as -log10 p,
        any other as it is; ``bayes_factor`` of ``windows`` as log10, each window at its top SNP.
    windows
        Window table, ``windows.tsv``: top_snp and bayes_factor.
    lines
        Values, in the units drawn, at which a dashed line stands, by what is written on it.
    names
        Number of peaks that are named.
    mark
        SNPs to ring, such as causal ones of a simulation.
    label
        Label of the vertical axis, if not that of the quantity.
    ax
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If a column is absent.

    Examples
    --------
    >>> import bayes_lmmlasso as bl, pandas as pd
    >>> place = {"chrom": ["1", "1", "2"], "pos": [100, 900, 50], "snp": ["a", "b", "c"]}
    >>> ax = bl.plots.manhattan(pd.DataFrame(place | {"pip": [0.1, 0.9, 0.0]}), lines={"pip 0.5": 0.5})
    >>> ax.get_xlabel()
    'chromosome (positions in bp)'
    """
    require(table, "the table", "chrom", "pos", "snp")
    known, values = quantity_values(table, quantity, windows)
    ax, genome = axes_for(ax, 2.8, WIDTH), Genome.of(table)
    for parity, colour in enumerate(theme().chromosomes):
        on = np.flatnonzero(genome.number % 2 == parity)
        on = on[thinned(genome.x[on], values[on])]
        ax.scatter(genome.x[on], values[on], s=9, color=colour, linewidths=0, clip_on=False, rasterized=True)
    if len(mark):
        on = np.flatnonzero(table["snp"].isin(mark).to_numpy() & np.isfinite(values))
        ring: dict[str, Any] = {"facecolors": "none", "edgecolors": theme().accent, "linewidths": 1.3}
        ax.scatter(genome.x[on], values[on], s=42, zorder=3, clip_on=False, **ring)
    known_values = values[np.isfinite(values)]
    low, high = (float(end(known_values, initial=0.0)) for end in (np.min, np.max))
    ax.set_ylim(1.08 * low, max(known.top, 1.1 * high))
    if known.baseline is not None:
        ax.axhline(known.baseline, color=theme().muted, linewidth=0.8)
    for text, value in (lines or {}).items():
        ax.axhline(value, color=theme().accent, linewidth=0.8, linestyle="--")
        where: dict[str, Any] = {
            "xycoords": ("axes fraction", "data"),
            "xytext": (-2, 2),
            "ha": "right",
            "color": theme().accent,
        }
        note(ax, text, (1, value), **where)
    _name_peaks(ax, genome.x, values, table["snp"].to_numpy(), names)
    ax.set_ylabel(known.label if label is None else label)
    ax.set_xticks(genome.ticks)
    ax.set_xticklabels(genome.labels, parse_math=False)
    ax.tick_params(axis="x", length=0)
    margin = 0.01 * genome.length
    ax.set_xlim(genome.x.min(initial=0) - margin, genome.x.max(initial=0) + margin)
    ax.set_xlabel(f"chromosome ({genome.unit})")
    return ax


@styled
def stacked_manhattan(
    table: pd.DataFrame,
    windows: pd.DataFrame | None = None,
    quantities: Sequence[str] | None = None,
    *,
    lines: Mapping[str, Mapping[str, float]] | None = None,
    names: int = 4,
    mark: Collection[str] = (),
    axes: Sequence[Axes] | None = None,
) -> list[Axes]:
    """Draw several quantities of every SNP one below the other, along one genome.

    Parameters
    ----------
    table, windows, names, mark
        As in `manhattan`.
    quantities
        Columns to draw, from the top; by default the Bayes factors of windows, stability, pip and p of the scan, those
        of them that there are.
    lines
        ``lines`` of `manhattan` by quantity.
    axes
        As many axes as quantities, with a shared x if zooming is to move them together.

    Returns
    -------
    list of matplotlib.axes.Axes

    Raises
    ------
    InputError
        If a column is absent, or there are not as many axes as quantities.

    Examples
    --------
    >>> import bayes_lmmlasso as bl, pandas as pd
    >>> place = {"chrom": ["1", "1", "2"], "pos": [100, 900, 50], "snp": ["a", "b", "c"]}
    >>> table = pd.DataFrame(place | {"pip": [0.1, 0.9, 0.0], "stability": [0.0, 0.8, 0.1]})
    >>> [ax.get_ylabel().split()[0] for ax in bl.plots.stacked_manhattan(table)]
    ['stability', 'posterior']
    """
    chosen = _available(table, windows) if quantities is None else list(quantities)
    if axes is None:
        figure = Figure(figsize=(WIDTH, 2.4 * max(1, len(chosen))), layout="constrained")
        axes = list(figure.subplots(max(1, len(chosen)), 1, sharex=True, squeeze=False)[:, 0])
    if not chosen or len(axes) != len(chosen):
        raise InputError(
            f"expected axes for {len(chosen)} quantities ({', '.join(chosen)}), got {len(axes)}: give one each"
        )
    for ax, quantity in zip(axes, chosen, strict=True):
        manhattan(table, quantity, windows=windows, lines=(lines or {}).get(quantity), names=names, mark=mark, ax=ax)
        if ax is not axes[-1]:
            ax.set_xlabel("")
            ax.tick_params(labelbottom=False)
    return list(axes)


def _available(table: pd.DataFrame, windows: pd.DataFrame | None) -> list[str]:
    """Return the quantities of which there is any value."""
    found = [name for name in ("stability", "pip", "p_lmm", "p") if name in table and table[name].notna().any()]
    with_windows = windows is not None and windows["bayes_factor"].notna().any()
    return ["bayes_factor", *found] if with_windows else found


def _name_peaks(
    ax: Axes, x: NDArray[np.float64], values: NDArray[np.float64], snps: NDArray[np.object_], n: int
) -> None:
    """Write the names of the highest SNPs where they do not collide."""
    written: list[int] = []
    width, height = float(np.ptp(x)) or 1.0, float(np.ptp(ax.get_ylim()))
    for j in np.argsort(np.where(np.isfinite(values), -values, np.inf), kind="stable")[:_PEAKS]:
        if len(written) == n or not values[j] > 0:
            break
        if any(abs(x[j] - x[i]) < 0.14 * width and abs(values[j] - values[i]) < 0.08 * height for i in written):
            continue
        right = (x[j] - x.min()) / width > 0.85
        note(ax, short(snps[j]), (x[j], values[j]), xytext=(-4 if right else 4, 3), ha="right" if right else "left")
        written.append(int(j))

"""Figures of studies: tables in, Matplotlib figures out."""

from __future__ import annotations

import re

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayes_lmmlasso.plots.performance import calibration, dissection, precision_recall, roc
from bayes_lmmlasso.plots.style import palette, styled, theme

__all__ = [
    "calibration_figure",
    "curves_figure",
    "differences_figure",
    "dissection_figure",
    "means_figure",
    "replication_figure",
    "sweep_figure",
    "traits_figure",
]

_WIDTH, _COLUMNS = 9.5, 3
_ON_AXIS = re.compile(r"^(\w+)=([\d.]+)$")
_LABELS = {
    "average_precision": "area under precision-recall",
    "roc_area": "area under ROC",
    "power_at_fdp_0.1": "power at 10% false discoveries",
}


@styled
def means_figure(summary: pd.DataFrame, metric: str) -> Figure:
    """Mean and interval of every method: a row a method, a panel a setting.

    Parameters
    ----------
    summary
        Table ``summary`` of a study.
    metric
        Which of its metrics.
    """
    chosen = summary[summary["metric"] == metric]
    groups = list(_panels(chosen))
    figure, panels = _grid(len(groups), 0.25 * chosen["method"].nunique() + 0.9)
    colours = palette(summary["method"])
    for axes, (title, group) in zip(panels, groups, strict=True):
        methods = [str(method) for method in group["method"]]
        for row, (method, mean, lo, hi) in enumerate(
            zip(methods, *group[["mean", "lo", "hi"]].to_numpy().T, strict=True)
        ):
            axes.hlines(-row, lo, hi, color=colours[method], linewidth=2)
            axes.plot(mean, -row, "o", color=colours[method], markersize=5)
        axes.set_yticks(range(0, -len(methods), -1), methods)
        axes.set_title(title)
        axes.set_xlabel(_LABELS.get(metric, metric))
    return figure


@styled
def replication_figure(rates: pd.DataFrame) -> Figure:
    """Replication failure rate with its interval, a row a method, and the rate expected as a stroke.

    Parameters
    ----------
    rates
        Table ``rfr`` of a replication study.
    """
    figure, (axes,) = _grid(1, 0.3 * len(rates) + 0.9)
    colours = palette(rates["method"])
    for row, (method, rate, lo, hi, expected) in enumerate(
        rates[["method", "rate", "lo", "hi", "expected"]].itertuples(index=False, name=None)
    ):
        axes.hlines(-row, lo, hi, color=colours[method], linewidth=2)
        axes.plot(rate, -row, "o", color=colours[method], markersize=5)
        axes.vlines(expected, -row - 0.3, -row + 0.3, color=theme().text, linewidth=1)
    axes.set_yticks(range(0, -len(rates), -1), list(rates["method"]))
    axes.set_xlabel("replication failure rate")
    axes.set_xlim(left=0)
    return figure


@styled
def sweep_figure(summary: pd.DataFrame, metric: str = "average_precision") -> Figure | None:
    """Mean and interval along each axis that settings vary, a panel an axis and trait; None where none does.

    Parameters
    ----------
    summary, metric
        As in `means_figure`; settings ``axis=value`` are drawn.
    """
    parsed = summary["setting"].str.extract(_ON_AXIS)
    chosen = summary.assign(axis=parsed[0], value=parsed[1].astype(float))
    chosen = chosen[(chosen["metric"] == metric) & chosen["axis"].notna()]
    if chosen.empty:
        return None
    groups = list(chosen.groupby(["axis", "trait"], sort=False))
    figure, panels = _grid(len(groups), 3.0)
    colours = palette(summary["method"])
    for axes, ((axis, trait), group) in zip(panels, groups, strict=True):
        for method, line in _by_method(group.sort_values("value", kind="stable")):
            axes.plot(
                line["value"], line["mean"], "o-", color=colours[method], markersize=3, linewidth=1.2, label=method
            )
            axes.fill_between(line["value"], line["lo"], line["hi"], color=colours[method], alpha=0.15, linewidth=0)
        axes.set_xlabel(str(axis))
        axes.set_title(str(trait), parse_math=False)
        axes.set_ylabel(_LABELS.get(metric, metric))
    _legend(figure, panels[0])
    return figure


@styled
def curves_figure(curves: pd.DataFrame, curve: str) -> Figure:
    """Mean curve of every method, a panel a setting.

    Parameters
    ----------
    curves
        Table ``curves`` of a simulation study.
    curve
        ``precision_by_recall`` or ``true_by_false_positive_rate``.
    """
    chosen = curves[curves["curve"] == curve]
    groups = list(_panels(chosen))
    figure, panels = _grid(len(groups), 2.7)
    for axes, (title, group) in zip(panels, groups, strict=True):
        (precision_recall if curve == "precision_by_recall" else roc)(group, ax=axes)
        axes.set_title(title)
    _legend(figure, panels[0])
    return figure


@styled
def calibration_figure(table: pd.DataFrame) -> Figure:
    """Observed against claimed shares with intervals, a panel a setting; the diagonal keeps its promise.

    Parameters
    ----------
    table
        Table ``calibration`` of a simulation study.
    """
    chosen = table[table["truth"] == "causal"]
    groups = list(_panels(chosen))
    figure, panels = _grid(len(groups), 2.7)
    for axes, (title, group) in zip(panels, groups, strict=True):
        calibration(group, ax=axes)
        axes.set_title(title)
    _legend(figure, panels[0])
    return figure


@styled
def dissection_figure(shares: pd.DataFrame, samples: str) -> Figure:
    """Shares explained along the number of active SNPs, a panel a trait and method.

    Parameters
    ----------
    shares
        Table ``shares`` of a dissection study.
    samples
        ``unseen`` or ``training``.
    """
    groups = list(shares[shares["samples"] == samples].groupby(["trait", "method"], sort=False))
    figure, panels = _grid(len(groups), 3.0)
    for axes in panels[1:]:
        axes.sharey(panels[0])
    for axes, ((trait, method), group) in zip(panels, groups, strict=True):
        dissection(group, ax=axes)
        axes.set_title(f"{trait}, {method}", parse_math=False)
    _legend(figure, panels[0])
    return figure


@styled
def traits_figure(table: pd.DataFrame, column: str, label: str) -> Figure:
    """One value for every trait and method, a row a trait.

    Parameters
    ----------
    table
        Columns ``trait``, ``method`` and the one to draw.
    column, label
        What is drawn, and its name.
    """
    traits = list(dict.fromkeys(table["trait"]))[::-1]
    figure = Figure(figsize=(_WIDTH, 0.24 * len(traits) + 1.3), layout="constrained")
    axes = figure.subplots()
    for method, colour in palette(table["method"]).items():
        mine = table[table["method"] == method]
        axes.scatter(mine[column], [traits.index(trait) for trait in mine["trait"]], s=24, color=colour, label=method)
    axes.set_yticks(range(len(traits)))
    axes.set_yticklabels(traits, parse_math=False)
    axes.grid(axis="y", color=theme().grid, linewidth=0.6)
    axes.set_xlabel(label)
    _legend(figure, axes)
    return figure


@styled
def differences_figure(differences: pd.DataFrame) -> Figure:
    """Difference between two methods in each trait with its interval, a panel a pair.

    Parameters
    ----------
    differences
        Table ``traits`` of a prediction study.
    """
    groups = list(differences.groupby(["method", "reference"], sort=False))
    traits = list(dict.fromkeys(differences["trait"]))[::-1]
    figure, panels = _grid(len(groups), 0.2 * len(traits) + 0.9)
    for axes, ((method, reference), group) in zip(panels, groups, strict=True):
        rows = [traits.index(trait) for trait in group["trait"]]
        axes.hlines(rows, group["lo"], group["hi"], color=theme().posterior, linewidth=1.5)
        axes.plot(group["difference"], rows, "o", color=theme().posterior, markersize=3.5)
        axes.axvline(0, color=theme().muted, linewidth=0.8)
        axes.set_yticks(range(len(traits)))
        axes.set_yticklabels(traits, parse_math=False)
        axes.set_title(f"{method} - {reference}")
        axes.set_xlabel("difference in r2")
    return figure


def _panels(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Split a table by setting and background trait, where it has them."""
    if "setting" not in table:
        return [("", table)]
    return [
        (f"{setting}, {trait}", group) for (setting, trait), group in table.groupby(["setting", "trait"], sort=False)
    ]


def _by_method(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(str(method), rows) for method, rows in table.groupby("method", sort=False)]


def _grid(count: int, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure with so many panels of a height, in rows of three."""
    columns = min(count, _COLUMNS)
    rows = -(-count // columns)
    figure = Figure(figsize=(_WIDTH, rows * height + 0.3), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for empty in panels[count:]:
        empty.set_axis_off()
    return figure, panels[:count]


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), 5))

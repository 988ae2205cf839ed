"""How methods fare: rankings, calibration, prediction, and how much SNPs explain along the path."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.plots.along_genome import require
from bayes_lmmlasso.plots.style import axes_for, palette, styled, theme

__all__ = ["calibration", "dissection", "precision_recall", "predicted", "roc"]

_CURVES = {
    "precision_by_recall": ("recall (true SNPs found)", "precision (found SNPs that are true)"),
    "true_by_false_positive_rate": ("false positive rate", "true positive rate"),
}


@styled
def precision_recall(curves: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw mean precision by recall of every method, with its band.

    Parameters
    ----------
    curves
        Table ``curves`` of a simulation study, of one setting and trait: method, curve, x, y, and lo and hi for the
        bands.
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
    >>> line = {"method": "a", "curve": "precision_by_recall", "x": [0.1, 0.9], "y": [1.0, 0.5]}
    >>> len(bl.plots.precision_recall(pd.DataFrame(line)).lines)
    1
    """
    return _curve(curves, "precision_by_recall", ax)


@styled
def roc(curves: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the mean true by the false positive rate of every method, with its band.

    Parameters
    ----------
    curves, ax
        As in `precision_recall`.

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
    >>> line = {"method": "a", "curve": "true_by_false_positive_rate", "x": [1e-3, 1.0], "y": [0.2, 1.0]}
    >>> bl.plots.roc(pd.DataFrame(line)).get_xscale()
    'log'
    """
    ax = _curve(curves, "true_by_false_positive_rate", ax)
    ax.set_xscale("log")
    ax.set_xlim(1e-5, 1)
    return ax


def _curve(curves: pd.DataFrame, curve: str, ax: Axes | None) -> Axes:
    """Draw the curves of one kind."""
    require(curves, "the curves", "method", "curve", "x", "y")
    ax, colours = axes_for(ax, 3.4, 4.4), palette(curves["method"])
    for method, line in curves[curves["curve"] == curve].groupby("method", sort=False):
        colour = colours[str(method)]
        ax.plot(line["x"], line["y"], color=colour, linewidth=1.3, label=str(method))
        if "lo" in line:
            ax.fill_between(line["x"], line["lo"], line["hi"], color=colour, alpha=0.18, linewidth=0)
    ax.set_xlabel(_CURVES[curve][0])
    ax.set_ylabel(_CURVES[curve][1])
    ax.set_ylim(0, 1.02)
    return ax


@styled
def calibration(bins: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw observed against claimed shares with intervals; who keeps the promise is on the diagonal.

    Parameters
    ----------
    bins
        ``bins`` of `bayes_lmmlasso.compare.calibration_curve` (mean, observed, lo, hi), of several methods with a
        column method.
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
    >>> import bayes_lmmlasso as bl
    >>> found = bl.compare.calibration_curve([0.1, 0.2, 0.9, 0.8], [False, False, True, True])
    >>> bl.plots.calibration(found.bins).get_xlabel()
    'claimed probability'
    """
    require(bins, "the bins", "mean", "observed", "lo", "hi")
    ax = axes_for(ax, 3.6, 3.8)
    ax.plot([0, 1], [0, 1], color=theme().muted, linewidth=0.8, linestyle="--")
    named = bins if "method" in bins else bins.assign(method="")
    for (method, line), colour in zip(
        named.groupby("method", sort=False), palette(named["method"]).values(), strict=True
    ):
        spread = np.abs(line[["lo", "hi"]].to_numpy().T - line["observed"].to_numpy())
        ax.errorbar(line["mean"], line["observed"], spread, fmt="o-", label=str(method), color=colour, ms=3.5, lw=1.2)
    ax.set_xlabel("claimed probability")
    ax.set_ylabel("observed share (95% interval)")
    return ax


@styled
def predicted(predictions: pd.DataFrame, observed: ArrayLike, *, unit: str = "", ax: Axes | None = None) -> Axes:
    """Draw predictions with their intervals against what was observed.

    Parameters
    ----------
    predictions
        Result of ``Analysis.predict`` or of ``bayes-lmmlasso predict``: mean, lo, hi, one row a sample.
    observed
        The trait of the same samples, in the same units, shape ``(m,)``; NaN where it is not known.
    unit
        Unit of the trait.
    ax
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If a column is absent, or there are not as many observations.

    Examples
    --------
    >>> import bayes_lmmlasso as bl, pandas as pd
    >>> predictions = pd.DataFrame({"mean": [1.0, 2.0], "lo": [0.0, 1.0], "hi": [2.0, 3.0]})
    >>> bl.plots.predicted(predictions, [1.5, 4.0], unit="cm").get_title(loc="left")
    'r = 1.00, 50% of 2 samples in their intervals'
    """
    require(predictions, "the predictions", "mean", "lo", "hi")
    y = np.asarray(observed, dtype=float)
    if y.shape != (len(predictions),):
        raise InputError(
            f"expected an observation for each of {len(predictions)} predictions, got {y.shape}: give NaN for none"
        )
    mean, lo, hi = (predictions[name].to_numpy(float)[~np.isnan(y)] for name in ("mean", "lo", "hi"))
    y = y[~np.isnan(y)]
    ax, inside = axes_for(ax, 3.8, 4.0), (lo <= y) & (y <= hi)
    for on, colour in ((inside, theme().posterior), (~inside, theme().classes[3])):
        ax.vlines(y[on], lo[on], hi[on], color=colour, linewidth=0.6, alpha=0.5)
        ax.scatter(y[on], mean[on], s=10, color=colour, linewidths=0, zorder=3)
    if y.size > 1:
        r = float(np.corrcoef(y, mean)[0, 1]) if np.ptp(y) * np.ptp(mean) > 0 else float("nan")
        ax.set_title(f"r = {r:.2f}, {inside.mean():.0%} of {y.size:,} samples in their intervals")
        ends = [float(y.min()), float(y.max())]
        ax.plot(ends, ends, color=theme().muted, linewidth=0.8, linestyle="--")
    given = f" ({unit})" if unit else ""
    ax.set_xlabel(f"observed{given}", parse_math=False)
    ax.set_ylabel(f"predicted mean and interval{given}", parse_math=False)
    return ax


@styled
def dissection(shares: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how much SNPs and structure explain along the number of active SNPs.

    Parameters
    ----------
    shares
        Table ``shares`` of a dissection study, of one trait, method and kind of samples: n_active, explained, snps,
        structure.
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
    >>> shares = {"n_active": [1, 2], "explained": [0.3, 0.4], "snps": [0.1, 0.2], "structure": [0.2, 0.2]}
    >>> [line.get_label() for line in bl.plots.dissection(pd.DataFrame(shares)).lines[:3]]
    ['explained', 'snps', 'structure']
    """
    require(shares, "the shares", "n_active", "explained", "snps", "structure")
    ax, (blue, orange) = axes_for(ax, 3.2, 4.4), theme().classes[:2]
    for name, colour in (("explained", theme().text), ("snps", blue), ("structure", orange)):
        ax.plot(shares["n_active"], shares[name], color=colour, linewidth=1.3, label=name)
    ax.axhline(0, color=theme().muted, linewidth=0.8)
    ax.set_xlabel("active SNPs")
    ax.set_ylabel("share of variance")
    return ax

"""What the prior expected beside what was found: shares of variance, the number of SNPs, any parameter."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy.stats import gaussian_kde

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.plots.style import axes_for, styled, theme
from bayes_lmmlasso.posterior.summaries.prior_predictive import prior_predictive
from bayes_lmmlasso.posterior.summaries.shares import share_draws
from bayes_lmmlasso.posterior.tree.effects import check_tree

__all__ = ["density", "n_included", "prior_posterior", "variance_shares"]

_BINS = 30
_LABELS = {
    "pve": "pve: share of variance, all genetic",
    "pge": "pge: share of it in SNP effects",
    "h": "h: expected genetic share",
    "rho": "ρ: expected share of it in SNP effects",
    "log_pi": "log π, π the share of SNPs included",
    "log_v": "log v, v the total variance (trait variances)",
    "sigma2_g": "σ²g: polygenic variance (trait variances)",
    "sigma2_e": "σ²ₑ: variance of the noise (trait variances)",
    "n_included": "number of SNPs included",
}


@styled
def variance_shares(tree: xr.DataTree, *, ax: Axes | None = None) -> Axes:
    """Draw the posterior of the shares of variance of SNP effects, background and noise, over their prior.

    Parameters
    ----------
    tree
        Result of `sample_posterior`, or of a run. The prior is in its group prior, as a run has it; without the group
        it is left out.
    ax
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Outlined: prior; filled: posterior; dot and bar: posterior median and 95% interval.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> bl.plots.variance_shares(bl.read_tree("results/posterior.zarr"))  # doctest: +SKIP
    """
    found = share_draws(tree)
    prior = share_draws(xr.DataTree.from_dict({"posterior": tree["prior"].dataset})) if "prior" in tree.children else {}
    ax, colours = axes_for(ax, 3.0, 8.0), theme().classes
    names = list(found)[::-1]
    for row, (name, colour) in enumerate(zip(names, (colours[1], colours[2], colours[0]), strict=True)):
        if name in prior:
            where, height = density(prior[name])
            ax.plot(where, row + 0.8 * height / height.max(initial=1e-300), color=theme().prior, linewidth=1.0)
        where, height = density(found[name])
        ax.fill_between(
            where, row, row + 0.8 * height / height.max(initial=1e-300), color=colour, alpha=0.4, linewidth=0
        )
        lo, middle, hi = np.quantile(found[name], [0.025, 0.5, 0.975])
        ax.hlines(row, lo, hi, color=colour, linewidth=3)
        ax.plot(middle, row, "o", color=colour, markersize=7, markeredgecolor=theme().background)
        text = "{:.2f}  [{:.2f}, {:.2f}]".format(*(round(x, 2) + 0.0 for x in (middle, lo, hi)))
        ax.annotate(text, (1.0, row + 0.12), xycoords=("axes fraction", "data"), ha="right")
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(-0.25, len(names))
    ax.set_xlim(min(0.0, *(float(found[name].min()) for name in names)), 1.24)
    ax.set_xticks(np.linspace(0, 1, 6))
    outline = "; grey outline: prior" if prior else ""
    ax.set_xlabel(f"share of phenotypic variance (dot: median, bar: 95% interval{outline})")
    return ax


@styled
def n_included(tree: xr.DataTree, *, ax: Axes | None = None) -> Axes:
    """Draw the posterior of the number of SNPs with an effect, over its prior.

    Parameters
    ----------
    tree
        Result of `sample_posterior` with a model with exact zeros, or of a run.
    ax
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Bars of equal width on the scale of log(1 + number); their heights add up to 1.

    Raises
    ------
    InputError
        If the model has no exact zeros.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> bl.plots.n_included(bl.read_tree("results/posterior.zarr"))  # doctest: +SKIP
    """
    ax = axes_for(ax, 2.6, 4.6)
    found, prior = _draws(tree, "posterior", "n_included"), _draws(tree, "prior", "n_included")
    most = max(found.max(), prior.max(initial=1.0))
    edges = np.unique(np.rint(np.expm1(np.linspace(0, np.log1p(most + 1), _BINS)))) - 0.5
    for draws, colour, label in ((prior, theme().prior, "prior"), (found, theme().posterior, "posterior")):
        if draws.size:
            share = np.full(draws.size, 1 / draws.size)
            ax.hist(
                np.log1p(draws), np.log1p(edges + 1e-9).tolist(), weights=share, color=colour, alpha=0.55, label=label
            )
    ticks = [0, *(10**k * step for k in range(6) for step in (1, 3) if 10**k * step <= most)]
    ax.set_xticks(np.log1p(ticks), [f"{tick:,}" for tick in ticks])
    ax.set_title(f"median {np.median(found):.0f} [{np.quantile(found, 0.025):.0f}, {np.quantile(found, 0.975):.0f}]")
    ax.set_xlabel(_LABELS["n_included"])
    ax.set_ylabel("probability")
    ax.legend()
    return ax


@styled
def prior_posterior(tree: xr.DataTree, name: str = "pve", *, ax: Axes | None = None) -> Axes:
    """Draw prior and posterior density of one parameter.

    Parameters
    ----------
    tree
        Result of `sample_posterior`, or of a run. Without a group prior the prior is drawn from anew, if the model
        comes with the package.
    name
        A parameter of the groups: h, rho, log_v, log_pi, sigma2_g, sigma2_e, pve, pge, n_included.
    ax
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If a group has no such parameter of one value a draw.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> bl.plots.prior_posterior(bl.read_tree("results/posterior.zarr"), "rho")  # doctest: +SKIP
    """
    ax = axes_for(ax, 2.6, 4.0)
    for group, colour in (("prior", theme().prior), ("posterior", theme().posterior)):
        draws = _draws(tree, group, name)
        where, height = density(draws)
        ax.plot(where, height, color=colour, linewidth=1.2)
        ax.fill_between(where, 0, height, color=colour, alpha=0.35, linewidth=0, label=group)
    ax.set_ylim(bottom=0)
    ax.set_xlabel(_LABELS.get(name, name), parse_math=False)
    ax.set_ylabel("density")
    ax.legend()
    return ax


def density(draws: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Kernel density between the smallest and the largest draw, reflected at both; empty if all are equal."""
    lo, hi = float(draws.min()), float(draws.max())
    if not hi > lo:
        return np.empty(0), np.empty(0)
    where = np.linspace(lo, hi, 200)
    kernel = gaussian_kde(draws)
    return where, kernel(where) + kernel(2 * lo - where) + kernel(2 * hi - where)


def _draws(tree: xr.DataTree, group: str, name: str) -> NDArray[np.float64]:
    """Return all draws of a parameter in one row."""
    source = check_tree(tree) if group in tree.children else prior_predictive(tree)
    values = source[group].dataset
    if name not in values or values[name].ndim != 2:
        known = [key for key, value in values.items() if value.ndim == 2]
        raise InputError(
            f"expected a parameter of the {group} among {', '.join(map(str, known))}, got {name!r}: choose one"
        )
    return values[name].values.ravel().astype(np.float64)

"""Whether chains agree and the model fits: trace, ranks, distribution functions, leave-one-out."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.plots.style import axes_for, styled, theme
from bayes_lmmlasso.posterior.tree.effects import check_tree
from bayes_lmmlasso.posterior.tree.loo import with_log_likelihood

__all__ = ["ecdf", "loo_pit", "ranks", "trace"]


@styled
def trace(tree: xr.DataTree, name: str = "pve", *, snp: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the draws of one parameter in their order, a line a chain.

    Parameters
    ----------
    tree
        Result of `sample_posterior`, or of a run.
    name, snp
        A variable of the group posterior, and of one with SNPs, such as b_top, which of them.
    ax
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If there is no such variable, or no such SNP in it.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> bl.plots.trace(bl.read_tree("results/posterior.zarr"), "h")  # doctest: +SKIP
    """
    ax, draws = axes_for(ax, 2.2, 6.4), _parameter(tree, name, snp)
    for chain, values in enumerate(draws.values.astype(float)):
        colour = theme().classes[chain % len(theme().classes)]
        ax.plot(values, color=colour, linewidth=0.5, alpha=0.8)
    ax.margins(x=0.01)
    ax.set_xlabel("draw after warm-up")
    ax.set_ylabel(str(draws.name), parse_math=False)
    return ax


@styled
def ranks(tree: xr.DataTree, name: str = "pve", *, snp: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw how ranks of the draws are distributed in each chain, by arviz-plots: flat where chains agree.

    The difference of each chain's distribution function of ranks to the uniform one, with the test of Tesso et al.
    (2026, arXiv:2603.02928); see ``arviz_plots.plot_rank``.

    Parameters
    ----------
    tree, name, snp, ax
        As in `trace`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        As `trace`.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> bl.plots.ranks(bl.read_tree("results/posterior.zarr"), "h")  # doctest: +SKIP
    """
    from arviz_plots import plot_rank

    ax, draws = axes_for(ax, 2.6, 4.4), _parameter(tree, name, snp)
    data = draws.to_dataset(name="value")
    plot_rank(
        _posterior(data),
        var_names=["value"],
        plot_collection=_collection(data, ax),
        visuals={"title": False, "remove_axis": False},
    )
    ax.set_title(str(draws.name), parse_math=False)
    ax.set_xlabel("rank among all draws, as a share")
    ax.set_ylabel("share of the chain's draws below\nminus that share")
    return ax


@styled
def ecdf(tree: xr.DataTree, name: str = "pve", *, snp: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the distribution function of one parameter in each chain, by arviz-plots.

    Parameters
    ----------
    tree, name, snp, ax
        As in `trace`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        As `trace`.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> bl.plots.ecdf(bl.read_tree("results/posterior.zarr"), "h")  # doctest: +SKIP
    """
    from arviz_plots import plot_dist

    ax, draws = axes_for(ax, 2.6, 4.4), _parameter(tree, name, snp)
    data = draws.to_dataset(name="value")
    left_out: Any = dict.fromkeys(("title", "credible_interval", "point_estimate", "point_estimate_text", "rug"), False)
    plot_dist(
        _posterior(data),
        var_names=["value"],
        kind="ecdf",
        sample_dims=["draw"],
        plot_collection=_collection(data, ax),
        visuals=left_out,
    )
    ax.spines["left"].set_visible(True)
    ax.set_yticks([0, 0.5, 1])
    ax.set_ylim(0, 1.02)
    ax.set_xlabel(str(draws.name), parse_math=False)
    ax.set_ylabel("share of the chain's draws below")
    return ax


@styled
def loo_pit(tree: xr.DataTree, *, ax: Axes | None = None) -> Axes:
    """Draw how the trait of every individual lies in what is predicted for it from all others, by ArviZ.

    PIT_i = P(y_rep_i <= y_i | all others); uniform if predictions are calibrated. Drawn is its distribution function
    minus the uniform one; see ``arviz_plots.plot_loo_pit``.

    Parameters
    ----------
    tree
        Result of `sample_posterior`, or of a run.
    ax
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If the tree has no group posterior_predictive.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> bl.plots.loo_pit(bl.read_tree("results/posterior.zarr"))  # doctest: +SKIP
    """
    from arviz_plots import plot_loo_pit

    whole = with_log_likelihood(check_tree(tree))
    if "posterior_predictive" not in whole.children:
        raise InputError("expected a posterior with a group posterior_predictive, got one without: sample again")
    ax = axes_for(ax, 2.8, 4.4)
    data = whole["observed_data"].dataset[["y"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # high Pareto k: told where leave-one-out is
        plot_loo_pit(whole, var_names=["y"], plot_collection=_collection(data.isel(sample=0, drop=True), ax))
    ax.set_title("")
    ax.set_xlabel("PIT of each individual, all others known")
    ax.set_ylabel("share below, minus uniform")
    return ax


def _parameter(tree: xr.DataTree, name: str, snp: str | None) -> xr.DataArray:
    """Return the draws of a parameter, by chain and draw, named as ArviZ does."""
    posterior = tree["posterior"].dataset
    if name not in posterior:
        raise InputError(
            f"expected a variable of the posterior among {', '.join(map(str, posterior))}, got {name!r}: choose one"
        )
    draws = posterior[name]
    others = [dim for dim in draws.dims if dim not in ("chain", "draw")]
    if not others:
        return draws
    if snp is None or snp not in draws[others[0]].values:
        known = ", ".join(map(str, draws[others[0]].values[:5]))
        raise InputError(f"expected one of {name}, such as {known}, got {snp!r}: give it by snp=")
    return draws.sel({others[0]: snp}, drop=True).rename(f"{name}[{snp}]")


def _posterior(data: xr.Dataset) -> xr.DataTree:
    return xr.DataTree.from_dict({"posterior": data})


def _collection(data: xr.Dataset, ax: Axes) -> Any:
    """Return the collection of arviz-plots that draws one variable into given axes, chains by colour."""
    import arviz_plots

    collection: Any = arviz_plots.plot_collection.PlotCollection
    name = str(next(iter(data.data_vars)))
    place = xr.DataTree.from_dict(
        {
            "/": xr.Dataset({"figure": ((), np.array(ax.figure, dtype=object))}),
            "plot": xr.Dataset({name: ((), np.array(ax, dtype=object))}),
            "row_index": xr.Dataset({name: ((), np.array(0))}),
            "col_index": xr.Dataset({name: ((), np.array(0))}),
        }
    )
    if "chain" not in data.dims:
        return collection(data, place, backend="matplotlib")
    colours = [theme().classes[k % len(theme().classes)] for k in range(data.sizes["chain"])]
    return collection(data, place, backend="matplotlib", aes={"color": ["chain"], "overlay": ["chain"]}, color=colours)

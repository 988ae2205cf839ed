"""The point estimate and the stability selection of a tree, as `add_point_estimate` and `add_stability` added them."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_lmmlasso.display import Table
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso import ErrorBound, Selector, StabilitySelection

__all__ = ["PointEstimate", "read_point_estimate", "read_stability", "selection_group"]


@dataclass(frozen=True, eq=False, repr=False)
class PointEstimate(Table):
    """The last solution of a `LassoPath`, and the way to it: a tree keeps no other solution's effects.

    Attributes
    ----------
    beta
        Effects of the last solution, shape ``(p,)``.
    path_rank
        Order of first entry along the path, shape ``(p,)``; NaN if never entered.
    mu, n_active, duality_gap
        Penalties, numbers of active SNPs and relative duality gaps along the path, shape ``(m,)`` each.
    fixed_effects
        Effects of the covariates along the path, shape ``(m, q)``.
    message
        One sentence about how the path ended.
    """

    _columns = ("beta", "path_rank")

    beta: NDArray[np.float64]
    path_rank: NDArray[np.float64]
    mu: NDArray[np.float64]
    n_active: NDArray[np.intp]
    duality_gap: NDArray[np.float64]
    fixed_effects: NDArray[np.float64]
    message: str


def read_point_estimate(tree: xr.DataTree) -> PointEstimate:
    """Read what `add_point_estimate` added of the path.

    Raises
    ------
    InputError
        If the tree has no such group.
    """
    group = selection_group(tree, "point_estimate")
    names = [field.name for field in fields(PointEstimate) if field.name != "message"]
    return PointEstimate(**{name: group[name].values for name in names}, message=group.attrs["status"])


def read_stability(tree: xr.DataTree, selector: Selector) -> StabilitySelection:
    """Read what `add_stability` added.

    Parameters
    ----------
    tree
        Tree of a whole analysis.
    selector
        What selected the SNPs, which a tree does not keep.

    Raises
    ------
    InputError
        If the tree has no such group.
    """
    group = selection_group(tree, "stability_selection")
    own = ("error_bound", "certified", "redrawn", "failed", "selector")
    names = [field.name for field in fields(StabilitySelection) if field.name not in own]
    return StabilitySelection(
        **{name: group[name].values for name in names},
        error_bound=ErrorBound(**group.attrs),
        certified=group["duality_gap"].values <= selector.tol,
        redrawn=int(group.get("redrawn", 0)),  # trees of earlier versions have neither
        failed=int(group.get("failed", 0)),
        selector=selector,
    )


def selection_group(tree: xr.DataTree, name: str) -> xr.Dataset:
    """Return a group of the tree that only a whole analysis has.

    Raises
    ------
    InputError
        If the tree has no such group.
    """
    if name not in tree.children:
        raise InputError(
            f"expected a posterior that holds the group {name}, got {', '.join(tree.children)}: take that of "
            f"`bl.analyse` or of `bayes-lmmlasso run`, or call add_{name.removesuffix('_selection')}"
        )
    return tree.children[name].dataset

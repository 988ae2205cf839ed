"""The tree of one analysis: point estimate and stability selection beside the posterior, and its file.

``posterior.zarr`` (Zarr format 2) holds the groups posterior, sample_stats, log_likelihood, posterior_predictive,
log_prior, observed_data, constant_data, point_estimate and stability_selection, and of a run prior and prior_predictive
(of a trait of ranks log_likelihood_of_ranks, which does not compare: `bayes_lmmlasso.posterior.tree.loo`);
``arviz.from_zarr`` opens it, and ``to_netcdf`` writes it as netCDF. It carries no time stamp: the same analysis gives
the same bytes. ``manifest.json`` in it has the SHA-256 of its files, since a chunk that is missing would be read as
missing values.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr
from arviz_stats import summary

from bayes_lmmlasso.arguments import check_path
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.integrity import check_folder, write_manifest
from bayes_lmmlasso.lasso import LassoPath, StabilitySelection
from bayes_lmmlasso.lmm import NullModel
from bayes_lmmlasso.posterior.tree.attributes import plain_attributes

__all__ = ["add_point_estimate", "add_stability", "hyper_table", "read_tree", "write_tree"]

_DERIVED = ("n_included", "sigma2_g", "sigma2_e", "pve", "pge", "snp_share")


def add_point_estimate(tree: xr.DataTree, path: LassoPath, null_model: NullModel) -> None:
    """Add the group point_estimate: the Lasso path, its last solution and the null model it rests on."""
    scalars = (
        "method",
        "log_delta",
        "delta",
        "sigma2_g",
        "sigma2_e",
        "pve",
        "pve_se",
        "log_likelihood",
        "at_bound",
    )
    group = xr.Dataset(
        {
            "beta": ("variant", path.coef_sparse[[-1]].toarray()[0]),
            "path_rank": ("variant", path.path_rank),
            "mu": ("step", path.mu),
            "n_active": ("step", path.n_active),
            "duality_gap": ("step", path.duality_gap),
            "fixed_effects": (("step", "covariate"), path.fixed_effects),
            "log_delta_grid": ("grid", null_model.grid),
            "log_likelihood_profile": ("grid", null_model.profile),
        },
        coords=_snps(tree),
        attrs=plain_attributes({f"null_model_{name}": getattr(null_model, name) for name in scalars})
        | {"status": path.message},
    )
    tree["point_estimate"] = xr.DataTree(group)


def add_stability(tree: xr.DataTree, stability: StabilitySelection) -> None:
    """Add the group stability_selection: frequencies, subsamples and the error bounds at the threshold."""
    group = xr.Dataset(
        {
            "frequency": ("variant", stability.frequency),
            "selected": ("variant", stability.selected),
            "duplicate_of": ("variant", stability.duplicate_of),
            "log_delta": ("subsample", stability.log_delta),
            "at_bound": ("subsample", stability.at_bound),
            "n_selected": ("subsample", stability.n_selected),
            "duality_gap": ("subsample", stability.duality_gap),
            "redrawn": stability.redrawn,
            "failed": stability.failed,
            "subsamples": (("subsample", "member"), stability.subsamples),
        },
        coords=_snps(tree),
        attrs=plain_attributes(asdict(stability.error_bound)),
    )
    tree["stability_selection"] = xr.DataTree(group)


def hyper_table(tree: xr.DataTree) -> pd.DataFrame:
    """Summarise hyper-parameters, fixed effects, variances and realised shares with ArviZ, unrounded, 95% intervals.

    Returns
    -------
    pandas.DataFrame
        One row a quantity, named in the index.
    """
    posterior = tree["posterior"]
    names = [name for name in (*tree.attrs["hyper"], "a", *_DERIVED) if name in posterior]
    table: pd.DataFrame = summary(tree, var_names=names, ci_prob=0.95, ci_kind="eti", round_to="none")
    return table


def write_tree(tree: xr.DataTree, path: str | Path) -> None:
    """Write a tree to a Zarr folder, under a temporary name first.

    Raises
    ------
    InputError
        If something of that name exists.
    """
    target = check_path(path, "a posterior")
    if target.exists():
        raise InputError(f"expected no file or folder named {target}, got one: remove it or choose another name")
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    encoding = {
        f"/{group}": {
            str(name): {"chunks": tuple(min(2048, size) for size in variable.shape)}
            for name, variable in node.data_vars.items()
        }
        for group, node in tree.children.items()
    }
    try:
        tree.to_zarr(partial, zarr_format=2, encoding=encoding)
        write_manifest(partial)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read_tree(path: str | Path) -> xr.DataTree:
    """Read a tree that `write_tree` wrote; arrays are loaded when used.

    Parameters
    ----------
    path
        The folder, ``posterior.zarr`` of a run.

    Raises
    ------
    InputError
        If there is no such folder, or a file in it is missing or not as it was written.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> tree = bl.read_tree("results/posterior.zarr")  # doctest: +SKIP
    """
    source = check_path(path, "a posterior")
    if not source.is_dir():
        raise InputError(f"expected the Zarr folder of a posterior at {source}, got none: check the path")
    check_folder(source)
    return xr.open_datatree(source, engine="zarr", zarr_format=2)


def _snps(tree: xr.DataTree) -> dict[str, Any]:
    """Return the coordinates of the SNPs of a tree: their ids."""
    return {"variant": tree.children["constant_data"].dataset["variant"].values}

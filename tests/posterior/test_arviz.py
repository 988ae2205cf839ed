"""ArviZ and netCDF take a tree as it is: ids, predictive groups, attributes."""

from __future__ import annotations

import arviz as az
import numpy as np
import pytest
import xarray as xr
from scipy.stats import kstest
from small_run import finished_run, sparse_run

from bayes_lmmlasso import read_tree


@pytest.fixture(params=[finished_run, sparse_run], ids=["laplace", "spike_slab"], scope="module")
def tree(request):
    return read_tree(request.param().folder / "posterior.zarr").load()


def test_snps_have_their_ids(tree):
    ids = tree["constant_data"]["variant_snp"].values
    for group, name in (("effects", "pip"), ("point_estimate", "beta"), ("stability_selection", "frequency")):
        np.testing.assert_array_equal(tree[group][name]["variant"].values, ids)
    top = tree["posterior"]["b_top"]["top_variant"].values
    assert set(top) <= set(ids)
    table = az.summary(tree, var_names=["b_top"], coords={"top_variant": top[:2]}, kind="stats")
    assert list(table.index) == [f"b_top[{name}]" for name in top[:2]]


def test_each_individual_lies_within_what_the_others_predict_of_it(tree):
    y = tree["observed_data"]["y"]
    assert dict(tree["posterior_predictive"]["y"].sizes)["individual"] == y.size
    pit = az.loo_pit(tree)["y"].values
    assert pit.shape == y.shape
    assert kstest(pit, "uniform").pvalue > 1e-3


@pytest.mark.filterwarnings("ignore:Estimated shape parameter:UserWarning")
def test_arviz_works_without_tricks(tree):
    loo = az.loo(tree, pointwise=True)
    assert np.isfinite(loo.elpd)
    assert {"rank", "elpd"} <= set(az.compare({"one": tree, "two": tree}).columns)
    assert set(az.psense_summary(tree, var_names=["h", "rho"]).index) == {"h", "rho"}
    for plot, options in (
        (az.plot_trace, {"var_names": ["h"]}),
        (az.plot_rank, {"var_names": ["h"]}),
        (az.plot_loo_pit, {}),
        (az.plot_ppc_dist, {"num_samples": 5}),
        (az.plot_prior_posterior, {"var_names": ["h", "rho"]}),
    ):
        assert plot(tree, backend="none", **options) is not None


def test_netcdf_takes_the_tree_and_gives_it_back(tree, tmp_path):
    tree.to_netcdf(tmp_path / "tree.nc", engine="h5netcdf")
    again = xr.open_datatree(tmp_path / "tree.nc", engine="h5netcdf").load()
    xr.testing.assert_equal(again, tree)
    assert {name: again.attrs[name] for name in ("model", "exact_zeros", "snapshots", "seed")} == {
        name: tree.attrs[name] for name in ("model", "exact_zeros", "snapshots", "seed")
    }
    assert [*again.attrs["hyper"]] == tree.attrs["hyper"]
    again.close()

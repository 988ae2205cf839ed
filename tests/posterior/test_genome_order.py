"""SNPs out of order: the sampler's blocks and the windows are those of the sorted file, results in the file's order."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from posterior_reference import dense_problem

import bayes_lmmlasso as bl
from bayes_lmmlasso.posterior.sampler.devices import shard
from bayes_lmmlasso.posterior.sampler.draw import draw_posterior
from bayes_lmmlasso.posterior.sampler.plan import SamplingPlan
from bayes_lmmlasso.posterior.summaries.partition import assign_windows
from bayes_lmmlasso.posterior.summaries.windows import _Reader

_P = 90  # more than a block of the sweep without a point mass, 64


@pytest.fixture
def problem(rng):
    X, y, Z, K = dense_problem(rng, n=90, p=_P)  # as many SNPs as samples: only the name tells their sites apart
    data = bl.rotate(X, bl.Eigenbasis.from_kinship(K), y=y, covariates=Z)
    return data, rng.permutation(_P)


@pytest.mark.parametrize(
    ("model", "sampler", "stored"),
    [("spike_slab", "composite", True), ("laplace", "composite", False), ("normal", "nuts", False)],
)
def test_draws_are_those_of_the_sorted_snps_in_the_order_of_the_file(tmp_path, problem, model, sampler, stored):
    data, mixed = problem
    plan = SamplingPlan(sampler=sampler, chains=2, warmup=5, draws=6, seed=1)
    places = [tmp_path / "sorted", tmp_path / "mixed"] if stored else [None, None]
    expected = draw_posterior(data, model, plan, store=places[0]).store.sites()
    shuffled = replace(data, XT=data.XT[mixed])
    found = draw_posterior(shuffled, model, plan, store=places[1], order=np.argsort(mixed)).store.sites()
    for name, values in expected.items():
        wanted = values.values[..., mixed] if "variant" in values.dims else values.values
        np.testing.assert_array_equal(found[name].values, wanted, err_msg=str(name))
    other = draw_posterior(shuffled, model, plan).store.sites()
    if sampler == "composite":
        assert not np.array_equal(other["b"].values, found["b"].values)


def test_snps_are_ordered_where_they_are_spread_over_devices(problem):
    data, mixed = problem
    plan = SamplingPlan(sampler="composite", chains=1, warmup=5, draws=6, seed=1)
    shuffled = shard(replace(data, XT=data.XT[mixed]), jax.devices()[:1])
    found = draw_posterior(shuffled, "spike_slab", plan, order=np.argsort(mixed)).store.sites()
    expected = draw_posterior(shard(data, jax.devices()[:1]), "spike_slab", plan).store.sites()
    np.testing.assert_array_equal(found["b"].values, expected["b"].values[..., mixed])


@pytest.mark.parametrize("window", ["100bp", "7snps", "2cM", "ld"])
def test_windows_of_a_mixed_file_are_those_of_the_sorted_one(rng, window):
    chrom, position = np.repeat(["1", "2"], [60, 30]), np.concatenate([np.arange(60) * 7 + 1, np.arange(30) * 9 + 4])
    cm, XT = position / 50.0, np.repeat(rng.normal(size=(6, 20)), 15, axis=0) + 0.1 * rng.normal(size=(_P, 20))
    expected = assign_windows(chrom, position, window, cm=cm, XT=XT)
    assert len(expected) > 2
    mixed = np.concatenate([[0], 1 + rng.permutation(_P - 1)])  # chromosome 1 is still the first
    found = assign_windows(chrom[mixed], position[mixed], window, cm=cm[mixed], XT=XT[mixed])
    pd.testing.assert_frame_equal(found.drop(columns="members"), expected.drop(columns="members"))
    for members, wanted in zip(found["members"], expected["members"], strict=True):
        np.testing.assert_array_equal(mixed[members], wanted)


def test_draws_of_scattered_snps_are_read_alone(rng):
    site = xr.DataArray(rng.normal(size=(2, 3, 9000)), dims=("chain", "draw", "variant"))
    read = _Reader(site)
    for members in ([5, 3, 8], [8999, 2, 4500], [4, 9]):
        np.testing.assert_array_equal(read(np.array(members)), site.values[:, :, members])


@pytest.mark.parametrize("window", ["1Mb", "2cM", "ld", "80snps"])
def test_snps_without_a_place_are_in_windows_of_their_own(rng, window):
    chrom = np.array(["1", "0"] * 120 + ["1"] * 40)
    position = np.where(np.arange(280) < 260, np.arange(280) * 10_000 + 1, 0)
    cm, XT = position / 1e6, rng.normal(size=(280, 20))
    table = assign_windows(chrom, position, window, cm=cm, XT=XT)
    lost = table[table["chrom"] == "unplaced"]
    counts = [80, 60] if window == "80snps" else [100, 40]
    assert lost["n_snps"].tolist() == counts
    assert lost["start"].tolist() == [1, 1 + counts[0]]
    assert lost["end"].tolist() == [counts[0], 140]
    assert lost.index.tolist() == [len(table) - 2, len(table) - 1]
    nowhere = np.flatnonzero((chrom == "0") | (position == 0))
    np.testing.assert_array_equal(np.concatenate(lost["members"].tolist()), nowhere)

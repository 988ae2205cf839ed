"""Draws do not depend on devices: SNPs spread over four, or all chains together in one program, as on a GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest
from numpyro.infer import NUTS
from posterior_reference import dense_problem

import bayes_lmmlasso as bl
from bayes_lmmlasso.models.laplace import laplace
from bayes_lmmlasso.posterior.sampler import chains
from bayes_lmmlasso.posterior.sampler import draw as drawing
from bayes_lmmlasso.posterior.sampler.draw_store import FolderStore, MemoryStore
from bayes_lmmlasso.posterior.sampler.monitor import Monitor

# In a process of its own: the number of devices is fixed when JAX starts. Float64, because rounding errors grow along a
# chain; 37 SNPs, because they do not divide by 4; blocks of a sweep (16 SNPs) cross the borders between devices.
PROGRAM = """
import sys
from dataclasses import replace
import jax
jax.config.update("jax_enable_x64", True)
import numpy as np
from posterior_reference import dense_problem
import bayes_lmmlasso as bl

X, y, Z, K = dense_problem(np.random.default_rng(4), n=30, p=37)
data = bl.rotate(X, bl.Eigenbasis.from_kinship(K), y=y, covariates=Z)
spread = bl.posterior.shard(data, 4)
assert {shard.data.shape for shard in spread.XT.addressable_shards} == {(10, 30)}
assert spread.n_snps == 37
model = bl.models.MODELS[sys.argv[1]]
options = {"chains": 2, "warmup": 6, "draws": 6, "seed": 1}
trees = [bl.sample_posterior(part, replace(model, sweeps=1), **options) for part in (data, spread)]
one, four = (tree.children["posterior"].dataset for tree in trees)
assert float(np.ptp(one["h"].values)) > 0.01
for name in one.data_vars:
    np.testing.assert_allclose(four[name], one[name], rtol=1e-6, atol=1e-8, err_msg=name)
"""


@pytest.mark.parametrize("model", ["normal", "laplace", "spike_slab"])
def test_draws_are_those_of_one_device(model):
    here = str(Path(__file__).parents[1])
    four = {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_force_host_platform_device_count=4"}
    environment = os.environ | four | {"PYTHONPATH": here}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, model], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_more_devices_than_there_are_is_told(rng):
    X, y, Z, K = dense_problem(rng, n=20, p=6)
    data = bl.rotate(X, bl.Eigenbasis.from_kinship(K), y=y, covariates=Z)
    with pytest.raises(bl.InputError, match=r"expected from 1 to \d+ devices, as many as JAX sees \(\w+\), got 99"):
        bl.posterior.shard(data, 99)


OPTIONS = {"chains": 3, "warmup": 6, "draws": 6, "seed": 1}


@pytest.fixture
def small(rng):
    X, y, Z, K = dense_problem(rng, n=30, p=37)
    return bl.rotate(X, bl.Eigenbasis.from_kinship(K), y=y, covariates=Z)


@pytest.mark.parametrize("model", ["normal", "laplace", "spike_slab"])
def test_chains_together_draw_what_they_draw_in_threads(model, x64, small, monkeypatch):
    spec = replace(bl.models.MODELS[model], sweeps=1)
    apart = bl.sample_posterior(small, spec, **OPTIONS)["posterior"].dataset
    monkeypatch.setattr(chains, "on_accelerator", lambda data: True)
    together = bl.sample_posterior(small, spec, **OPTIONS)["posterior"].dataset
    assert float(np.ptp(apart["h"].values)) > 0.01
    for name in apart.data_vars:
        np.testing.assert_allclose(together[name], apart[name], rtol=1e-6, atol=1e-8, err_msg=name)


@pytest.mark.parametrize(
    ("model", "on_cpu", "on_gpu"),
    [("laplace", "composite", "nuts"), ("spike_slab", "composite", "composite"), ("normal", "nuts", "nuts")],
)
def test_the_sampler_suits_the_model_and_the_device(small, monkeypatch, model, on_cpu, on_gpu):
    lengths = {"chains": 1, "warmup": 1, "draws": 4, "seed": 1}
    assert bl.sample_posterior(small, model, **lengths).attrs["sampler"] == on_cpu
    monkeypatch.setattr(drawing, "on_accelerator", lambda data: True)
    assert bl.sample_posterior(small, model, **lengths).attrs["sampler"] == on_gpu


def test_chains_together_continue_when_only_some_had_stored_their_block(small, monkeypatch, tmp_path):
    monkeypatch.setattr(chains, "on_accelerator", lambda data: True)
    whole = bl.sample_posterior(small, "laplace", **OPTIONS)["posterior"].dataset
    append, stored = FolderStore.append, []

    def interrupted(store, chain, first, values, done, leaves):
        if (chain, done) == (1, 12):
            raise KeyboardInterrupt
        stored.append((chain, done))
        append(store, chain, first, values, done, leaves)

    monkeypatch.setattr(FolderStore, "append", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bl.sample_posterior(small, "laplace", store=tmp_path / "draws", **OPTIONS)
    monkeypatch.setattr(FolderStore, "append", append)
    assert (0, 12) in stored
    assert (2, 12) not in stored
    continued = bl.sample_posterior(small, "laplace", store=tmp_path / "draws", **OPTIONS)["posterior"].dataset
    for name in whole.data_vars:
        np.testing.assert_array_equal(continued[name], whole[name], err_msg=name)


def test_products_are_computed_in_full_precision(small):
    # what a GPU makes of float32 products otherwise: an error of 3e-4 in X b
    seen = []

    def model(data):
        seen.append(jax.config.jax_default_matmul_precision)
        laplace(data)

    kernel, schedule = NUTS(model), chains.Schedule(1, 1, 1)
    monitor = Monitor(1, 1, 1, ())
    chains.run_chains(
        kernel, small, lambda kernel, state, data: {"h": state.z["h"]}, MemoryStore(), schedule, seed=1, monitor=monitor
    )
    assert set(seen) == {"highest"}

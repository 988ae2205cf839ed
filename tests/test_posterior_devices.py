"""SNPs spread over four devices: the draws of one device, up to rounding."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from posterior_reference import dense_problem

import bayes_lmmlasso as bl

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
spread = bl.shard(data, 4)
assert {shard.data.shape for shard in spread.XT.addressable_shards} == {(10, 30)}
assert spread.n_snps == 37
model = bl.MODELS[sys.argv[1]]
options = {"chains": 2, "warmup": 6, "draws": 6, "seed": 1}
trees = [bl.sample_posterior(part, replace(model, sweeps=1), **options) for part in (data, spread)]
one, four = (tree.children["posterior"].dataset for tree in trees)
assert float(np.ptp(one["h"].values)) > 0.01
for name in one.data_vars:
    np.testing.assert_allclose(four[name], one[name], rtol=1e-6, atol=1e-8, err_msg=name)
"""


@pytest.mark.parametrize("model", ["laplace", "spike_slab"])
def test_draws_are_those_of_one_device(model):
    here = str(Path(__file__).parent)
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=4", "PYTHONPATH": here}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, model], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_more_devices_than_there_are_is_told(rng):
    X, y, Z, K = dense_problem(rng, n=20, p=6)
    data = bl.rotate(X, bl.Eigenbasis.from_kinship(K), y=y, covariates=Z)
    with pytest.raises(bl.InputError, match=r"expected from 1 to \d+ devices, as many as JAX sees \(cpu\), got 99"):
        bl.shard(data, 99)

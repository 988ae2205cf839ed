"""Draws do not depend on devices: SNPs spread over four, or all chains together in one program, as on a GPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from numpyro.infer import NUTS
from posterior_reference import dense_problem

import bayes_lmmlasso as bl
from bayes_lmmlasso.models import MODELS
from bayes_lmmlasso.models.laplace import laplace
from bayes_lmmlasso.posterior.sampler.chains import Schedule, run_chains
from bayes_lmmlasso.posterior.sampler.devices import on_accelerator
from bayes_lmmlasso.posterior.sampler.draw import draw_posterior
from bayes_lmmlasso.posterior.sampler.draw_store import MemoryStore
from bayes_lmmlasso.posterior.sampler.folder_store import FolderStore
from bayes_lmmlasso.posterior.sampler.monitor import Monitor
from bayes_lmmlasso.posterior.sampler.nuts import Nuts
from bayes_lmmlasso.posterior.sampler.plan import Execution, SamplingPlan

# In a process of its own: the number of devices is fixed when JAX starts. Float64, because rounding errors grow along a
# chain; 37 SNPs, because they do not divide by 4; blocks of a sweep (16 SNPs) cross the borders between devices.
PROGRAM = """
import sys
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
model = sys.argv[1]
options = {"chains": 2, "warmup": 6, "draws": 6, "seed": 1} | ({} if model == "normal" else {"sweeps": 1})
trees = [bl.sample_posterior(part, model, **options) for part in (data, spread)]
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


LENGTHS = {"chains": 3, "warmup": 6, "draws": 6, "seed": 1}
ALONE, TOGETHER = Execution(accelerator=False), Execution(accelerator=True)


@pytest.fixture
def small(rng):
    X, y, Z, K = dense_problem(rng, n=30, p=37)
    return bl.rotate(X, bl.Eigenbasis.from_kinship(K), y=y, covariates=Z)


@pytest.mark.parametrize(
    ("model", "plan"),
    [
        ("normal", SamplingPlan(**LENGTHS)),
        ("laplace", SamplingPlan(**LENGTHS, sampler="composite", sweeps=1)),
        ("spike_slab", SamplingPlan(**LENGTHS, sweeps=1)),
    ],
    ids=["normal", "laplace", "spike_slab"],
)
def test_chains_together_draw_what_they_draw_in_threads(model, plan, x64, small):
    apart, together = (
        draw_posterior(small, model, plan, execution=execution).store.sites() for execution in (ALONE, TOGETHER)
    )
    assert float(np.ptp(apart["h"].values)) > 0.01
    for name in apart.data_vars:
        np.testing.assert_allclose(together[name], apart[name], rtol=1e-6, atol=1e-8, err_msg=name)


@pytest.mark.parametrize(
    ("model", "on_cpu", "on_gpu"),
    [("laplace", "composite", "nuts"), ("spike_slab", "composite", "composite"), ("normal", "nuts", "nuts")],
)
def test_the_sampler_suits_the_model_and_the_device(small, model, on_cpu, on_gpu):
    plan, spec = SamplingPlan(chains=1, warmup=1, draws=4, seed=1), MODELS[model]
    for execution, sampler in ((Execution(), on_cpu), (TOGETHER, on_gpu)):
        assert plan.choose_sampler(spec, on_accelerator(small) or bool(execution.accelerator)) == sampler
        if on_cpu != on_gpu:  # drawing asks the plan; it compiles for seconds
            assert draw_posterior(small, model, plan, execution=execution).record.attrs["sampler"] == sampler


def test_data_are_on_an_accelerator_where_all_of_their_devices_are():
    def data_on(*platforms):
        devices = [SimpleNamespace(platform=platform) for platform in platforms]
        return SimpleNamespace(XT=SimpleNamespace(devices=lambda: devices))

    assert on_accelerator(data_on("gpu", "gpu"))
    assert on_accelerator(data_on("tpu"))
    assert not on_accelerator(data_on("cpu"))
    assert not on_accelerator(data_on("gpu", "cpu"))


def test_chains_together_continue_when_only_some_had_stored_their_block(small, tmp_path):
    folder = tmp_path / "draws"
    plan = SamplingPlan(**LENGTHS, sampler="composite")
    run = partial(draw_posterior, small, "laplace", plan, execution=TOGETHER)
    whole = run().store.sites()

    def interrupt(stage, done, total, remark=""):
        if done == 3 * 6 + 6:  # the first chain has stored its draws, no other has
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(store=folder, progress=interrupt)
    identity = json.loads((folder / "identity.json").read_text(encoding="utf-8"))
    assert [FolderStore(folder, identity).saved(chain).done for chain in range(3)] == [12, 6, 6]
    continued = run(store=folder).store.sites()
    for name in whole.data_vars:
        np.testing.assert_array_equal(continued[name], whole[name], err_msg=name)


def test_products_are_computed_in_full_precision(small):
    # what a GPU makes of float32 products otherwise: an error of 3e-4 in X b
    seen = []

    def model(data):
        seen.append(jax.config.jax_default_matmul_precision)
        laplace(data)

    run_chains(Nuts(NUTS(model)), small, MemoryStore(), Schedule(1, 1, 1), seed=1, monitor=Monitor(1, 1, 1, ()))
    assert set(seen) == {"highest"}

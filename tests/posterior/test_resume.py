"""Draws in a folder: the same as in memory, and the same after any interruption."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import xarray as xr
from posterior_reference import dense_problem
from small_run import contents

import bayes_lmmlasso as bl
from bayes_lmmlasso.posterior import Stopped, Until
from bayes_lmmlasso.posterior.summaries.diagnostics import convergence

LENGTHS = {"chains": 2, "warmup": 30, "draws": 60, "seed": 8}


class InterruptError(Exception):
    """Stands for Ctrl-C."""


def after(blocks):
    """Progress hook that interrupts the chains after so many blocks."""
    left = iter(range(blocks))

    def report(stage, done, total, remark=""):
        if next(left, None) is None:
            raise InterruptError

    return report


@pytest.fixture(scope="module")
def problem():
    X, y, Z, K = dense_problem(np.random.default_rng(3), n=30, p=12)
    return bl.rotate(X, bl.Eigenbasis.from_kinship(K), y=y, covariates=Z)


@pytest.fixture(scope="module", params=["normal", "laplace", "spike_slab"])
def sample(request, problem):
    sweeps = {"sweeps": 3} if request.param == "spike_slab" else {}
    return partial(bl.sample_posterior, problem, request.param, **LENGTHS, **sweeps)


@pytest.fixture(scope="module")
def whole(sample, tmp_path_factory):
    """The folder and the tree of an uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole") / "store"
    return folder, sample(store=folder)


def test_draws_in_a_folder_are_those_in_memory(sample, whole):
    in_memory, in_folder = sample(), whole[1]
    for group in in_memory.children:
        xr.testing.assert_equal(in_memory[group].dataset, in_folder[group].dataset.load())
    assert in_memory.attrs == in_folder.attrs


@pytest.mark.parametrize("blocks", [0, 1, 2, 5])
def test_interrupted_chains_end_with_the_same_bytes(sample, whole, tmp_path, blocks):
    with pytest.raises(InterruptError):
        sample(store=tmp_path / "store", progress=after(blocks))
    reported = []
    sample(store=tmp_path / "store", progress=lambda *given: reported.append(given[1]))
    assert reported[0] > 25 * blocks  # it did not begin again
    assert contents(tmp_path / "store") == contents(whole[0])


@pytest.mark.parametrize("victim", ["chain-0.npz", "draws.zarr"])
def test_a_write_that_was_cut_off_does_no_harm(sample, whole, tmp_path, victim):
    """What an interrupted write leaves: a partial file, and draws beyond the last state."""
    store = tmp_path / "store"
    with pytest.raises(InterruptError):
        sample(store=store, progress=after(5))
    if victim == "draws.zarr":
        written = sorted(path for path in (store / victim / "b").iterdir() if path.name[0] == "1")
        written[-1].with_name("1.2.0").write_bytes(written[-1].read_bytes())
    place = store / victim if victim.endswith("npz") else store / victim / "b" / "0.1.0"
    place.with_suffix(".0123.partial").write_bytes(b"cut off")
    sample(store=store)
    assert contents(store) == contents(whole[0])


def test_more_draws_are_those_of_a_longer_run(sample, whole, tmp_path):
    sample(store=tmp_path / "store", draws=35)
    tree = sample(store=tmp_path / "store")
    assert contents(tmp_path / "store") == contents(whole[0])
    xr.testing.assert_equal(tree["posterior"].dataset.load(), whole[1]["posterior"].dataset.load())
    with pytest.raises(bl.InputError, match="expected at least the 60 draws that a chain has already, got 40"):
        sample(store=tmp_path / "store", draws=40)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"seed": 9}, "seed"),
        ({"warmup": 31}, "warmup"),
        ({"chains": 3}, "chains"),
        ({"data": 1}, "data"),
        ({"version": "0.0.1"}, "version of jax"),
    ],
)
def test_only_the_same_analysis_continues(problem, sample, whole, change, name):
    folder, _ = whole
    before = contents(folder)
    given = dict(change)
    if "data" in given:
        other = replace(problem, y=problem.y * given.pop("data") + 1e-6)
        resumed = partial(bl.sample_posterior, other, sample.args[1], **sample.keywords)
    else:
        resumed = sample
    if "version" in given:
        path = folder / "identity.json"
        known = json.loads(path.read_text()) | {"version of jax": given.pop("version")}
        path.write_text(json.dumps(known))
    try:
        with pytest.raises(bl.InputError, match=f"with the same {name}, got"):
            resumed(store=folder, **given)
    finally:
        (folder / "identity.json").write_bytes(before["identity.json"])
    assert contents(folder) == before


def test_a_folder_with_other_files_is_refused(sample, tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(bl.InputError, match="expected a new folder or one of interrupted draws"):
        sample(store=tmp_path)
    assert contents(tmp_path) == {"thesis.txt": b"precious"}


def test_sampling_stops_when_its_targets_are_met_and_not_before(problem, tmp_path):
    until = Until(rhat=1.02, mcse=0.05)
    run = partial(bl.sample_posterior, problem, "spike_slab", sweeps=3, chains=2, warmup=100, draws=5000, seed=2)
    tree = run(until=until, store=tmp_path / "store")
    assert tree.attrs["stopped"] == Stopped.TARGETS_REACHED.value
    draws = tree["posterior"].sizes["draw"]
    assert draws % 50 == 0
    assert 100 <= draws < 5000

    def met(count):
        part = tree["posterior"].dataset.isel(draw=slice(count)).load()
        names = (*tree.attrs["hyper"], "n_included")
        r_hat = convergence(np.stack([part[name].values for name in names]).astype(float)).r_hat
        q = part["inclusion"].values
        error = bl.inclusion_table(xr.DataTree.from_dict({**tree.to_dict(), "/posterior": part}, name=None))
        assert q.shape[1] == count
        notable = error.loc[error["pip"] > 0.05, "r_hat"]  # NA where every chain always includes the SNP
        return r_hat.max() <= 1.02 and error["pip_mcse"].max() <= 0.05 and notable.max() <= 1.02

    assert [met(count) for count in range(100, draws + 1, 50)] == [False] * ((draws - 100) // 50) + [True]
    again = run(until=until)
    xr.testing.assert_equal(again["posterior"].dataset, tree["posterior"].dataset.load())


def test_sampling_does_not_stop_while_chains_disagree_about_a_snp():
    still = np.full((4, 100, 1), 0.5) + np.random.default_rng(1).normal(size=(4, 100, 1)) * 0.01
    snps = {"pip": np.array([0.01, 0.5, 1.0]), "pip_mcse": np.zeros(3), "r_hat": np.array([3.0, 1.2, np.nan])}

    def rule(**known):
        targets = Until(rhat=1.1, mcse=0.05)
        return targets.rule(["h"], lambda name: still[..., 0], lambda draws: snps | known)(100)

    assert rule() is None
    assert rule(r_hat=np.array([3.0, 1.02, np.nan])) is Stopped.TARGETS_REACHED
    assert rule(r_hat=np.array([3.0, 1.02, np.nan]), pip_mcse=np.array([0.0, 0.1, 0.0])) is None


def test_a_time_limit_ends_sampling_at_the_first_look(problem):
    run = partial(bl.sample_posterior, problem, "spike_slab", sweeps=3, chains=1, warmup=5, seed=2)
    tree = run(draws=100_000, until=Until(rhat=1.0001, minutes=1e-6))
    assert tree["posterior"].sizes["draw"] == 50
    assert tree.attrs["stopped"] == Stopped.TIME_OVER.value
    assert run(draws=50, until=Until(rhat=1.0001)).attrs["stopped"] == Stopped.TARGETS_MISSED.value
    for until in (None, Until(minutes=60)):  # nothing else was asked for
        assert run(draws=50, until=until).attrs["stopped"] == Stopped.ALL_DRAWS.value


def test_targets_are_read_from_text():
    assert Until.parse("rhat=1.01") == Until(rhat=1.01)
    assert Until.parse("mcse=0.02, minutes=15,rhat=1.02") == Until(1.02, 0.02, 15.0)
    for text in ("", "rhat", "rhat=low", "time=3", "rhat=1.01;minutes=2"):
        with pytest.raises(bl.InputError, match="expected targets of sampling such as rhat=1"):
            Until.parse(text)
    for text in ("rhat=1", "mcse=0", "minutes=-2", "rhat=nan"):
        with pytest.raises(bl.InputError, match="as a target of sampling, got"):
            Until.parse(text)


def test_a_compact_tree_answers_as_the_whole_one(sample, whole, tmp_path):
    tree = whole[1]
    small = bl.posterior.compact(tree, variance_share=0.01, n_top=5)
    assert bl.posterior.compact(small) is small
    assert not {"b", "inclusion"} & set(small["posterior"].data_vars)
    bl.posterior.write_tree(small, tmp_path / "small.zarr")
    read = bl.read_tree(tmp_path / "small.zarr")
    pd_equal = partial(np.testing.assert_array_equal)
    for part in (small, read):
        table, expected = bl.inclusion_table(part, variance_share=0.01), bl.inclusion_table(tree, variance_share=0.01)
        for column in table:
            pd_equal(table[column].to_numpy(), expected[column].to_numpy(), err_msg=column)
        kept, draws = bl.posterior.effect_draws(part), tree["posterior"]["b"].values
        rows = kept.b if isinstance(kept.b, np.ndarray) else kept.b.toarray()
        pd_equal(rows, draws[kept.chain, kept.draw])
        pd_equal(kept.values(part, "h"), tree["posterior"]["h"].values[kept.chain, kept.draw])
        top = part["posterior"]["b_top"]
        places = top["top_variant"].values.astype(int)  # SNPs of unknown origin are numbered
        pd_equal(top.values, draws[:, :, places])
        best = np.sort(np.argsort(-expected["pip"].to_numpy(), kind="stable")[:3])
        assert set(best) <= set(places)
        pd_equal(part["effects"]["chain_mean"], draws.mean(axis=1, dtype=float))
        windows, whole_windows = (bl.window_table(t, "4snps", snp_variance_share=0.01) for t in (part, tree))
        for column in windows:
            pd_equal(windows[column].to_numpy(), whole_windows[column].to_numpy(), err_msg=column)
    if not tree.attrs["exact_zeros"]:
        with pytest.raises(bl.InputError, match=r"expected the variance_share 0\.01 with which .* got 0\.02"):
            bl.inclusion_table(small, variance_share=0.02)


def test_joint_draws_of_a_dense_prior_are_spread_over_all_chains(problem):
    tree = bl.sample_posterior(problem, "normal", chains=3, warmup=20, draws=300, seed=1)
    kept = bl.posterior.effect_draws(bl.posterior.compact(tree))
    assert len(kept.b) == 3 * 100
    assert np.array_equal(np.unique(kept.draw), np.arange(0, 300, 3))
    assert np.array_equal(np.bincount(kept.chain), [100] * 3)

"""A store of draws goes on from what was written, or says that it is damaged."""

from __future__ import annotations

from collections import Counter

import jax
import numpy as np
import pytest
from crash import count_changes, crash_at
from damage import mutants

from bayes_lmmlasso import InputError
from bayes_lmmlasso.posterior.sampler.folder_store import FolderStore, stored_sites

SHAPES = {"b": jax.ShapeDtypeStruct((7,), np.float32), "h": jax.ShapeDtypeStruct((), np.float32)}
WARMUP, BLOCK, DRAWS = 4, 5, 20


def opened(folder):
    store = FolderStore(folder, {"data": "sha256:1", "seed": 3})
    store.prepare(SHAPES, 2, DRAWS, BLOCK)
    return store


def append(store, chain, done, count):
    """Append a block; what a chain draws depends on how far it is alone."""
    first, rng = done - WARMUP, np.random.default_rng([chain, done])
    shapes = {} if first < 0 else {name: (count, *x.shape) for name, x in SHAPES.items()}
    values = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    if done == WARMUP and "b" in values:
        values["b"][:] = 0  # as the fill value, but a chunk all the same
    store.append(chain, first, values, done + count, [np.arange(3), np.array([chain, done + count])])


def finish(store):
    """Go on to the last draw, from wherever the store has the chains."""
    for chain in range(2):
        saved = store.saved(chain)
        if saved.leaves is not None:
            np.testing.assert_array_equal(saved.leaves[1], [chain, saved.done])
        done = saved.done
        while done < WARMUP + DRAWS:
            count = WARMUP if done < WARMUP else BLOCK
            append(store, chain, done, count)
            done += count
    store.finish(DRAWS)
    return stored_sites(store.folder).load()


def test_a_store_goes_on_from_undamaged_draws_alone(tmp_path):
    whole = finish(opened(tmp_path / "whole"))
    store = opened(tmp_path / "store")
    for chain in range(2):
        for done, count in ((0, WARMUP), (WARMUP, BLOCK), (WARMUP + BLOCK, BLOCK)):
            append(store, chain, done, count)
    outcomes = Counter()
    for seed in range(3):
        for mutant in mutants(tmp_path / "store", seed, other=tmp_path / "mutant"):
            try:
                found = finish(opened(tmp_path / "mutant"))
            except InputError as error:
                assert "pickle" not in str(error)  # noqa: PT017
                outcomes["refused"] += 1
            else:
                assert found.identical(whole), mutant
                outcomes["right"] += 1
    assert outcomes["refused"] > 60


def test_killed_before_any_change_a_store_goes_on(tmp_path):
    changes = count_changes(tmp_path / "whole", lambda: finish(opened(tmp_path / "whole")))
    whole = finish(opened(tmp_path / "whole"))
    for k in range(0, changes, 2):
        folder = tmp_path / str(k)
        assert crash_at(k, folder, lambda folder=folder: finish(opened(folder)), torn=k % 4 == 0)
        assert finish(opened(folder)).identical(whole), k


@pytest.mark.parametrize("name", ["chain-1.npz", "identity.json", "draws.zarr/b/0.0.0"])
def test_what_is_cut_off_is_refused(tmp_path, name):
    store = opened(tmp_path / "store")
    append(store, 0, 0, WARMUP)
    append(store, 0, WARMUP, BLOCK)
    append(store, 1, 0, WARMUP)
    path = tmp_path / "store" / name
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(InputError, match=r"expected (the draws|what was sampled) in .*, got .*damaged"):
        finish(opened(tmp_path / "store"))

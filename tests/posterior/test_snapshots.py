"""Snapshots of which effects are in: evenly spaced over the sweeps of a draw, 32 at most."""

from __future__ import annotations

import numpy as np
import pytest

import bayes_lmmlasso as bl
from bayes_lmmlasso.posterior.sampler.composite.kernel import Composite


@pytest.mark.parametrize(("sweeps", "snapshots"), [(1, 1), (20, 20), (32, 32), (33, 16), (70, 23), (200, 28)])
def test_a_draw_has_room_for_32_snapshots(sweeps, snapshots):
    assert Composite(sweeps=sweeps, block=64).snapshots == snapshots


def test_a_snp_that_is_always_in_is_so_at_every_snapshot(rng):
    """70 sweeps a draw, a snapshot after each third: 23 bits for a certain SNP, and what any SNP shows lies in them."""
    X = rng.normal(size=(60, 12))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = 2 * X[:, 3] + 0.3 * rng.normal(size=60)
    data = bl.rotate(X, bl.Eigenbasis.from_kinship(np.eye(60)), y=(y - y.mean()) / y.std(), covariates=np.ones((60, 1)))
    tree = bl.sample_posterior(data, "spike_slab", chains=1, warmup=10, draws=20, sweeps=70, seed=3)
    visits = tree["posterior"]["visits"].values
    assert tree.attrs["snapshots"] == 23
    assert (visits[..., 3] == 2**23 - 1).all()
    assert visits.max() == 2**23 - 1
    others = np.delete(np.bitwise_count(visits), 3, axis=2)
    assert 0 < others.mean() < 23
    np.testing.assert_array_equal(bl.window_table(tree, "4snps")["window_pip"][0], 1.0)

"""Chains that do not move are named, and no others."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayes_lmmlasso.posterior.summaries.movement import unmoved_chains


def tree_of(**sites):
    tree = xr.DataTree.from_dict(
        {"posterior": xr.Dataset({name: (("chain", "draw"), values) for name, values in sites.items()})}
    )
    tree.attrs["hyper"] = list(sites)
    return tree


def test_chains_that_stay_or_flip_between_neighbours_are_named(rng):
    draws = rng.normal(size=(3, 100)).astype(np.float32)
    h = draws.copy()
    h[0] = np.float32(0.9999994)
    h[2] = np.nextafter(np.float32(0.9999994), rng.choice(np.float32([0, 1]), size=100))
    assert unmoved_chains(tree_of(log_v=draws, h=h)) == {"h": (1, 3)}


def test_chains_that_move_are_not(rng):
    draws = rng.normal(size=(2, 100)).astype(np.float32)
    repeated = np.repeat(draws[:, ::5], 5, axis=1)  # one proposal of five accepted
    assert unmoved_chains(tree_of(log_v=draws, h=repeated)) == {}
    assert unmoved_chains(tree_of(h=draws[:, :2])) == unmoved_chains(tree_of(h=draws[:, :1])) == {}
    assert unmoved_chains(tree_of(h=np.zeros((2, 2)))) == {"h": (1, 2)}

"""Sampling in float32, as users do, where it has little room."""

from __future__ import annotations

import numpy as np

import bayes_lmmlasso as bl


def test_chains_move_where_nearly_all_of_the_trait_is_its_mean(rng):
    """A mean of -5.4 with standard deviation 0.94, well inside the prior, and little noise."""
    n, p = 40, 30
    X = rng.normal(size=(n, p))
    X = (X - X.mean(0)) / X.std(0)
    y = X @ rng.laplace(size=p) / np.sqrt(2 * p) + 0.01 * rng.normal(size=n)
    y = 0.94 * (y - y.mean()) / y.std()
    basis = bl.Eigenbasis.from_kinship(bl.gower_scale(bl.kinship(X)))
    options = {"chains": 2, "warmup": 30, "draws": 60, "sampler": "composite"}
    shifted, centred = (
        bl.sample_posterior(bl.rotate(X, basis, y=trait, covariates=np.ones((n, 1))), "laplace", **options)
        for trait in (y - 5.4, y)
    )
    h = shifted["posterior"]["h"].values
    assert h.dtype == np.float32
    assert min(len(np.unique(chain)) for chain in h) > 50
    assert shifted["sample_stats"]["n_steps"].mean() < 1.1 * centred["sample_stats"]["n_steps"].mean()
    logit = [np.log1p(-tree["posterior"]["h"].values.astype(float)).mean() for tree in (shifted, centred)]
    assert abs(logit[0] - logit[1]) < 0.5

"""BLUP against the conditional mean of a joint normal distribution."""

from __future__ import annotations

import numpy as np
import pytest

import bayes_lmmlasso as bl
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import blup


@pytest.fixture
def split(rng):
    X = rng.standard_normal((30, 200))
    K = X @ X.T / 200
    return K[20:, :20], K[:20, :20], rng.standard_normal(20)


def test_prediction_is_the_conditional_mean(split):
    cross, train, residual = split
    expected = cross @ np.linalg.inv(train + 0.7 * np.eye(20)) @ residual
    np.testing.assert_allclose(blup(cross, train, 0.7, residual), expected, rtol=1e-10)


def test_training_samples_shrink_towards_the_residual(split):
    _, train, residual = split
    np.testing.assert_allclose(blup(train, train, 1e-9, residual), residual, atol=1e-6)


@pytest.mark.parametrize(
    ("cross", "train", "delta", "message"),
    [
        (np.ones((3, 19)), np.eye(20), 1.0, r"new-by-training kinship: expected shape \(new samples, 20\)"),
        (np.full((3, 20), np.nan), np.eye(20), 1.0, "got 60 others"),
        (np.ones((3, 20)), np.eye(20), 0.0, "expected delta above 0, got 0"),
        (np.ones((3, 20)), -2.0 * np.eye(20), 1.0, "to be positive definite"),
    ],
)
def test_bad_input_is_refused(cross, train, delta, message):
    with pytest.raises(InputError, match=message):
        blup(cross, train, delta, np.ones(20))


def test_polygenic_effect_is_the_prediction_of_the_training_samples(rng):
    X = rng.standard_normal((40, 300))
    basis, Z = bl.Eigenbasis.from_kinship(X @ X.T / 300), np.ones((40, 1))
    y = X @ rng.standard_normal(300) / 15 + 0.5 * rng.standard_normal(40) + 3
    null = bl.fit_null_model(y, basis, Z, "reml")
    K = X @ X.T / 300
    expected = blup(K, K, null.delta, y - null.fixed_effects[0])
    np.testing.assert_allclose(bl.lmm.polygenic_effect(y, basis, Z), expected, rtol=1e-8)

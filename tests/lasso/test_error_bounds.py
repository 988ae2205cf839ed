"""Error bounds: closed forms, a published value, and the r-concave tail against random distributions."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_lmmlasso.lasso import error_bound
from bayes_lmmlasso.lasso.error_bounds import r_concave_tail


def test_meinshausen_buehlmann_is_theorem_1():
    assert error_bound(0.9, 20.0, 1000).meinshausen_buehlmann == pytest.approx(20**2 / (0.8 * 1000))


def test_unimodal_by_hand():
    """Shah and Samworth's theorem 2 at p = 9, q = 2, tau = 3/4, B = 50: C = 1 / (2 (1/2 - 1/100)), times q^2 / p."""
    assert error_bound(0.75, 2.0, 9, n_pairs=50).unimodal == pytest.approx(4 / 9 / 0.98, rel=1e-12)


def test_unimodal_is_continuous_at_three_quarters():
    low, high = (error_bound(t, 20.0, 1000, n_pairs=500).unimodal for t in (0.75, 0.75 + 1e-9))
    assert high == pytest.approx(low, rel=0.01)


@pytest.mark.parametrize("threshold", [0.6, 0.75, 0.9, 1.0])
def test_stronger_conditions_give_smaller_bounds(threshold):
    bound = error_bound(threshold, 20.0, 5000, n_pairs=50)
    assert 0.0 < bound.r_concave < bound.unimodal < bound.meinshausen_buehlmann


def test_bounds_whose_conditions_fail_are_nan():
    unpaired = error_bound(0.7, 20.0, 1000)
    assert np.isnan([unpaired.unimodal, unpaired.r_concave]).all()
    assert np.isnan(error_bound(0.7, 20.0, 1000, fraction=0.63).meinshausen_buehlmann)
    assert np.isnan(error_bound(0.505, 20.0, 1000, n_pairs=50).unimodal)
    assert np.isnan(error_bound(0.9, 70.0, 100, n_pairs=50).unimodal)


def random_r_concave(rng, B, r, mean):
    """A random r-concave distribution on 0..B whose mean is at most ``mean``: f^r convex for r < 0."""
    while True:
        knots = rng.uniform(0, B + 1, 4)
        slopes = rng.exponential(1.0, 4) * 10.0 ** rng.uniform(-3, 1, 4)
        i = np.arange(B + 1)
        convex = rng.exponential() + slopes[0] * i * rng.uniform() + np.maximum(i[:, None] - knots, 0.0) @ slopes
        f = convex ** (1.0 / r)
        f[i > rng.integers(1, B + 2)] = 0.0
        f /= f.sum()
        if i @ f <= mean:
            return f


@pytest.mark.parametrize(("B", "r", "eta"), [(10, -0.5, 0.05), (20, -0.25, 0.08), (12, -0.25, 0.2)])
def test_no_r_concave_distribution_exceeds_the_tail_bound(rng, B, r, eta):
    tails = np.zeros(B + 1)
    for _ in range(4000):
        f = random_r_concave(rng, B, r, eta * B)
        tails = np.maximum(tails, np.cumsum(f[::-1])[::-1])
    bounds = np.array([r_concave_tail(eta, t / B, B, r) for t in range(1, B + 1)])
    assert (tails[1:] <= bounds + 1e-12).all()


def test_tail_bound_is_attained():
    """Its maximiser is itself r-concave with the given mean (rebuilt here by a fine search over k and a)."""
    B, r, eta, t = 10, -0.5, 0.1, 7
    best = 0.0
    for k in range(t - 1, B):
        for a in np.geomspace(1e-3, 1e3, 20_001):
            w = (a + np.arange(k + 1)) ** (1.0 / r)
            c = (k + 1 - eta * B) / ((k + 1 - np.arange(k + 1)) @ w)
            rest = 1.0 - c * w.sum()
            if 0.0 <= rest <= c * (a + k + 1) ** (1.0 / r):
                best = max(best, c * w[t:].sum() + rest)
    assert r_concave_tail(eta, t / B, B, r) == pytest.approx(best, rel=1e-3)
    assert r_concave_tail(eta, t / B, B, r) >= best - 1e-12


def test_tail_that_the_mean_does_not_restrict():
    assert r_concave_tail(0.3, 0.5, 10, -0.5) == 1.0
    assert r_concave_tail(0.0, 0.5, 10, -0.5) == 0.0
    assert r_concave_tail(0.6, 0.9, 10, -0.5) == 1.0

"""The homotopy on small Gram matrices, above all where ties and dependence make it degenerate."""

from __future__ import annotations

import numpy as np
import pytest
from exact_lasso import coordinate_descent, kkt_violation

from bayes_lmmlasso.lasso.solver.homotopy import homotopy


@pytest.mark.parametrize("seed", range(30))
def test_random_problems(seed):
    """Wide, tall and correlated designs down to a small penalty: every knot is optimal."""
    rng = np.random.default_rng(seed)
    m, w = rng.integers(3, 30, 2)
    Z = rng.standard_normal((m, w)) + rng.uniform(0, 3) * rng.standard_normal((m, 1))
    y = rng.standard_normal(m)
    path = homotopy(Z, y, mu_min=1e-3 * np.abs(Z.T @ y).max())
    assert path.reached
    for mu, b in zip(path.mu, path.coef, strict=True):
        assert kkt_violation(Z, y, b, mu) < 1e-7


@pytest.mark.parametrize("seed", range(30))
def test_small_integers_with_exact_ties_and_duplicates(seed):
    """Few distinct values: columns repeat, enter together, are zero or depend on others."""
    rng = np.random.default_rng(seed)
    m, w = rng.integers(3, 12, 2)
    Z = rng.integers(-1, 2, (m, w)).astype(float)
    y = rng.integers(-2, 3, m).astype(float)
    largest = np.abs(Z.T @ y).max(initial=0.0)
    if largest == 0.0:
        Z[0, 0] = y[0] = largest = 1.0
    path = homotopy(Z, y, mu_min=1e-3 * largest)
    assert path.reached
    for mu, b in zip(path.mu, path.coef, strict=True):
        assert kkt_violation(Z, y, b, mu) < 1e-8


def test_orthonormal_ties_enter_together():
    path = homotopy(np.eye(4), np.array([3.0, 3.0, -3.0, 1.0]), mu_min=0.5)
    np.testing.assert_allclose(path.at(np.array([2.0]))[0], [1.0, 1.0, -1.0, 0.0], atol=1e-14)
    np.testing.assert_allclose(path.at(np.array([0.5]))[0], [2.5, 2.5, -2.5, 0.5], atol=1e-14)


def test_n_active_skips_segments_without_length():
    path = homotopy(np.eye(4), np.array([3.0, 3.0, -3.0, 1.0]), n_active=1)
    assert path.reached
    assert np.count_nonzero(path.coef[-1]) == 3
    assert path.mu[-1] == pytest.approx(2.0)


def test_only_one_of_equal_columns_enters():
    rng = np.random.default_rng(1)
    Z = rng.standard_normal((20, 5))
    Z = np.column_stack([Z, Z[:, 2], -Z[:, 3]])
    y = rng.standard_normal(20)
    mu = 0.02 * np.abs(Z.T @ y).max()
    b = homotopy(Z, y, mu_min=mu).coef[-1]
    assert (b[[2, 5]] != 0).sum() == 1
    assert (b[[3, 6]] != 0).sum() == 1
    reference = coordinate_descent(Z[:, :5], y, mu)
    np.testing.assert_allclose(Z @ b, Z[:, :5] @ reference, atol=1e-11)


def test_path_that_cannot_reach_its_goal_says_so():
    Z = np.random.default_rng(2).standard_normal((4, 10))
    path = homotopy(Z, np.ones(4), n_active=7, mu_min=1e-8)
    assert not path.reached
    assert path.mu[-1] == 1e-8


def test_penalty_above_the_largest_gives_zeros():
    path = homotopy(np.eye(3), np.ones(3), mu_min=2.0)
    np.testing.assert_array_equal(path.at(np.array([5.0, 2.0])), np.zeros((2, 3)))
    assert path.reached
    assert (path.entered == -1).all()

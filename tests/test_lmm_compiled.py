"""Compiled loops and LAPACK without Python's lock."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_lmmlasso.lmm.compiled import compiled
from bayes_lmmlasso.lmm.lapack import cholesky, solve_lower, tridiagonalise


def test_a_function_without_a_place_for_the_cache_is_compiled():
    names: dict = {}
    exec("def twice(x):\n    return x + x", names)
    assert compiled(names["twice"])(21) == 42


@pytest.mark.parametrize("m", [1, 2, 7, 130])
def test_factorizations(rng, m):
    A, B = rng.standard_normal((m, m + 2)), rng.standard_normal((m, 3))
    V = A @ A.T
    L = V.copy(order="F")
    assert cholesky(L)
    np.testing.assert_array_equal(np.triu(L, 1), np.triu(V, 1))
    L = np.asfortranarray(np.tril(L))
    np.testing.assert_allclose(L @ L.T, V, atol=1e-12 * m)
    np.testing.assert_allclose(L @ solve_lower(L, B), B, atol=1e-9)
    np.testing.assert_allclose(L.T @ solve_lower(L, B, transposed=True), B, atol=1e-9)
    K, W = V.copy(order="F"), B.copy(order="F")
    diagonal, off_diagonal = tridiagonalise(K, W)
    T = np.diag(diagonal) + np.diag(off_diagonal, 1) + np.diag(off_diagonal, -1)
    np.testing.assert_allclose(W.T @ W, B.T @ B, atol=1e-11)
    np.testing.assert_allclose(W.T @ T @ W, B.T @ V @ B, rtol=1e-11)
    np.testing.assert_allclose(np.linalg.eigvalsh(T), np.linalg.eigvalsh(V), atol=1e-11 * m)


def test_no_columns_and_no_definiteness():
    assert solve_lower(np.asfortranarray(np.eye(3)), np.empty((3, 0))).shape == (3, 0)
    assert not cholesky(np.asfortranarray(-np.eye(3)))


def test_the_wrong_layout_is_refused():
    with pytest.raises(TypeError, match="float64 in Fortran order, not on float64 with strides"):
        cholesky(np.ones((3, 3))[::2, ::2])
    with pytest.raises(TypeError, match="not on float32"):
        cholesky(np.ones((3, 3), dtype=np.float32))

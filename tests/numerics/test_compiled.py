"""Compiled loops and LAPACK without Python's lock."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_lmmlasso.numerics.compiled import compiled
from bayes_lmmlasso.numerics.lapack import LAPACK, cholesky, solve_triangular, submatrix, tridiagonalise


def test_a_function_without_a_place_for_the_cache_is_compiled():
    names: dict = {}
    exec("def twice(x):\n    return x + x", names)
    assert compiled(names["twice"])(21) == 42


@pytest.mark.parametrize("m", [1, 2, 7, 130])
def test_factorizations(rng, m):
    A, B = rng.standard_normal((m, m + 2)), rng.standard_normal((3, m))
    V = A @ A.T
    upper = V.copy()
    assert cholesky(LAPACK, upper)
    np.testing.assert_array_equal(np.tril(upper, -1), np.tril(V, -1))
    L = np.triu(upper).T
    np.testing.assert_allclose(L @ L.T, V, atol=1e-12 * m)
    for transposed, factor in ((False, L), (True, L.T)):
        solved = B.copy()
        solve_triangular(LAPACK, upper, solved, transposed)
        np.testing.assert_allclose(factor @ solved.T, B.T, atol=1e-9)
    W = B.copy()
    diagonal, off_diagonal = tridiagonalise(LAPACK, V.copy(), W)
    T = np.diag(diagonal) + np.diag(off_diagonal, 1) + np.diag(off_diagonal, -1)
    np.testing.assert_allclose(W @ W.T, B @ B.T, atol=1e-11)
    np.testing.assert_allclose(W @ T @ W.T, B @ V @ B.T, rtol=1e-11)
    np.testing.assert_allclose(np.linalg.eigvalsh(T), np.linalg.eigvalsh(V), atol=1e-11 * m)


def test_no_vectors_and_no_definiteness():
    nothing = np.empty((0, 3))
    solve_triangular(LAPACK, np.eye(3), nothing, False)
    assert nothing.shape == (0, 3)
    assert not cholesky(LAPACK, -np.eye(3))


def test_submatrix(rng):
    K, rows = rng.standard_normal((6, 6)), np.array([4, 0, 5])
    np.testing.assert_array_equal(np.triu(submatrix(K, rows, 2.0)), np.triu(K[np.ix_(rows, rows)] + 2.0 * np.eye(3)))


@pytest.mark.parametrize(
    "V", [np.ones((3, 3), order="F"), np.ones((4, 4))[::2, ::2], np.ones((3, 3), dtype=np.float32)]
)
def test_the_wrong_layout_is_refused(V):
    with pytest.raises(TypeError, match="float64 in C order"):
        cholesky(LAPACK, V)

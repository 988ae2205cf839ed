"""Compiled loops and LAPACK without Python's lock."""

from __future__ import annotations

import subprocess
import sys

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


OUTER = """
import inner
from bayes_lmmlasso.numerics.compiled import compiled
from inner import SHIFT, twice


@compiled
def by_a_neighbour(x):
    return neighbour(x)


@compiled
def neighbour(x):
    return twice(x)


@compiled
def by_a_module(x):
    return inner.half(x)


@compiled
def by_a_constant(x):
    return x + SHIFT


for function in (by_a_neighbour, by_a_module, by_a_constant):
    print(function(12.0), sum(function.stats.cache_hits.values()))
"""

INNER = """
from bayes_lmmlasso.numerics.compiled import compiled

SHIFT = {shift}


@compiled
def twice(x):
    return {factor} * x


@compiled
def half(x):
    return x / {divisor}
"""


def test_machine_code_of_a_changed_file_is_not_run(tmp_path):
    """Functions and a constant of another file, where the function's own file stays as it is."""
    outer = tmp_path / "outer.py"
    outer.write_text(OUTER)

    def values_and_hits(**inner: float) -> list[float]:
        (tmp_path / "inner.py").write_text(INNER.format(**inner))
        # without Python's own bytecode, which is not renewed when a file of equal size changes within a second
        found = subprocess.run([sys.executable, "-B", outer], capture_output=True, text=True, check=True)
        return [float(number) for number in found.stdout.split()]

    assert values_and_hits(factor=2, divisor=2, shift=1) == [24, 0, 6, 0, 13, 0]
    assert values_and_hits(factor=2, divisor=2, shift=1) == [24, 1, 6, 1, 13, 1]
    assert values_and_hits(factor=3, divisor=4, shift=5) == [36, 0, 3, 0, 17, 0]

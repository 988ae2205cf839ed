"""The genotype handle: checks, duplicates, weights, memory-mapped files."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso import Genotypes, lasso_path, stability_selection
from bayes_lmmlasso.lmm import Eigenbasis, kinship


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_representative_is_the_first_equal_column_up_to_sign(rng, dtype):
    X = rng.standard_normal((30, 12))
    X[:, 4], X[:, 7], X[:, 9] = X[:, 1], -X[:, 1], X[:, 8]
    X[:, [3, 11]] = 0.0
    X[0, 5] = X[0, 6] + 1e-3
    X[1:, 5] = X[1:, 6]
    genotypes = Genotypes.of(X.astype(dtype), 30)
    np.testing.assert_array_equal(genotypes.representative, [0, 1, 2, 3, 1, 5, 6, 1, 8, 8, 10, 3])
    assert genotypes.n_classes == 8
    assert genotypes.norm >= np.linalg.norm(X, axis=0).max() * (1 - 1e-7)


def test_representatives_of_many_equal_columns(rng):
    """Only 2^5 patterns up to sign among 2,000 columns of 6 signs."""
    X = np.where(rng.random((6, 2000)) < 0.5, -1.0, 1.0)
    representative = Genotypes.of(X).representative
    canonical = X * X[0]
    first = {}
    expected = [first.setdefault(tuple(column), j) for j, column in enumerate(canonical.T)]
    np.testing.assert_array_equal(representative, expected)


def test_a_handle_gives_what_the_array_gives(rng):
    X, K = rng.standard_normal((30, 80)), kinship(rng.standard_normal((30, 60)))
    y = rng.standard_normal(30)
    handle = Genotypes.of(X)
    basis = Eigenbasis.from_kinship(K)
    one, two = (lasso_path(x, y, basis, 0.7, n_active=8) for x in (X, handle))
    np.testing.assert_array_equal(one.coef, two.coef)
    one, two = (stability_selection(x, y, K, n_active=3, n_subsamples=4) for x in (X, handle))
    np.testing.assert_array_equal(one.frequency, two.frequency)
    with pytest.raises(InputError, match="expected 29 samples, got 30"):
        lasso_path(handle, y[:29], Eigenbasis.from_kinship(K[:29, :29]), 0.7, n_active=8)


def test_weights_scale_columns_and_infinity_leaves_out(rng):
    X, weights = rng.standard_normal((30, 40)), rng.uniform(0.5, 2.0, 40)
    weights[5] = np.inf
    genotypes = Genotypes.of(X).weighted(weights)
    np.testing.assert_allclose(genotypes.columns(np.arange(40)), X / weights)
    Q = rng.standard_normal((30, 3))
    np.testing.assert_allclose(genotypes.product(slice(0, 40), Q), Q.T @ (X / weights), atol=1e-12)


@pytest.mark.parametrize("weights", [np.ones(39), np.zeros(40), np.full(40, np.inf), np.full(40, np.nan)])
def test_bad_weights_are_refused(rng, weights):
    with pytest.raises(InputError, match="weights: expected 40 values above 0"):
        Genotypes.of(rng.standard_normal((30, 40))).weighted(weights)


def test_a_file_larger_than_memory_is_streamed(tmp_path):
    """3 GB of genotypes, mostly a hole, under a limit of 2 GB for everything that is no file."""
    script = """
import resource, sys
import numpy as np
from bayes_lmmlasso.lasso import stability_selection
resource.setrlimit(resource.RLIMIT_DATA, (2 << 30, 2 << 30))
n, p = 400, 1_900_000
X = np.memmap(sys.argv[1], dtype=np.float32, mode="r+", shape=(p, n)).T
rng = np.random.default_rng(0)
X[:, -2000:] = rng.standard_normal((n, 2000))
y = X[:, -1] + X[:, -2] + rng.standard_normal(n)
result = stability_selection(X, y, np.eye(n), n_active=5, n_subsamples=10)
print(*np.flatnonzero(result.selected), result.duality_gap.max() < 1e-10)
"""
    path = tmp_path / "genotypes.f32"
    with path.open("wb") as file:
        file.truncate(4 * 400 * 1_900_000)
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1899998", "1899999", "True"]

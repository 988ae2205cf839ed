"""Screening in float32 against plain float64 products, and duplicates."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_lmmlasso.lasso.genotypes import Genotypes


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("block_bytes", [8 * 2**20, 2_000])
def test_violators_and_largest_are_those_of_float64(rng, dtype, block_bytes, monkeypatch):
    monkeypatch.setattr("bayes_lmmlasso.lasso.genotypes._BLOCK_BYTES", block_bytes)
    X = rng.standard_normal((50, 400)).astype(dtype)
    Q = rng.standard_normal((50, 9))
    exact = np.abs(X.astype(float).T @ Q)
    mu = np.sort(exact, axis=0)[-np.arange(1, 10), np.arange(9)]  # exactly t SNPs reach mu_t
    found = Genotypes.of(X, 50).screen(Q, mu, slack=1e-9)
    np.testing.assert_allclose(found.largest, exact.max(axis=0) / mu, rtol=1e-13)
    expected = exact / mu > 1 + 1e-9
    assert set(zip(found.snp, found.point, strict=True)) == set(zip(*np.nonzero(expected), strict=True))
    np.testing.assert_allclose(found.ratio, (exact / mu)[found.snp, found.point], rtol=1e-13)


def test_values_far_below_mu_stand_as_zero(rng):
    found = Genotypes.of(rng.standard_normal((20, 30)).astype(np.float32), 20).screen(
        np.ones((20, 1)), np.array([1e9]), 0
    )
    assert found.largest.tolist() == [0.0]
    assert found.snp.size == 0


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_representative_is_the_first_equal_column_up_to_sign(rng, dtype):
    X = rng.standard_normal((30, 12))
    X[:, 4], X[:, 7], X[:, 9] = X[:, 1], -X[:, 1], X[:, 8]
    X[:, [3, 11]] = 0.0
    X[0, 5] = X[0, 6] + 1e-3
    X[1:, 5] = X[1:, 6]
    representative = Genotypes.of(X.astype(dtype), 30).representative
    np.testing.assert_array_equal(representative, [0, 1, 2, 3, 1, 5, 6, 1, 8, 8, 10, 3])

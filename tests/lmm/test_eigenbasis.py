"""The eigenbasis: decomposition, rotation and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import Eigenbasis


@pytest.fixture
def basis(rng):
    X = rng.standard_normal((12, 8))
    return X @ X.T, Eigenbasis.from_kinship(X @ X.T)


def test_decomposition_is_orthonormal_and_rebuilds_the_matrix(basis):
    K, e = basis
    np.testing.assert_allclose(e.vectors.T @ e.vectors, np.eye(12), atol=1e-13)
    np.testing.assert_allclose(e.vectors * e.values @ e.vectors.T, K, atol=1e-12)


def test_rounding_below_zero_is_clipped(basis):
    assert np.linalg.eigvalsh(basis[0]).min() < 1e-12  # rank 8 of 12
    assert basis[1].values.min() >= 0.0
    assert (np.diff(basis[1].values) >= 0.0).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rotation_in_float64(basis, rng, dtype):
    A = rng.standard_normal((12, 3)).astype(dtype)
    rotated = basis[1].rotate(A)
    assert rotated.dtype == np.float64
    np.testing.assert_allclose(rotated, basis[1].vectors.T @ A.astype(float), atol=1e-13)
    np.testing.assert_allclose(basis[1].rotate(A[:, 0]), rotated[:, 0], atol=1e-13)


def test_rows_must_match(basis):
    with pytest.raises(InputError, match=r"expected an array with 12 rows.*got shape \(11, 2\)"):
        basis[1].rotate(np.ones((11, 2)))


def test_indefinite_matrix_is_refused_by_name():
    with pytest.raises(InputError, match="mine: expected a positive semi-definite matrix"):
        Eigenbasis.from_kinship(np.array([[0.0, 1.0], [1.0, 0.0]]), source="mine")

"""Kinships written with few digits: what rounding explains is mended, and nothing more."""

from __future__ import annotations

import numpy as np
import pytest
from kinship_files import plain_text

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm.files.read import read_given_kinship
from bayes_lmmlasso.lmm.files.rounding import without_rounding
from bayes_lmmlasso.lmm.files.stored import decimals


@pytest.fixture
def singular(rng):
    """Kinship of 40 samples with 25 SNPs: 15 eigenvalues are 0, and rounding moves them to both sides."""
    W = rng.normal(size=(40, 25))
    return W @ W.T / 25


@pytest.mark.parametrize("digits", [2, 3, 4, 5])
@pytest.mark.parametrize("form", ["{:.%df}", "{:.%dg}"])
def test_eigenvalues_within_rounding_become_0(tmp_path, singular, digits, form):
    written = form % digits
    K = np.array([[float(written.format(value)) for value in row] for row in singular])
    given = read_given_kinship(plain_text(tmp_path, None, K))
    (remark,) = given.remarks
    assert "set to 0" in remark.text
    assert not remark.caution
    values = np.linalg.eigvalsh(given.matrix)
    assert values.min() > -1e-12
    assert values.max() == pytest.approx(np.linalg.eigvalsh(K).max(), rel=1e-3)
    np.testing.assert_allclose(given.matrix, singular, atol=40 * 0.5 * 10.0 ** -(digits - ("g" in form)))


def test_eigenvalues_beyond_rounding_are_refused_with_the_way_out(tmp_path, singular):
    K = np.round(singular, 4) - 0.2 * np.eye(40)
    with pytest.raises(InputError, match=r"smallest eigenvalue -0\.2.*rounding explains -0\.002: have it estimated"):
        read_given_kinship(plain_text(tmp_path, None, np.round(K, 4)))


def test_a_matrix_of_full_precision_has_no_rounding(tmp_path, singular):
    given = read_given_kinship(plain_text(tmp_path, None, singular))
    np.testing.assert_array_equal(given.matrix, singular)
    assert given.remarks == ()
    with pytest.raises(InputError, match=r"smallest eigenvalue -0\.01.*have it estimated"):
        read_given_kinship(plain_text(tmp_path, None, singular - 0.01 * np.eye(40)))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[1.0685, 0.0411471], [0.0411471, 1.12]], 4),  # significant digits: the largest values have the fewest
        ([[1.0, 0.25], [0.25, 1.0]], 2),  # a diagonal of whole numbers says nothing
        ([[12.5, 0.25], [0.25, 11.25]], 2),
        ([[1.0, 0.0], [0.0, 1.0]], None),
        ([[1 / 3, 0.0], [0.0, 1.0]], None),
    ],
)
def test_decimals_are_those_of_the_largest_values(values, expected):
    assert decimals(np.array(values)) == expected


def test_triangles_that_differ_by_rounding_become_their_mean():
    K = np.array([[1.0, 0.31], [0.32, 1.0]])
    matrix, remarks = without_rounding(K, 0.005, "k.txt")
    np.testing.assert_array_equal(matrix, [[1.0, 0.315], [0.315, 1.0]])
    assert remarks == ()
    with pytest.raises(InputError, match=r"k\.txt: expected a symmetric matrix"):
        without_rounding(K, 0.0005, "k.txt")

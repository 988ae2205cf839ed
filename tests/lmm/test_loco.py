"""Kinship without a chromosome, and among contrasts, against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

import bayes_lmmlasso as bl
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import ContrastBasis


@pytest.fixture
def dosages(rng):
    return rng.binomial(2, rng.uniform(0.1, 0.9, 60), (25, 60)).astype(float)


@pytest.mark.parametrize("method", ["rrm", "centred", "ibs"])
def test_the_kinship_without_a_chromosome_is_that_of_the_others(dosages, rng, method):
    chromosomes = rng.permutation(np.repeat(["X", "2", "10"], [30, 20, 10]))
    yielded = dict(bl.lmm.leave_one_chromosome_out(dosages, chromosomes, method))
    assert list(yielded) == list(dict.fromkeys(chromosomes))
    for chromosome, K in yielded.items():
        np.testing.assert_allclose(K, bl.kinship(dosages[:, chromosomes != chromosome], method), atol=1e-12)


@pytest.mark.parametrize(
    ("chromosomes", "message"),
    [(np.ones(60), "expected at least two to leave one out"), (np.ones(59), r"got shape \(59,\)")],
)
def test_nothing_to_leave_out_is_refused(dosages, chromosomes, message):
    with pytest.raises(InputError, match=message):
        next(bl.lmm.leave_one_chromosome_out(dosages, chromosomes))


@pytest.mark.parametrize("method", ["lm", "lmm-p3d", "lmm-exact"])
def test_scan_by_chromosome_is_a_scan_of_each(dosages, rng, method):
    chromosomes = rng.permutation(np.repeat([1, 2, 3], 20))
    y, Z = rng.standard_normal(25), np.ones((25, 1))
    kinships = list(bl.lmm.leave_one_chromosome_out(dosages, chromosomes))
    result = bl.scan.scan_by_chromosome(dosages, y, chromosomes, kinships, covariates=Z, method=method)
    for chromosome in (1, 2, 3):
        on = chromosomes == chromosome
        part = bl.scan.scan(dosages[:, on], y, bl.kinship(dosages[:, ~on]), covariates=Z, method=method)
        np.testing.assert_allclose(result.log10_p[on], part.log10_p, rtol=1e-9)
        np.testing.assert_allclose(result.log_delta[on], part.log_delta, rtol=1e-6)
    with pytest.raises(InputError, match="got none for 3"):
        bl.scan.scan_by_chromosome(dosages, y, chromosomes, kinships_without(kinships, 3), covariates=Z, method=method)


def kinships_without(kinships, chromosome):
    return [pair for pair in kinships if pair[0] != chromosome]


@pytest.mark.parametrize("q", [0, 1, 3])
@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("decomposed", [True, False])
def test_contrasts_are_orthonormal_and_diagonalise_the_kinship(dosages, rng, q, centred, decomposed):
    K = bl.kinship(dosages, "centred" if centred else "ibs")
    Z = np.column_stack([np.ones(25), rng.standard_normal((25, 2))])[:, :q]
    basis = ContrastBasis.of(bl.Eigenbasis.from_kinship(K) if decomposed else K, Z)
    A = basis.vectors
    assert A.shape == (25, 25 - q)
    np.testing.assert_allclose(A.T @ A, np.eye(25 - q), atol=1e-12)
    np.testing.assert_allclose(A.T @ Z, 0.0, atol=1e-11)
    np.testing.assert_allclose(A.T @ K @ A, np.diag(basis.values), atol=1e-12)


def test_an_eigenbasis_that_holds_the_intercept_is_taken_over(dosages, monkeypatch):
    basis = bl.Eigenbasis.from_kinship(bl.kinship(dosages))
    monkeypatch.setattr(np.linalg, "eigh", lambda K: 1 / 0)
    assert ContrastBasis.of(basis, np.ones((25, 1))).values.tolist() == basis.values[1:].tolist()

"""What is said of a null model that cannot tell genetic from residual variance."""

from __future__ import annotations

import numpy as np
import pytest

import bayes_lmmlasso as bl
from bayes_lmmlasso.lmm import Eigenbasis, LowRankBasis, fit_null_model, null_remarks
from bayes_lmmlasso.lmm.identification import eigenvalue_variation


def basis_of(K):
    return Eigenbasis.from_kinship(bl.gower_scale(K))


def test_the_variation_is_that_of_the_centred_kinship(rng):
    W = rng.normal(size=(30, 12))
    P = np.eye(30) - 1 / 30
    values = np.linalg.eigvalsh(P @ W @ W.T @ P)[1:]
    for basis in (Eigenbasis.from_kinship(W @ W.T), LowRankBasis.from_factor(W)):
        assert eigenvalue_variation(basis) == pytest.approx(values.std() / values.mean(), rel=1e-9)


@pytest.mark.parametrize("K", [np.eye(50), 3 * np.eye(50) + 0.7, np.eye(50) + 1e-9 * np.ones((50, 50))])
def test_equally_related_samples_are_named(rng, K):
    basis = basis_of(K)
    (remark,) = null_remarks(fit_null_model(rng.normal(size=50), basis, np.ones((50, 1)), "reml"), basis)
    assert remark.caution
    assert "holds no relatedness" in remark.text
    assert "PVE means nothing" in remark.text


def test_a_useless_standard_error_is_told(rng):
    X = rng.normal(size=(60, 5000))  # unrelated: eigenvalues near 1
    basis = basis_of(X @ X.T / 5000)
    found = []
    for seed in range(20):
        y = np.random.default_rng(seed).normal(size=60)
        null = fit_null_model(y, basis, np.ones((60, 1)), "reml")
        remarks = null_remarks(null, basis)
        assert [remark.text.startswith("the standard error of PVE is") for remark in remarks] == [True] * (
            null.pve_se > 0.5
        )
        found += remarks
    assert found


def test_a_null_model_that_knows_needs_no_remark():
    cohort = bl.simulate_cohort(n_samples=200, n_variants=500, seed=1)
    cohort = cohort.assign(height=("samples", bl.simulate_trait(cohort, n_causal=3, seed=1).y))
    analysis = bl.prepare(cohort, "height")
    basis = basis_of(bl.kinship(analysis.X))
    null = fit_null_model(analysis.y, basis, analysis.covariates, "reml")
    assert null.pve_se < 0.5
    assert null_remarks(null, basis) == ()

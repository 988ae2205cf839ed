"""The stepwise mixed model: its steps against single fits, and what it finds that a scan does not."""

from __future__ import annotations

import shutil
from math import comb, log

import numpy as np
import pytest

import bayes_lmmlasso as bl
from bayes_lmmlasso.errors import InputError


@pytest.fixture
def masked(rng):
    """SNP 3 is correlated with the stronger SNP 15, so that its own test sees next to nothing; SNP 70 is plain."""
    n, p = 200, 120
    X = rng.standard_normal((n, p))
    X[:, 3] = 0.6 * X[:, 15] + 0.8 * X[:, 3]
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    K = bl.kinship(X[:, 20:60])
    u = rng.multivariate_normal(np.zeros(n), 0.4 * K)
    y = 1.2 * X[:, 15] - 0.72 * X[:, 3] + 0.5 * X[:, 70] + u + 0.5 * rng.standard_normal(n)
    return X, y, K, np.ones((n, 1))


@pytest.mark.parametrize("criterion", ["ebic", "mbonf"])
def test_planted_snps_that_mask_each_other_are_found(masked, criterion):
    X, y, K, Z = masked
    single = bl.scan.scan(X, y, K, covariates=Z, method="lmm-exact")
    assert single.p[3] > 0.05 / 120  # the scan misses it
    found = bl.scan.mlmm(X, y, K, covariates=Z, max_steps=6, criterion=criterion)
    assert set(found.selected.tolist()) == {3, 15, 70}
    assert set(np.argsort(found.scan.log10_p)[:3].tolist()) == {3, 15, 70}


def test_every_step_is_the_fit_it_says(masked):
    X, y, K, Z = masked
    basis = bl.Eigenbasis.from_kinship(K)
    found = bl.scan.mlmm(X, y, basis, covariates=Z, max_steps=4)
    assert [step.direction for step in found.steps] == ["forward"] * 5 + ["backward"] * 3
    for k, step in enumerate(found.steps):
        A = np.column_stack([Z, X[:, step.cofactors]])
        null = bl.fit_null_model(y, basis, A, "reml")
        assert step.null_model.log_delta == pytest.approx(null.log_delta, abs=1e-6)
        likelihood = bl.fit_null_model(y, basis, A, "ml").log_likelihood
        size = step.cofactors.size
        expected = -2 * likelihood + (size + 3) * log(200) + 2 * log(comb(120, size))
        assert step.extended_bic == pytest.approx(expected, rel=1e-9)
        for j, log10_p in zip(step.cofactors, step.log10_p, strict=True):
            others = np.column_stack([Z, X[:, step.cofactors[step.cofactors != j]]])
            alone = bl.scan.scan(X[:, [j]], y, basis, covariates=others, delta=null.delta)
            assert log10_p == pytest.approx(alone.log10_p[0], rel=1e-6)
        if 0 < k < 5:  # the added SNP is the best given those before
            before = found.steps[k - 1]
            A = np.column_stack([Z, X[:, before.cofactors]])
            scanned = bl.scan.scan(X, y, basis, covariates=A, delta=before.null_model.delta)
            assert step.cofactors[-1] == np.nanargmin(scanned.log10_p)
        if k >= 5:  # the dropped SNP is the weakest of those before
            before = found.steps[k - 1]
            assert set(before.cofactors) - set(step.cofactors) == {before.cofactors[before.log10_p.argmax()]}
    assert found.chosen == np.argmin([step.extended_bic for step in found.steps])


def test_nothing_is_selected_where_nothing_is(rng):
    X = rng.standard_normal((100, 80))
    K = bl.kinship(X)
    y = rng.multivariate_normal(np.zeros(100), K + np.eye(100), method="cholesky")
    for criterion in ("ebic", "mbonf"):
        found = bl.scan.mlmm(X, y, K, covariates=np.ones((100, 1)), max_steps=3, criterion=criterion)
        assert found.selected.size == 0


def test_a_trait_without_noise_ends_the_search(rng):
    X = rng.standard_normal((50, 30))
    y = X[:, 2] + 0.5 * X[:, 8]
    found = bl.scan.mlmm(X, y, bl.kinship(X), covariates=np.ones((50, 1)), max_steps=6)
    assert set(found.selected.tolist()) <= {2, 8}
    assert max(step.cofactors.size for step in found.steps) <= 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"criterion": "aic"}, "expected criterion ebic or mbonf"),
        ({"alpha": 0.0}, r"alpha in \(0, 1\)"),
        ({"max_steps": 50}, "expected max_steps from 0 to 30, got 50"),
    ],
)
def test_bad_options_are_refused(rng, change, message):
    X = rng.standard_normal((50, 30))
    with pytest.raises(InputError, match=message):
        bl.scan.mlmm(X, rng.standard_normal(50), bl.kinship(X), **change)


@pytest.mark.parametrize("name", bl.compare.BASELINES)
def test_every_baseline_scores_a_strong_snp_first(masked, rng, name):
    if name == "bslmm" and shutil.which("gemma") is None:
        pytest.skip("gemma is not on the PATH: install the Debian package gemma to run the BSLMM")
    if name == "susie":
        pytest.importorskip("pysusie", reason="the package pysusie, of the group bench, is not installed")
    X, _, K, Z = masked
    y = 0.8 * X[:, 90] + 0.5 * rng.standard_normal(len(X))
    scores = bl.compare.BASELINES[name](X, y, bl.Eigenbasis.from_kinship(K), Z)
    assert scores.shape == (120,)
    assert np.isfinite(scores).all()
    assert (scores >= 0).all()
    assert scores.argmax() == 90

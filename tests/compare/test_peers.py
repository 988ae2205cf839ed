"""Peers of the posterior that have no polygenic term: SuSiE, and spike_slab with the kinship left out."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import numpy as np
import pytest

import bayes_lmmlasso as bl


def _problem(rng, n=80, p=30):
    """Return SNPs, a trait of SNP 3 and a covariate, a kinship unlike that of the SNPs, and Z with the intercept."""
    X = rng.standard_normal((n, p))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    Z = np.column_stack([np.ones(n), rng.standard_normal(n)])
    y = X[:, 3] + 2 * Z[:, 1] + 0.5 * rng.standard_normal(n)
    A = rng.standard_normal((n, 5))
    return X, (y - y.mean()) / y.std(), A @ A.T / 5 + np.eye(n), Z


def test_without_the_polygenic_term_the_kinship_plays_no_part(rng):
    X, y, K, Z = _problem(rng)
    bases = [bl.Eigenbasis.from_kinship(matrix) for matrix in (K, np.eye(len(y)))]
    method = bl.compare.BASELINES["spike_slab-pip-no-polygenic"]
    first, second = (method(X, y, basis, Z, warmup=5, draws=20, seed=1) for basis in bases)
    np.testing.assert_array_equal(first, second)
    assert first[3] > 0.9
    assert np.delete(first, 3).max() < 0.5


def test_without_kinship_and_signal_there_is_nothing_to_share(rng):
    """Draws without any SNP have no genetic variance: pge of 0 of 0 is 0."""
    X, _, K, Z = _problem(rng)
    y = rng.standard_normal(len(X))
    method = bl.compare.BASELINES["spike_slab-pip-no-polygenic"]
    pip = method(X, y, bl.Eigenbasis.from_kinship(K), Z, warmup=5, draws=20, seed=1)
    assert 0 < pip.max() < 0.5


def test_susie_finds_the_snp_beside_a_covariate(rng):
    if find_spec("pysusie") is None:
        pytest.skip("pysusie is not installed: install the dependency group bench to run SuSiE")
    X, y, _, Z = _problem(rng)
    X = np.column_stack([X, 2 * Z[:, 1] - 1])  # nothing is left of it
    pip = bl.compare.susie(X, y, covariates=Z)
    assert pip[3] > 0.99
    assert pip[[*range(3), *range(4, 30)]].max() < 0.1
    assert np.isnan(pip[30])
    free = np.linalg.qr(Z)[0]
    rest = y - free @ (free.T @ y)
    np.testing.assert_allclose(bl.compare.susie(X[:, :30], 3 * rest + 7), bl.compare.susie(X[:, :30], rest), atol=1e-6)


def test_susie_says_what_it_needs(rng, monkeypatch):
    X, y, _, Z = _problem(rng)
    with pytest.raises(bl.InputError, match="n_effects of at least 1"):
        bl.compare.susie(X, y, covariates=Z, n_effects=0)
    monkeypatch.setitem(sys.modules, "pysusie", None)
    with pytest.raises(bl.InputError, match="expected the package pysusie for the method susie, got none"):
        bl.compare.susie(X, y)

"""The implicit eigenbasis of a kinship of low rank against the dense one of the same matrix."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import bayes_lmmlasso as bl

N, K = 70, 6


@pytest.fixture
def factor(rng):
    W = rng.normal(size=(N, K))
    return (W - W.mean(axis=0)) / np.sqrt(K)


@pytest.fixture
def data(rng, factor):
    X = rng.normal(size=(N, 90))
    y = 2.0 * factor @ rng.normal(size=K) + 0.8 * X[:, 4] + rng.normal(size=N)
    return X, y, np.column_stack([np.ones(N), rng.normal(size=N)])


@pytest.fixture
def bases(factor):
    return bl.lmm.LowRankBasis.from_factor(factor), bl.Eigenbasis.from_kinship(factor @ factor.T)


def factors(rng):
    plain = rng.normal(size=(N, K))
    below = plain.copy()
    below[:K] = 0.0  # the first rows of U are 0
    return {
        "plain": plain,
        "one column": plain[:, :1],
        "more than half": rng.normal(size=(N, N - 9)),
        "repeated columns": np.column_stack([plain, plain[:, :3]]),
        "zero rows": below,
        "unit vectors": np.eye(N)[:, :K],
        "large and small": plain * 10.0 ** np.arange(-3, K - 3),
    }


@pytest.mark.parametrize("name", list(factors(np.random.default_rng(0))))
def test_it_is_an_orthonormal_eigenbasis(rng, name):
    W = factors(rng)[name]
    basis = bl.lmm.LowRankBasis.from_factor(W)
    kinship = W @ W.T
    U = basis.rotate(np.eye(N)).T
    scale = np.abs(kinship).max()
    np.testing.assert_allclose(U.T @ U, np.eye(N), atol=1e-13)
    np.testing.assert_allclose((U * basis.values) @ U.T, kinship, atol=1e-12 * scale)
    np.testing.assert_allclose(basis.values, np.maximum(np.linalg.eigvalsh(kinship), 0.0), atol=1e-12 * scale)
    assert (np.diff(basis.values) >= 0.0).all()
    assert basis.rank == np.linalg.matrix_rank(W) == np.count_nonzero(basis.values)
    A = rng.normal(size=(N, 3))
    np.testing.assert_allclose(basis.rotate(A), U.T @ A, atol=1e-13)
    np.testing.assert_allclose(basis.rotate(A[:, 0]), U.T @ A[:, 0], atol=1e-13)
    np.testing.assert_allclose(basis.unrotate(basis.rotate(A)), A, atol=1e-13)
    np.testing.assert_allclose(basis.unrotate(A[:, 0]), U @ A[:, 0], atol=1e-13)
    np.testing.assert_allclose(basis.row_rotation(np.float64)(A.T), A.T @ U, atol=1e-13)
    np.testing.assert_allclose(basis.row_rotation(np.float32)(A.T.astype(np.float32)), A.T @ U, atol=1e-5)


@pytest.mark.parametrize("method", ["ml", "reml"])
def test_the_null_model_is_that_of_the_dense_basis(bases, data, method):
    _, y, Z = data
    low, dense = (bl.fit_null_model(y, basis, Z, method) for basis in bases)
    for name in ("log_delta", "sigma2_g", "sigma2_e", "pve", "pve_se", "log_likelihood", "fixed_effects", "profile"):
        np.testing.assert_allclose(getattr(low, name), getattr(dense, name), rtol=1e-8, err_msg=name)


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-9), (np.float32, 1e-3)])
def test_the_scan_is_that_of_the_dense_basis(bases, data, dtype, rtol):
    X, y, Z = data
    low = bl.scan.scan(X.astype(dtype), y, bases[0], covariates=Z, delta=0.7)
    dense = bl.scan.scan(X, y, bases[1], covariates=Z, delta=0.7)
    np.testing.assert_allclose(low.beta, dense.beta, rtol=rtol, atol=1e-3 * rtol)
    np.testing.assert_allclose(low.se, dense.se, rtol=rtol)
    np.testing.assert_allclose(low.log10_p, dense.log10_p, rtol=rtol, atol=rtol)


def test_the_lasso_path_is_that_of_the_dense_basis_and_of_the_matrix(bases, data, factor):
    X, y, Z = data
    low, *others = (bl.lasso_path(X, y, basis, 0.7, n_active=8, covariates=Z) for basis in (*bases, factor @ factor.T))
    for other in others:
        np.testing.assert_allclose(low.mu, other.mu, rtol=1e-9)
        np.testing.assert_allclose(low.coef, other.coef, atol=1e-8)
        np.testing.assert_allclose(low.fixed_effects, other.fixed_effects, atol=1e-8)
    assert low.duality_gap.max() < 1e-8


def test_stepwise_search_and_joint_map_are_those_of_the_dense_basis(bases, data):
    X, y, Z = data
    low, dense = (bl.scan.mlmm(X, y, basis, covariates=Z, max_steps=3) for basis in bases)
    assert 4 in low.selected
    np.testing.assert_array_equal(low.selected, dense.selected)
    np.testing.assert_allclose(low.scan.log10_p, dense.scan.log10_p, atol=1e-6)
    low, dense = (bl.lasso.joint_map(X, y, basis, n_active=4, covariates=Z) for basis in bases)
    np.testing.assert_allclose(low.objective, dense.objective, rtol=1e-8)


def test_what_needs_the_matrix_says_so(bases, data):
    X, y, Z = data
    for call in (
        lambda basis: bl.rotate(X, basis, y=y),
        lambda basis: bl.scan.scan(X, y, basis, covariates=Z, method="lmm-exact"),
        lambda basis: bl.stability_selection(X, y, basis, n_active=3),
        lambda basis: bl.lmm.null_deltas(y[:, None], basis),
        bl.Eigenbasis.from_kinship,
        bl.gower_scale,
    ):
        with pytest.raises(bl.InputError, match=r"got a LowRankBasis, .* 70 x 70 matrix is never formed"):
            call(bases[0])


@pytest.mark.parametrize(
    ("W", "message"),
    [
        (np.ones((4, 4)), r"k below n, got \(4, 4\)"),
        (np.ones(4), r"got \(4,\)"),
        (np.zeros((4, 2)), "not all 0"),
        (np.full((4, 2), np.nan), "expected finite values"),
    ],
)
def test_bad_factors_are_refused(W, message):
    with pytest.raises(bl.InputError, match=message):
        bl.lmm.LowRankBasis.from_factor(W)


def test_rows_are_checked(bases):
    with pytest.raises(bl.InputError, match=r"expected an array with 70 rows, .* got shape \(69, 2\)"):
        bases[0].rotate(np.ones((69, 2)))


def analyse(W, X, y):
    """Null model, scan and path."""
    basis = bl.lmm.LowRankBasis.from_factor(W)
    Z = np.ones((len(y), 1))
    null = bl.fit_null_model(y, basis, Z, "reml")
    bl.scan.scan(X, y, basis, covariates=Z, delta=null.delta)
    return bl.lasso_path(X, y, basis, null.delta, n_active=5, covariates=Z)


def test_no_matrix_of_samples_by_samples_is_formed(rng, factor, data):
    analyse(factor, *data[:2])  # compiles
    n, k = 5_000, 40
    X = rng.normal(size=(n, 200)).astype(np.float32, order="F")
    W = X[:, :k] / np.sqrt(k)
    y = W.sum(axis=1) + 0.5 * X[:, 90] + rng.normal(size=n)
    tracemalloc.start()
    try:
        path = analyse(W, X, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert path.coef[-1, 90] != 0.0
    assert peak < 8 * n * n / 2  # half of one such matrix in float64, and all of it in float32

"""Single-SNP scans against dense brute force, invariances and their null distribution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import null_space
from scipy.optimize import minimize_scalar
from scipy.stats import kstest, linregress, t

import bayes_lmmlasso as bl
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.scan.exact import LOG_DELTA_BOUNDS
from bayes_lmmlasso.scan.wald import log10_p_value

METHODS = ("lm", "lmm-p3d", "lmm-exact")


@pytest.fixture(params=[0, 1, 3])
def problem(request, rng):
    """Dosages, a trait with half of its variance from kinship, q covariates; K is not centred."""
    n = 60
    X = rng.binomial(2, rng.uniform(0.1, 0.9, 40), (n, 40)).astype(float)
    K = bl.kinship(X + rng.standard_normal((n, 40)), "centred") + 0.3
    Z = np.column_stack([np.ones(n), rng.standard_normal((n, 2))])[:, : request.param]
    y = rng.multivariate_normal(2.0 + 0.4 * X[:, 0], K + 0.5 * np.eye(n), method="cholesky")
    return X, y, K, Z


def dense_wald(x, y, V, Z):
    """Generalised least squares with an explicit inverse: effect, standard error and p-value of x."""
    A, Vi = np.column_stack([Z, x]), np.linalg.inv(V)
    covariance = np.linalg.inv(A.T @ Vi @ A)
    estimate = covariance @ A.T @ Vi @ y
    degrees = len(y) - A.shape[1]
    residual = y - A @ estimate
    se = np.sqrt(covariance[-1, -1] * (residual @ Vi @ residual) / degrees)
    return estimate[-1], se, 2.0 * t.sf(abs(estimate[-1] / se), degrees)


def dense_log_delta(y, K, A):
    """Global maximum of the restricted log-likelihood: a fine grid, then a bounded search to 1e-12."""
    contrasts = null_space(A.T) if A.shape[1] else np.eye(len(y))
    z, Kc = contrasts.T @ y, contrasts.T @ K @ contrasts

    def loss(log_delta):
        V = Kc + np.exp(log_delta) * np.eye(len(z))
        return 0.5 * (len(z) * np.log(z @ np.linalg.solve(V, z)) + np.linalg.slogdet(V)[1])

    grid = np.linspace(*LOG_DELTA_BOUNDS, 201)
    best = int(np.argmin([loss(x) for x in grid]))
    around = grid[max(best - 1, 0)], grid[min(best + 1, 200)]
    found = minimize_scalar(loss, bounds=around, method="bounded", options={"xatol": 1e-12})
    return min([*around, found.x], key=loss)


@pytest.mark.parametrize("method", METHODS)
def test_scan_is_dense_generalised_least_squares(problem, method):
    X, y, K, Z = problem
    result = bl.scan.scan(X, y, K, covariates=Z, method=method)
    for j, x in enumerate(X.T):
        if method == "lm":
            V = np.eye(len(y))
        elif method == "lmm-p3d":
            V = K + bl.fit_null_model(y, bl.Eigenbasis.from_kinship(K), Z, "reml").delta * np.eye(len(y))
        else:
            log_delta = dense_log_delta(y, K, np.column_stack([Z, x]))
            # the maximum of a smooth curve is known to the square root of rounding error
            assert result.log_delta[j] == pytest.approx(log_delta, abs=1e-6)
            V = K + np.exp(result.log_delta[j]) * np.eye(len(y))
        beta, se, p = dense_wald(x, y, V, Z)
        assert result.beta[j] == pytest.approx(beta, abs=1e-7 * se)  # the interpolants are good to about 1e-8
        assert result.se[j] == pytest.approx(se, rel=1e-7)
        assert result.p[j] == pytest.approx(p, rel=1e-6)
    assert result.degrees == len(y) - Z.shape[1] - 1


def test_several_maxima_and_bounds_are_found(rng):
    """Small samples have profiles with two maxima and maxima at the bounds; none may be missed."""
    kinds = set()
    for _ in range(12):
        n = 14
        K = bl.kinship(rng.standard_normal((n, 9)) * rng.choice([0.03, 1.0, 20.0], 9), "centred")
        X, y, Z = rng.standard_normal((n, 12)), rng.standard_normal(n) * rng.choice([0.01, 1.0], n), np.ones((n, 1))
        result = bl.scan.scan(X, y, K, covariates=Z, method="lmm-exact")
        for j, x in enumerate(X.T):
            expected = dense_log_delta(y, K, np.column_stack([Z, x]))
            assert result.log_delta[j] == pytest.approx(expected, abs=1e-4)
            kinds.add("bound" if abs(expected) > LOG_DELTA_BOUNDS[1] - 1e-3 else "inside")
    assert kinds == {"bound", "inside"}


def test_without_relatedness_the_linear_model_is_simple_regression(rng):
    X, y = rng.standard_normal((30, 5)), rng.standard_normal(30)
    result = bl.scan.scan(X, y, covariates=np.ones((30, 1)), method="lm")
    for j in range(5):
        simple = linregress(X[:, j], y)
        assert result.beta[j] == pytest.approx(simple.slope, rel=1e-12)
        assert result.p[j] == pytest.approx(simple.pvalue, rel=1e-10)
        assert result.pve[j] == pytest.approx(simple.rvalue**2, rel=1e-10)
    assert np.isinf(result.log_delta).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("convert", [np.float32, np.int8, np.asfortranarray])
def test_type_layout_and_blocks_do_not_matter(problem, method, convert):
    X, y, K, Z = problem
    expected = bl.scan.scan(X, y, K, covariates=Z, method=method)
    other = convert(X) if convert is np.asfortranarray else X.astype(convert)
    result = bl.scan.scan(other, y, K, covariates=Z, method=method, block_bytes=1)  # 16 SNPs
    np.testing.assert_allclose(result.log10_p, expected.log10_p, rtol=1e-4, atol=1e-5)  # float32 rotation


@pytest.mark.parametrize("method", METHODS)
def test_units_change_effects_and_nothing_else(problem, method):
    X, y, K, Z = problem
    one = bl.scan.scan(X, y, K, covariates=Z, method=method)
    shift = 5.0 if Z.shape[1] else 0.0  # an intercept takes it up
    other = bl.scan.scan(3.0 * X + shift, 7.0 * y + shift, K, covariates=Z, method=method)
    np.testing.assert_allclose(other.beta, 7.0 / 3.0 * one.beta, rtol=1e-6)
    np.testing.assert_allclose(other.log10_p, one.log10_p, rtol=1e-6)


def test_eigenbasis_and_kinship_are_the_same_input(problem):
    X, y, K, Z = problem
    P = np.eye(60) - 1.0 / 60
    for kinship in (K, P @ K @ P):  # the intercept is an eigenvector of the second
        basis = bl.Eigenbasis.from_kinship(kinship)
        for method in ("lmm-p3d", "lmm-exact"):
            from_kinship, from_basis = (bl.scan.scan(X, y, k, covariates=Z, method=method) for k in (kinship, basis))
            np.testing.assert_allclose(from_basis.log10_p, from_kinship.log10_p, rtol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_a_snp_that_covariates_determine_has_no_test(problem, method):
    X, y, K, Z = problem
    Z = np.column_stack([np.ones(60), X[:, 3]])
    X = np.column_stack([X, np.full(60, 2.0), 1.0 - X[:, 3]]).astype(np.float32)
    result = bl.scan.scan(X, y, K, covariates=Z, method=method)
    assert np.flatnonzero(np.isnan(result.log10_p)).tolist() == [3, 40, 41]
    assert np.isnan(result.beta[[3, 40, 41]]).all()


def test_p_values_far_beyond_the_smallest_float():
    statistics = np.array([0.0, 1.0, 40.0, 1e3, 1e8, 1e145, 1e150])
    # v = 2: p = 1 - t / sqrt(2 + t^2), here without cancellation
    root = np.sqrt(2.0 + statistics**2)
    expected = np.log10(2.0 / root) - np.log10(root + statistics)
    np.testing.assert_allclose(log10_p_value(statistics, 2), expected, rtol=1e-12, atol=1e-15)
    # large v: the logarithm goes on smoothly from one branch to the other
    for degrees in (80, 1408):
        edge = np.sqrt(degrees * np.expm1(2 * 280 * np.log(10) / degrees))  # p is about 1e-280
        values = log10_p_value(np.geomspace(0.5 * edge, 4.0 * edge, 2001), degrees)
        assert values[0] > -280 > values[-1]
        assert np.abs(np.diff(values, 2)).max() < 1e-3


def test_p_values_are_uniform_under_the_null(rng):
    """Structured samples, a purely polygenic trait: the mixed models hold their level, the linear model does not."""
    n, p = 150, 400
    population = np.repeat([0, 1, 2], n // 3)
    frequency = rng.uniform(0.1, 0.9, (3, 2 * p))
    X = rng.binomial(2, frequency[population]).astype(float)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    tested, others = X[:, :p], X[:, p:]
    basis, Z = bl.Eigenbasis.from_kinship(bl.kinship(others)), np.ones((n, 1))
    p_values = {method: [] for method in METHODS}
    for _ in range(5):
        y = basis.vectors @ (np.sqrt(basis.values + 0.5) * rng.standard_normal(n))
        for method, values in p_values.items():
            # every 8th SNP: structure makes the SNPs dependent, a fresh trait and few SNPs keep that small
            values.append(bl.scan.scan(tested, y, basis, covariates=Z, method=method).p[::8])
    level = {method: kstest(np.concatenate(values), "uniform").pvalue for method, values in p_values.items()}
    assert level["lmm-p3d"] > 0.01
    assert level["lmm-exact"] > 0.01
    assert level["lm"] < 1e-6


def test_same_bits_again(problem):
    X, y, K, Z = problem
    one, two = (bl.scan.scan(X, y, K, covariates=Z, method="lmm-exact") for _ in range(2))
    np.testing.assert_array_equal(one.log10_p, two.log10_p)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "lmm"}, "expected scan method lm, lmm-p3d, lmm-exact, got 'lmm'"),
        ({"K": None}, "expected a kinship or its eigenbasis for method lmm-p3d"),
        ({"K": np.eye(59)}, "59"),
        ({"X": np.ones((59, 3))}, r"genotypes: expected real numbers of shape \(60, p\)"),
        ({"X": np.full((60, 3), np.nan)}, "got NaN or Inf at SNP 1 of 3"),
        ({"y": np.ones(60), "covariates": np.ones((60, 1))}, "expected variation beyond"),
        ({"covariates": np.eye(60)[:, :59]}, "expected at least 61 samples for 59 covariates and a SNP, got 60"),
        ({"delta": -1.0}, "expected delta above 0, got -1"),
        ({"bounds": (1.0, -1.0), "method": "lmm-exact"}, "expected rising finite bounds"),
    ],
)
def test_bad_input_is_refused(rng, change, message):
    given = {"X": rng.standard_normal((60, 3)), "y": rng.standard_normal(60), "K": np.eye(60)} | change
    with pytest.raises(InputError, match=message):
        bl.scan.scan(given.pop("X"), given.pop("y"), given.pop("K"), **given)

"""The certified path against plain references, invariances and the original program's exact solutions."""

from __future__ import annotations

import re

import numpy as np
import pytest
from exact_lasso import coordinate_descent, kkt_violation, whiten

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso import Genotypes, lasso_path, lasso_paths
from bayes_lmmlasso.lasso.goal import read_goal
from bayes_lmmlasso.lasso.solver.metric import Metric
from bayes_lmmlasso.lasso.solver.working_set import WorkingSetSizes, solve_paths
from bayes_lmmlasso.lasso.status import PathStatus
from bayes_lmmlasso.lmm import Eigenbasis, blup, kinship

DELTA = 0.6


@pytest.fixture
def problem(rng):
    """40 samples x 90 SNPs, kinship of other SNPs, two covariates, three causal SNPs."""
    n, p = 40, 90
    X = rng.standard_normal((n, p)) + 0.7 * rng.standard_normal((n, 1))
    K = kinship(rng.standard_normal((n, 30)))
    Z = np.column_stack([np.ones(n), rng.standard_normal(n)])
    y = Z @ [3.0, 1.0] + X[:, :3] @ [1.0, -1.0, 0.8] + 0.5 * rng.standard_normal(n)
    return X, y, K, Z


def solve(problem, **options):
    X, y, K, Z = problem
    return lasso_path(X, y, Eigenbasis.from_kinship(K), DELTA, covariates=Z, **options)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("q", [0, 2])
def test_equals_coordinate_descent(problem, dtype, q):
    X, y, K, Z = problem
    X, Z = X.astype(dtype), Z[:, :q]
    AX, Ay = whiten(X, y, K, DELTA, Z)
    mu = np.abs(AX.T @ Ay).max() * np.array([0.5, 0.05, 0.2])
    path = solve((X, y, K, Z), mu=mu)
    np.testing.assert_array_equal(path.mu, mu)
    assert path.duality_gap.max() < 1e-12
    assert path.status is PathStatus.CERTIFIED
    assert path.message.startswith("certified")
    for b, penalty, fixed in zip(path.coef, mu, path.fixed_effects, strict=True):
        np.testing.assert_allclose(b, coordinate_descent(AX, Ay, penalty), atol=1e-10)
        assert kkt_violation(AX, Ay, b, penalty) < 1e-10
        V = K + DELTA * np.eye(40)
        expected = np.linalg.lstsq(*(np.linalg.solve(np.linalg.cholesky(V), a) for a in (Z, y - X @ b)), rcond=None)
        np.testing.assert_allclose(fixed, expected[0], atol=1e-10)
    np.testing.assert_array_equal(path.n_active, (path.coef != 0).sum(axis=1))


def test_knots_are_a_lossless_path(problem):
    X, y, K, Z = problem
    path = solve(problem, n_active=25)
    AX, Ay = whiten(X, y, K, DELTA, Z)
    assert path.mu[0] == pytest.approx(np.abs(AX.T @ Ay).max())
    assert (np.diff(path.mu) < 0).all()
    assert path.n_active[0] == 0
    assert path.n_active[-1] == 25
    assert path.n_active[:-1].max() < 25
    for b, mu in zip(path.coef, path.mu, strict=True):
        assert kkt_violation(AX, Ay, b, mu) < 1e-9
    middle = 0.5 * (path.mu[1:] + path.mu[:-1])
    between = 0.5 * (path.coef[1:] + path.coef[:-1])
    np.testing.assert_allclose(solve(problem, mu=middle).coef, between, atol=1e-11)


def test_path_with_exits_is_followed(problem):
    path = solve(problem, n_active=34)
    assert (np.diff(path.n_active[:-1]) < 0).any(), "the example is meant to have exits"
    assert path.duality_gap.max() < 1e-12


def test_first_entries_are_ranked_and_duplicates_share(problem):
    X, y, K, Z = problem
    X = X.copy()
    X[:, 50] = -X[:, 0]
    X[:, 60] = X[:, 1]
    path = solve((X, y, K, Z), n_active=10)
    entered = np.flatnonzero(np.isfinite(path.path_rank))
    assert {0, 1, 50, 60} <= set(entered)
    assert path.path_rank[0] == path.path_rank[50]
    assert path.path_rank[1] == path.path_rank[60]
    np.testing.assert_array_equal(path.coef[:, [50, 60]], 0.0)
    first_row = [np.flatnonzero(path.coef[:, j])[0] for j in entered if j not in (50, 60)]
    ranks = [path.path_rank[j] for j in entered if j not in (50, 60)]
    np.testing.assert_array_equal(np.argsort(first_row), np.argsort(ranks))


@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int8])
def test_layout_dtype_and_blocks_do_not_matter(rng, layout, dtype):
    X = rng.binomial(2, 0.4, (40, 300)).astype(dtype)
    K = kinship(rng.standard_normal((40, 30)))
    y = rng.standard_normal(40)
    args = (y, Eigenbasis.from_kinship(K), DELTA)
    expected = lasso_path(X.astype(float), *args, n_active=12).coef
    path = lasso_path(Genotypes.of(layout(X), block_bytes=4 * 40 * 37), *args, n_active=12)
    np.testing.assert_allclose(path.coef, expected, atol=1e-11)
    assert path.duality_gap.max() < 1e-12


@pytest.mark.parametrize(
    ("n_independent", "tol", "status", "message", "advice"),
    [
        (9, 1e-8, PathStatus.CERTIFIED, r"certified: relative duality gap at most \d\.\de-\d+$", ""),
        (
            4,
            1e-8,
            PathStatus.ENDED_EARLY,
            "path ended with 4 active SNPs: no segment has 6",
            "choose a smaller n_active",
        ),
        (9, -1.0, PathStatus.NOT_CERTIFIED, r"not certified: relative duality gap .* above -1\.0e\+00", "raise tol"),
    ],
)
def test_outcomes_say_what_to_do(problem, n_independent, tol, status, message, advice):
    X, y, K, Z = problem
    part = X[:, :n_independent] @ np.eye(n_independent, 9)[:, np.arange(9) % n_independent]
    path = solve((part, y, K, Z), n_active=6, tol=tol)
    assert path.status is status
    assert re.match(message, path.message)
    assert path.message.endswith(advice)
    assert advice in status.advice


def test_order_of_snps_and_basis_do_not_matter(problem, rng):
    X, y, K, Z = problem
    path = solve(problem, n_active=12)
    order = rng.permutation(90)
    reordered = solve((X[:, order], y, K, Z), n_active=12)
    np.testing.assert_allclose(reordered.coef, path.coef[:, order], atol=1e-11)
    samples = rng.permutation(40)
    shuffled = (X[samples], y[samples], K[np.ix_(samples, samples)], Z[samples])
    np.testing.assert_allclose(solve(shuffled, n_active=12).coef, path.coef, atol=1e-11)
    # any orthogonal turn of the samples leaves the problem as it is
    turn = np.linalg.qr(rng.standard_normal((40, 40)))[0]
    np.testing.assert_allclose(
        solve((turn @ X, turn @ y, turn @ K @ turn.T, turn @ Z), n_active=12).coef, path.coef, atol=1e-10
    )


def test_covariates_are_unpenalised(problem):
    X, y, K, Z = problem
    path = solve(problem, n_active=8)
    other = (X + Z @ np.ones((2, 90)), y + Z @ [100.0, -7.0], K, Z @ [[1.0, 2.0], [0.5, 3.0]])
    shifted = solve(other, n_active=8)
    np.testing.assert_allclose(shifted.coef, path.coef, atol=1e-9)


def test_small_first_working_set_changes_nothing(problem):
    X, y, K, Z = problem
    expected = solve(problem, n_active=20)
    metric = Metric.of(Eigenbasis.from_kinship(K), DELTA, Z)
    goal, sizes = read_goal(expected.mu, None, 90, 38), WorkingSetSizes(first=1, first_elements=1, added=1)
    solution = solve_paths(Genotypes.of(X), [metric], [y], goal, sizes=sizes)[0]
    assert solution.n_passes > expected.n_passes
    coef = np.zeros(expected.coef.shape)
    coef[:, solution.snps] = solution.coef
    np.testing.assert_allclose(coef, expected.coef, atol=1e-11)


def test_largest_model_interpolates(problem):
    path = solve(problem, n_active=38)
    assert path.n_active[-1] == 38
    assert path.duality_gap.max() < 1e-10


@pytest.mark.parametrize("chunk_bytes", [2**28, 1])
@pytest.mark.parametrize("with_basis", [True, False])
def test_several_traits_are_several_paths(problem, rng, with_basis, chunk_bytes):
    X, y, K, Z = problem
    Y = np.column_stack([y, rng.standard_normal(40), y + rng.standard_normal(40)])
    deltas = [0.3, 1.0, 2.0]
    basis = Eigenbasis.from_kinship(K) if with_basis else K
    paths = lasso_paths(X, Y, basis, deltas, n_active=9, covariates=Z, chunk_bytes=chunk_bytes)
    assert len(paths) == 3
    for path, trait, delta in zip(paths, Y.T, deltas, strict=True):
        single = lasso_path(X, trait, basis, delta, n_active=9, covariates=Z)
        np.testing.assert_allclose(path.mu, single.mu, rtol=1e-12)
        np.testing.assert_allclose(path.coef, single.coef, atol=1e-12)
        np.testing.assert_allclose(path.fixed_effects, single.fixed_effects, atol=1e-12)
        AX, Ay = whiten(X, trait, K, delta, Z)
        assert kkt_violation(AX, Ay, path.coef[-1], path.mu[-1]) < 1e-10
    one_delta = lasso_paths(X, Y[:, :1], basis, 0.3, n_active=9, covariates=Z)[0]
    np.testing.assert_allclose(one_delta.coef, paths[0].coef, atol=1e-12)


def test_bad_sets_of_traits_are_refused(problem):
    X, y, K, _ = problem
    with pytest.raises(InputError, match=r"traits: expected shape \(40, t\), one column for each trait, got \(40,\)"):
        lasso_paths(X, y, K, 1.0, n_active=3)
    with pytest.raises(InputError, match=r"expected one delta, or one for each of 2 traits, got shape \(3,\)"):
        lasso_paths(X, np.column_stack([y, y]), K, np.ones(3), n_active=3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mu": None}, "expected either mu or n_active, got neither"),
        ({"mu": 1.0, "n_active": 3}, "expected either mu or n_active, got both"),
        ({"mu": [1.0, 0.0]}, r"expected finite penalties mu above 0, got \[1.0, 0.0\]"),
        ({"mu": -1.0}, "expected finite penalties mu above 0, got -1.0"),
        ({"mu": np.nan}, "expected finite penalties mu above 0, got nan"),
        ({"mu": 1e-12}, "expected mu of at least .* got 1e-12"),
        ({"n_active": 0}, "expected a whole number of active SNPs of at least 1, got n_active=0"),
        ({"n_active": 2.5}, "of at least 1, got n_active=2.5"),
    ],
)
def test_bad_goals_are_refused(problem, change, message):
    with pytest.raises(InputError, match=message):
        solve(problem, **change)


def test_no_more_snps_are_asked_for_than_there_can_be(problem):
    X, y, K, Z = problem
    few = lasso_path(X[:, :5], y, K, 1.0, n_active=20, covariates=Z)
    assert few.n_active[-1] == 5
    assert few.message.endswith("; 5 SNPs in place of 20, as there are 5 SNPs")
    free = y.size - Z.shape[1]
    most = lasso_path(X, y, K, 1.0, n_active=1000, covariates=Z)
    assert f"{free} SNPs in place of 1000, as {free} is the number of samples less covariates" in most.message
    np.testing.assert_array_equal(most.coef, lasso_path(X, y, K, 1.0, n_active=free, covariates=Z).coef)


@pytest.mark.parametrize(
    ("X", "y", "delta", "message"),
    [
        (np.ones((39, 5)), np.ones(40), 1.0, r"expected real numbers of shape \(40, p\)"),
        (np.ones((40, 5), dtype=complex), np.ones(40), 1.0, "got complex128 of shape"),
        (np.full((40, 5), np.nan), np.ones(40), 1.0, "got NaN or Inf at SNP 1 of 5"),
        (np.ones((40, 5)), np.full(40, np.inf), 1.0, "trait: expected finite values"),
        (np.ones((40, 5)), np.arange(40.0), 0.0, "expected delta above 0, got 0"),
        (np.ones((40, 5)), np.ones(40), 1.0, "expected variation beyond the 1 covariates"),
        (np.ones((40, 5)), np.arange(40.0), 1.0, "expected a SNP that varies beyond the covariates"),
        (np.zeros((40, 5)), np.arange(40.0), 1.0, "expected a SNP that varies beyond the covariates"),
    ],
)
def test_bad_arrays_are_refused(X, y, delta, message):
    with pytest.raises(InputError, match=message):
        lasso_path(X, y, Eigenbasis.from_kinship(np.eye(40)), delta, mu=1.0, covariates=np.ones((40, 1)))


@pytest.mark.parametrize("which", ["real", "simulated"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_reference_program(data_dir, which, dtype):
    """lmmlasso_reference: exact minimisers and predictions of the original program's example."""
    folder = data_dir / "lmmlasso_reference"
    X = np.loadtxt(folder / "genotypes.csv.gz")
    K = X @ X.T / 1000
    reference = np.load(folder / f"reference_{which}.npz")
    train, test, y = reference["train_idx"], reference["test_idx"], reference["y"][reference["train_idx"]]
    delta = float(np.exp(reference["ldelta_opt"]))
    K_train = K[np.ix_(train, train)]
    X_train = X[train].astype(dtype)
    path = lasso_path(X_train, y, Eigenbasis.from_kinship(K_train), delta, mu=reference["mus"])
    atol = 1e-8 if dtype == np.float64 else 1e-6  # rounding the genotypes moves the minimiser
    np.testing.assert_allclose(path.coef, reference["w_exact"], atol=atol)
    assert path.duality_gap.max() < 1e-12
    for b, expected in zip(path.coef, reference["yhat_exact"], strict=True):
        predicted = X[test] @ b + blup(K[np.ix_(test, train)], K_train, delta, y - X[train] @ b)
        np.testing.assert_allclose(predicted, expected, atol=atol)

"""The null model against dense algebra, invariances and published figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from bed_reader import open_bed
from scipy.linalg import null_space
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import Eigenbasis, NullStatus, fit_null_model, kinship
from bayes_lmmlasso.lmm.null_model import _Profile


@pytest.fixture
def trait(rng):
    """A trait with half of its variance from kinship, two covariates."""
    n = 70
    K = kinship(rng.standard_normal((n, 40)))
    Z = np.column_stack([np.ones(n), rng.standard_normal(n)])
    y = rng.multivariate_normal(Z @ [2.0, -1.0], K + 0.8 * np.eye(n), method="cholesky")
    return y, K, Z


def dense_log_likelihood(y, K, Z, delta, method):
    """Log density of y (ML) or of n - q orthonormal contrasts (REML) at the best scale and fixed effects."""
    V = K + delta * np.eye(len(y))
    if method == "reml":
        contrasts = null_space(Z.T) if Z.shape[1] else np.eye(len(y))
        residual, V = contrasts.T @ y, contrasts.T @ V @ contrasts
    else:
        Vi = np.linalg.inv(V)
        residual = y - Z @ np.linalg.solve(Z.T @ Vi @ Z, Z.T @ Vi @ y) if Z.shape[1] else y
    scale = residual @ np.linalg.solve(V, residual) / len(residual)
    return multivariate_normal(cov=scale * V).logpdf(residual)


@pytest.mark.parametrize("method", ["ml", "reml"])
@pytest.mark.parametrize("q", [0, 1, 2])
def test_log_likelihood_is_the_dense_one(trait, method, q):
    y, K, Z = trait
    Z = Z[:, :q]
    null = fit_null_model(y, Eigenbasis.from_kinship(K), Z, method)
    dense = [dense_log_likelihood(y, K, Z, np.exp(x), method) for x in null.grid]
    np.testing.assert_allclose(null.profile, dense, rtol=0, atol=1e-8)
    assert null.log_likelihood == pytest.approx(dense_log_likelihood(y, K, Z, null.delta, method), abs=1e-8)


@pytest.mark.parametrize("method", ["ml", "reml"])
def test_optimum_is_stationary_and_variances_are_generalised_least_squares(trait, method):
    y, K, Z = trait
    basis = Eigenbasis.from_kinship(K)
    null = fit_null_model(y, basis, Z, method)
    assert not null.at_bound
    assert null.status is NullStatus.INSIDE
    assert null.status.advice == ""
    assert null.log_likelihood >= null.profile.max()
    profile = _Profile.of(y, Z, basis, method)
    assert abs(profile.derivatives(null.log_delta)[0]) < 1e-9
    at = np.array([null.log_delta + 0.3])
    numeric = approx_fprime(at, lambda x: profile.log_likelihood(x)[0], 1e-6)
    assert profile.derivatives(at[0])[0] == pytest.approx(numeric[0], rel=1e-4)
    numeric = approx_fprime(at, lambda x: profile.derivatives(x[0])[0], 1e-6)
    assert profile.derivatives(at[0])[1] == pytest.approx(numeric[0], rel=1e-4)
    Vi = np.linalg.inv(K + null.delta * np.eye(len(y)))
    fixed = np.linalg.solve(Z.T @ Vi @ Z, Z.T @ Vi @ y)
    np.testing.assert_allclose(null.fixed_effects, fixed, rtol=1e-9)
    rss = (y - Z @ fixed) @ Vi @ (y - Z @ fixed)
    assert null.sigma2_g == pytest.approx(rss / (len(y) - 2 * (method == "reml")), rel=1e-10)
    assert null.sigma2_e == pytest.approx(null.delta * null.sigma2_g)
    assert null.pve_se > 0.0


def test_scale_of_kinship_and_trait_leave_pve_and_shift_delta(trait):
    y, K, Z = trait
    one = fit_null_model(y, Eigenbasis.from_kinship(K), Z, "reml")
    other = fit_null_model(1e4 + 50.0 * y, Eigenbasis.from_kinship(3.0 * K), Z, "reml")
    assert other.pve == pytest.approx(one.pve, rel=1e-8)
    assert other.pve_se == pytest.approx(one.pve_se, rel=1e-6)
    assert other.log_delta == pytest.approx(one.log_delta + np.log(3.0), abs=1e-8)


@pytest.mark.parametrize(("genetic", "bound"), [(False, 5.0), (True, -5.0)])
def test_a_bound_is_returned_as_the_grid_value(rng, genetic, bound):
    basis = Eigenbasis.from_kinship(kinship(rng.standard_normal((80, 400))))
    y = basis.vectors @ (np.sqrt(basis.values) if genetic else np.ones(80))
    null = fit_null_model(y, basis)
    assert null.at_bound
    assert null.status is (NullStatus.AT_LOWER_BOUND if genetic else NullStatus.AT_UPPER_BOUND)
    assert ("almost only" if genetic else "see no polygenic variance") in null.status.advice
    assert null.log_delta == bound
    assert null.log_likelihood == pytest.approx(null.profile.max(), abs=1e-9)
    assert np.isnan(null.pve_se)


def test_nothing_is_added_to_the_covariates(trait):
    y, K, _ = trait
    basis = Eigenbasis.from_kinship(K)
    without = fit_null_model(y, basis)
    assert without.fixed_effects.shape == (0,)
    assert without.log_likelihood < fit_null_model(y, basis, np.ones((len(y), 1))).log_likelihood


def test_identity_kinship_is_flat_but_defined(rng):
    null = fit_null_model(rng.standard_normal(20), Eigenbasis.from_kinship(np.eye(20)))
    assert np.ptp(null.profile) < 1e-9
    assert np.isfinite(null.log_likelihood)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.ones(69)}, r"trait: expected shape \(70,\).*got \(69,\)"),
        ({"y": np.r_[np.nan, np.ones(69)]}, "trait: expected finite values, got nan for sample 1 of 70"),
        ({"y": np.full(70, 3.1)}, "expected variation beyond the 2 covariates, got none in 70 samples"),
        ({"covariates": np.ones((69, 1))}, r"covariates: expected shape \(70, q\)"),
        ({"covariates": np.ones((70, 2))}, "got 2 of rank 1"),
        (
            {"covariates": np.full((70, 1), np.inf)},
            "covariates: expected finite values, got inf",
        ),
        ({"covariates": np.eye(70)}, "expected variation beyond the 70 covariates"),
        ({"method": "mle"}, "expected method ml or reml, got 'mle'"),
        ({"bounds": (2.0, -2.0)}, "expected rising finite bounds"),
    ],
)
def test_bad_input_is_refused(trait, change, message):
    y, K, Z = trait
    with pytest.raises(InputError, match=message):
        fit_null_model(**{"y": y, "basis": Eigenbasis.from_kinship(K), "covariates": Z} | change)


@pytest.mark.parametrize("which", ["real", "simulated"])
def test_reference_program(data_dir, which):
    """lmmlasso_reference: ML without intercept, grid and optimum of the published algorithm."""
    folder = data_dir / "lmmlasso_reference"
    X = np.loadtxt(folder / "genotypes.csv.gz")
    reference = np.load(folder / f"reference_{which}.npz")
    train = reference["train_idx"]
    K = (X @ X.T / 1000)[np.ix_(train, train)]
    null = fit_null_model(reference["y"][train], Eigenbasis.from_kinship(K))
    np.testing.assert_allclose(null.grid, reference["ldelta_grid"], atol=1e-12)
    np.testing.assert_allclose(-null.profile, reference["nll_grid"], atol=1e-8)
    assert null.log_delta == pytest.approx(float(reference["ldelta_opt"]), abs=1e-5)
    assert -null.log_likelihood == pytest.approx(float(reference["nll_opt"]), abs=1e-8)


@pytest.fixture(scope="module")
def mouse(data_dir):
    """CD8 and the centred kinship of all 1,940 mice, mean genotypes, 10,768 SNPs (see the data's README)."""
    folder = data_dir / "mouse_hs1940"
    with open_bed(folder / "mouse_hs1940.bed") as bed:
        G = bed.read(dtype="float32")
    imputed = np.load(folder / "dosage_noninteger.npz")
    G[imputed["row"], imputed["col"]] = imputed["dosage"]
    cd8 = pd.read_csv(folder / "phenotypes.tsv", sep="\t", na_values="NA")["cd8"].to_numpy()
    has = np.isfinite(cd8)
    frequency = G[has].mean(axis=0) / 2.0
    K = kinship(G[:, np.minimum(frequency, 1.0 - frequency) >= 0.01], "centred")
    return cd8[has], K, has


def test_mouse_kinship_is_gemmas(mouse):
    """Entries published in GEMMA's manual."""
    np.testing.assert_allclose(mouse[1][0, :3], [0.3350590, -0.0227226, 0.0103535], atol=5e-8)


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_mouse_cd8(mouse, method):
    """PVE 0.608801, s.e. 0.032774: GEMMA's manual (REML); likelihoods against a Cholesky factor."""
    y, K, has = mouse
    K = K[np.ix_(has, has)]
    n = y.size
    null = fit_null_model(y, Eigenbasis.from_kinship(K), np.ones((n, 1)), method)
    if method == "reml":
        assert null.pve == pytest.approx(0.608801, abs=1e-5)
        assert null.pve_se == pytest.approx(0.032774, abs=1e-4)
    L = np.linalg.cholesky(K + null.delta * np.eye(n))
    one, white = np.linalg.solve(L, np.column_stack([np.ones(n), y])).T
    residual = white - one * (one @ white) / (one @ one)
    v = n - (method == "reml")
    dense = -0.5 * v * (np.log(2 * np.pi * (residual @ residual) / v) + 1) - np.log(np.diag(L)).sum()
    if method == "reml":
        dense += 0.5 * np.log(n) - 0.5 * np.log(one @ one)
    assert null.log_likelihood == pytest.approx(dense, abs=1e-8)

"""GEMMA's BSLMM: its tables, and posterior means of the real program against numerical integration."""

from __future__ import annotations

import shutil
from itertools import combinations

import numpy as np
import pytest
from scipy.linalg import null_space

import bayes_lmmlasso as bl
from bayes_lmmlasso.errors import InputError

PARAM = """chr\trs\tps\tn_miss\talpha\tbeta\tgamma
-9\t0\t-9\t0\t1.0e-03\t2.5e-01\t0.5
-9\t3\t-9\t0\t-2.0e-03\t0.0\t0
"""
HYPER = """h \tpve \trho \tpge \tpi \tn_gamma\t
5e-01\t4e-01\t3e-01\t2e-01\t1e-01\t2\t
6e-01\t5e-01\t4e-01\t3e-01\t2e-01\t3\t
"""


@pytest.fixture
def gemma():
    if shutil.which("gemma") is None:
        pytest.skip("gemma is not on the PATH: install the Debian package gemma to run the BSLMM")


def exact_means(X, y, Z, K):
    """E[h], E[rho], P(b_j != 0) and E[b_j] + u's part of the BSLMM: h, rho and log pi on a grid, all subsets of SNPs.

    That part of u, sb2 X_j'V^-1 y / p, speaks of K = XX' / p alone.

    With p(tau) = 1 / tau and a flat prior of the intercept on tau's scale, tau integrated out, the marginal likelihood
    of the n - q contrasts is |V|^(-1/2) (y'V^-1 y)^(-(n - q + 1) / 2), V = I + sb2 K + sa2 X_s X_s': it grows like
    (1 - h)^(-1/2).
    """
    p = X.shape[1]
    free = null_space(Z.T)
    S, U = np.linalg.eigh(free.T @ K @ free)
    X, y = U.T @ free.T @ X, U.T @ free.T @ y
    values = y.size + 1
    x, k = np.square(X).sum() / p / values, S.sum() / values
    middle = (np.arange(40) + 0.5) / 40
    t, rho, u = (grid.ravel() for grid in np.meshgrid(middle, middle, middle, indexing="ij"))
    h, pi = 1 - (1 - t) ** 2, p ** -(1 - u)
    sa2, sb2 = h * rho / (1 - h) / (p * pi * x), h * (1 - rho) / (1 - h) / k
    w = 1 / (1 + np.outer(sb2, S))
    A, c, yy = np.einsum("gi,ij,ik->gjk", w, X, X), (w * y) @ X, w @ y**2
    total, inclusion, effects = [], [], []
    for size in range(p + 1):
        for subset in combinations(range(p), size):
            s = list(subset)
            M = A[:, s][:, :, s] + np.eye(size) / sa2[:, None, None]
            solved = np.linalg.solve(M, c[:, s, None])[..., 0]
            fit = np.einsum("gi,gi->g", c[:, s], solved)
            log_det = np.linalg.slogdet(M * sa2[:, None, None])[1] - np.log(w).sum(axis=1)
            log_prior = size * np.log(pi) + (p - size) * np.log1p(-pi) + np.log(1 - t)
            total.append(log_prior - 0.5 * log_det - 0.5 * values * np.log(yy - fit))
            inclusion.append([j in s for j in range(p)])
            sizes = sb2[:, None] / p + np.outer(sa2, inclusion[-1])
            effects.append(sizes * (c - np.einsum("gjk,gk->gj", A[:, :, s], solved)))
    weight = np.exp(np.array(total) - np.max(total))
    weight /= weight.sum()
    hyper = weight.sum(axis=0) @ np.column_stack([h, rho])
    return hyper, weight.sum(axis=1) @ np.array(inclusion), np.einsum("sg,sgj->j", weight, np.array(effects))


@pytest.mark.usefixtures("gemma")
def test_posterior_means_are_those_of_the_model_as_stated(rng):
    """With a covariate, SNPs and kinship on scales of their own, and a SNP that the covariate determines.

    Over seeds the standard deviation of these runs is 0.001 for h, 0.002 for rho and 0.017 for inclusion; with the
    kinship on another scale, or the covariate left in, h and rho move by 0.06 to 0.3.
    """
    n, p = 100, 4
    Z = np.column_stack([np.ones(n), rng.standard_normal(n)])
    X = 3.0 * (rng.standard_normal((n, p)) + 0.7 * rng.standard_normal((n, 1))) + 1.0
    K = 5.0 * np.cov(rng.standard_normal((n, n // 2)))
    noise = rng.multivariate_normal(np.zeros(n), 0.1 * K + np.eye(n), method="cholesky")  # the default varies by CPU
    y = 0.15 * X[:, 0] + 0.07 * X[:, 1] + 2.0 * Z[:, 1] + noise
    hyper, inclusion, _ = exact_means(X, y, Z, K)
    assert np.ptp(inclusion) > 0.6
    with_determined = np.insert(X, 2, 4.0 * Z[:, 1], axis=1)
    found = bl.compare.bslmm(with_determined, y, K, covariates=Z, burn_in=5_000, steps=300_000, seed=1)
    assert len(found.hyper) == 30_000
    assert np.isnan(found.pip).tolist() == [False, False, True, False, False]
    np.testing.assert_allclose(found.hyper[["h", "rho"]].mean(), hyper, atol=0.01)
    np.testing.assert_allclose(np.delete(found.pip, 2), inclusion, atol=0.07)
    np.testing.assert_allclose(found.hyper["n_gamma"].mean(), np.nansum(found.pip), atol=0.01)


@pytest.mark.usefixtures("gemma")
def test_predictions_are_posterior_means():
    """Of a trait with a covariate, a mean and a scale of its own; over seeds they vary by 0.01 sd, the size by 0.1."""
    cohort = bl.simulate_cohort(n_samples=110, n_variants=5, contig_length=500_000, seed=5)
    rng, dosage = np.random.default_rng(6), cohort["call_dosage"].values
    age = rng.standard_normal(110)
    trait = 50 + 7 * (0.6 * dosage[1] - 0.3 * dosage[3] + age + rng.standard_normal(110))
    cohort = cohort.assign(height=("samples", trait), age=("samples", age))
    plan = bl.compare.plan_folds(cohort, "height", ["age"], n_folds=5, seed=1)
    fold = bl.compare.prepare_fold(cohort, "height", plan, 0, covariates=["age"])
    found = bl.compare.PREDICTORS["bslmm"](fold, 3)
    analysis = fold.analysis
    X, y, Z = analysis.X.astype(float), analysis.y, analysis.covariates
    _, inclusion, effects = exact_means(X, y, Z, X @ X.T / X.shape[1])
    fixed = np.linalg.lstsq(Z, y - X @ effects)[0]
    mean = analysis.trait.inverse(fold.X_new @ effects + fold.covariates_new @ fixed)
    np.testing.assert_allclose(found.mean, mean, atol=0.03 * trait.std())
    assert found.size == pytest.approx(inclusion.sum(), abs=0.4)
    other = bl.compare.prepare_fold(cohort, "height", plan, 0, covariates=["age"], relations="ibs")
    with pytest.raises(InputError, match="expected the kinship rrm for the method bslmm"):
        bl.compare.PREDICTORS["bslmm"](other, 3)


def test_same_seed_same_numbers(gemma, rng):
    X = rng.standard_normal((40, 10))
    y = X[:, 3] + rng.standard_normal(40)
    basis = bl.Eigenbasis.from_kinship(bl.kinship(X))
    first, again, other = (bl.compare.bslmm(X, y, basis, burn_in=100, steps=2_000, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.pip, again.pip)
    np.testing.assert_array_equal(first.hyper, again.hyper)
    assert not np.array_equal(first.pip, other.pip)
    np.testing.assert_allclose(first.effects, first.pip * first.beta)
    assert first.effects.argmax() == 3


def test_tables_are_read_by_the_position_of_the_snps(tmp_path):
    (tmp_path / "run.param.txt").write_text(PARAM, encoding="ascii")
    (tmp_path / "run.hyp.txt").write_text(HYPER, encoding="ascii")
    found = bl.compare.read_bslmm(tmp_path / "run", 5)
    np.testing.assert_array_equal(found.pip, [0.5, np.nan, np.nan, 0.0, np.nan])
    np.testing.assert_array_equal(found.beta, [0.25, np.nan, np.nan, 0.0, np.nan])
    np.testing.assert_array_equal(found.alpha, [1e-3, np.nan, np.nan, -2e-3, np.nan])
    np.testing.assert_array_equal(found.effects[[0, 3]], [0.125, 0.0])
    assert list(found.hyper.columns) == ["h", "pve", "rho", "pge", "pi", "n_gamma"]
    np.testing.assert_array_equal(found.hyper["n_gamma"], [2, 3])


def test_missing_and_foreign_tables_are_told(tmp_path):
    with pytest.raises(bl.InputError, match=r"expected a table of GEMMA in .*run\.param\.txt"):
        bl.compare.read_bslmm(tmp_path / "run", 5)
    (tmp_path / "run.param.txt").write_text(PARAM.replace("gamma", "p_wald"), encoding="ascii")
    with pytest.raises(bl.InputError, match="got none named gamma"):
        bl.compare.read_bslmm(tmp_path / "run", 5)


def test_a_missing_program_is_told_with_how_to_install_it(rng, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    X = rng.standard_normal((20, 5))
    with pytest.raises(bl.InputError, match=r"expected the program gemma on the PATH, got none: .*apt install gemma"):
        bl.compare.bslmm(X, X[:, 0], bl.kinship(X))


def bad_snp(X, y, K):
    X[3, 2] = np.nan
    return X, y, K


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (bad_snp, {}, "expected finite values, got NaN or Inf at SNP 3 of 5"),
        (lambda X, y, K: (X, y, K[:10, :10]), {}, "expected 20 x 20"),
        (lambda X, y, K: (X, 0 * y, K), {}, "expected variation beyond the 0 covariates"),
        (lambda X, y, K: (0 * X, y, K), {}, "expected SNPs that vary beside the covariates, got none of 5"),
        (lambda X, y, K: (X, y, 0 * K + 1), {}, "kinship: expected variation beside the covariates"),
        (lambda *given: given, {"steps": 0}, "expected steps of at least 1 for GEMMA, got 0"),
        (lambda *given: given, {"seed": -1}, "expected seed of at least 0 for GEMMA, got -1"),
    ],
)
def test_bad_input_is_refused(gemma, rng, change, options, message):
    X = rng.standard_normal((20, 5))
    with pytest.raises(bl.InputError, match=message):
        bl.compare.bslmm(*change(X, X[:, 0].copy(), bl.kinship(X)), **options)


def test_a_failure_of_the_program_is_told(rng, monkeypatch, tmp_path):
    program = tmp_path / "gemma"
    program.write_text("#!/bin/sh\necho 'ERROR: it broke' >&2\necho bye\nexit 3\n", encoding="ascii")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    X = rng.standard_normal((20, 5))
    with pytest.raises(bl.InputError, match=r"got exit status 3 \(ERROR: it broke\)"):
        bl.compare.bslmm(X, X[:, 0], bl.kinship(X))

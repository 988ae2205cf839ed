"""Cross-validated prediction: nothing leaks, and each predictor is what it says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri
from sklearn.linear_model import lars_path

import bayes_lmmlasso as bl
from bayes_lmmlasso.cohort import SnpFilter
from bayes_lmmlasso.compare import FoldPrediction
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso import Genotypes
from bayes_lmmlasso.lasso.goal import read_goal
from bayes_lmmlasso.lasso.trained import train_path

METHODS = ("blup", "lasso", "lmm-lasso")


@pytest.fixture(scope="module")
def cohort():
    made = bl.simulate_cohort(n_samples=72, n_variants=150, contig_length=2_000_000, seed=8)
    design = bl.cohort.TraitDesign(3, "equal", 0.4, 0.3, 0.3)
    trait = 10 + 2 * bl.cohort.semi_empirical_trait(made, design=design, seed=2).y
    trait[[3, 30]] = np.nan
    age = np.random.default_rng(1).normal(size=72)
    return made.assign(height=("samples", trait), age=("samples", age))


@pytest.fixture(scope="module")
def plan(cohort):
    return bl.compare.plan_folds(cohort, "height", n_folds=4, seed=1)


def with_missing(cohort, seed=0):
    calls = cohort["call_dosage"].values.copy()
    calls[np.random.default_rng(seed).random(calls.shape) < 0.02] = -1
    return cohort.assign(call_dosage=(("variants", "samples"), calls))


def mean_by_quadrature(trait, mean, sd):
    """Mean of a normal in trait units, by quantiles of equal probability."""
    steps = ndtri((np.arange(20_000) + 0.5) / 20_000)
    mean, sd = np.atleast_1d(mean), np.atleast_1d(sd)
    values = [trait.inverse(m + s * steps).mean() for m, s in zip(mean.flat, sd.flat, strict=True)]
    return np.reshape(values, mean.shape)


def test_the_plan_covers_samples_with_a_trait_once(cohort, plan):
    assert plan.rows.tolist() == [i for i in range(72) if i not in (3, 30)]
    assert np.bincount(plan.fold).tolist() == [18, 18, 17, 17]


@pytest.mark.parametrize("method", METHODS)
def test_test_samples_teach_nothing(cohort, plan, method):
    """Neither the traits of test samples nor the genotypes of other test samples change a prediction."""
    cohort = with_missing(cohort)
    options = {"covariates": ["age"], "snps": SnpFilter(maf=0.1), "transform": "box-cox"}
    predictor = bl.compare.PREDICTORS[method]
    fold = bl.compare.prepare_fold(cohort, "height", plan, 2, **options)
    expected = predictor(fold, 0).mean
    test = plan.rows[plan.fold == 2]
    trait, calls, age = (cohort[name].values.copy() for name in ("height", "call_dosage", "age"))
    trait[test] = 9.0
    calls[:, test[1:]] = calls[::-1, test[1:]]
    age[test[1:]] += 3
    changed = cohort.assign(
        height=("samples", trait), call_dosage=(("variants", "samples"), calls), age=("samples", age)
    )
    again = bl.compare.prepare_fold(changed, "height", plan, 2, **options)
    np.testing.assert_array_equal(again.analysis.X, fold.analysis.X)
    np.testing.assert_allclose(predictor(again, 0).mean[0], expected[0], rtol=1e-6)
    assert abs(predictor(again, 0).mean[1] - expected[1]) > 1e-3


@pytest.mark.parametrize("given", [False, True])
def test_lmm_lasso_and_blup_are_sizes_of_the_cross_validated_path(cohort, plan, given):
    X = cohort["call_dosage"].values.T[plan.rows].astype(float)
    y = cohort["height"].values[plan.rows]
    K = bl.kinship(cohort["call_dosage"].values.T.astype(float), "centred") if given else None
    within = None if K is None else K[np.ix_(plan.rows, plan.rows)]
    known = bl.lasso.cross_validate(X, y, within, folds=plan.fold, n_active=45).predictions
    for label in plan.labels:
        relations = "rrm" if K is None else K
        fold = bl.compare.prepare_fold(cohort, "height", plan, label, relations=relations, snps=SnpFilter(0, 1))
        test = plan.fold == label
        none, some = bl.compare.PREDICTORS["blup"](fold, 0), bl.compare.PREDICTORS["lmm-lasso"](fold, 0)
        np.testing.assert_allclose(none.mean, known[test, 0], atol=1e-4)  # genotypes in float32 here
        gap = np.abs(known[test] - some.mean[:, None]).max(axis=0)
        assert gap.min() < 1e-3 * y.std()
        assert some.size == pytest.approx(gap.argmin(), abs=2)
        assert none.size == 0


@pytest.mark.parametrize("transform", ["none", "box-cox"])
def test_lasso_lies_on_the_path_of_scikit_learn(cohort, plan, transform):
    """A transformed trait is predicted by its mean under the noise of the Lasso's residuals."""
    fold = bl.compare.prepare_fold(cohort, "height", plan, 0, transform=transform)
    analysis = fold.analysis
    X, y = analysis.X.astype(float), analysis.y
    found = bl.compare.PREDICTORS["lasso"](fold, 0)
    first = ~(np.abs(np.tril(np.corrcoef(X.T), -1)) > 1 - 1e-6).any(axis=1)  # lars takes duplicates for two variables
    _, _, knots = lars_path(X[:, first], y - y.mean(), method="lasso", max_iter=int(found.size) + 4)
    middles = 0.5 * (knots[:, 1:] + knots[:, :-1])
    expected = y.mean() + fold.X_new[:, first].astype(float) @ middles
    if transform == "none":
        expected = analysis.trait.inverse(expected)
    else:
        left = np.square(y[:, None] - y.mean() - X[:, first] @ middles).sum(axis=0)
        sd = np.sqrt(left / (y.size - 1 - np.count_nonzero(middles, axis=0)))
        expected = mean_by_quadrature(analysis.trait, expected, np.broadcast_to(sd, expected.shape))
    gap = np.abs(expected - found.mean[:, None]).max(axis=0)
    assert gap.min() < 1e-3
    assert found.size == np.count_nonzero(middles[:, gap.argmin()]) > 0


@pytest.mark.parametrize("transform", ["none", "box-cox", "rank-normal"])
def test_blup_interval_is_that_of_the_joint_normal(cohort, plan, transform):
    fold = bl.compare.prepare_fold(cohort, "height", plan, 1, covariates=["age"], transform=transform)
    found, null, trait = bl.compare.PREDICTORS["blup"](fold, 0), fold.null_model, fold.analysis.trait
    V = null.sigma2_g * fold.K + null.sigma2_e * np.eye(len(fold.K))
    weights = null.sigma2_g * np.linalg.solve(V, fold.new.cross.T).T
    residual = fold.analysis.y - fold.analysis.covariates @ null.fixed_effects
    mean = fold.covariates_new @ null.fixed_effects + weights @ residual
    sd = np.sqrt(null.sigma2_g * fold.new.diagonal + null.sigma2_e - null.sigma2_g * (weights * fold.new.cross).sum(1))
    if transform == "none":
        np.testing.assert_allclose(found.mean, trait.inverse(mean), rtol=1e-9)
        np.testing.assert_allclose(found.hi - found.mean, 1.959964 * sd * trait.sd, rtol=1e-6)
    np.testing.assert_allclose(found.mean, mean_by_quadrature(trait, mean, sd), rtol=1e-4)
    np.testing.assert_allclose(found.lo, trait.inverse(mean - 1.959964 * sd), rtol=1e-6)
    np.testing.assert_allclose(found.hi, trait.inverse(mean + 1.959964 * sd), rtol=1e-6)


def test_lmm_lasso_predicts_the_mean_of_its_model(cohort, plan):
    """Against dense algebra: the median of the model of that size, and the variance its SNPs leave."""
    fold = bl.compare.prepare_fold(cohort, "height", plan, 2, transform="rank-normal")
    found, trait, y = bl.compare.PREDICTORS["lmm-lasso"](fold, 0), fold.analysis.trait, fold.analysis.y
    goal = read_goal(None, int(found.size) + 2, fold.analysis.X.shape[1], y.size)
    Z = fold.analysis.covariates
    path = train_path(Genotypes.of(fold.analysis.X), y, fold.K, Z, np.arange(y.size), goal, "reml")
    V = fold.K + np.exp(path.log_delta) * np.eye(y.size)  # K is scaled already
    size = int(np.argmax(np.count_nonzero(path.coef, axis=1) >= found.size))
    residual = y - Z @ path.fixed_effects[size] - fold.analysis.X[:, path.snps] @ path.coef[size]
    weights = np.linalg.solve(V, fold.new.cross.T).T
    latent = fold.covariates_new @ path.fixed_effects[size] + fold.X_new[:, path.snps] @ path.coef[size]
    sigma2_g = residual @ np.linalg.solve(V, residual) / (y.size - 1 - np.count_nonzero(path.coef[size]))
    variance = fold.new.diagonal - (weights * fold.new.cross).sum(axis=1) + np.exp(path.log_delta)
    sd = np.sqrt(sigma2_g * variance)
    assert found.size > 0
    np.testing.assert_allclose(found.mean, mean_by_quadrature(trait, latent + weights @ residual, sd), rtol=1e-4)
    assert path.sigma2_g[0] == pytest.approx(fold.null_model.sigma2_g, rel=1e-4)


def test_posterior_is_what_predict_cohort_says(cohort, plan):
    fold = bl.compare.prepare_fold(cohort, "height", plan, 0, transform="rank-normal")
    lengths = {"chains": 1, "warmup": 20, "draws": 30}
    found = bl.compare.posterior_predictor("spike_slab", **lengths)(fold, 4)
    tree = bl.sample_posterior(
        bl.rotate(fold.analysis, fold.basis), "spike_slab", seed=4, analysis=fold.analysis, **lengths
    )
    raw = bl.kinship(fold.analysis.X)
    bl.posterior.add_training(tree, fold.analysis, "rrm", np.trace(fold.K) / np.trace(raw))
    expected = bl.predict_cohort(tree, cohort.isel(samples=plan.rows[plan.fold == 0]))
    for name in ("mean", "lo", "hi"):
        np.testing.assert_allclose(getattr(found, name), expected[name], rtol=1e-6)
    assert found.size == pytest.approx((tree["posterior"]["b"].values != 0).sum(axis=-1).mean())


def test_scores_by_hand(cohort):
    def oracle(fold, seed):
        bad = fold.y_new + np.resize([1.0, -1.0], fold.y_new.size)
        return FoldPrediction(bad, bad - 0.5, bad + np.where(bad < fold.y_new, 1.0, 0.0), seed, mcse=0.25)

    def mean(fold, seed):
        none = np.full(fold.y_new.size, np.nan)
        return FoldPrediction(np.full(fold.y_new.size, fold.baseline), none, none, 0.0)

    table = bl.compare.cross_predict(cohort, "height", {"oracle": oracle, "mean": mean}, n_folds=5, seed=3)
    assert len(table) == 140
    assert table.groupby("method")["iid"].nunique().tolist() == [70, 70]
    scores = bl.compare.prediction_scores(table).set_index("method")
    mine = table[table["method"] == "oracle"]
    assert scores.loc["oracle", "mse"] == pytest.approx(1.0)
    assert scores.loc["oracle", "r"] == pytest.approx(np.corrcoef(mine["y"], mine["mean"])[0, 1])
    assert scores.loc["oracle", "r2"] == pytest.approx(1 - 70 / ((mine["y"] - mine["baseline"]) ** 2).sum())
    assert scores.loc["oracle", "coverage"] == pytest.approx(0.5)  # those below by 1
    assert scores.loc["oracle", "size"] == pytest.approx(5.0)  # seeds 3 to 7
    assert scores.loc["oracle", "mc_loss"] == pytest.approx((1 - scores.loc["oracle", "r2"]) / 16)
    assert scores.loc["mean", "r2"] == scores.loc["mean", "mc_loss"] == 0.0
    assert np.isnan(scores.loc["mean", "coverage"])
    folds = bl.compare.prediction_scores(table, by=("method", "fold"))
    assert folds["n"].tolist() == [14] * 10
    assert folds.loc[folds["method"] == "mean", "r"].isna().all()


def test_structure_is_what_the_mixed_model_predicts(cohort):
    table = bl.compare.cross_predict(cohort, "height", METHODS, n_folds=6)
    r2 = bl.compare.prediction_scores(table).set_index("method")["r2"]
    assert r2["blup"] > 0.1
    assert r2["lmm-lasso"] > 0.1


def test_refusals(cohort, plan):
    known = "blup, lasso, lmm-lasso, laplace, spike_slab, bslmm"
    with pytest.raises(InputError, match=f"a method among {known}, got 'ridge'"):
        bl.compare.cross_predict(cohort, "height", ["ridge"])
    with pytest.raises(InputError, match=r"a fold among \[0, 1, 2, 3\], got 7"):
        bl.compare.prepare_fold(cohort, "height", plan, 7)
    with pytest.raises(InputError, match="a kinship among rrm, centred, ibs or a matrix, got 'pedigree'"):
        bl.compare.prepare_fold(cohort, "height", plan, 0, relations="pedigree")
    with pytest.raises(InputError, match="a column 'trait'"):
        bl.compare.prediction_scores(pd.DataFrame(columns=["method"]), by=("trait",))

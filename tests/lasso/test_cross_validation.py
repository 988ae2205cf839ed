"""Cross-validation and the estimator against dense algebra on the training samples alone."""

from __future__ import annotations

import numpy as np
import pytest
from exact_lasso import coordinate_descent, whiten
from sklearn.utils.estimator_checks import estimator_checks_generator

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso import LMMLasso, cross_validate
from bayes_lmmlasso.lmm import Eigenbasis, fit_null_model, gower_scale, kinship


@pytest.fixture
def cohort(rng):
    """60 samples x 120 SNPs coded 0, 1, 2, two causal."""
    X = rng.binomial(2, rng.uniform(0.2, 0.8, 120), (60, 120)).astype(float)
    y = 5.0 + X[:, :2] @ [1.0, -1.0] + 0.3 * rng.standard_normal((60, 120)).sum(axis=1) / 4
    return X, y


def exact_prediction(X, y, train, test, mu, Z=None, K=None):
    """Standardise, relate, fit and predict with dense matrices."""
    Z = np.ones((y.size, 1)) if Z is None else Z
    mean, deviation = X[train].mean(axis=0), X[train].std(axis=0)
    keep = deviation > 0
    W = ((X - mean) / np.where(keep, deviation, 1.0))[:, keep]
    K = W @ W.T / keep.sum() if K is None else K
    K_train = K[np.ix_(train, train)]
    scale = gower_scale(K_train)[0, 0] / K_train[0, 0]
    V = scale * K_train
    null = fit_null_model(y[train], Eigenbasis.from_kinship(V), Z[train], "reml")
    b = coordinate_descent(*whiten(W[train], y[train], V, null.delta, Z[train]), mu)
    V = V + null.delta * np.eye(train.size)
    rest = y[train] - W[train] @ b
    a = np.linalg.solve(Z[train].T @ np.linalg.solve(V, Z[train]), Z[train].T @ np.linalg.solve(V, rest))
    dual = np.linalg.solve(V, rest - Z[train] @ a)
    effects = np.zeros(X.shape[1])
    effects[keep] = b / deviation[keep]
    return Z[test] @ a + W[test] @ b + scale * K[np.ix_(test, train)] @ dual, effects, null.log_delta


@pytest.mark.parametrize("own_kinship", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_predictions_are_exact_and_from_training_samples_alone(cohort, rng, own_kinship, dtype):
    X, y = cohort
    X[:59, 7] = 0.0  # constant wherever the last sample is left out
    K = kinship(rng.standard_normal((60, 80))) if own_kinship else None
    Z = rng.standard_normal((60, 1))
    result = cross_validate(X.astype(dtype), y, K, n_active=6, covariates=Z, n_folds=5)
    assert result.duality_gap.max() < 1e-10
    np.testing.assert_array_equal(result.n_active, np.arange(7))
    Z = np.hstack([np.ones((60, 1)), Z])
    for label in range(5):
        train, test = np.flatnonzero(result.fold != label), np.flatnonzero(result.fold == label)
        null_model, _, log_delta = exact_prediction(X, y, train, test, 1e6, Z, K)
        np.testing.assert_allclose(result.predictions[test, 0], null_model, atol=1e-6)
        assert result.log_delta[label] == pytest.approx(log_delta, abs=1e-6)


def test_sizes_are_those_of_the_path(cohort):
    """Every size against coordinate descent at the penalty of the estimator's model of that size."""
    X, y = cohort
    result = cross_validate(X, y, n_active=5, n_folds=4)
    train, test = np.flatnonzero(result.fold != 2), np.flatnonzero(result.fold == 2)
    for size in range(1, 6):
        model = LMMLasso(n_active=size).fit(X[train], y[train])
        predicted, effects, _ = exact_prediction(X, y, train, test, model.mu_)
        assert np.count_nonzero(effects) == size
        np.testing.assert_allclose(model.coef_, effects, atol=1e-8)
        np.testing.assert_allclose(model.predict(X[test]), predicted, atol=1e-8)
        np.testing.assert_allclose(result.predictions[test, size], predicted, atol=1e-8)


def test_summaries_are_their_definitions(cohort):
    X, y = cohort
    result = cross_validate(X, y, n_active=8, folds=np.arange(60) % 6)
    error = (y[:, None] - result.predictions) ** 2
    fold_mse = error.reshape(10, 6, 9).mean(axis=0)
    np.testing.assert_allclose(result.mse, fold_mse.mean(axis=0))
    np.testing.assert_allclose(result.mse_se, fold_mse.std(axis=0, ddof=1) / np.sqrt(6))
    assert result.best == result.mse.argmin()
    limit = result.mse[result.best] + result.mse_se[result.best]
    assert result.mse[result.one_standard_error] <= limit
    assert (result.mse[: result.one_standard_error] > limit).all()
    mean = np.array([y[result.fold != fold].mean() for fold in range(6)])[result.fold]
    np.testing.assert_allclose(result.explained_variance, 1 - error.sum(axis=0) / ((y - mean) ** 2).sum())
    assert result.explained_variance.max() > 0.3


def test_no_size_is_larger_than_a_model_can_be(cohort):
    X, y = cohort
    result = cross_validate(X[:, :4], y, n_active=60, n_folds=3)
    np.testing.assert_array_equal(result.n_active, np.arange(5))
    np.testing.assert_array_equal(result.mse, cross_validate(X[:, :4], y, n_active=4, n_folds=3).mse)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_folds": 1}, "expected 2 to 30 folds of 60 samples, got 1"),
        ({"folds": np.zeros(60, int)}, "folds: expected 60 integers of two or more values"),
        ({"n_active": -1}, "expected a whole number of active SNPs of at least 1, got n_active=-1"),
        ({"K": np.eye(59)}, "expected 60 x 60"),
    ],
)
def test_bad_input_is_refused(cohort, change, message):
    X, y = cohort
    with pytest.raises(InputError, match=message):
        cross_validate(X, y, **change)


@pytest.mark.parametrize("coding", [lambda X: X, lambda X: 3.0 - 2.0 * X])
def test_estimator_with_kinship_and_covariates(cohort, rng, coding):
    X, y = cohort
    K, Z = kinship(rng.standard_normal((60, 80))), rng.standard_normal((60, 1))
    train, test = np.arange(45), np.arange(45, 60)
    model = LMMLasso(n_active=4).fit(
        coding(X[train]), y[train], kinship=7.0 * K[np.ix_(train, train)], covariates=Z[train]
    )
    predicted = model.predict(coding(X[test]), kinship=7.0 * K[np.ix_(test, train)], covariates=Z[test])
    expected, _, log_delta = exact_prediction(X, y, train, test, model.mu_, np.hstack([np.ones((60, 1)), Z]), K)
    np.testing.assert_allclose(predicted, expected, atol=1e-8)
    assert model.log_delta_ == pytest.approx(log_delta, abs=1e-9)
    by_mu = LMMLasso(mu=model.mu_).fit(X[train], y[train], kinship=K[np.ix_(train, train)], covariates=Z[train])
    np.testing.assert_allclose(by_mu.predict(X[test], K[np.ix_(test, train)], Z[test]), expected, atol=1e-8)
    with pytest.raises(InputError, match=r"expected shape \(15, 45\)"):
        model.predict(coding(X[test]), covariates=Z[test])


CHECKS = list(estimator_checks_generator(LMMLasso(n_active=3)))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.parametrize(("estimator", "check"), CHECKS, ids=[str(check.func.__name__) for _, check in CHECKS])
def test_scikit_learn_conventions(estimator, check):
    check(estimator)

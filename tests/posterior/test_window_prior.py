"""What the prior says of windows: against draws from the models themselves, and against quadrature."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from draw_trees import tree_of
from numpyro.infer import Predictive
from scipy.integrate import quad

import bayes_lmmlasso as bl
from bayes_lmmlasso.models import MODELS, RotatedData
from bayes_lmmlasso.posterior.summaries import prior
from bayes_lmmlasso.posterior.summaries.windows import rank_windows

DRAWS = 40_000


def correlated(rng, n, p):
    X = rng.normal(size=(n, p)) + rng.normal(size=(n, 1))
    return (X - X.mean(axis=0)) / X.std(axis=0)


def model_draws(model, p):
    """Effects of a model before any data: without rows of X there is nothing to whiten by."""
    nothing = {"y": jnp.zeros(1), "Z": jnp.zeros((1, 0)), "XT": jnp.zeros((p, 1)), "S": jnp.zeros(1)}
    data = RotatedData(**nothing, U=jnp.eye(1), sigma=jnp.zeros(0))
    return np.asarray(Predictive(MODELS[model].function, num_samples=DRAWS)(jax.random.key(5), data)["b"])


@pytest.mark.parametrize("model", MODELS)
def test_the_prior_of_a_window_is_that_of_the_model(rng, model):
    """Forty thousand draws of each model's function: the share in which a window, and a SNP, is included."""
    X, members = correlated(rng, 30, 24), [np.array([3]), np.arange(4), np.arange(5, 24)]
    tree = tree_of(X, np.zeros((1, 4, 24)), exact_zeros=MODELS[model].exact_zeros)
    tree.attrs["model"] = model
    b = model_draws(model, 24)
    for share in (0.01, 0.2):
        found = prior.window_priors(tree, members, share)
        for inside, probability in zip(members, found, strict=True):
            if MODELS[model].exact_zeros:
                event = (b[:, inside] != 0).any(axis=1)
            else:
                event = (b[:, inside] @ X[:, inside].T).var(axis=1) > share
            error = np.sqrt(probability * (1 - probability)) * np.hypot(DRAWS**-0.5, 4096**-0.5)
            assert abs(event.mean() - probability) < 4 * error
        if not MODELS[model].exact_zeros:
            expected = (b**2 > share).mean()
            assert prior.snp_prior(tree, share) == pytest.approx(expected, abs=4 * (expected / DRAWS) ** 0.5)
    if MODELS[model].exact_zeros:
        assert prior.snp_prior(tree, 0.001) == pytest.approx(found[0], rel=1e-12)


def test_the_prior_of_any_included_is_an_integral_over_pi():
    """1,000 SNPs: of 20 any is included with 0.42 before any data, of 100 with 0.68, of one with 0.05."""
    tree = tree_of(np.eye(3)[:, [0] * 1000], np.zeros((1, 4, 1000)))
    sizes = [1, 20, 100]
    found = prior.window_priors(tree, [np.arange(m) for m in sizes], 0.01)
    lower, upper = np.log(1 / 1000), np.log(0.3)
    for m, probability in zip(sizes, found, strict=True):
        expected = quad(lambda t, m=m: 1 - (1 - np.exp(t)) ** m, lower, upper)[0] / (upper - lower)
        assert probability == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(found, [0.0524, 0.42, 0.68], atol=0.006)


def test_windows_in_stretches_are_those_in_one_piece(rng):
    X = correlated(rng, 20, 700)
    effects = prior._PriorEffects("laplace", 700, 20, 700)
    b = np.concatenate([draws for _, draws in effects._stretches(700)])
    np.testing.assert_allclose(effects.explained(X.T)[:50], (X @ b[:700, :50]).var(axis=0), rtol=1e-5)


def test_a_model_of_ones_own_has_no_baseline(rng):
    X, b = correlated(rng, 30, 4), rng.normal(size=(1, 40, 4))
    tree = tree_of(X, b, exact_zeros=False)
    tree.attrs["model"] = "mine"
    table = bl.window_table(tree, "2snps")
    assert table[["window_pip_prior", "bayes_factor"]].isna().all(axis=None)
    assert np.isnan(prior.snp_prior(tree, 0.001))
    assert rank_windows(table)["window_pip"].is_monotonic_decreasing


def test_bayes_factors_are_odds_and_stay_finite():
    prior_pip, m = np.full(4, 0.2), np.full(4, 1e9)
    found = prior.bayes_factors(np.array([0.0, 0.2, 0.5, 0.9]), prior_pip, m)
    np.testing.assert_allclose(found, [0, 1, 4, 36], rtol=1e-6, atol=1e-6)
    (certain,) = prior.bayes_factors(np.ones(1), np.array([0.2]), np.array([400.0]))
    assert certain == pytest.approx((400 + 0.2) / 0.2)
    (never,) = prior.bayes_factors(np.zeros(1), np.array([0.2]), np.array([400.0]))
    assert never == pytest.approx(0.8 / 400.8)


def test_a_small_window_with_a_signal_comes_before_a_large_one_without(rng):
    """Two SNPs with 0.4 against 998 with 0.9, which is what the prior says of so many."""
    b = np.zeros((2, 100, 1000))
    b[:, ::5, 0] = b[:, 1::5, 0] = 0.3
    b[:, np.arange(90), np.arange(90) + 100] = 0.1
    tree = tree_of(correlated(rng, 20, 1000), b, chrom=np.array(["1"] * 2 + ["2"] * 998))
    table = bl.window_table(tree)
    np.testing.assert_allclose(table["window_pip"], [0.4, 0.9])
    assert rank_windows(table)["chrom"].tolist() == ["1", "2"]
    assert table["bayes_factor"].iloc[0] > 5 > 2 > table["bayes_factor"].iloc[1]

"""Trait transforms: exact inverses, agreement with SciPy, limits and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayes_lmmlasso.cohort import TraitTransform, fit_trait_transform
from bayes_lmmlasso.errors import InputError

NAMES = ("none", "box-cox", "rank-normal")


@pytest.fixture
def trait(rng):
    return rng.gamma(2.0, 3.0, size=200).round(1) + 0.1  # skewed, positive, with ties


@pytest.mark.parametrize("name", NAMES)
def test_standardised_and_inverted(trait, name):
    transform = fit_trait_transform(trait, name)
    y = transform.forward(trait)
    np.testing.assert_allclose([y.mean(), y.var()], [0, 1], atol=1e-12)
    np.testing.assert_allclose(transform.inverse(y), trait, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(np.argsort(y, kind="stable"), np.argsort(trait, kind="stable"))
    assert transform.inverse(y.reshape(2, 100)).shape == (2, 100)
    assert np.isnan(transform.forward(np.nan))


@pytest.mark.parametrize("name", ["none", "box-cox"])
def test_the_slope_is_that_of_the_transform(trait, name):
    transform = fit_trait_transform(trait, name)
    step = 1e-5
    numerical = (transform.forward(trait + step) - transform.forward(trait - step)) / (2 * step)
    np.testing.assert_allclose(transform.log_slope(trait), np.log(numerical), rtol=1e-6, atol=1e-7)


def test_ranks_have_no_slope(trait):
    assert np.isnan(fit_trait_transform(trait, "rank-normal").log_slope(trait)).all()


@pytest.mark.parametrize("power", [-0.5, 0.0, 0.4, 2.0])
def test_box_cox_is_scipys(rng, power):
    normal = 5 + rng.standard_normal(300) * 0.4
    trait = np.exp(normal) if power == 0 else normal ** (1 / power)
    transform = fit_trait_transform(trait, "box-cox")
    expected, exponent = stats.boxcox(trait)
    assert transform.exponent == pytest.approx(exponent, abs=1e-6)
    np.testing.assert_allclose(transform.forward(trait), stats.zscore(expected), atol=1e-6)
    np.testing.assert_allclose(transform.inverse(transform.forward(trait)), trait, rtol=1e-10)


def test_box_cox_inverse_has_limits(trait):
    positive = fit_trait_transform(trait, "box-cox")
    negative = fit_trait_transform(1 / trait, "box-cox")
    assert positive.exponent > 0 > negative.exponent
    assert positive.inverse(-100.0) == 0
    assert negative.inverse(100.0) == np.inf


def test_rank_normal_gives_blom_scores_and_interpolates():
    transform = fit_trait_transform(np.array([4.0, 1.0, 2.0, 2.0, 8.0]), "rank-normal")
    scores = stats.norm.ppf((np.array([4, 1, 2.5, 2.5, 5]) - 0.375) / 5.25)
    np.testing.assert_allclose(transform.forward([4.0, 1.0, 2.0, 2.0, 8.0]), stats.zscore(scores), atol=1e-12)
    middle = transform.forward([2.0, 4.0]).mean()
    assert transform.inverse(middle) == pytest.approx(3.0)
    np.testing.assert_allclose(transform.inverse([-9.0, 9.0]), [1.0, 8.0])


def test_expectation_is_that_of_the_normal(trait):
    """In closed form where the inverse is exponential, a square or linear between values (moments of parts)."""
    mean, sd = np.array([[0.3, -1.1], [0.0, 0.9]]), np.array([[0.2, 0.1], [1.0, 0.4]])
    none = np.empty(0)
    log = TraitTransform("box-cox", 1.0, 0.5, 0.0, none, none)
    np.testing.assert_allclose(log.expectation(mean, sd), np.exp(mean / 2 + 1 + sd**2 / 8), rtol=1e-7)
    root = TraitTransform("box-cox", 8.0, 0.5, 0.5, none, none)
    np.testing.assert_allclose(root.expectation(mean, sd), (mean / 4 + 5) ** 2 + sd**2 / 16, rtol=1e-7)
    ranks = fit_trait_transform(trait, "rank-normal")
    ends = (ranks.scores - ranks.mean) / ranks.sd
    a, b = ((edges - mean[..., None]) / sd[..., None] for edges in (ends[:-1], ends[1:]))
    slope = np.diff(ranks.values) / np.diff(ends)
    inside = ranks.values[:-1] + slope * (mean[..., None] - ends[:-1])
    parts = inside * (stats.norm.cdf(b) - stats.norm.cdf(a))
    parts = parts + slope * sd[..., None] * (stats.norm.pdf(a) - stats.norm.pdf(b))
    tails = ranks.values[0] * stats.norm.cdf(a[..., 0]) + ranks.values[-1] * stats.norm.sf(b[..., -1])
    np.testing.assert_allclose(ranks.expectation(mean, sd), parts.sum(axis=-1) + tails, rtol=1e-4)
    linear = fit_trait_transform(trait)
    np.testing.assert_array_equal(linear.expectation(mean, sd), linear.inverse(mean))


def test_refusals():
    with pytest.raises(InputError, match="none, box-cox, rank-normal, got 'log'"):
        fit_trait_transform(np.arange(3.0), "log")
    with pytest.raises(InputError, match=r"varies, got 2\.5 for all 3 samples"):
        fit_trait_transform(np.full(3, 2.5))
    with pytest.raises(InputError, match="positive values for the Box-Cox transform, got -1; shift"):
        fit_trait_transform(np.array([-1.0, 2.0, 3.0]), "box-cox")

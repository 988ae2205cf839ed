"""Bayesian false discovery rates against their definition, and against simulated truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

import bayes_lmmlasso as bl


def test_every_threshold_by_its_definition(rng):
    pip = np.round(rng.random(200), 2)  # with ties
    result = bl.posterior.bayesian_fdr(pip)
    assert result.threshold.tolist() == sorted(set(pip), reverse=True)
    for threshold, n, false, fdr in zip(
        result.threshold, result.n_selected, result.expected_false, result.fdr, strict=True
    ):
        chosen = pip[pip >= threshold]
        assert n == len(chosen)
        assert false == pytest.approx((1 - chosen).sum(), abs=1e-12)
        assert fdr == pytest.approx((1 - chosen).mean(), abs=1e-12)
    assert (np.diff(result.fdr) >= -1e-15).all()


@pytest.mark.parametrize("level", [0.05, 0.1, 0.3])
def test_the_threshold_is_the_lowest_that_keeps_the_rate(rng, level):
    pip = rng.beta(0.2, 0.6, size=500)
    threshold = bl.posterior.bayesian_fdr(pip).threshold_for(level)
    assert (1 - pip[pip >= threshold]).mean() <= level
    lower = pip[pip < threshold].max()
    assert (1 - pip[pip >= lower]).mean() > level


def test_calibrated_probabilities_make_as_many_mistakes_as_expected(rng):
    """Truth drawn with the probabilities themselves: the number of false discoveries has mean expected_false."""
    pip = rng.beta(0.3, 0.5, size=400)
    result = bl.posterior.bayesian_fdr(pip)
    k = np.flatnonzero(result.threshold >= 0.7)[-1]
    false = (rng.random((4000, 400)) >= pip)[:, pip >= result.threshold[k]].sum(axis=1)
    error = false.std() / np.sqrt(len(false))
    assert abs(false.mean() - result.expected_false[k]) < 4 * error


def test_a_rate_that_is_reached_exactly_is_kept():
    """0.75 is false with probability 0.25, exactly in binary, as is the mean of 0.875 and 0.625."""
    assert bl.posterior.bayesian_fdr([0.75, 0.5]).threshold_for(0.25) == 0.75
    assert bl.posterior.bayesian_fdr([0.875, 0.625, 0.1]).threshold_for(0.25) == 0.625


def test_nothing_can_be_discovered_where_all_is_unlikely():
    assert bl.posterior.bayesian_fdr([0.2, 0.1]).threshold_for(0.1) == math.inf


@pytest.mark.parametrize("pip", [[0.2, 1.2], [np.nan], [], [[0.1]]])
def test_refusals(pip):
    with pytest.raises(bl.InputError, match="inclusion probabilities from 0 to 1"):
        bl.posterior.bayesian_fdr(pip)


def test_a_rate_is_between_0_and_1():
    with pytest.raises(bl.InputError, match=r"in \(0, 1\), got 1"):
        bl.posterior.bayesian_fdr([0.5]).threshold_for(1)

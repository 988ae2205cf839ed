"""P-values of ranks against counting all outcomes, and the table of simulation-based calibration."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import binom

from bayes_lmmlasso import InputError
from bayes_lmmlasso.compare import rank_uniformity, sbc_table


def farthest(ranks, n_draws):
    """The smallest tail probability of the number of ranks below k, over k."""
    n, tails = len(ranks), []
    for k in range(1, n_draws + 1):
        below, chance = sum(r < k for r in ranks), binom(n, k / (n_draws + 1))
        tails.append(min(chance.cdf(below), chance.sf(below - 1)))
    return min(tails)


@pytest.mark.parametrize(("n", "n_draws"), [(4, 3), (5, 2), (2, 7)])
def test_p_value_is_the_share_of_outcomes_that_are_as_far_out(n, n_draws):
    outcomes = list(product(range(n_draws + 1), repeat=n))
    far = np.array([farthest(ranks, n_draws) for ranks in outcomes])
    for ranks, own in list(zip(outcomes, far, strict=True))[:: len(outcomes) // 9]:
        exact = (far <= own * (1 + 1e-12)).mean()
        assert rank_uniformity(np.array(ranks), n_draws) == pytest.approx(exact, abs=1e-12)


def test_p_values_of_uniform_ranks_are_uniform(rng):
    p = np.array([rank_uniformity(rng.integers(0, 8, 60), 7) for _ in range(300)])
    assert abs((p < 0.05).mean() - 0.05) < 0.04
    assert abs((p < 0.5).mean() - 0.5) < 0.1


@pytest.mark.parametrize("wrong", [lambda draws: 0.8 * draws, lambda draws: draws + 0.3, lambda draws: 1.3 * draws])
def test_table_finds_posteriors_that_are_off(rng, wrong):
    theta = rng.normal(size=400)
    y = theta + rng.normal(size=400)
    draws = y[:, None] / 2 + np.sqrt(0.5) * rng.normal(size=(400, 31))
    table = sbc_table({"right": theta, "wrong": theta}, {"right": draws, "wrong": wrong(draws)})
    right, off = table.p_value
    assert off < 1e-3 < 0.05 < right
    assert table.p_adjusted.to_list() == [min(2 * right, 1), 2 * off]
    assert table.replicates.to_list() == [400, 400]


def test_ties_are_ranked_at_random(rng):
    """Half of all values are zero, in truth and in draws."""
    true, draws = (np.maximum(rng.normal(size=shape), 0) for shape in (500, (500, 15)))
    assert sbc_table({"b": true}, {"b": draws}).p_value[0] > 0.01


def test_what_cannot_be_ranked_is_refused():
    for ranks in ([], [4], [-1], [0.5]):
        with pytest.raises(InputError, match="expected ranks from 0 to 3"):
            rank_uniformity(np.array(ranks), 3)
    with pytest.raises(InputError, match="same quantities"):
        sbc_table({"h": [1.0]}, {"rho": [[1.0]]})
    with pytest.raises(InputError, match=r"got shapes \(1,\) and \(2, 1\)"):
        sbc_table({"h": [1.0]}, {"h": [[1.0], [2.0]]})
    with pytest.raises(InputError, match="got NaN"):
        sbc_table({"h": [1.0]}, {"h": [[np.nan]]})

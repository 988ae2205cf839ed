"""Bootstrap intervals against the normal interval, its second-order correction, coverage, and replicates all alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import bayes_lmmlasso as bl
from bayes_lmmlasso.compare.bootstrap import answer, bootstrap_limits, ratio_difference, sum_ratio
from bayes_lmmlasso.errors import InputError


def test_interval_of_a_mean_is_the_normal_one(rng):
    values = rng.gamma(4.0, size=400)
    found = bl.compare.bootstrap_interval(np.append(values, np.nan))
    half = 1.96 * values.std() / np.sqrt(400)
    assert found.n == 400
    assert found.estimate == pytest.approx(values.mean())
    np.testing.assert_allclose([found.lo, found.hi], [values.mean() - half, values.mean() + half], atol=0.15 * half)
    assert found == bl.compare.bootstrap_interval(values)


def test_pairs_are_compared_on_shared_replicates(rng):
    difficulty = rng.normal(scale=5, size=200)
    values = pd.DataFrame({"a": difficulty + rng.normal(0.3, 1, 200), "b": difficulty + rng.normal(0, 1, 200)})
    values.loc[3, "a"] = np.nan
    row = bl.compare.paired_differences(values, "b").iloc[0]
    d = (values["a"] - values["b"]).dropna()
    assert (row["method"], row["reference"], row["n"]) == ("a", "b", 199)
    assert row["difference"] == pytest.approx(d.mean())
    assert row["hi"] - row["lo"] == pytest.approx(2 * 1.96 * d.std() / np.sqrt(199), rel=0.15)
    assert row["share_larger"] == pytest.approx((d > 0).mean())
    means = bl.compare.method_means(values).set_index("method")
    assert means.loc["a", "hi"] - means.loc["a", "lo"] > 2 * (row["hi"] - row["lo"])  # what pairing is for
    every = bl.compare.paired_differences(values.assign(c=1.0))
    assert list(zip(every["method"], every["reference"], strict=True)) == [("b", "a"), ("c", "a"), ("c", "b")]
    with pytest.raises(InputError, match="reference among a, b, got 'z'"):
        bl.compare.paired_differences(values, "z")


def test_the_interval_leans_to_the_long_tail():
    """The ends for a mean are z + (2 z^2 + 1) skewness / (6 sqrt n) standard errors away (Hall 1988).

    z0 = a = skewness / (6 sqrt n) move z to z + 2 z0 + a z^2, whose quantile is z + (z^2 - 1) skewness / (6 sqrt n).
    """
    values = np.random.default_rng(4).gamma(1.0, size=80)
    found = bl.compare.bootstrap_interval(values, n_boot=50_000)
    error = values.std() / np.sqrt(80)
    skewness = np.mean((values - values.mean()) ** 3) / values.std() ** 3
    z = norm.ppf([0.025, 0.975])
    expected = values.mean() + error * (z + (2 * z**2 + 1) * skewness / (6 * np.sqrt(80)))
    np.testing.assert_allclose([found.lo, found.hi], expected, atol=0.12 * error)
    assert found.hi - found.estimate > 1.2 * (found.estimate - found.lo)


def test_intervals_cover_a_skewed_mean_and_a_ratio():
    """Of 400 intervals at 90% each: binomial 0.999 limits, less what an interval from 40 replicates loses."""
    rng = np.random.default_rng(8)
    sums = rng.gamma(1.0, size=(2, 400, 40))
    for statistic, columns, truth in [(np.mean, sums[:1], 1.0), (sum_ratio, sums, 1.0)]:
        lo, hi = bootstrap_limits(statistic, *columns, level=0.9, n_boot=1000)
        assert 335 <= ((lo <= truth) & (truth <= hi)).sum() <= 379


def test_rows_together_are_rows_alone_and_columns_are_paired(rng):
    a, b, size = rng.normal(1.0, 1.0, (3, 50)), rng.normal(size=50), rng.uniform(1, 2, 50)
    lo, hi = bootstrap_limits(ratio_difference, a, size, b, size, seed=7)
    for k in range(3):
        alone = bootstrap_limits(ratio_difference, a[k], size, b, size, seed=7)
        np.testing.assert_allclose([lo[k], hi[k]], alone, rtol=1e-12)
    np.testing.assert_array_equal(bootstrap_limits(ratio_difference, a, size, a, size), np.zeros((2, 3)))
    other = bootstrap_limits(ratio_difference, a, size, b, size, seed=8)
    assert (other[0] != lo).all()


def test_replicates_all_alike_have_an_interval_of_no_width():
    found = bl.compare.bootstrap_interval([2.5] * 6)
    assert (found.lo, found.hi) == (2.5, 2.5)


def test_one_replicate_has_no_interval():
    found = bl.compare.bootstrap_interval([2.5, np.nan])
    assert (found.estimate, found.n) == (2.5, 1)
    assert np.isnan([found.lo, found.hi]).all()
    assert answer(found.lo, found.hi) == "undecided"


def test_resamples_without_a_denominator_are_left_out():
    """One replicate of eight has items; where it is drawn the ratio is 0.25, elsewhere there is none."""
    denominator = np.array([4.0, 0, 0, 0, 0, 0, 0, 0])
    assert bootstrap_limits(sum_ratio, 0.25 * denominator, denominator) == (0.25, 0.25)
    assert np.isnan(sum_ratio(denominator[1:], denominator[1:]))
    assert np.isnan(bootstrap_limits(sum_ratio, denominator[1:], denominator[1:])).all()


def test_many_replicates_have_the_percentile_interval(rng):
    """BCa and percentiles meet: with 2,001 replicates the normal interval is both."""
    values = rng.exponential(size=(2, 2001))
    lo, hi = bootstrap_limits(np.mean, values)
    half = 1.96 * values.std(axis=1) / np.sqrt(2001)
    np.testing.assert_allclose([values.mean(axis=1) - lo, hi - values.mean(axis=1)], [half, half], rtol=0.15)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_a_level_out_of_range_is_refused(level):
    with pytest.raises(InputError, match=r"expected a level in \(0, 1\)"):
        bl.compare.bootstrap_interval([1.0, 2.0], level=level)
    with pytest.raises(InputError, match="expected a value of at least one replicate, got none but NaN"):
        bl.compare.bootstrap_interval([np.nan])

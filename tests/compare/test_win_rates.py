"""Wins by trait: differences by hand, exact intervals from beta quantiles, coverage of the paired bootstrap."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta

from bayes_lmmlasso.compare.win_rates import trait_differences, win_rates

PAIR = ("lmm-lasso", "lasso")


def predictions(errors: dict[str, np.ndarray], trait: str = "t", spread: float = 1.0) -> pd.DataFrame:
    """Samples in two folds, of trait values +-spread about a baseline of 5, each predicted with the given error."""
    parts = []
    for method, error in errors.items():
        n = error.size
        y = 5 + spread * np.resize([1.0, -1.0], n)
        ids = {"fold": np.arange(n) % 2, "fid": "f", "iid": [str(i) for i in range(n)]}
        parts.append(
            pd.DataFrame(
                {"trait": trait, "method": method, **ids, "y": y, "baseline": 5.0, "mean": y - error, "mcse": 0.0}
            )
        )
    return pd.concat(parts, ignore_index=True)


def test_difference_by_hand_whatever_the_order_of_rows():
    table = predictions({"lmm-lasso": np.array([0.0, 1, 0, 1]), "lasso": np.array([1.0, 1, 2, 1])}, spread=2.0)
    shuffled = table.sample(frac=1, random_state=3)
    row = trait_differences(shuffled, [PAIR]).iloc[0]
    assert row["difference"] == pytest.approx((1 + 0 + 4 + 0) / 16)  # r2 of 1 - 2/16 and 1 - 7/16
    assert row["n"] == 4
    assert row["lo"] >= 0  # no sample favours the reference


def test_a_constant_advantage_has_an_interval_of_no_width():
    table = predictions({"lmm-lasso": np.full(9, 0.5), "lasso": np.full(9, -1.0)})
    row = trait_differences(table, [PAIR]).iloc[0]
    assert row["lo"] == pytest.approx(0.75) == row["hi"]


def test_samples_that_one_method_lacks_are_left_out():
    table = predictions({"lmm-lasso": np.zeros(4), "lasso": np.array([9.0, 1, 9, 1])})
    table = table[(table["method"] == "lasso") | (table["fold"] == 1)]
    row = trait_differences(table, [PAIR, ("laplace", "lmm-lasso")])
    assert row[["difference", "n"]].values.tolist() == [[1.0, 2]]


def test_intervals_hold_the_expected_difference():
    """Errors of sd 1 and 1.2 with a common part: the expected difference is 0.44 at spread 1."""
    rng = np.random.default_rng(5)
    parts = []
    for place in range(200):
        common = rng.normal(size=150)
        worse = common + np.sqrt(0.44) * rng.normal(size=150)
        parts.append(predictions({"lmm-lasso": common, "lasso": worse}, trait=str(place)))
    table = trait_differences(pd.concat(parts), [PAIR], seed=1)
    held = ((table["lo"] <= 0.44) & (table["hi"] >= 0.44)).sum()
    assert 179 <= held <= 198  # binomial 0.999 limits of 200 x 0.95, less what the percentile bootstrap loses


def test_monte_carlo_error_is_told_apart():
    """A posterior mean of 0 whose average of draws has sd 0.6: all it loses to a reference of 0 is chance."""
    rng, sd = np.random.default_rng(2), 0.6
    pair = ("spike_slab", "lmm-lasso")
    table = predictions({"spike_slab": 1 - rng.normal(scale=sd, size=400), "lmm-lasso": np.ones(400)})
    table = table.assign(mcse=lambda rows: np.where(rows["method"] == "spike_slab", sd, 0.0))
    row = trait_differences(table, [pair]).iloc[0]
    assert row["monte_carlo"] == pytest.approx(-(sd**2))
    assert row["difference"] == pytest.approx(-(sd**2), abs=5 * np.sqrt(4 * sd**2 + 2 * sd**4) / np.sqrt(400))
    assert (
        "Of it, -0.360 is Monte Carlo error in expectation"
        in win_rates(trait_differences(table, [pair]))["conclusion"].item()
    )
    assert "Monte Carlo" not in win_rates(by_trait([0.1]))["conclusion"].item()
    unknown = by_trait([0.1]).assign(monte_carlo=np.nan)
    assert "One chain does not tell how much of it is Monte Carlo error" in win_rates(unknown)["conclusion"].item()


def by_trait(differences: list[float], method: str = "lmm-lasso", reference: str = "lasso") -> pd.DataFrame:
    difference = np.array(differences)
    traits = [f"t{place}" for place in range(difference.size)]
    columns = {"difference": difference, "lo": difference - 0.02, "hi": difference + 0.02, "monte_carlo": 0.0, "n": 100}
    return pd.DataFrame({"method": method, "reference": reference, "trait": traits, **columns})


def test_wins_by_hand():
    row = win_rates(by_trait([0.1] * 16 + [0.01] + [-0.01] * 2 + [-0.1]), published=0.85).iloc[0]
    assert (row["traits"], row["wins"], row["clear_wins"], row["clear_losses"]) == (20, 17, 16, 1)
    assert row["share"] == 0.85
    assert row["lo"] == pytest.approx(beta.ppf(0.025, 17, 4))
    assert row["hi"] == pytest.approx(beta.ppf(0.975, 18, 3))
    assert row["difference"] == pytest.approx((1.6 + 0.01 - 0.02 - 0.1) / 20)
    text = row["conclusion"]
    assert "in 17 of 20 traits (85.0%; exact 95% interval 62.1% to 96.8%)" in text
    assert "The published share is 85.0%, within the interval." in text
    assert text.endswith("So lmm-lasso predicts better in most traits.")


@pytest.mark.parametrize(
    ("differences", "end"),
    [
        ([-0.1] * 9 + [0.1], "So lasso predicts better in most traits."),
        ([-0.1] * 5 + [0.1] * 5, "So many traits do not tell which of the two predicts better in most."),
    ],
)
def test_conclusions_follow_the_interval(differences, end):
    text = win_rates(by_trait(differences), published=0.916)["conclusion"].item()
    assert text.endswith(end)
    assert "The published share is 91.6%, outside the interval." in text


def test_ties_do_not_count_and_other_pairs_have_no_published_share():
    tied = by_trait([0.0, 1e-17, 0.1, 0.1], "spike_slab", "lmm-lasso")
    row = win_rates(tied, published=0.85).iloc[0]
    assert (row["traits"], row["wins"], row["share"]) == (2, 2, 1.0)
    assert row["published"] is None
    assert "published" not in row["conclusion"]
    assert win_rates(by_trait([0.0, 1e-17])).empty

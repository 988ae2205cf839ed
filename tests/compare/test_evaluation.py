"""Curves and calibration against counting by hand, known truth and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

import bayes_lmmlasso as bl
from bayes_lmmlasso.errors import InputError


def test_curves_by_counting(rng):
    score, truth = np.round(rng.random(60), 1), rng.random(60) < 0.3
    curves = bl.compare.ranking_curves(score, truth)
    P, N = truth.sum(), (~truth).sum()
    recall = [(truth & (score >= t)).sum() / P for t in np.unique(score)[::-1]]
    precision = [truth[score >= t].mean() for t in np.unique(score)[::-1]]
    np.testing.assert_allclose(curves.recall, recall)
    np.testing.assert_allclose(curves.precision, precision)
    assert curves.average_precision == pytest.approx(np.sum(np.diff([0, *recall]) * precision))
    s, t = score[truth][:, None], score[~truth]  # the area is the probability of the right order
    assert curves.roc_area == pytest.approx(((s > t) + 0.5 * (s == t)).mean())
    assert (curves.n_positive, curves.n_negative) == (P, N)
    for fdp in (0.0, 0.2, 0.5, 0.9):
        best = max([r for r, q in zip(recall, precision, strict=True) if 1 - q <= fdp + 1e-12], default=0.0)
        assert curves.power_at_fdp(fdp) == pytest.approx(best)
    for r in (0.0, 0.3, 1.0):
        best = max(q for at, q in zip(recall, precision, strict=True) if at >= r - 1e-12)
        assert curves.precision_at(r) == pytest.approx(best)
    np.testing.assert_allclose(curves.true_positive_rate_at([0.0, 1.0])[1], 1.0)


def test_infinite_scores_rank_first():
    curves = bl.compare.ranking_curves([np.inf, 300.0, -np.inf], [True, False, False])
    assert curves.average_precision == 1.0


def test_curve_refusals():
    with pytest.raises(InputError, match="got 0 true ones of 3"):
        bl.compare.ranking_curves([1, 2, 3], [0, 0, 0])
    with pytest.raises(InputError, match="with 1 NaN"):
        bl.compare.ranking_curves([1, np.nan], [0, 1])


def test_calibration_by_counting(rng):
    p, replicate = rng.random(400), np.repeat(np.arange(8), 50)
    truth = rng.random(400) < p**2
    found = bl.compare.calibration_curve(p, truth, replicate, edges=(0, 0.25, 0.6, 1), n_boot=200)
    for row in found.bins.itertuples():
        inside = (p >= row.lower) & (p < row.upper)
        assert (row.n, row.mean, row.observed) == (inside.sum(), pytest.approx(p[inside].mean()), truth[inside].mean())
        assert row.lo <= row.observed <= row.hi
    gaps = [abs(row.mean - row.observed) * row.n / 400 for row in found.bins.itertuples()]
    assert found.error == pytest.approx(sum(gaps))
    assert found.brier == pytest.approx(np.mean((p - truth) ** 2))


def test_true_probabilities_are_found_calibrated_and_their_squares_not(rng):
    p, replicate = rng.beta(0.3, 2, size=40_000), np.repeat(np.arange(40), 1000)
    truth = rng.random(p.size) < p
    good, bad = bl.compare.calibration_curve(p, truth, replicate), bl.compare.calibration_curve(p**2, truth, replicate)
    covered = (good.bins["lo"] <= good.bins["mean"]) & (good.bins["mean"] <= good.bins["hi"])
    assert covered.sum() >= 8  # of 10 intervals at 95%: 7 or fewer has probability 0.01
    assert good.error < 0.01 < 0.05 < bad.error


def test_bootstrap_resamples_replicates_and_not_items(rng):
    """With all items of a replicate alike, the interval is as wide as R replicates make it, whatever their size."""
    shared = rng.random(30) < 0.5
    truth, replicate = np.repeat(shared, 500), np.repeat(np.arange(30), 500)
    row = bl.compare.calibration_curve(np.full(truth.size, 0.5), truth, replicate).bins.iloc[0]
    width = 2 * 1.96 * shared.std() / np.sqrt(30)
    assert row["hi"] - row["lo"] == pytest.approx(width, rel=0.15)


def test_claimed_rates_are_realised_under_true_probabilities(rng):
    replicates, m = 200, 300
    p = rng.beta(0.2, 1.0, size=replicates * m)
    truth = rng.random(p.size) < p
    table = bl.compare.fdr_calibration(p, truth, np.repeat(np.arange(replicates), m)).set_index("claimed")
    assert table.index.tolist() == [0.05, 0.1, 0.2, 0.3, 0.5]
    assert (table["expected"] <= table.index).all()
    # the realised rate estimates the expected one: 5 intervals at 95%, strongly dependent, so all but one must hold it
    assert ((table["lo"] <= table["expected"]) & (table["expected"] <= table["hi"])).sum() >= 4
    assert table["power"].is_monotonic_increasing
    overstated = bl.compare.fdr_calibration(np.sqrt(p), truth, np.repeat(np.arange(replicates), m)).set_index("claimed")
    assert (overstated["lo"] > overstated["expected"]).all()


def test_nothing_selected_is_no_false_discovery():
    table = bl.compare.fdr_calibration([0.1, 0.2], [True, False], levels=(0.05,))
    assert table.loc[0, ["realised", "power", "n_selected"]].tolist() == [0.0, 0.0, 0.0]

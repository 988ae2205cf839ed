"""An analysis as a notebook shows it, and its figures."""

from __future__ import annotations

import numpy as np
import pytest
from small_run import sparse_run

import bayes_lmmlasso as bl
from bayes_lmmlasso.report.card import analysis_card
from bayes_lmmlasso.report.verdict import Verdict


@pytest.fixture(scope="module")
def analysis():
    return bl.open_run(sparse_run().folder)


def test_a_notebook_shows_the_verdict_and_a_picture(analysis):
    html = analysis._repr_html_()
    assert analysis.verdict.sentence == Verdict.of(analysis.record, analysis.windows).sentence
    assert analysis.verdict.sentence in html
    assert "data:image/png;base64," in html
    assert len(html) < 100_000


def test_text_of_the_data_stays_text(analysis):
    record = analysis.record | {"data": analysis.record["data"] | {"trait": "<b>x</b>"}}
    html = analysis_card(record, analysis.inclusion, analysis.windows, ["<i>"])
    assert "<b>x" not in html
    assert "<i>" not in html


def test_figures_are_of_the_analysis(analysis):
    pip = analysis.plots.manhattan("pip")
    heights = np.concatenate([points.get_offsets()[:, 1] for points in pip.collections if len(points.get_offsets())])
    assert np.isclose(heights.max(), analysis.inclusion["pip"].max())
    first = analysis.windows.nlargest(1, "bayes_factor").iloc[0]
    region = analysis.plots.region(f"{first['chrom']}:{first['start']}-{first['end']}")
    assert region.get_xlabel()
    for draw in ("stacked_manhattan", "stability_against_pip", "effects", "qq", "variance_shares", "n_included"):
        assert getattr(analysis.plots, draw)()
    for draw in ("null_likelihood", "prior_posterior", "trace", "ranks"):
        assert getattr(analysis.plots, draw)().get_xlabel()

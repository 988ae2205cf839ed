"""What the linked figures are made of: which SNPs are drawn, and text that is the same each time."""

from __future__ import annotations

import json

import numpy as np
import pytest
from bokeh.models import ColumnDataSource
from bokeh.plotting import figure

from bayes_lmmlasso.report.interactive.embed import embed
from bayes_lmmlasso.report.interactive.thinning import MOST_DRAWN, drawn


@pytest.mark.parametrize("p", [10, MOST_DRAWN, 216_100])
def test_no_snp_that_stands_out_is_left_out(p):
    rng = np.random.default_rng(1)
    x = np.sort(rng.random(p))
    quantities = [rng.beta(0.05, 2, p), np.where(rng.random(p) < 0.9, np.nan, rng.exponential(1, p))]
    rows = drawn(x, quantities)
    if p <= MOST_DRAWN:
        assert len(rows) == p
        return
    assert len(rows) < 0.2 * p
    for values in quantities:
        assert np.isin(np.argsort(-np.nan_to_num(values, nan=-1.0))[:1000], rows).all()
        # the highest of any stretch of the genome, wherever it begins, is drawn or lies beside a higher one
        for start in rng.integers(0, p - 2000, 20):
            stretch = values[start : start + 2000]
            assert np.nanmax(stretch) == np.nanmax(values[np.intersect1d(np.arange(start, start + 2000), rows)])


def plot(name):
    source = ColumnDataSource({"x": np.arange(3.0), "id": [name, "p1001", "id"]}, name="source")
    shown = figure(title=name)
    shown.scatter("x", "x", source=source)
    return shown


def test_equal_models_give_equal_text_however_many_were_made_before():
    first = embed({"a": plot("rs1")})
    assert embed({"a": plot("rs1")}) == first
    assert embed({"a": plot("rs2")}) != first


def test_text_of_the_data_cannot_end_the_script_and_comes_back():
    name = '</script><b id=\'p1002\'>{"id": "p1003"}'
    text = embed({"a": plot(name)})
    assert "<" not in text
    models = json.loads(text)["document"]["report"]
    assert name in json.dumps(models, ensure_ascii=False).replace('\\"', '"')
    assert "p1001" in text  # an id of the data is no number of a model

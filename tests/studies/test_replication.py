"""Studies of replication: failures are those that a count by hand finds, parts of the samples are what they say."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from browser import shown
from small_study import tables, write_study

import bayes_lmmlasso as bl
from bayes_lmmlasso.compare.baselines import Baseline
from bayes_lmmlasso.report.tables import read_tsv
from bayes_lmmlasso.studies import compute, read_study
from bayes_lmmlasso.studies.cells.replication import part_of
from bayes_lmmlasso.studies.data import load
from bayes_lmmlasso.studies.execution import perform
from bayes_lmmlasso.studies.folder import run_study

ALL, PART = [0.95, 0.05, 0.12, 0.02, 0.5], [0.97, 0.91, 0.93, 0.9, 0.0]
"""pips of five SNPs: of the three above 0.9 in a part, one is below 0.1 in all samples."""


@pytest.fixture
def computed(monkeypatch):
    """Compute cells here: processes take seconds to start. Returns the keys in the order they were computed."""
    keys = []

    def compute_here(cells, workers):
        for key, cell in cells.items():
            keys.append(key)
            yield key, perform(cell)

    monkeypatch.setattr(compute, "compute_on_processes", compute_here)
    return keys


@pytest.fixture
def planted(monkeypatch):
    """A method that is sure of three SNPs in a part of the samples and takes one back; one that keeps all."""

    def fickle(X, y, basis, Z):
        pip = np.zeros(X.shape[1])
        pip[:5] = ALL if len(y) == 60 else PART
        return pip

    def steady(X, y, basis, Z):
        pip = np.zeros(X.shape[1])
        pip[:5] = 0.99
        return pip

    for name, method in (("spike_slab-pip", steady), ("spike_slab-pip-no-polygenic", fickle)):
        monkeypatch.setitem(bl.compare.BASELINES, name, Baseline(method, is_share=True))


def _usual(text):
    """Return the study with the usual thresholds."""
    return text.replace("high = 0.5\n", "").replace("low = 0.4\n", "")


@pytest.mark.usefixtures("planted")
def test_a_planted_failure_is_counted(tmp_path, computed):
    out = tmp_path / "out"
    done = run_study(write_study(tmp_path / "study.toml", "replication", _usual), out)
    rates = read_tsv(out / "rfr.tsv").set_index("method")
    fickle, steady = rates.loc["spike_slab-pip-no-polygenic"], rates.loc["spike_slab-pip"]
    assert fickle[["subsamples", "called", "failed"]].tolist() == [2, 2 * 3, 2 * 1]  # 0.9 itself is not above 0.9
    assert fickle["rate"] == pytest.approx(1 / 3, abs=1e-6)
    assert fickle["expected"] == pytest.approx((0.03 + 0.09 + 0.07) / 3, abs=1e-6)
    assert fickle["lo"] == pytest.approx(0.0433, abs=1e-4)  # Clopper and Pearson's table: 2 of 6
    assert fickle["hi"] == pytest.approx(0.7772, abs=1e-4)
    assert steady[["called", "failed", "rate"]].tolist() == [10, 0, 0]
    (gap,) = read_tsv(out / "rfr_differences.tsv").to_dict("records")
    assert gap["difference"] == pytest.approx(1 / 3, abs=1e-5)
    assert gap["answer"] == "undecided"  # one trait says nothing of others
    called = read_tsv(out / "called.tsv")
    assert called.loc[called["failed"], "snp"].nunique() == 1
    assert set(called.loc[called["failed"], "pip_all"]) == {0.05}
    assert len(done.conclusions) == 3
    document = shown(out / "report.html")
    for name in ("rfr", "rfr_differences", "rfr_by_split", "called"):
        assert f"<code>{name}.tsv</code>" in document
    assert "2 lose their support in all of them: replication failure rate 33.3%" in document


def test_the_interval_of_a_difference_is_over_traits():
    names = [("a", name, split) for split in (1, 2) for name in ("t1", "t2", "t3")]
    one = pd.DataFrame(names, columns=["method", "trait", "split"]).assign(called=10, failed=4, expected=0.5)
    two = one.assign(method="b", failed=[1, 2, 3, 1, 2, 3])
    (gap,) = bl.compare.failure_differences(pd.concat([one, two])).to_dict("records")
    assert (gap["method"], gap["reference"], gap["traits"]) == ("b", "a", 3)
    assert gap["difference"] == pytest.approx(0.2 - 0.4)
    assert -0.301 < gap["lo"] < gap["difference"] < gap["hi"] < -0.099
    assert gap["answer"] == "smaller"
    lost = pd.concat([one, two[two["trait"] != "t3"]])  # cells that failed take their pairs with them
    assert bl.compare.failure_differences(lost)["difference"].item() == pytest.approx(0.15 - 0.4)


def test_a_method_that_is_sure_of_nothing_has_no_rate():
    counts = pd.DataFrame([{"method": "a", "trait": "t", "split": 1, "called": 0, "failed": 0, "expected": 0.0}])
    row = bl.compare.failure_rates(counts).iloc[0]
    assert row["called"] == 0
    assert np.isnan(row[["rate", "lo", "hi", "expected"]].astype(float)).all()


@pytest.mark.usefixtures("planted")
def test_a_study_that_is_repeated_or_extended_computes_nothing_twice(tmp_path, computed):
    path, out = write_study(tmp_path / "study.toml", "replication"), tmp_path / "out"
    run_study(path, out)
    first = tables(out)
    assert len(computed) == 2 * (1 + 2)
    cells = read_tsv(out / "cells.tsv")
    assert set(cells["status"]) == {"done"}
    assert run_study(path, out).result.n_computed == 0
    assert tables(out) == first
    more = write_study(tmp_path / "more.toml", "replication", lambda text: text.replace("splits = 2", "splits = 3"))
    assert run_study(more, out).result.n_computed == 2  # all samples are there already
    other = write_study(tmp_path / "other.toml", "replication", lambda text: text.replace("high = 0.5", "high = 0.8"))
    assert run_study(other, out).result.n_computed == 0


def test_a_part_is_standardised_by_itself_and_the_same_for_all_methods(tmp_path):
    study = read_study(write_study(tmp_path / "study.toml", "replication"))
    data = load(study.data, "colour")
    cells = compute.KINDS["replication"].cells(study)
    parts = {cell.split: [other.seed for other in cells if other.split == cell.split] for cell in cells}
    assert [len(set(seeds)) for seeds in parts.values()] == [1, 1, 1]
    assert len({seeds[0] for seeds in parts.values()}) == 3
    varies, (X, y, Z, basis) = part_of(data, 0.5, cells[-1].seed)
    assert X.shape == (30, varies.size)
    assert len(y) == len(Z) == basis.n_samples == 30
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(X.std(axis=0), 1, rtol=1e-5)
    assert y.mean() == pytest.approx(0, abs=1e-12)
    assert y.std() == pytest.approx(1)
    rows = np.sort(np.random.default_rng(cells[-1].seed).permutation(60)[:30])
    np.testing.assert_allclose(np.corrcoef(y, data.analysis.y[rows])[0, 1], 1)
    K = (basis.vectors * basis.values) @ basis.vectors.T
    np.testing.assert_allclose(K, bl.gower_scale(data.K[np.ix_(rows, rows)]), atol=1e-8)


@pytest.mark.usefixtures("planted")
def test_a_missing_peer_is_told_in_a_sentence(tmp_path, monkeypatch, computed):
    monkeypatch.setitem(sys.modules, "pysusie", None)
    path, out = tmp_path / "study.toml", tmp_path / "out"
    write_study(path, "replication", lambda text: text.replace('["spike_slab-pip"', '["susie", "spike_slab-pip"'))
    run_study(path, out)
    cells = read_tsv(out / "cells.tsv")
    lost = cells[cells["status"] == "failed"]
    assert set(lost["method"]) == {"susie"}
    (sentence,) = set(lost["error"])
    assert "expected the package pysusie for the method susie, got none" in sentence
    assert "pip install pysusie" in sentence
    assert "susie" not in set(read_tsv(out / "rfr.tsv")["method"])
    assert "expected the package pysusie" in (out / "report.html").read_text(encoding="utf-8")


def test_thresholds_that_cross_are_refused(tmp_path):
    path = write_study(tmp_path / "study.toml", "replication", lambda text: text.replace("low = 0.4", "low = 0.6"))
    with pytest.raises(bl.InputError, match=r"expected low of at most high, got 0\.6 and 0\.5"):
        read_study(path)

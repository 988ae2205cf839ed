"""Damaged files of a run are found, and told in a sentence: what is read is right, or refused."""

from __future__ import annotations

import json
import shutil
from functools import cache

import numpy as np
import pandas as pd
import pytest
from damage import DAMAGE, mutants
from small_run import cohort_folder, contents, finished_copy, finished_run

import bayes_lmmlasso as bl
from bayes_lmmlasso.cohort import GenotypeSource
from bayes_lmmlasso.integrity import MANIFEST
from bayes_lmmlasso.report.page import report_html
from bayes_lmmlasso.run import rebuild_report, resume
from bayes_lmmlasso.run.commands.predict import check_predictions, predict_run
from bayes_lmmlasso.studies import CellCache
from bayes_lmmlasso.studies.execution import CellResult


def predictions(folder):
    return bl.open_run(folder).predict(cohort_folder() / "small", covariates=cohort_folder() / "covar.tsv")


def read_all(folder):
    """Read whatever a run has for its reader, but its report."""
    analysis = bl.open_run(folder)
    return [predictions(folder), analysis.inclusion, analysis.windows, analysis.hyper, analysis.tree.load()]


@cache
def read_whole():
    return read_all(finished_run().folder)


def same(found, wanted):
    return all(
        a.equals(b) if isinstance(a, pd.DataFrame) else a.identical(b) for a, b in zip(found, wanted, strict=True)
    )


@pytest.mark.parametrize("share", [0.06, pytest.param(1.0, marks=pytest.mark.slow)])
def test_a_reader_finds_damage_or_reads_what_was_written(tmp_path, share):
    folder = finished_copy(tmp_path / "run")
    shutil.rmtree(folder / "checkpoint")
    refused = 0
    for mutant in mutants(folder, 1, share):
        try:
            found = read_all(folder)
        except bl.InputError:
            refused += 1
        else:
            assert same(found, read_whole()), mutant
    assert refused > 20


@pytest.mark.parametrize("name", ["run.json", "inclusion.tsv", "hyper.tsv", f"posterior.zarr/{MANIFEST}"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_of_the_files_that_matter_most_is_found(tmp_path, name, damage):
    folder = finished_copy(tmp_path / "run")
    DAMAGE[damage](folder / name, np.random.default_rng(3))
    with pytest.raises(bl.InputError, match="expected"):
        read_all(folder)
    with pytest.raises(bl.InputError, match="expected"):
        rebuild_report(folder)


def test_a_lost_chunk_of_the_posterior_is_refused_by_predict(tmp_path):
    folder = finished_copy(tmp_path / "run")
    (folder / "posterior.zarr" / "posterior" / "sigma2_e" / "0.0").unlink()
    source = GenotypeSource("bfile", cohort_folder() / "small")
    with pytest.raises(bl.InputError, match=r"got 1 missing or changed \(posterior/sigma2_e/0.0\)"):
        predict_run(folder, source, cohort_folder() / "covar.tsv")
    with pytest.raises(bl.InputError, match="1 missing or changed"):
        bl.read_tree(folder / "posterior.zarr")


def test_a_prediction_that_is_no_number_never_leaves():
    table = pd.DataFrame({"iid": ["s1", "s2"], "mean": [0.0, np.nan], "sd": 1.0, "lo": -1.0, "hi": np.inf})
    with pytest.raises(bl.InputError, match=r"a prediction for every sample, got none for 1 \(s2\)"):
        check_predictions(table)
    assert check_predictions(table[:1]) is not None


@pytest.mark.parametrize("field", ["command", "arguments", "seed", "versions", "data", "evidence", "null_model"])
@pytest.mark.parametrize("odd", [None, "missing", [3]])
def test_a_record_with_missing_or_odd_fields_is_refused(tmp_path, field, odd):
    record = dict(finished_run().record)
    del record["sha256"]
    if odd == "missing":
        del record[field]
    else:
        record[field] = odd
    (tmp_path / "run.json").write_text(json.dumps(record))
    with pytest.raises(bl.InputError, match=f"expected {field} in the run.json"):
        bl.open_run(tmp_path)


def test_draws_are_not_added_to_damaged_ones(tmp_path):
    folder = finished_copy(tmp_path / "run")
    (folder / "checkpoint" / "draws.zarr" / "b" / "1.0.0").unlink()
    before = contents(folder)
    with pytest.raises(bl.InputError, match=r"expected the draws in .* as they were written, got damaged ones"):
        resume(folder, draws=60)
    assert contents(folder) == before


def test_a_damaged_cell_is_computed_again(tmp_path):
    cache = CellCache(tmp_path)
    cache.put("key", CellResult({"value": 1.25, "names": ["a"]}, None, 0.5))
    assert cache.get("key") == CellResult({"value": 1.25, "names": ["a"]}, None, 0.5)
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    data = file.read_bytes()
    for k in range(len(data)):
        for damaged in (data[:k], data[:k] + bytes([data[k] ^ 2]) + data[k + 1 :]):
            file.write_bytes(damaged)
            assert cache.get("key") is None
    for odd in ("[]", "3", "null", "{}"):
        file.write_text(odd)
        assert cache.get("key") is None
    file.write_bytes(data)
    assert cache.get("key") is not None


def test_the_page_of_a_whole_run_is_made_again(tmp_path):
    folder = finished_copy(tmp_path / "run")
    assert rebuild_report(folder).read_text(encoding="utf-8") == report_html(folder)

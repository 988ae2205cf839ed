"""Text files: format, missing values, atomic appearance."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from bayes_lmmlasso import InputError
from bayes_lmmlasso.report.tables import OutputFile, read_tsv, write_json, write_tsv


def test_format_of_a_table(tmp_path):
    table = pd.DataFrame(
        {
            "chrom": ["1", "X"],
            "snp": ["NA", "rs1"],
            "pip": [1 / 3, np.nan],
            "path_rank": pd.array([2, pd.NA], dtype="Int64"),
        }
    )
    write_tsv(table, tmp_path / "t.tsv")
    assert (tmp_path / "t.tsv").read_bytes() == b"chrom\tsnp\tpip\tpath_rank\n1\tNA\t0.333333\t2\nX\trs1\tNA\tNA\n"
    again = read_tsv(tmp_path / "t.tsv")
    assert again["snp"].tolist() == ["NA", "rs1"]
    assert again["chrom"].tolist() == ["1", "X"]
    assert again["pip"].isna().tolist() == [False, True]


def test_a_table_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    (tmp_path / "t.tsv").write_text("old")
    monkeypatch.setattr("pathlib.Path.replace", lambda self, target: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_tsv(pd.DataFrame({"pip": [1.0]}), tmp_path / "t.tsv")
    assert [path.name for path in tmp_path.iterdir()] == ["t.tsv"]
    assert (tmp_path / "t.tsv").read_text() == "old"


def test_records_hold_plain_json(tmp_path):
    write_json(
        {"a": np.float32(0.5), "b": [np.nan, np.int64(3)], "c": tmp_path, "d": {"e": np.bool_(True)}}, tmp_path / "r"
    )
    assert json.loads((tmp_path / "r").read_text()) == {"a": 0.5, "b": [None, 3], "c": str(tmp_path), "d": {"e": True}}


def test_output_files_are_checked_first(tmp_path):
    with pytest.raises(InputError, match="got the folder"):
        OutputFile(tmp_path)
    with pytest.raises(InputError, match="create the folder first"):
        OutputFile(tmp_path / "absent" / "t.tsv")


def test_a_missing_table_is_told(tmp_path):
    with pytest.raises(InputError, match=r"absent\.tsv"):
        read_tsv(tmp_path / "absent.tsv")

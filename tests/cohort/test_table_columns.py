"""Columns of tables: numbers or groups, what is missing, and what is told or refused when a column is used."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest

from bayes_lmmlasso.cohort import read_table
from bayes_lmmlasso.cohort.tables import use_columns
from bayes_lmmlasso.errors import InputError


def table_of(folder, column, values, **coding):
    """Read a table of one column beside the ids."""
    (folder / "t.tsv").write_text("\n".join([f"iid\t{column}", *(f"s{i}\t{v}" for i, v in enumerate(values))]) + "\n")
    return read_table(folder / "t.tsv", **coding)


MARKS = ["NA", "n/a", "NaN", "nan", "#N/A", "#NA", "<NA>", "", ".", "-", "--", "?", "*", "None", "null", "NULL"]


@pytest.mark.parametrize("mark", [*MARKS, "missing", "unknown", "Unknown", "UNKNOWN"])
def test_marks_of_missing_values_leave_numbers_numbers(tmp_path, mark):
    table = table_of(tmp_path, "age", [40, mark, 51.5])
    np.testing.assert_array_equal(table["age"], [40, np.nan, 51.5])
    assert use_columns(table, ["age"]) == ()


def test_words_that_may_name_a_group_are_told(tmp_path):
    table = table_of(tmp_path, "drug", ["none", "x", "y", "None", "NA"])
    (remark,) = use_columns(table, ["drug"])
    assert table["drug"].tolist() == [None, "x", "y", None, None]
    assert remark.caution
    assert remark.text.startswith("None, none (2 of 5 values) is taken as missing in column 'drug'")
    assert use_columns(table, []) == ()
    named = table_of(tmp_path, "drug", ["none", "x", "y"], missing_code=["none"])
    assert use_columns(named, ["drug"]) == ()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, 2, "x1", 4], r"column 'dose' of .*t.tsv, got 'x1' in line 4: correct it, .*--missing-code x1.*ical dose`"),
        ([1, 2, "4 cups", "low", 7], "got '4 cups' in line 4 .and 1 more.: .*--missing-code '4 cups'"),
        (["0,5", "1,5", "2"], r"got '0,5' \(a decimal comma or a separator of thousands\) in line 2 .and 1 more.: "),
        (["1,234.5", "2", "3"], "separator of thousands"),
        (["1 234", "2", "3"], "separator of thousands"),
        (["12 cm", "13 cm", "9 cm"], r"'12 cm' \(a number with a unit\) .*: give the number alone"),
        (["12%", 1, 2], "a number with a unit"),
        (["2024-05-01", "2024-05-02", "NA"], r"'2024-05-01' \(a date\)"),
        (["1.5.2024", "12.5.2024 10:30", "NA"], r"\(a date\)"),
        (["1+2j", 1, 2], "a complex number"),
        (["1_000", 1, 2], "got '1_000' in line 2"),
    ],
)
def test_an_odd_value_is_refused_when_its_column_is_used(tmp_path, values, message):
    table = table_of(tmp_path, "dose", values)
    with pytest.raises(InputError, match=f"expected numbers in {message}" if message[0] == "c" else message):
        use_columns(table, ["dose"])
    assert use_columns(table, []) == ()
    groups = table_of(tmp_path, "dose", values, categorical=["dose"])
    assert use_columns(groups, ["dose"]) == ()
    assert groups["dose"].tolist() == [None if value == "NA" else str(value) for value in values]


@pytest.mark.parametrize("values", [["a", "b", "1"], ["1", "2", "x", "y"], ["1A", "2A", "3A"], ["1x2", "3-4", "5/6"]])
def test_names_are_text(tmp_path, values):
    table = table_of(tmp_path, "plot", values)
    assert table["plot"].tolist() == values
    assert use_columns(table, ["plot"]) == ()


def test_named_groups_are_text_and_whole(tmp_path):
    table = table_of(tmp_path, "batch", ["1", "2.0", "10", "NA", "01", "1.05", "v1.0.2"], categorical="batch")
    assert table["batch"].tolist() == ["1", "2", "10", None, "01", "1.05", "v1.0.2"]
    frame = pd.DataFrame({"iid": ["a", "b", "c"], "batch": [1.0, np.nan, 2.0], "other": [1.0, 2.0, 3.0]})
    table = read_table(frame, categorical=["batch"])
    assert table["batch"].tolist() == ["1", None, "2"]
    assert table["other"].dtype == np.float64


@pytest.mark.parametrize("coding", [{}, {"categorical": ["batch"]}])
def test_minus_9_is_no_group(tmp_path, coding):
    values = ["1", "2", "3", "-9"] if coding else ["A", "B", "C", "-9"]
    table = table_of(tmp_path, "batch", values, **coding)
    assert table["batch"].tolist() == [*values[:3], None]
    (remark,) = use_columns(table, ["batch"])
    assert "(1 of 4 values)" in remark.text
    assert "-9 is taken as missing in column 'batch'" in remark.text


def test_truth_values_are_0_and_1(tmp_path):
    np.testing.assert_array_equal(table_of(tmp_path, "x", ["TRUE", "False", "NA"])["x"], [1, 0, np.nan])
    assert table_of(tmp_path, "x", ["TRUE", "maybe"])["x"].tolist() == ["TRUE", "maybe"]


MINUS_9 = {
    "none": ([1.5, -8, 3], [1.5, -8, 3], None),
    "beside numbers from 0": ([-9, 1.5, "-9.0", 0], [np.nan, 1.5, np.nan, 0], False),
    "once": ([-9, 1.5, 0], [np.nan, 1.5, 0], False),
    "once below negative numbers": ([-9, -1.5, 0], [-9, -1.5, 0], None),
    "twice below negative numbers": ([-9, -1.5, -9, 0], [np.nan, -1.5, np.nan, 0], True),
    "twice amid negative numbers": ([-9, -10, -9, 0], [-9, -10, -9, 0], None),
    "case and control, with 0": ([1, 2, 0, -9], [1, 2, np.nan, np.nan], True),
    "case and control, without 0": ([1, 2, 1, -9], [1, 2, 1, np.nan], False),
    "0 and 1": ([1, 0, 1, -9], [1, 0, 1, np.nan], False),
    "0, 1 and 2 alone": ([1, 0, 1, 2], [1, 0, 1, 2], True),
    "0 to 3": ([1, 0, 3, 2], [1, 0, 3, 2], None),
}


@pytest.mark.parametrize("kind", MINUS_9)
@pytest.mark.parametrize("dialect", ["file", "frame"])
def test_codes_of_plink_are_missing_and_told(tmp_path, kind, dialect):
    values, expected, caution = MINUS_9[kind]
    if dialect == "file":
        table = table_of(tmp_path, "y", values)
    else:
        table = read_table(pd.DataFrame({"iid": [f"s{i}" for i in range(len(values))], "y": map(float, values)}))
    np.testing.assert_array_equal(table["y"], expected)
    assert [remark.caution for remark in use_columns(table, ["y"])] == ([] if caution is None else [caution])
    assert use_columns(table, []) == ()
    assert len(table.attrs["remarks"]) == (caution is not None)


@pytest.mark.parametrize("code", ["999", ["999"], ["x", "999.0"], [999]])
def test_further_codes_are_missing(tmp_path, code):
    np.testing.assert_array_equal(
        table_of(tmp_path, "y", [1, 999, "999.00"], missing_code=code)["y"], [1, np.nan, np.nan]
    )
    groups = table_of(tmp_path, "y", ["1", "999", "2"], missing_code=code, categorical=["y"])
    assert groups["y"].tolist() == ["1", None, "2"]
    frame = read_table(pd.DataFrame({"iid": ["a", "999"], "y": [1.0, 999.0]}), missing_code=code)
    np.testing.assert_array_equal(frame["y"], [1, np.nan])
    assert frame["iid"].tolist() == ["a", "999"]


FRAMES = {
    "category": (pd.Categorical(["u", None, "v"]), ["u", None, "v"]),
    "category of numbers": (pd.Categorical([2, None, 1]), ["2", None, "1"]),
    "bool": ([True, False, True], [1.0, 0.0, 1.0]),
    "boolean": (pd.array([True, None, False], dtype="boolean"), [1.0, np.nan, 0.0]),
    "Int64": (pd.array([4, None, 5], dtype="Int64"), [4.0, np.nan, 5.0]),
    "Float64": (pd.array([0.1, None, 5], dtype="Float64"), [0.1, np.nan, 5.0]),
    "string": (pd.array(["u", None, "v"], dtype="string"), ["u", None, "v"]),
    "string of numbers": (pd.array(["0.1", None, "5"], dtype="string"), [0.1, np.nan, 5.0]),
    "objects": (np.array([0.1, None, "5"], dtype=object), [0.1, np.nan, 5.0]),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_types_of_frames_are_honoured(kind):
    given, expected = FRAMES[kind]
    table = read_table(pd.DataFrame({"iid": [101.0, 102.0, 7.0], "x": given}))
    assert table["iid"].tolist() == ["101", "102", "7"]
    if isinstance(expected[0], str):
        assert table["x"].tolist() == expected
    else:
        assert table["x"].dtype == np.float64
        np.testing.assert_array_equal(table["x"], expected)
    assert use_columns(table, ["x"]) == ()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pd.to_datetime(["2024-01-01", "2024-01-02"]), "dates"),
        (pd.period_range("2024", periods=2, freq="D"), "dates"),
        (pd.to_timedelta([1, 2], unit="h"), "durations"),
        (np.array([1j, 2.0]), "complex numbers"),
        (np.array([datetime.date(2024, 1, 1), None]), "a date"),
        (np.array([1j, 2.0], dtype=object), "a complex number"),
    ],
)
def test_types_that_are_no_numbers_are_refused_by_name(values, kind):
    table = read_table(pd.DataFrame({"iid": ["a", "b"], "when": values, "y": [1.0, 2.0]}))
    assert use_columns(table, ["y"]) == ()
    with pytest.raises(InputError, match=rf"column 'when' of the phenotypes data frame, got .*{kind}"):
        use_columns(table, ["y", "when"])


def test_dates_that_are_named_as_groups_are_text():
    frame = pd.DataFrame({"iid": ["a", "b"], "when": pd.to_datetime(["2024-01-01", None])})
    table = read_table(frame, categorical=["when"])
    assert table["when"].tolist() == ["2024-01-01 00:00:00", None]
    assert use_columns(table, ["when"]) == ()

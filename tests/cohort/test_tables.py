"""Tables of traits and covariates: parsing, types, writing and every refusal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_lmmlasso.cohort import read_table, write_table
from bayes_lmmlasso.errors import InputError


@pytest.mark.parametrize("separator", ["\t", ",", " "])
def test_separator_follows_the_header(tmp_path, separator):
    path = tmp_path / "t.txt"
    rows = [["#FID", "IID", "trait", "site"], ["f", "a", "1.5", "N"], ["f", "b", "NA", "."]]
    path.write_text("\n".join(separator.join(row) for row in rows) + "\n\n")
    table = read_table(path)
    assert list(table.columns) == ["fid", "iid", "trait", "site"]
    assert table["trait"].dtype == np.float64
    np.testing.assert_array_equal(table["trait"], [1.5, np.nan])
    assert table["site"].tolist() == ["N", None]
    assert table.attrs["source"] == str(path)


def test_ids_stay_text_and_numbers_are_exact(tmp_path, rng):
    values = rng.standard_normal(50) * 10.0 ** rng.integers(-12, 12, 50)
    lines = [f"{i:04d}\t{float(v)!r}\t1_{i}" for i, v in enumerate(values)]
    (tmp_path / "t.tsv").write_text("iid\ty\tcode\n" + "\n".join(lines), encoding="utf-8-sig")
    table = read_table(tmp_path / "t.tsv")
    assert table["iid"][7] == "0007"
    np.testing.assert_array_equal(table["y"].to_numpy(), values)
    assert table["code"][3] == "1_3"  # a name, not the Python number 13


def test_frame_is_read_as_a_file_is(tmp_path):
    frame = pd.DataFrame(
        {
            "IID": [3, 1],
            "count": pd.array([1, None], dtype="Int64"),
            "flag": [True, False],
            "kind": pd.Categorical(["u", "v"]),
            "digits": ["1e3", None],
            "empty": [None, None],
        }
    )
    table = read_table(frame)
    write_table(table, tmp_path / "t.tsv")
    assert table["iid"].tolist() == ["3", "1"]
    np.testing.assert_array_equal(table[["count", "flag", "digits"]], [[1, 1, 1000], [np.nan, 0, np.nan]])
    assert table["kind"].tolist() == ["u", "v"]
    assert table["empty"].isna().all()
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.tsv"), table)
    assert [p.name for p in tmp_path.iterdir()] == ["t.tsv"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at least one row of phenotypes, got 0 lines"),
        ("fid\tiid\ty\n", "at least one row of phenotypes, got 1 lines"),
        ("plant\ty\n1\t1\n", "column 'iid' in .*t.tsv, got plant, y; name"),
        ("iid\ty\ty\na\t1\t2\n", "'y' more than once; rename"),
        ("iid\ty\na\t1\n\nb\t1\t2\n", r"expected 2 fields \(iid y\), got 3 in line 4 of .*t.tsv; repair"),
        ("iid\ty\na\t1\nb\n", "got 1 in line 3"),
        ("fid\tiid\tx\nf\ta\t1\ng\ta\t1\nf\ta\t2\n", "fid iid = 'f a' in rows 2, 4; keep one"),
        ("iid\ty\na\t1\n\t2\n", "no 'iid' in row 3; fill it in"),
    ],
)
def test_refusals_name_file_value_and_remedy(tmp_path, text, message):
    (tmp_path / "t.tsv").write_text(text)
    with pytest.raises(InputError, match=message) as error:
        read_table(tmp_path / "t.tsv")
    assert "t.tsv" in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_and_binary_files(tmp_path):
    with pytest.raises(InputError, match=r"covariates as UTF-8 text in .*absent.tsv, got .*No such file"):
        read_table(tmp_path / "absent.tsv", "covariates")
    (tmp_path / "b.tsv").write_bytes(b"\x6c\x1b\xff\xfe")
    with pytest.raises(InputError, match=r"UTF-8 text in .*b.tsv"):
        read_table(tmp_path / "b.tsv")


def test_frame_duplicates_name_their_rows():
    with pytest.raises(InputError, match="the phenotypes data frame, got iid = 'a' in rows 0, 2"):
        read_table(pd.DataFrame({"iid": ["a", "b", "a"], "y": 1.0}))


def test_repeated_samples_are_counted(tmp_path):
    (tmp_path / "t.csv").write_text("iid,y\n" + "".join(f"s{i % 5},{i}\n" for i in range(15)))
    with pytest.raises(
        InputError, match=r"iid = 's0' in rows 2, 7, 12 .5 samples are there more than once.; keep one .* mean or BLUE"
    ):
        read_table(tmp_path / "t.csv")


def test_a_family_that_is_not_given_is_none(tmp_path):
    (tmp_path / "t.csv").write_text("fid,iid,y\n,a,1\nNA,b,2\n.,c,3\nf,unknown,4\n")
    table = read_table(tmp_path / "t.csv")
    assert table["fid"].tolist() == ["0", "0", "0", "f"]
    assert table["iid"].tolist() == ["a", "b", "c", "unknown"]

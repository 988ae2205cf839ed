"""Dialects of tables: the same data however a program writes them, and a sentence where they cannot be told."""

from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
import pytest
import zstandard

from bayes_lmmlasso.cohort import read_table
from bayes_lmmlasso.errors import InputError

TIDY = "fid\tiid\ty\tsite\nf\ta 1\t1.5\tNorth 1\nf\tb\tNA\tHöhe\n"
CSV = TIDY.replace("\t", ",")
BLANKS = '"fid" "iid" "y" "site"\n"f" "a 1"   1.5 "North 1"\n"f" "b" NA "Höhe"\n'

SAME = {
    "tabs": TIDY,
    "commas": CSV,
    "semicolons": TIDY.replace("\t", ";"),
    "blanks and quotes of R": BLANKS,
    "tabs and quotes of R": '"fid"\t"iid"\t"y"\t"site"\n"f"\t"a 1"\t1.5\t"North 1"\n"f"\t"b"\tNA\t"Höhe"\n',
    "quotes after blanks": 'fid, iid, "y", site\nf, "a 1", 1.5, "North 1"\nf, b, NA, Höhe\n',
    "commas in names within quotes": BLANKS.replace("site", "s,i,t,e"),
    "row names of R": '"fid" "iid" "y" "site"\n"1" "f" "a 1" 1.5 "North 1"\n"2" "f" "b" NA "Höhe"\n',
    "row names of write.csv": ",fid,iid,y,site\n1,f,a 1,1.5,North 1\n2,f,b,,Höhe\n",
    "row names read and written again": "X,fid,iid,y,site\n1,f,a 1,1.5,North 1\n2,f,b,,Höhe\n",
    "row names of pandas": "Unnamed: 0,fid,iid,y,site\n7,f,a 1,1.5,North 1\n9,f,b,,Höhe\n",
    "no last line end": TIDY.rstrip(),
    "blanks around fields": CSV.replace(",", " , "),
    "empty lines": "\n" + TIDY.replace("\n", "\n\n  \n"),
    "empty rows and columns": "fid,iid,y,site,,\nf,a 1,1.5,North 1,,\n,,,,,\nf,b,NA,Höhe,,\n,,,,,\n",
    "empty fields beyond the header": "fid,iid,y,site\nf,a 1,1.5,North 1,,\nf,b,NA,Höhe,,\n",
    "comments": "#\n# made 2024, by hand\n## y: height\n" + TIDY,
    "a comment that begins with a head of ids": "# sample sheet of 2024\n" + TIDY,
    "a header with #": "#" + TIDY.replace("fid\tiid", "FID\tIID"),
    "a header behind #": "# one, two\n# " + TIDY,
}
ENCODINGS = {
    "Unix": lambda text: text.encode(),
    "Windows": lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"),
    "old Mac": lambda text: text.replace("\n", "\r").encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16 of another machine": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "UTF-32": lambda text: text.encode("utf-32"),
    "gz": lambda text: gzip.compress(text.encode()),
    "zst": lambda text: zstandard.compress(text.encode("utf-16")),
}


@pytest.mark.parametrize("dialect", SAME)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_same_table_in_every_dialect(tmp_path, dialect, encoding):
    (tmp_path / "t.txt").write_bytes(ENCODINGS[encoding](SAME[dialect]))
    table = read_table(tmp_path / "t.txt").rename(columns={"s,i,t,e": "site"})
    assert table.to_dict("list") | {"y": None} == {
        "fid": ["f", "f"],
        "iid": ["a 1", "b"],
        "y": None,
        "site": ["North 1", "Höhe"],
    }
    np.testing.assert_array_equal(table["y"], [1.5, np.nan])
    assert len(table.attrs["remarks"]) == ("row names" in dialect)


@pytest.mark.parametrize(
    ("first", "shown"),
    [
        (",iid,y\nr1,a,1\nr2,b,2\n", "r1, r2"),
        ("iid y\nr1 a 1\nr2 b 2\n", "r1, r2"),
        ("X,iid,y\n2,a,1\n1,b,2\n", "2, 1"),
    ],
)
def test_columns_without_a_name_are_told_and_not_used(tmp_path, first, shown):
    (tmp_path / "t.txt").write_text(first)
    table = read_table(tmp_path / "t.txt")
    assert table.to_dict("list") == {"iid": ["a", "b"], "y": [1.0, 2.0]}
    (remark,) = table.attrs["remarks"]
    assert f"column 1 of {tmp_path / 't.txt'} has no name of its own ({shown}) and is not used" in remark.text


def test_a_column_x_of_data_is_used(tmp_path):
    (tmp_path / "t.csv").write_text("X,iid\n3,a\n1,b\n")
    assert list(read_table(tmp_path / "t.csv")) == ["X", "iid"]


@pytest.mark.parametrize(
    "head",
    ["IID", "#iid", "ID", "#ID", "Taxa", "<Trait>", "sample", "Sample ID", "sample.id", "line", "Genotype", '"id"'],
)
def test_heads_of_ids(tmp_path, head):
    (tmp_path / "t.csv").write_text(f"{head},y\n01,1\n02,2\n")
    table = read_table(tmp_path / "t.csv")
    assert table.to_dict("list") == {"iid": ["01", "02"], "y": [1.0, 2.0]}
    assert len(table.attrs["remarks"]) == ("iid" not in head.lower())


def test_ids_go_before_what_may_be_ids(tmp_path):
    (tmp_path / "t.csv").write_text("sample,iid,id\n1,a,7\n2,b,8\n")
    assert read_table(tmp_path / "t.csv").to_dict("list") == {"sample": [1.0, 2.0], "iid": ["a", "b"], "id": [7.0, 8.0]}


def test_ids_of_the_index_are_used():
    frame = pd.DataFrame({"y": [1.0, 2.0]}, index=pd.Index(["a", "b"], name="Sample"))
    assert read_table(frame).to_dict("list") == {"iid": ["a", "b"], "y": [1.0, 2.0]}
    both = frame.set_axis(pd.MultiIndex.from_tuples([("f", "a"), ("f", "b")], names=["FID", "IID"]))
    assert list(read_table(both)) == ["fid", "iid", "y"]
    assert list(read_table(frame.assign(iid=["c", "d"]))) == ["y", "iid"]
    with pytest.raises(InputError, match="'fid' more than once"):
        read_table(both.assign(fid="g"))
    with pytest.raises(InputError, match="the index holds a, b: if these are the ids, name it 'iid'"):
        read_table(frame.rename_axis(None))


def test_empty_rows_of_a_frame_are_left_out():
    frame = pd.DataFrame({"iid": ["a", None, "b", None], "y": [1.0, None, None, None]})
    assert read_table(frame)["iid"].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# only\n# comments\n", "got 0 lines"),
        ("iid,y\n,\n,\n", "got 1 lines"),
        ("id,sample,y\n1,2,3\n", "got 'id' and 'sample', which may all hold sample ids; name the right one 'iid'"),
        (",y,z\na,1,2\nb,2,3\n", r"a first column without a name \(a, b\); name the one of sample ids 'iid'"),
        ("y z\na 1 2\nb 2 3\n", r"a first column without a name \(a, b\); name the one"),
        ("plant,y\na,1\nb,2\n", r"is it 'plant' \(a, b\)\?"),
        ("f\ta\t1.5\nf\tb\t2\n", "got f, a, 1.5: is this a row of data"),
        ('iid\ty\na\t1\n"b\t2\nc\t3\n', "double quotes in pairs .* in line 3 of .*; take stray quotes out"),
        ('iid y\na 1\nb "2\n', "double quotes in pairs .*got a quote that is not closed in line 3"),
        ('iid,y\n"a"b,1\n', "double quotes in pairs"),
        ("iid y\nLine 1 2\nLine 2 3\n", r"expected 2 fields \(iid y\), got 3 in line 2"),
        ("iid,y\na,1,\nb,2,3\n", r"expected 2 fields \(iid y\), got 3 in line 3"),
    ],
)
def test_what_cannot_be_told_is_refused(tmp_path, text, message):
    (tmp_path / "t.txt").write_text(text)
    with pytest.raises(InputError, match=message) as error:
        read_table(tmp_path / "t.txt")
    assert "t.txt" in str(error.value)


NO_TEXT = {
    "xlsx": (b"PK\x03\x04rest", r"a spreadsheet \(.xlsx, .ods\) .*save the sheet as CSV"),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1", r"a spreadsheet \(.xls\)"),
    "parquet": (b"PAR1", "a Parquet file"),
    "bz2": (b"BZh91AY", "a .bz2 file; unpack it"),
    "Latin-1": ("iid\ty\na\t1\nHöhe\t2\n".encode("latin-1"), "the byte 0xf6 in line 3, as in Latin-1 .* as UTF-8"),
    "UTF-16 without its mark": ("iid\ty\na\t1\n".encode("utf-16-le"), "a zero byte in line 1, as in binary files"),
    "half a letter": ("iid\ty\na\t1\n".encode("utf-16")[:-1], "no text in line"),
    "binary": (b"\x00\x01\xff\xfe", "no text in line 1"),
    "half a .gz": (gzip.compress(b"iid\ty\na\t1\n")[:-3], "a damaged or incomplete .gz file"),
    "xlsx in a .gz": (gzip.compress(b"PK\x03\x04rest"), "a spreadsheet"),
}


@pytest.mark.parametrize("kind", NO_TEXT)
def test_files_that_are_no_text_are_told_by_name(tmp_path, kind):
    data, message = NO_TEXT[kind]
    (tmp_path / "t.tsv").write_bytes(data)
    with pytest.raises(InputError, match=rf"expected covariates as UTF-8 text in .*t.tsv, got {message}"):
        read_table(tmp_path / "t.tsv", "covariates")


def test_a_folder_is_told(tmp_path):
    with pytest.raises(InputError, match="got Is a directory; check the path"):
        read_table(tmp_path)

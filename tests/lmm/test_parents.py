"""Tables of parents as people write them: unknown parents, names of columns, parents of both sexes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import pedigree_kinship

ROWS = [("a", None, None), ("b", None, None), ("c", "a", "b"), ("d", "a", "b"), ("e", "c", "x")]


def written(path, mark, head="iid sire dam", rows=ROWS):
    path.write_text("\n".join([head, *(" ".join(name or mark for name in row) for row in rows)]) + "\n")
    return path


@pytest.mark.parametrize(
    "mark",
    ["0", "00", "*", "-", "--", "-9", "-99", "?", ".", "NA", "nan", "N/A", "None", "null", "unknown", "UNKNOWN", "unk"],
)
def test_marks_of_unknown_parents(tmp_path, mark):
    expected = pedigree_kinship(pd.DataFrame(ROWS, columns=["iid", "sire", "dam"]))
    found = pedigree_kinship(written(tmp_path / "p.txt", mark))
    assert found.ids.tolist() == ["a", "b", "c", "d", "e", "x"]
    np.testing.assert_array_equal(found.matrix, expected.matrix)
    assert found.remarks == ()
    with pytest.raises(InputError, match="expected"):  # no animal has such a name
        pedigree_kinship(written(tmp_path / "p.txt", mark, rows=[*ROWS, (mark, "a", "b")]))


@pytest.mark.parametrize("mark", ["//", "***", "_"])
def test_a_mark_without_letters_and_digits_is_no_parent(tmp_path, mark):
    with pytest.raises(InputError, match=f"got '{mark.replace('*', '[*]')}' as parent of 2 of 5 samples: write 0"):
        pedigree_kinship(written(tmp_path / "p.txt", mark))


@pytest.mark.parametrize("head", ["iid father mother", "#IID PAT MAT", "IID Sire Dam", "iid Father Mother"])
def test_columns_go_by_several_names(tmp_path, head):
    numbers = [
        (str(10 + "abcdex".index(row[0])), *(p and str(10 + "abcdex".index(p)) for p in row[1:])) for row in ROWS
    ]
    found = pedigree_kinship(written(tmp_path / "p.txt", "0", head, numbers))
    assert found.ids.tolist() == ["10", "11", "12", "13", "14", "15"]
    np.testing.assert_array_equal(found.matrix, pedigree_kinship(written(tmp_path / "q.txt", "0")).matrix)
    with pytest.raises(InputError, match="keep one of sire, father"):
        pedigree_kinship(pd.DataFrame({"iid": ["a"], "sire": ["b"], "father": ["b"], "dam": ["c"]}))


def test_a_fam_is_a_table_of_parents(tmp_path):
    lines = [f"f {row[0]} {row[1] or 0} {row[2] or 0} 1 -9" for row in ROWS]
    (tmp_path / "p.fam").write_text("\n".join(lines))
    found = pedigree_kinship(tmp_path / "p.fam")
    np.testing.assert_array_equal(found.matrix, pedigree_kinship(written(tmp_path / "p.txt", "0")).matrix)
    (tmp_path / "p.fam").write_text("f a 0 0 1 -9\nf b 0 0 1 -9\n")
    with pytest.raises(InputError, match=r"expected parents in .*p\.fam, got none that is known"):
        pedigree_kinship(tmp_path / "p.fam")


def test_a_parent_of_both_sexes_is_told(tmp_path):
    swapped = [*ROWS, ("g", "b", "c"), ("h", "x", "a")]
    (remark,) = pedigree_kinship(written(tmp_path / "p.txt", "0", rows=swapped)).remarks
    assert remark.caution
    assert "4 parents are sire of some samples and dam of others or the same (a, c, ...)" in remark.text
    assert "right for plants; in animals correct them" in remark.text
    (remark,) = pedigree_kinship(written(tmp_path / "p.txt", "0", rows=[*ROWS, ("g", "c", "c")])).remarks
    assert not remark.caution
    assert "1 samples are selfed: taken as plants" in remark.text
    (remark,) = pedigree_kinship(written(tmp_path / "p.txt", "UNK1")).remarks
    assert remark.caution
    assert "without a row of their own UNK1: if that means an unknown parent, write 0" in remark.text

"""Who is who: families, ids that are none, hints where ids do not match."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_lmmlasso.cohort.ids import find_samples, likely_reason, tells_families
from bayes_lmmlasso.errors import InputError


def frame(iid, fid=None):
    return pd.DataFrame({"iid": list(iid)} if fid is None else {"fid": list(fid), "iid": list(iid)})


def find(wanted, given):
    return find_samples(wanted, given, "A", "B").tolist()


FAMILIES = {
    "absent": lambda iid: None,
    "zero": lambda iid: "0" * len(iid),
    "iid": lambda iid: iid,
    "told": lambda iid: "FGHI",
}


@pytest.mark.parametrize(("one", "other"), [(a, b) for a in FAMILIES for b in FAMILIES if (a, b) != ("told", "told")])
def test_a_file_without_families_is_joined_by_iid(one, other):
    """No column, 0 and the iid itself are no family."""
    assert find(frame("abcd", FAMILIES[one]("abcd")), frame("dxab", FAMILIES[other]("dxab"))) == [2, 3, -1, 0]


def test_families_tell_equal_ids_apart():
    assert find(frame("aab", "123"), frame("baa", "321")) == [2, 1, 0]
    assert find(frame("aab", "129"), frame("baa", "321")) == [2, 1, -1]


def test_a_single_sample_without_family_is_found_by_an_iid_that_is_unique():
    assert find(frame("abc", "F0G"), frame("cba", "GHF")) == [2, 1, 0]
    assert find(frame("abc", "F1G"), frame("cba", "G0F")) == [2, 1, 0]
    assert find(frame("aab", "102"), frame("baa", "213")) == [1, -1, 0]  # a is not unique
    assert find(frame("ab", "F0"), frame("abb", "FGH")) == [0, -1]


def test_an_iid_must_be_unique_where_families_are_not_told():
    with pytest.raises(InputError, match=r"B \(as A tells no families\), got iid = 'a' in rows 0, 1"):
        find(frame("ab"), frame("aab", "123"))
    with pytest.raises(InputError, match=r"A \(as B tells no families\), got iid = 'a' in rows 0, 1"):
        find(frame("aab", "123"), frame("ab", "00"))


def test_the_answer_is_a_permutation_inverse(rng):
    ids = [f"s{k}" for k in range(50)]
    order = rng.permutation(50)
    found = find_samples(frame(ids), frame(np.array(ids)[order]), "A", "B")
    np.testing.assert_array_equal(order[found], np.arange(50))


def test_no_shared_sample_is_refused_with_both_spellings_and_the_reason():
    with pytest.raises(
        InputError, match=r"got none: iid is \['007', '008'\].*\['7', '8'\].*2 would match without lead"
    ):
        find(frame(["007", "008"]), frame(["7", "8"]))
    with pytest.raises(InputError, match="2 iid are shared, in other families"):
        find(frame("ab", "FG"), frame("ab", "HI"))


@pytest.mark.parametrize(
    ("left", "right", "reason"),
    [
        (["0101", "0102"], ["101", "102"], "2 would match without leading zeros"),
        (["100000"], ["1e+05"], "1 would match if 1e\\+05 were written out"),
        (["12", "13"], ["12.0", "13.0"], "2 would match .* without .0"),
        (["a_a", "b_c_b_c"], ["a", "b_c"], "2 would match with one half of doubled ids"),
        (["0_a", "0_b"], ["a", "b"], "2 would match without the prefix 0_"),
        (["F1_a", "F1_b"], ["a", "b"], "2 would match without what stands before the first _"),
        (["Col-0", "LER"], ["col-0", "ler"], "2 would match in the same case"),
        (["a b"], ["ab"], "1 would match without blanks"),
        (["a b"], ["a_b"], "1 would match with _ for blanks"),
        (["CS-28"], ["CS.28"], "1 would match with one kind of"),
        (["1"], ["2E+10"], "a program has written '2E\\+10' for a number"),
    ],
)
def test_the_likely_reason(left, right, reason):
    assert pd.Series([likely_reason(left, right)]).str.contains(reason).all()
    assert pd.Series([likely_reason(right, left)]).str.contains(reason).all()


def test_no_reason_is_made_up():
    assert likely_reason(["a", "b"], ["x", "y"]) == ""
    assert likely_reason([], ["x"]) == ""


def test_what_tells_families():
    assert not tells_families(frame("ab"))
    assert not tells_families(frame("ab", "00"))
    assert not tells_families(frame("ab", "ab"))
    assert not tells_families(frame("ab", "0b"))
    assert tells_families(frame("ab", "aF"))

"""Joins by id: whatever the order and spelling of families, a sample finds itself and nobody else."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from bayes_lmmlasso.cohort.ids import find_samples, likely_reason
from bayes_lmmlasso.errors import InputError

IDS = st.text("aB7_", min_size=1, max_size=2)  # few, so that they meet
FRAMES = st.lists(st.tuples(IDS, IDS), min_size=2, max_size=12, unique=True).filter(
    lambda pairs: any(fid != iid for fid, iid in pairs)
)
PROPERTY = settings(max_examples=200, deadline=None, derandomize=True)


def frame(pairs, silent=""):
    table = pd.DataFrame(pairs, columns=["fid", "iid"], dtype=object)
    match silent:
        case "zero":
            return table.assign(fid="0")
        case "iid":
            return table.assign(fid=table["iid"])
        case "absent":
            return table[["iid"]]
    return table


@PROPERTY
@given(FRAMES, st.randoms(use_true_random=False))
def test_with_families_a_sample_finds_its_own_row(pairs, random):
    shuffled = random.sample(pairs, len(pairs))
    found = find_samples(frame(pairs), frame(shuffled), "A", "B")
    assert [shuffled[row] for row in found] == pairs


@PROPERTY
@given(FRAMES, st.sampled_from(["zero", "iid", "absent"]), st.booleans(), st.randoms(use_true_random=False))
def test_without_families_on_a_side_the_iid_decides_or_is_refused(pairs, silent, left, random):
    """Families that are told on one side alone change nothing, and an iid that is not unique is never guessed."""
    shuffled = random.sample(pairs, len(pairs))
    sides = (frame(pairs, silent), frame(shuffled)) if left else (frame(pairs), frame(shuffled, silent))
    iids = [iid for _, iid in pairs]
    if silent == "zero" or len(set(iids)) == len(iids):
        try:
            found = find_samples(*sides, "A", "B")
        except InputError:
            assert len(set(iids)) < len(iids)
        else:
            assert len(set(iids)) == len(iids)
            assert [shuffled[row] for row in found] == pairs


@PROPERTY
@given(FRAMES, FRAMES)
def test_nobody_finds_another(one, other):
    try:
        found = find_samples(frame(one), frame(other), "A", "B")
    except InputError:
        return
    assert all(row < 0 or other[row] == one[k] for k, row in enumerate(found))
    assert all((row >= 0) == (pair in other) for pair, row in zip(one, found, strict=True))
    assert len(set(found[found >= 0])) == np.count_nonzero(found >= 0)


@PROPERTY
@given(st.lists(IDS, max_size=6), st.lists(IDS, max_size=6))
def test_a_reason_can_be_asked_of_any_ids(left, right):
    assert isinstance(likely_reason(left, right), str)

"""Equal genotypes give equal cohorts in every format and coding, and one other call never an equal one."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from genotype_codings import DIPLOID, HAPLOID, TETRAPLOID, by_sample, toy_cohort
from hypothesis import given, settings
from hypothesis import strategies as st

from bayes_lmmlasso.cohort import cohort_from_arrays, read_matrix, sample_frame, variant_frame

CHECKED = settings(max_examples=12, deadline=None, derandomize=True, database=None)


def matrices(*dosages):
    """``(p, n)`` matrices of some dosages, nan among them, with a full count in the first place."""
    sizes = st.tuples(st.integers(1, 5), st.integers(1, 6))
    values = st.sampled_from([*dosages, np.nan])

    def filled(size):
        p, n = size
        return st.lists(values, min_size=p * n, max_size=p * n).map(lambda v: np.array([2.0, *v[1:]]).reshape(p, n))

    return sizes.flatmap(filled)


def same(a, b):
    return (
        np.array_equal(a["call_dosage"].values, b["call_dosage"].values, equal_nan=True)
        and variant_frame(a).equals(variant_frame(b))
        and sample_frame(a).equals(sample_frame(b))
    )


def check(coding, dosage, place):
    """One dosage is changed to 2, or from 2 to 0."""
    cohort = toy_cohort(dosage)
    other = dosage.copy()
    other.flat[place % dosage.size] = 0 if other.flat[place % dosage.size] == 2 else 2
    for values, equal in ((dosage, True), (other, False)):
        with tempfile.TemporaryDirectory() as folder:
            assert same(coding.read(toy_cohort(values), Path(folder)), cohort) == equal


@pytest.mark.parametrize("coding", list(DIPLOID))
@CHECKED
@given(dosage=matrices(0.0, 1.0, 2.0), place=st.integers(0, 99))
def test_two_copies(coding, dosage, place):
    check(DIPLOID[coding], dosage, place)


@pytest.mark.parametrize("coding", list(HAPLOID))
@CHECKED
@given(dosage=matrices(0.0, 2.0), place=st.integers(0, 99))
def test_one_copy(coding, dosage, place):
    check(HAPLOID[coding], dosage, place)


@pytest.mark.parametrize("coding", list(TETRAPLOID))
@CHECKED
@given(dosage=matrices(0.0, 0.5, 1.0, 1.5, 2.0), place=st.integers(0, 99))
def test_four_copies(coding, dosage, place):
    check(TETRAPLOID[coding], dosage, place)


@CHECKED
@given(dosage=matrices(0.0, 0.5, 1.0, 1.5, 2.0), ploidy=st.sampled_from([2, 4]))
def test_arrays(dosage, ploidy):
    cohort = toy_cohort(dosage)
    given_counts = cohort_from_arrays(dosage.T * ploidy / 2, ploidy=ploidy)
    np.testing.assert_array_equal(given_counts["call_dosage"], cohort["call_dosage"])
    if ploidy == 4:
        whole = np.nan_to_num(dosage.T * 2, nan=-1).astype(np.int8)
        got = cohort_from_arrays(whole, ploidy=4)["call_dosage"].values.astype(np.float32)
        np.testing.assert_array_equal(np.where(got < 0, np.nan, got), cohort["call_dosage"])


@pytest.mark.parametrize("head", ["iid", "IID", "#IID", "id", "taxa", "Taxa", "<Marker>"])
@CHECKED
@given(dosage=matrices(0.0, 1.0, 2.0))
def test_heads_of_a_row_for_each_sample(head, dosage):
    cohort = toy_cohort(dosage)
    with tempfile.TemporaryDirectory() as folder:
        got = read_matrix(by_sample(cohort, Path(folder) / "m.tsv", head))
    np.testing.assert_array_equal(got["call_dosage"], cohort["call_dosage"])
    assert got["sample_id"].values.tolist() == cohort["sample_id"].values.tolist()
    assert got["variant_id"].values.tolist() == cohort["variant_id"].values.tolist()

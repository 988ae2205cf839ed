"""Cohorts from arrays and frames, and plain standardisation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes_lmmlasso.cohort import (
    cohort_from_arrays,
    sample_frame,
    snp_statistics,
    standardise,
    standardise_calls,
    variant_frame,
)
from bayes_lmmlasso.errors import InputError

DOSAGE = np.array([[0, 1, 2], [1, -1, 0], [2, 2, 1], [0, 1, -1]])


def as_float(dosage):
    return np.where(dosage < 0, np.nan, dosage)


def test_arrays_keep_their_values_and_defaults():
    cohort = cohort_from_arrays(DOSAGE)
    assert cohort["call_dosage"].dtype == np.int8
    np.testing.assert_array_equal(cohort["call_dosage"].values.T, DOSAGE)
    assert sample_frame(cohort)["iid"].tolist() == ["S0", "S1", "S2", "S3"]
    assert variant_frame(cohort).iloc[2].tolist() == ["0", 0, "V2", "A", "B"]
    floats = cohort_from_arrays(as_float(DOSAGE))
    assert floats["call_dosage"].dtype == np.float32
    np.testing.assert_array_equal(floats["call_dosage"].values.T, as_float(DOSAGE))


def test_frames_give_ids_and_join_with_tables():
    genotypes = pd.DataFrame(DOSAGE, index=[10, 11, 12, 13], columns=["rs1", "rs2", "rs3"])
    phenotypes = pd.DataFrame({"iid": [13, 10, 99], "y": [3.0, 0.0, 9.0]})
    cohort = cohort_from_arrays(genotypes, phenotypes=phenotypes, trait="y")
    assert cohort["sample_id"].values.tolist() == ["10", "13"]
    np.testing.assert_array_equal(cohort["y"], [0.0, 3.0])
    np.testing.assert_array_equal(cohort["call_dosage"], DOSAGE[[0, 3]].T)
    assert cohort["variant_id"].values.tolist() == ["rs1", "rs2", "rs3"]


def test_variant_frame_round_trip():
    variants = pd.DataFrame(
        {
            "chrom": ["2", "1", "2"],
            "pos": [5, 6, 7],
            "snp": ["x", "y", "z"],
            "effect_allele": ["A", "C", "G"],
            "other_allele": ["T", "G", "A"],
        }
    )
    cohort = cohort_from_arrays(DOSAGE, variants=variants)
    pd.testing.assert_frame_equal(variant_frame(cohort), variants, check_dtype=False)
    assert cohort["contig_id"].values.tolist() == ["2", "1"]
    again = cohort_from_arrays(DOSAGE, variants=variant_frame(cohort))
    xr.testing.assert_identical(cohort, again)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dosage": np.array([[0.0, 2.5]])}, "0 to 2 in the array, got 2.5 in row 0, column 1; "),
        (
            {"dosage": np.array([[0.0], [-1.0]])},
            "got -1 in row 1, column 0; values from -1 to 1 are .*rrBLUP: add 1",
        ),
        ({"dosage": np.array([[0, -9]])}, "got -9 in row 0, column 1; write NA .*if -9 stands for missing"),
        ({"dosage": np.array([[np.inf]])}, "got inf"),
        ({"dosage": np.zeros(3)}, r"\(n, p\) matrix of numbers, got float64 of shape \(3,\); convert"),
        ({"dosage": np.array([["A", "G"]])}, "matrix of numbers, got <U1"),
        ({"dosage": DOSAGE, "sample_id": ["a"]}, r"4 values of 'iid' .*shape \(4, 3\), got 1"),
        ({"dosage": DOSAGE, "family_id": ["a"]}, "4 values of 'fid'"),
        ({"dosage": DOSAGE, "variants": pd.DataFrame({"snp": ["a"]})}, "3 values of 'snp'"),
        ({"dosage": DOSAGE, "sample_id": list("abca")}, "fid iid = 'a a' in rows 0, 3"),
        ({"dosage": DOSAGE, "phenotypes": pd.DataFrame({"iid": ["S0"]})}, "`sample_id` to join"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(InputError, match=message):
        cohort_from_arrays(**arguments)


@pytest.mark.parametrize("dosage", [DOSAGE.astype(np.int8), as_float(DOSAGE), as_float(DOSAGE).astype("f4")])
def test_standardise_by_hand(dosage):
    X = standardise(dosage)
    assert X.dtype == np.float32
    assert X.T.flags.c_contiguous
    # column 1: calls 1, 2, 1; mean 4/3; squares 1/9 + 4/9 + 1/9 = 2/3 over 4 samples
    np.testing.assert_allclose(X[:, 1], np.array([-1 / 3, 0, 2 / 3, -1 / 3]) / np.sqrt(1 / 6), rtol=1e-6)
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(X.var(axis=0), 1, atol=1e-6)


def test_standardise_refuses_a_constant_column():
    with pytest.raises(InputError, match=r"constant column 1 \(1 of 2 do not vary\); remove"):
        standardise(np.array([[0.0, 1.0], [1.0, 1.0], [2.0, np.nan]]))


def test_blocks_do_not_change_the_result(rng):
    calls = rng.integers(0, 3, (40, 101)).T
    few = snp_statistics(calls, block_size=40 * 7)
    np.testing.assert_array_equal(few.sd, snp_statistics(calls).sd)
    X = standardise_calls(calls, few.mean, few.sd, block_size=40 * 7)
    np.testing.assert_array_equal(X, standardise(calls.T))

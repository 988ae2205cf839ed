"""Names of SNPs: missing and repeated ones are replaced alike in every format, and prediction finds them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from genotype_codings import DIPLOID, toy_cohort

from bayes_lmmlasso.cohort import cohort_from_arrays, prepare, read_plink, variant_frame
from bayes_lmmlasso.cohort.dataset import remarks_of
from bayes_lmmlasso.cohort.new_samples import compare_frequencies

DOSAGE = np.array([[0, 1, 2, 1, 0], [2, 1, 0, 0, 1], [1, 2, 2, 0, 0], [1, 1, 0, 2, 0]], dtype=float)


def with_ids(ids):
    cohort = toy_cohort(DOSAGE)
    cohort["variant_id"].values[:] = ids
    return cohort


@pytest.mark.parametrize("name", list(DIPLOID))
def test_missing_and_repeated_ids_are_named_by_place(name, tmp_path):
    if name == "bimbam":  # its annotation finds positions by these ids
        return
    got = DIPLOID[name].read(with_ids([".", "twin", "twin", "rs3"]), tmp_path)
    assert got["variant_id"].values.tolist() == ["2:10:G:A", "2:20:C:T", "2:30:C:G", "rs3"]
    (remark,) = remarks_of(got)
    assert "1 of 4 SNPs of" in remark.text
    assert "have no id and 2 of 4 SNPs of" in remark.text
    assert not remark.caution


def test_a_snp_that_is_there_twice_is_told():
    variants = pd.DataFrame({"snp": ["a", "a", "b"], "chrom": "1", "pos": [5, 5, 6]})
    got = cohort_from_arrays(DOSAGE[:3].T, variants=variants)
    assert got["variant_id"].values.tolist() == ["1:5:B:A", "1:5:B:A:2", "b"]
    assert [remark.caution for remark in remarks_of(got)] == [False, True]
    assert "1 SNPs of the variants are there twice" in remarks_of(got)[1].text


def test_chosen_snps_are_named_as_in_the_whole_file(tmp_path):
    path = DIPLOID["bfile"].write(with_ids(["twin", "twin", "x", "y"]), tmp_path)
    assert read_plink(path, variants=[1, 2])["variant_id"].values.tolist() == ["2:20:C:T", "x"]


@pytest.fixture
def analysed():
    """40 samples and 12 SNPs without ids, named by the alleles as counted."""
    dosage = np.random.default_rng(1).binomial(2, np.linspace(0.1, 0.9, 12)[:, None], (12, 40)).astype(float)
    variants = variant_frame(toy_cohort(dosage)).assign(snp=".")
    cohort = cohort_from_arrays(dosage.T, variants=variants).assign(y=("samples", np.arange(40.0) % 7))
    return dosage, variants, prepare(cohort, "y", maf=0)


def test_names_by_place_are_found_whichever_allele_is_counted(analysed):
    dosage, variants, training = analysed
    swapped = variants.rename(columns={"effect_allele": "other_allele", "other_allele": "effect_allele"})
    other = cohort_from_arrays(2 - dosage.T, variants=swapped)
    assert set(other["variant_id"].values).isdisjoint(training.variants["snp"])
    np.testing.assert_allclose(training.standardise(other), training.X, rtol=1e-5, atol=1e-5)
    assert compare_frequencies(other, training.variants, training.mean) == ()


def test_opposite_frequencies_of_new_samples_are_told(analysed):
    dosage, variants, training = analysed
    wrong = cohort_from_arrays(2 - dosage.T, variants=variants)
    (remark,) = compare_frequencies(wrong, training.variants, training.mean)
    assert remark.caution
    assert "correlation -" in remark.text
    assert compare_frequencies(wrong.isel(samples=slice(10)), training.variants, training.mean) == ()

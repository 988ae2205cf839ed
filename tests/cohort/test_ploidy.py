"""The scale of dosages: what is brought to 0 to 2, what is refused, and with which way out."""

from __future__ import annotations

import numpy as np
import pytest
from genotype_codings import matrix, store, toy_cohort, vcf
from genotype_files import write_bfile, write_bimbam, write_pgen

from bayes_lmmlasso.cohort import cohort_from_arrays, read_genotypes
from bayes_lmmlasso.cohort.dataset import remarks_of
from bayes_lmmlasso.errors import InputError

N, P = 10, 12


def counts(highest, rng):
    dosage = rng.integers(0, highest + 1, (P, N)).astype(float)
    dosage[:, 0], dosage[0, 1] = highest, np.nan
    return dosage


def texts(cohort):
    return [remark.text for remark in remarks_of(cohort)]


@pytest.mark.parametrize("name", ["bimbam", "matrix"])
@pytest.mark.parametrize("ploidy", [1, 3, 4, 6])
def test_dosages_of_text_are_scaled(name, ploidy, rng, tmp_path):
    dosage = counts(ploidy, rng)
    cohort = toy_cohort(np.minimum(dosage, 2))
    cohort["call_dosage"].values[:] = dosage
    path = write_bimbam(cohort, tmp_path) if name == "bimbam" else matrix(cohort, tmp_path / "m.tsv")
    got = read_genotypes(path, name, ploidy=ploidy)["call_dosage"]
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, (2 * dosage / ploidy).astype(np.float32))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: 2 * d, r"from 0 to 2 in .*, got 4 for sample 'i0' at 'rs0'; .*polyploids.*--ploidy 4 \(ploidy=4"),
        (lambda d: d - 1, "got -1 .*rrBLUP: add 1 to each, or NA where -1"),
        (lambda d: np.where(d == 1, -9, d), "write NA .*if -9 stands for missing"),
        (lambda d: np.where(d == 1, 9, d), "write NA .*if 9 stands for missing"),
        (lambda d: 50 * d, "got 100 .*percentages: divide them by 50"),
        (lambda d: np.where(np.arange(d.size).reshape(d.shape) == 35, 2.3, d), "got 2.3 .*; recode"),
    ],
)
@pytest.mark.parametrize("name", ["bimbam", "matrix", "array"])
def test_another_scale_is_told_with_its_way_out(name, change, message, rng, tmp_path):
    dosage = counts(2, rng)
    dosage[3, 5] = 1
    cohort = toy_cohort(dosage)
    cohort["call_dosage"].values[:] = change(dosage)
    if name == "array":
        with pytest.raises(InputError, match=message.replace("for sample 'i0' at 'rs0'", "in row 0, column 0")):
            cohort_from_arrays(cohort["call_dosage"].values.T)
        return
    path = write_bimbam(cohort, tmp_path) if name == "bimbam" else matrix(cohort, tmp_path / "m.tsv")
    with pytest.raises(InputError, match=message):
        read_genotypes(path, name)


def test_one_copy_is_told(rng, tmp_path):
    """Lines coded 0/1 have half the allele frequency that they should have."""
    cohort = toy_cohort(counts(1, rng))
    path = matrix(cohort, tmp_path / "m.tsv")
    for got in (
        read_genotypes(path, "matrix"),
        read_genotypes(write_bimbam(cohort, tmp_path), "bimbam"),
        cohort_from_arrays(cohort["call_dosage"].values.T),
        cohort_from_arrays(rng.integers(0, 2, (N, P))),
    ):
        told = [remark for remark in remarks_of(got) if "--ploidy 1" in remark.text]
        assert len(told) == 1
        assert told[0].caution
    assert texts(read_genotypes(path, "matrix", ploidy=1)) == []
    assert texts(toy_cohort(counts(2, rng))) == []


def test_whole_numbers_with_minus_one_are_ambiguous(rng):
    coded = rng.integers(-1, 2, (N, P)).astype(np.int8)
    with pytest.raises(InputError, match=r"whole numbers from -1 to 1: -1 may be missing or, .* add 1 to each"):
        cohort_from_arrays(coded)
    np.testing.assert_array_equal(cohort_from_arrays(coded + 1)["call_dosage"].values.T, coded + 1)
    missing = cohort_from_arrays(coded, ploidy=1)["call_dosage"]
    assert missing.dtype == np.int8
    np.testing.assert_array_equal(missing.values.T, np.where(coded == 1, 2, coded))
    with_two = np.where(np.arange(P) == 0, 2, coded)
    np.testing.assert_array_equal(cohort_from_arrays(with_two)["call_dosage"].values.T, with_two)


@pytest.mark.parametrize("write", [write_bfile, write_pgen])
def test_formats_of_two_alleles_have_one_ploidy(write, rng, tmp_path):
    path = write(toy_cohort(counts(2, rng)), tmp_path)
    with pytest.raises(InputError, match=r"expected ploidy 2 for .*, whose calls have two alleles, got 4: leave"):
        read_genotypes(path, "bfile" if write is write_bfile else "pgen", ploidy=4)
    for wrong in (0, 1.5):
        with pytest.raises(InputError, match=r"expected a ploidy of 1, 2, 3, \.\.\., got"):
            cohort_from_arrays(np.ones((2, 2)), ploidy=wrong)


@pytest.mark.parametrize("name", ["vcf", "vcf_zarr"])
def test_calls_of_more_alleles_need_the_ploidy(name, rng, tmp_path):
    write = vcf if name == "vcf" else store
    path = write(toy_cohort(counts(4, rng) / 2), tmp_path / "t", 4)
    message = r"at most 2 alleles in .*, got up to 4 at 12 of 12 sites \(2:10, 2:20, ...\); give --ploidy 4"
    with pytest.raises(InputError, match=message):
        read_genotypes(path, name)
    assert read_genotypes(path, name, ploidy=6)["call_dosage"].max() == 2
    if name == "vcf":
        lines = path.read_text().splitlines()
        lines[4] = lines[4].replace("0/", "").replace("1/", "").replace("./", "")
        path.write_text("\n".join(lines) + "\n")
        got = read_genotypes(path, name)
        assert got["variant_id"].values.tolist() == ["rs0"]
        (remark,) = remarks_of(got)
        assert remark.text.startswith(
            f"11 of 12 sites of {path} have calls of more than 2 alleles and are left out (2:20"
        )
        assert remark.caution


def test_dosages_of_polyploids_without_calls_count_to_the_ploidy(tmp_path):
    text = vcf(toy_cohort(np.array([[0.0, 1, 2, 1]])), tmp_path / "a.vcf").read_text()
    text = text.replace("ID=GT,Number=1,Type=String", "ID=DS,Number=1,Type=Float").replace("\tGT\t", "\tDS\t")
    text = text.replace("0/0", "0").replace("0/1", "1.5").replace("1/0", "1.5").replace("1/1", "4")
    (tmp_path / "a.vcf").write_text(text)
    np.testing.assert_array_equal(
        read_genotypes(tmp_path / "a.vcf", "vcf", ploidy=4)["call_dosage"], [[0, 0.75, 2, 0.75]]
    )

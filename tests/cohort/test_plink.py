"""PLINK file sets: the bytes of the format, the join by id, chosen columns, writing and every refusal."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes_lmmlasso.cohort import cohort_from_arrays, read_plink, sample_frame, variant_frame, write_plink
from bayes_lmmlasso.errors import InputError

# Two bits a sample, the first sample lowest: 00 = 2 copies of allele 1, 01 = missing, 10 = 1 copy, 11 = 0.
BED = bytes([0x6C, 0x1B, 0x01, 0b01_11_10_00, 0b00, 0b00_10_11_11, 0b10, 0b11_00_00_10, 0b01])
DOSAGE = np.array([[2, 1, 0, np.nan, 2], [0, 0, 1, 2, 1], [1, 2, 2, 0, np.nan]])
FAM = "F1 a 0 0 1 -9\nF1 b 0 0 2 -9\nF2 c 0 0 1 -9\nF2 d 0 0 2 -9\nF3 e 0 0 1 -9\n"
BIM = "1\ts1\t0\t100\tA\tG\n1\ts2\t0.5\t-9\tC\tT\nX\ts3\t0\t50\tT\tA\n"


@pytest.fixture
def prefix(tmp_path):
    (tmp_path / "toy.bed").write_bytes(BED)
    (tmp_path / "toy.bim").write_text(BIM)
    (tmp_path / "toy.fam").write_text(FAM)
    return tmp_path / "toy"


def test_bytes_give_counts_of_allele_1(prefix):
    cohort = read_plink(prefix)
    assert cohort["call_dosage"].dims == ("variants", "samples")
    assert cohort["call_dosage"].dtype == np.float32
    assert cohort["call_dosage"].values.flags.c_contiguous
    np.testing.assert_array_equal(cohort["call_dosage"], DOSAGE)
    expected = pd.DataFrame(
        {
            "chrom": ["1", "1", "X"],
            "pos": [100, 0, 50],
            "snp": ["s1", "s2", "s3"],
            "effect_allele": ["A", "C", "T"],
            "other_allele": ["G", "T", "A"],
        }
    )
    pd.testing.assert_frame_equal(variant_frame(cohort), expected)
    assert cohort["variant_contig"].values.tolist() == [0, 0, 1]
    assert cohort["variant_allele"].attrs == {"counted_allele": 0}
    assert cohort["sample_family_id"].values.tolist() == ["F1", "F1", "F2", "F2", "F3"]
    xr.testing.assert_identical(cohort, read_plink(f"{prefix}.bed"))


def test_int8_equals_float32(prefix):
    small = read_plink(prefix, dtype="int8")["call_dosage"]
    assert small.dtype == np.int8
    assert small.attrs["missing"] == "-1"
    np.testing.assert_array_equal(small, np.nan_to_num(DOSAGE, nan=-1))


@pytest.mark.parametrize("chosen", [[2, 0], np.array([1]), slice(1, None), slice(None, None, 2), [-1]])
def test_chosen_columns_equal_the_full_read(prefix, chosen):
    chosen_cohort, full = read_plink(prefix, variants=chosen), read_plink(prefix)
    np.testing.assert_array_equal(chosen_cohort["call_dosage"], full["call_dosage"].values[chosen])
    pd.testing.assert_frame_equal(variant_frame(chosen_cohort), variant_frame(full).iloc[chosen].reset_index(drop=True))


def test_join_is_by_id_and_counts_every_loss(prefix):
    phenotypes = pd.DataFrame({"fid": ["F3", "F9", "F1", "F2"], "iid": ["e", "z", "b", "c"], "y": [5.0, 9.0, 2.0, 3.0]})
    covariates = pd.DataFrame({"iid": ["b", "y", "e"], "site": ["N", "S", "W"]})
    cohort = read_plink(prefix, phenotypes, "y", covariates)
    assert sample_frame(cohort).to_numpy().tolist() == [["F1", "b"], ["F3", "e"]]
    np.testing.assert_array_equal(cohort["y"], [2.0, 5.0])
    assert cohort["site"].values.tolist() == ["N", "W"]
    np.testing.assert_array_equal(cohort["call_dosage"], DOSAGE[:, [1, 4]])
    assert cohort.attrs["covariates"] == ["site"]
    assert json.loads(cohort.attrs["dropped_samples"]) == {
        "no genotype": 1,
        "not in phenotype table": 2,
        "covariate missing": 1,
    }


def test_row_order_of_the_table_is_irrelevant(prefix, rng):
    phenotypes = pd.DataFrame({"iid": list("abcde"), "y": np.arange(5.0)})
    shuffled = phenotypes.iloc[rng.permutation(5)]
    xr.testing.assert_identical(read_plink(prefix, phenotypes), read_plink(prefix, shuffled))


def test_a_family_id_distinguishes_equal_individual_ids(prefix):
    (prefix.with_suffix(".fam")).write_text(FAM.replace("F2 c", "F2 a"))
    table = pd.DataFrame({"fid": ["F2", "F1"], "iid": ["a", "a"], "y": [1.0, 2.0]})
    np.testing.assert_array_equal(read_plink(prefix, table)["y"], [2.0, 1.0])
    with pytest.raises(InputError, match=r"toy.fam \(as .* tells no families\), got iid = 'a' in rows 1, 3"):
        read_plink(prefix, table[["iid", "y"]].iloc[:1])


def test_a_column_may_be_in_both_tables_if_it_agrees(prefix):
    phenotypes = pd.DataFrame({"iid": list("abcde"), "sex": [1.0, 2, 1, 2, np.nan]})
    cohort = read_plink(prefix, phenotypes, None, phenotypes)
    assert cohort.attrs["covariates"] == ["sex"]
    with pytest.raises(InputError, match="different 'sex' in the phenotypes data frame and the covariates"):
        read_plink(prefix, phenotypes, None, phenotypes.assign(sex=1.0))


def test_written_files_read_back(prefix, tmp_path):
    for dtype in ("float32", "int8"):
        cohort = read_plink(prefix, dtype=dtype)
        write_plink(cohort, tmp_path / "copy")
        xr.testing.assert_identical(read_plink(tmp_path / "copy", dtype=dtype), cohort)
    assert (tmp_path / "copy.bed").read_bytes() == BED
    assert sorted(p.name for p in tmp_path.glob("*") if p.stem != "toy") == [
        "copy.bed",
        "copy.bim",
        "copy.fam",
    ]


def test_writing_refuses_what_plink_cannot_hold_and_leaves_nothing(tmp_path):
    cohort = cohort_from_arrays(np.array([[0.0, 1.0], [2.0, 0.581]]))
    with pytest.raises(InputError, match=r"0, 1, 2 or missing, got 0.58\d* for sample 'S1' at 'V1'; round"):
        write_plink(cohort, tmp_path / "copy")
    spaced = cohort_from_arrays(np.array([[0, 1]]), sample_id=["a b"], family_id=["f"])
    with pytest.raises(InputError, match=r"iid without blanks for copy.fam and .bim, got 'a b'; rename"):
        write_plink(spaced, tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".bed", ".bim", ".fam"])
def test_missing_file(prefix, suffix):
    prefix.with_suffix(suffix).unlink()
    with pytest.raises(InputError, match=rf"genotypes by --bfile, got no file .*toy\{suffix}"):
        read_plink(prefix)


@pytest.mark.parametrize(
    ("suffix", "content", "message"),
    [
        (".bed", BED[:-1], r"expected 9 bytes in .*toy.bed for the 5 samples .* 3 SNPs .*got 8; .*truncated"),
        (".bed", BED + b"\0", "got 10;"),
        (".bed", b"", "got nothing; convert"),
        (".bed", b"\x6c\x1c\x01" + BED[3:], r"bytes 6c 1b 01 .*got 6c 1c 01; convert"),
        (".bed", b"\x6c\x1b\x00" + BED[3:], "SNP-major.*got 6c 1b 00"),
        (".fam", b"", "at least one line in .*toy.fam"),
        (".fam", FAM.replace("F2 d 0", "F2 d").encode(), r"expected 6 fields .*got 5 in line 4 of .*toy.fam"),
        (
            ".fam",
            FAM.replace("F2 c", "F1 a").encode(),
            "toy.fam, got fid iid = 'F1 a' in rows 1, 3; keep one",
        ),
        (".bim", BIM.replace("\tG", "").encode(), r"got 5 in line 1 of .*toy.bim"),
        (".bim", BIM.replace("50", "5k").encode(), r"base pairs, got '5k' in line 3 of .*toy.bim; write 0"),
        (".bim", BIM.replace("50", "5.5").encode(), "got '5.5' in line 3"),
        (".bim", b"\xff\xfe", "toy.bim"),
    ],
)
def test_damaged_files(prefix, suffix, content, message):
    prefix.with_suffix(suffix).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_plink(prefix)


def test_bad_arguments(prefix):
    table = pd.DataFrame({"fid": ["F1", "F2"], "iid": ["a", "c"], "y": [1.0, 2.0], "z": [1.0, 2.0]})
    with pytest.raises(
        InputError, match="trait 'w' in the phenotypes data frame, got no such column; choose one of y, z"
    ):
        read_plink(prefix, table, "w")
    with pytest.raises(InputError, match=r"table with trait 'y', got none, and .*toy.fam brings no traits"):
        read_plink(prefix, trait="y")
    with pytest.raises(InputError, match="'float32' or 'int8', got 'float16'"):
        read_plink(prefix, dtype="float16")
    with pytest.raises(InputError, match=r"3 lines of .*toy.bim, got index 3 is out of bounds"):
        read_plink(prefix, variants=[0, 3])
    with pytest.raises(InputError, match="'sample_id' in the phenotypes data frame; rename"):
        read_plink(prefix, table.rename(columns={"y": "sample_id"}))
    with pytest.raises(InputError, match="'samples' in the phenotypes data frame; rename"):
        read_plink(prefix, table.rename(columns={"y": "samples"}))


def test_no_shared_sample_shows_ids_of_both_sides(prefix):
    strangers = pd.DataFrame({"fid": ["x", "b", "c"], "iid": ["a", "b", "c"], "y": 1.0})
    message = r"toy.fam and the phenotypes data frame, got none: fid iid is \['F1 a', 'F1 b'\] .* \['x a', 'b b'\]"
    with pytest.raises(InputError, match=message):
        read_plink(prefix, strangers)
    phenotypes, covariates = pd.DataFrame({"iid": ["a"], "y": 1.0}), pd.DataFrame({"iid": ["b"], "c": 1.0})
    with pytest.raises(InputError, match=r"occur in all of .*toy.fam, the phenotypes .*, the covariates"):
        read_plink(prefix, phenotypes, None, covariates)

"""The files of genotypes: compressed ones, ids with blanks, traits beside them, and what is told of missing ones."""

from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import zstandard
from genotype_codings import DIPLOID, matrix, store, toy_cohort, vcf
from genotype_files import write_bfile, write_pgen

from bayes_lmmlasso.cohort import FORMATS, read_genotypes, read_matrix, read_pgen, read_plink, read_vcf
from bayes_lmmlasso.errors import InputError

DOSAGE = np.array([[0, 1, 2, 1], [2, 1, 0, 0], [1, 1, 2, np.nan]], dtype=float)


@pytest.fixture
def cohort():
    return toy_cohort(DOSAGE)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize(("write", "endings"), [(write_bfile, (".bim", ".fam")), (write_pgen, (".pvar", ".psam"))])
def test_companions_may_be_compressed(cohort, write, endings, pack, tmp_path):
    path = write(cohort, tmp_path)
    name = "bfile" if write is write_bfile else "pgen"
    whole = read_genotypes(path, name)
    for ending in endings:
        plain = path.with_suffix(ending)
        packed = plain.rename(f"{plain}.{'gz' if pack is gzip.compress else 'zst'}")
        packed.write_bytes(pack(packed.read_bytes()))
    xr.testing.assert_identical(read_genotypes(path, name), whole)
    assert all(file.is_file() for file in FORMATS[name].files(path))


def test_a_file_is_taken_for_its_set_and_what_may_be_meant_is_told(cohort, tmp_path):
    prefix = write_bfile(cohort, tmp_path)
    xr.testing.assert_identical(read_plink(f"{prefix}.bed"), read_plink(prefix))
    with pytest.raises(InputError, match=r"genotypes by --pgen, got no file .*g.pgen: g.bed is there, give it by --bf"):
        read_pgen(f"{prefix}.pgen")
    with pytest.raises(InputError, match=r"by --vcf, got no file .*g: g.bed is there, give it by --bfile"):
        read_vcf(prefix)
    with pytest.raises(InputError, match=r"by --bfile, got no file .*gg.bed: is g.bed meant"):
        read_plink(f"{prefix}g")
    with pytest.raises(InputError, match=r"got no file .*: there is no folder .*absent"):
        read_plink(tmp_path / "absent" / "g")
    prefix.with_suffix(".bed").rename(f"{prefix}.bed.gz")
    with pytest.raises(InputError, match=r"got no file .*g.bed: decompress g.bed.gz"):
        read_plink(prefix)
    with pytest.raises(InputError, match=r"expected a file .*, got a folder"):
        read_matrix(tmp_path)
    with pytest.raises(InputError, match=r"VCF Zarr store, got .*g.fam, which is none; give it by --vcf"):
        read_genotypes(prefix.with_suffix(".fam"), "vcf_zarr")


@pytest.mark.parametrize("content", ["", "\n", " \n"])
@pytest.mark.parametrize("name", list(DIPLOID))
def test_empty_files_are_told(cohort, name, content, tmp_path):
    if name == "vcf_zarr":
        return
    path = DIPLOID[name].write(cohort, tmp_path)
    for file in tmp_path.iterdir():
        file.write_text(content)
    with pytest.raises(InputError, match=r"expected "):
        read_genotypes(path, DIPLOID[name].format)


@pytest.mark.parametrize("name", list(DIPLOID))
def test_the_number_of_snps_is_known_where_it_is_cheap(cohort, name, tmp_path):
    file = FORMATS[DIPLOID[name].format].read.open(DIPLOID[name].write(cohort, tmp_path))
    assert file.n_variants == (3 if name in ("bfile", "pgen", "vcf_zarr") else None)


def test_ids_between_tabs_may_hold_blanks(cohort, tmp_path):
    prefix = write_bfile(cohort, tmp_path)
    fam, bim = prefix.with_suffix(".fam"), prefix.with_suffix(".bim")
    plain = read_plink(prefix)
    fam.write_text("".join(f"Pop A\tLine {i}\t0\t0\t0\t-9\n" for i in range(4)))
    bim.write_text(bim.read_text().replace("rs1", "rs 1"))
    table = pd.DataFrame({"fid": "Pop A", "iid": [f"Line {i}" for i in range(4)], "y": [1.0, 2, 3, 4]})
    got = read_plink(prefix, table, "y")
    assert got["sample_id"].values.tolist() == table["iid"].tolist()
    assert got["variant_id"].values.tolist() == ["rs0", "rs 1", "rs2"]
    np.testing.assert_array_equal(got["call_dosage"], plain["call_dosage"])
    fam.write_text("f a 0 0 0 -9\nf Line b 0 0 0 -9\nf c 0 0 0 -9\nf d 0 0 0 -9\n")
    with pytest.raises(InputError, match=r"6 fields, got 7 in line 2 of .*g.fam; an id with a blank, as in 'f Line b'"):
        read_plink(prefix)


def test_traits_of_a_fam(cohort, tmp_path):
    """Column 6 and, as GEMMA has them, those beyond; 0 is missing among cases and controls alone."""
    prefix = write_bfile(cohort, tmp_path)
    assert FORMATS["bfile"].read.open(prefix).traits is None
    fam = prefix.with_suffix(".fam")
    fam.write_text("i0 i0 0 0 1 1.5 2 NA\ni1 i1 0 0 1 -9 1 NA\ni2 i2 0 0 1 0 0 -9\ni3 i3 0 0 2 -2 2 NA\n")
    traits = FORMATS["bfile"].read.open(prefix).traits
    assert list(traits) == ["fid", "iid", "phenotype", "phenotype2"]
    assert traits["phenotype"].tolist() == ["1.5", None, "0", "-2"]
    assert traits["phenotype2"].tolist() == ["2", "1", None, "2"]
    np.testing.assert_array_equal(read_plink(prefix, trait="phenotype")["phenotype"], [1.5, np.nan, 0, -2])


def test_traits_of_a_psam(cohort, tmp_path):
    prefix = write_pgen(cohort, tmp_path)
    assert FORMATS["pgen"].read.open(prefix).traits is None
    psam = prefix.with_suffix(".psam")
    rows = [f"i{i}\t1\t0\t{i / 2}\n" for i in range(4)]
    psam.write_text("".join(["#IID\tSEX\tPAT\tyield\n", *rows]))
    assert list(FORMATS["pgen"].read.open(prefix).traits) == ["iid", "yield"]
    np.testing.assert_array_equal(read_pgen(prefix, trait="yield")["yield"], [0, 0.5, 1, 1.5])


@pytest.mark.parametrize("write", [vcf, store, matrix])
def test_a_table_beside_genotypes_has_their_traits(cohort, write, tmp_path):
    ending = {"vcf": "vcf.gz", "store": "vcz", "matrix": "tsv"}[write.__name__]
    path = write(cohort, tmp_path / f"crop.2.{ending}")
    (tmp_path / "crop.2.pheno.tsv").write_text("iid\ty\ni2\t5\ni1\t7\n")
    name = {"vcf": "vcf", "store": "vcf_zarr", "matrix": "matrix"}[write.__name__]
    got = read_genotypes(path, name, trait="y")
    assert got["sample_id"].values.tolist() == ["i1", "i2"]
    assert got["y"].values.tolist() == [7, 5]
    assert "y" not in read_genotypes(path, name)

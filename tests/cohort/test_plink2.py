"""plink2 and bio2zarr write one cohort in every format, and plink2 and GEMMA read our mean genotypes."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
import xarray as xr
from genotype_files import bio2zarr, write_bimbam

import bayes_lmmlasso as bl
from bayes_lmmlasso.cohort import sample_frame, variant_frame

pytestmark = pytest.mark.skipif(shutil.which("plink2") is None, reason="plink2 (Debian package) is not installed")


def plink2(*arguments):
    subprocess.run(["plink2", *map(str, arguments)], check=True, capture_output=True)


def real_subset(data_dir, folder, name):
    """Some SNPs of a real cohort, all of one chromosome (bio2zarr wants an index of a VCF with several)."""
    if name == "mouse":
        source, chromosome = data_dir / "mouse_hs1940" / "mouse_hs1940", "17"
    else:
        source, chromosome = data_dir / "arabidopsis_chr5" / "arabidopsis_chr5_181", "5"
    varying = ("--mac", 1, "--nonfounders")  # the mouse .bim names one allele twice where there is only one
    chosen = ("--chr", chromosome, *varying, "--thin-count", 60, "--seed", 1)
    plink2("--bfile", source, *chosen, "--make-bed", "--out", folder / "a")
    return folder / "a"


def export(prefix, *what, given="--bfile"):
    plink2(given, prefix, "--export", *what, "--out", prefix)


def drop_families(psam):
    """Leave only the individual ids, so that a .traw, which pastes fid and iid, can be parted."""
    iids = bl.read_plink(psam.with_suffix(""))["sample_id"].values
    psam.write_text("\n".join(["#IID", *iids]) + "\n")


@pytest.mark.parametrize("name", ["mouse", "arabidopsis"])
def test_plink2_writes_the_same_cohort_in_every_format(data_dir, tmp_path, name):
    prefix = real_subset(data_dir, tmp_path, name)
    table = data_dir / ("mouse_hs1940/phenotypes.tsv" if name == "mouse" else "arabidopsis_chr5/phenotypes_181.tsv")
    trait = "cd8" if name == "mouse" else "FT16"
    expected = bl.read_plink(prefix, table, trait)
    unmapped = expected.assign(variant_cm=xr.zeros_like(expected["variant_cm"]))
    export(prefix, "vcf", "bgz", "id-paste=iid")
    bio2zarr("vcf2zarr", f"{prefix}.vcf.gz", tmp_path / "v.vcz")
    bio2zarr("plink2zarr", prefix, tmp_path / "p.vcz")
    plink2("--bfile", prefix, "--make-pgen", "--out", prefix)
    xr.testing.assert_identical(bl.read_pgen(prefix, table, trait), expected)
    xr.testing.assert_identical(bl.read_vcf(f"{prefix}.vcf.gz", table, trait), unmapped)
    for store in ("v.vcz", "p.vcz"):
        xr.testing.assert_identical(bl.read_vcf_zarr(tmp_path / store, table, trait), unmapped)
    alleles = variant_frame(expected)[["snp", "effect_allele"]]
    alleles.to_csv(tmp_path / "counted", sep="\t", header=False, index=False)
    export(prefix, "A", "include-alt", "--export-allele", tmp_path / "counted")
    raw = bl.read_matrix(f"{prefix}.raw", table, trait)
    for part in ("call_dosage", "sample_id", "sample_family_id", "variant_id", trait):
        np.testing.assert_array_equal(raw[part], expected[part])
    np.testing.assert_array_equal(raw["variant_allele"], expected["variant_allele"])
    drop_families(prefix.with_suffix(".psam"))
    export(prefix, "A-transpose", "--export-allele", tmp_path / "counted", given="--pfile")
    xr.testing.assert_identical(bl.read_matrix(f"{prefix}.traw", table, trait), expected)
    xr.testing.assert_identical(bl.read_pgen(prefix, table, trait), expected)


def test_plink2_counts_the_other_allele_by_default_and_the_reader_says_so(data_dir, tmp_path):
    prefix = real_subset(data_dir, tmp_path, "arabidopsis")
    export(prefix, "A-transpose")
    bed, traw = bl.read_plink(prefix), bl.read_matrix(f"{prefix}.traw")
    np.testing.assert_array_equal(traw["call_dosage"], 2 - bed["call_dosage"])
    np.testing.assert_array_equal(traw["variant_allele"], bed["variant_allele"][:, ::-1])
    assert sample_frame(traw).equals(sample_frame(bed))


@pytest.fixture
def mouse_dosages(data_dir, tmp_path):
    """Mean genotypes of the mouse cross with their fractions, written as BIMBAM."""
    prefix = real_subset(data_dir, tmp_path, "mouse")
    cohort = bl.read_plink(prefix)
    whole = bl.read_plink(data_dir / "mouse_hs1940" / "mouse_hs1940", dtype="int8")["variant_id"].values
    here = {snp: j for j, snp in enumerate(cohort["variant_id"].values)}
    fractional = np.load(data_dir / "mouse_hs1940" / "dosage_noninteger.npz")
    for row, column, dosage in zip(*(fractional[part] for part in ("row", "col", "dosage")), strict=True):
        if (j := here.get(whole[column])) is not None:
            cohort["call_dosage"].values[j, row] = dosage
    assert (cohort["call_dosage"].values % 1 != 0).sum() > 20
    return prefix, cohort, write_bimbam(cohort, tmp_path)


def test_dosages_are_the_same_in_every_format(mouse_dosages, tmp_path):
    prefix, cohort, bimbam = mouse_dosages
    xr.testing.assert_identical(bl.read_bimbam(bimbam), cohort)
    (tmp_path / "blanks").write_text(bimbam.read_text().replace(",", ""))
    imported = ("--import-dosage", tmp_path / "blanks", "noheader", "format=1", "--fam", f"{prefix}.fam")
    plink2(*imported, "--map", f"{prefix}.bim", "--make-pgen", "--out", tmp_path / "d")
    export(tmp_path / "d", "vcf", "vcf-dosage=DS", "id-paste=iid", given="--pfile")
    bio2zarr("vcf2zarr", tmp_path / "d.vcf", tmp_path / "d.vcz")
    table = sample_frame(cohort)
    for read, path in ((bl.read_pgen, "d"), (bl.read_vcf, "d.vcf"), (bl.read_vcf_zarr, "d.vcz")):
        got = read(tmp_path / path, table)
        # plink2 rounds to 1/16384 and writes the DS of a VCF with 4 to 6 digits
        np.testing.assert_allclose(got["call_dosage"], cohort["call_dosage"], rtol=0, atol=1 / 32768 + 5e-6)
        assert variant_frame(got).equals(variant_frame(cohort))
        assert sample_frame(got).equals(sample_frame(cohort))


@pytest.mark.skipif(shutil.which("gemma") is None, reason="gemma (Debian package) is not installed")
def test_gemma_reads_the_same_mean_genotypes(mouse_dosages, tmp_path):
    _, _, bimbam = mouse_dosages
    (tmp_path / "y").write_text("1\n2\n" * 970)
    filters = ("-maf", "0", "-miss", "1", "-r2", "1")
    command = ["gemma", "-g", bimbam, "-p", tmp_path / "y", "-gk", "1", *filters, "-outdir", tmp_path, "-o", "k"]
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    ours = bl.kinship(bl.read_bimbam(bimbam)["call_dosage"].values.T, "centred")
    np.testing.assert_allclose(ours, np.loadtxt(tmp_path / "k.cXX.txt"), rtol=1e-6, atol=1e-8)

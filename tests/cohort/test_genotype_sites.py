"""Sites that are left out and counted, HapMap, and frequencies that are not those declared."""

from __future__ import annotations

import numpy as np
import pytest
import zarr
from genotype_codings import hapmap, store, toy_cohort, vcf
from genotype_files import bio2zarr, write_bimbam, write_pgen

from bayes_lmmlasso.cohort import read_bimbam, read_genotypes, read_matrix, read_vcf, read_vcf_zarr
from bayes_lmmlasso.cohort.dataset import remarks_of
from bayes_lmmlasso.errors import InputError

DOSAGE = np.array([[0, 1, 2, 1], [2, 1, 0, 0], [1, 1, 2, np.nan]], dtype=float)


def replaced(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


def several(cohort, name, folder, which):
    """Genotypes with a second alternate allele at some SNPs."""
    if name == "vcf_zarr":
        path = store(cohort, folder / "a.vcz")
        alleles = zarr.open_array(path / "variant_allele")[:]
        wide = np.hstack([alleles, np.array([["N" if f"rs{j}" in which else ""] for j in range(3)])])
        group = zarr.open_group(path)
        del group["variant_allele"]
        group.create_array("variant_allele", data=wide, dimension_names=["variants", "alleles"], fill_value="?")
        return path
    path = {"vcf": lambda: vcf(cohort, folder / "a.vcf"), "pgen": lambda: write_pgen(cohort, folder)}
    path |= {"hapmap": lambda: hapmap(cohort, folder / "a.hmp.txt")}
    written = path[name]()
    text = written.with_suffix(".pvar") if name == "pgen" else written
    for snp, (old, new) in {
        "rs0": ("G\tA", "G\tA,N") if name != "hapmap" else ("G/A", "G/A/T"),
        "rs1": ("C\tT", "C\tT,N") if name != "hapmap" else ("C/T", "C/T/A"),
        "rs2": ("C\tG", "C\tG,N") if name != "hapmap" else ("C/G", "C/G/A"),
    }.items():
        if snp in which:
            replaced(text, f"{snp}\t{old}", f"{snp}\t{new}")
    return written


@pytest.mark.parametrize("name", ["vcf", "vcf_zarr", "pgen", "hapmap"])
def test_sites_of_several_alternate_alleles_are_left_out(name, tmp_path):
    cohort = toy_cohort(DOSAGE)
    (tmp_path / "all").mkdir()
    format_name = "matrix" if name == "hapmap" else name
    got = read_genotypes(several(cohort, name, tmp_path, ["rs1"]), format_name)
    assert got["variant_id"].values.tolist() == ["rs0", "rs2"]
    np.testing.assert_array_equal(got["call_dosage"], DOSAGE[[0, 2]])
    (remark,) = remarks_of(got)
    assert remark.text.startswith("1 of 3 sites of ")
    assert "have several alternate alleles and are left out" in remark.text
    assert "`bcftools norm -m-`" in remark.text
    with pytest.raises(InputError, match=r"one alternate allele in .*, got 3 of 3 sites with more \(.*\); split"):
        read_genotypes(several(cohort, name, tmp_path / "all", ["rs0", "rs1", "rs2"]), format_name)


def test_probabilities_alone_are_refused(tmp_path):
    path = replaced(
        vcf(toy_cohort(DOSAGE), tmp_path / "a.vcf"), "ID=GT,Number=1,Type=String", "ID=GP,Number=G,Type=Float"
    )
    replaced(path, "\tGT\t", "\tGP\t")
    for call in ("0/0", "1/0", "1/1", "./."):
        path.write_text(path.read_text().replace(call, "0,1,0"))
    with pytest.raises(InputError, match=r"GT or DS at 2:10 of .*a.vcf, got GP; have the imputation write DS"):
        read_vcf(path)


def test_a_vcf_line_that_ends_early_is_told(tmp_path):
    path = replaced(vcf(toy_cohort(DOSAGE), tmp_path / "a.vcf"), "\n2\t20\t", "\n##contig=<ID=2>\n2\t20\t")
    with pytest.raises(InputError, match=r"GT or DS at ##contig.*, got no genotypes|cannot be read after"):
        read_vcf(path)


LEAD = "rs#\talleles\tchrom\tpos\tstrand\tassembly#\tcenter\tprotLSID\tassayLSID\tpanelLSID\tQCcode\t"


def hapmap_file(path, *rows):
    lines = [
        LEAD + "a\tb\tc\td",
        *(f"s{k}\t{alleles}\t1\t{k}" + "\tNA" * 7 + f"\t{calls}" for k, alleles, calls in rows),
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_calls_of_hapmap(tmp_path):
    """Letters in either case, insertions, one allele alone, missing calls."""
    rows = [
        (1, "A/G", "aa\tGA\tNN\tgg"),
        (2, "C/-", "C\t-\t--\tN"),
        (3, "T", "TT\tT\t--\tNN"),
        (4, "A/C", "M\tA\tC\tNA"),
    ]
    got = read_matrix(hapmap_file(tmp_path / "a.hmp.txt", *rows))
    expected = [[0, 1, np.nan, 2], [0, 2, 2, np.nan], [0, 0, np.nan, np.nan], [1, 0, 2, np.nan]]
    np.testing.assert_array_equal(got["call_dosage"], expected)
    assert got["variant_allele"].values.tolist() == [["G", "A"], ["-", "C"], ["0", "T"], ["C", "A"]]
    with pytest.raises(InputError, match=r"calls of the alleles A/G, or NN for missing, got 'CT' in line 2 of"):
        read_matrix(hapmap_file(tmp_path / "a.hmp.txt", (1, "A/G", "AA\tct\tNN\tGG")))
    with pytest.raises(InputError, match=r"expected 15 fields as in its header, got 14 in line 2 of"):
        read_matrix(hapmap_file(tmp_path / "a.hmp.txt", (1, "A/G", "AA\tNN\tGG")))


def test_a_table_of_r_needs_a_name_for_its_first_column(tmp_path):
    (tmp_path / "r.csv").write_text('"","i0","i1"\n"rs0",0,2\n')
    with pytest.raises(InputError, match=r"first column of .*r.csv, got none .*iid if a row is a sample, or snp if"):
        read_matrix(tmp_path / "r.csv")
    (tmp_path / "r.csv").write_text('"snp","i0","i1"\n"rs0",0,2\n')
    assert read_matrix(tmp_path / "r.csv")["sample_id"].values.tolist() == ["i0", "i1"]


def frequent(f, p=20, n=30):
    return np.random.default_rng(2).binomial(2, f, (p, n)).astype(float)


def test_a_minor_allele_that_is_the_major_one_is_told(tmp_path):
    (remark,) = remarks_of(read_bimbam(write_bimbam(toy_cohort(frequent(0.9)), tmp_path)))
    assert remark.caution
    assert "a frequency above 0.6 at 20 of 20 SNPs: the allele columns may be swapped" in remark.text
    assert remarks_of(read_bimbam(write_bimbam(toy_cohort(frequent(0.3)), tmp_path))) == ()


def test_an_annotation_of_other_snps_is_told(tmp_path):
    path = write_bimbam(toy_cohort(frequent(0.3)), tmp_path)
    annotation = tmp_path / "g.anno.txt"
    lines = annotation.read_text().splitlines()
    annotation.write_text("\n".join(lines[:15]) + "\n")
    (remark,) = remarks_of(read_bimbam(path))
    assert remark.caution
    assert "15 of 20 SNPs" in remark.text
    annotation.write_text("\n".join(f"chr{line}" for line in lines) + "\n")
    with pytest.raises(
        InputError, match=r"0 of 20 SNPs of .*\(rs0, rs1, ... in the first, chrrs19, chrrs18, ... in the"
    ):
        read_bimbam(path)


@pytest.mark.parametrize("declared", [0.3, 0.7])
def test_a_declared_frequency_that_is_another_is_told(declared, tmp_path):
    cohort = toy_cohort(frequent(0.3))
    path = vcf(cohort, tmp_path / "a.vcf")
    replaced(path, "##contig", '##INFO=<ID=AF,Number=A,Type=Float,Description="Frequency">\n##contig')
    replaced(path, "\t.\t.\t.\tGT", f"\t.\t.\tAF={declared}\tGT")
    zarr_store = store(cohort, tmp_path / "a.vcz")
    frequencies = np.full((20, 1), declared, dtype=np.float32)
    group = zarr.open_group(zarr_store)
    group.create_array("variant_AF", data=frequencies, dimension_names=["variants", "alt_alleles"])
    for got in (read_vcf(path), read_vcf_zarr(zarr_store)):
        told = remarks_of(got)
        assert len(told) == (declared == 0.7)
        assert all(remark.caution and "at 20 of 20 SNPs" in remark.text for remark in told)


@pytest.mark.parametrize("most", [1, 2])
def test_dosages_beside_haploid_calls_count_to_one_or_two(most, tmp_path):
    """Decided for the whole file, by the calls of all samples."""
    path = vcf(toy_cohort(np.array([[0.0, 2, 2, 0], [2, 0, 0, 1]])), tmp_path / "a.vcf")
    replaced(path, "##contig", '##FORMAT=<ID=DS,Number=A,Type=Float,Description="Dosage">\n##contig')
    replaced(path, "\tGT\t0/0\t1/1\t1/1\t0/0", f"\tGT:DS\t0:{most / 8}\t1/1:2\t1:.\t./.:.")
    replaced(path, "\tGT\t1/1\t0/0\t0/0\t1/0", f"\tGT:DS\t1:{most}\t0/0:0.5\t0:.\t1/0:1")
    bio2zarr("vcf2zarr", "--zarr-format=3", path, tmp_path / "a.vcz")
    for got in (read_vcf(path), read_vcf_zarr(tmp_path / "a.vcz")):
        np.testing.assert_array_equal(got["call_dosage"], [[0.25, 2, 2, np.nan], [2, 0.5, 0, 1]])
        told = [remark.text for remark in remarks_of(got)]
        assert len(told) == most - 1
        assert all("count from 0 to 2 there" in text for text in told)

"""Every format gives the same cohort for the same data, and refuses what is no such file."""

from __future__ import annotations

import gzip
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import zarr
from genotype_files import WITHOUT_FRACTIONS, bio2zarr, write_formats

import bayes_lmmlasso as bl
from bayes_lmmlasso.cohort import FORMATS, GenotypeSource, cohort_from_arrays, variant_frame

N, P = 13, 7
FORMATS_WITHOUT_FID = ("vcf", "vcf_zarr", "matrix")
FORMATS_WITH_MAP = ("pgen", "bimbam", "matrix")


def fractional_cohort():
    """Calls, dosages that are multiples of 1/16384 and short in decimals (exact in every format), and gaps."""
    rng = np.random.default_rng(8)
    dosage = rng.integers(0, 3, size=(N, P)).astype(float)
    dosage[rng.random((N, P)) < 0.3] = 0.3125
    dosage[rng.random((N, P)) < 0.2] = np.nan
    variants = pd.DataFrame(
        {
            "chrom": "5",
            "pos": np.arange(1, P + 1) * 100,
            "snp": [f"rs{j}_{j}" for j in range(P)],
            "effect_allele": list("ACGTACG"),
            "other_allele": list("GTACTGA"),
            "cm": np.arange(P) / 4,
        }
    )
    ids = {"sample_id": [f"i{i}" for i in range(N)], "family_id": [f"f{i % 3}" for i in range(N)]}
    return cohort_from_arrays(dosage, variants=variants, **ids)


@pytest.fixture(scope="module")
def cohort():
    return fractional_cohort()


@pytest.fixture(scope="module")
def paths_by_format(cohort, tmp_path_factory):
    return write_formats(cohort, tmp_path_factory.mktemp("formats"))


@pytest.fixture
def copied_paths(paths_by_format, tmp_path):
    """The same files, to be spoilt."""
    folder = shutil.copytree(paths_by_format["vcf"].parent, tmp_path / "copy")
    return {name: folder / path.name for name, path in paths_by_format.items()}


def without_map(cohort):
    return cohort.assign(variant_cm=xr.zeros_like(cohort["variant_cm"]))


def trait_table(cohort, rows):
    ids = {"fid": cohort["sample_family_id"].values[rows], "iid": cohort["sample_id"].values[rows]}
    return pd.DataFrame({**ids, "y": np.arange(len(rows)) / 2})


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in WITHOUT_FRACTIONS])
def test_the_same_data_give_the_same_cohort(cohort, paths_by_format, name, rng):
    """Joined with a table that names the families, formats without family ids end with the same samples."""
    rows = rng.permutation(N)[: N - 3]
    phenotypes = trait_table(cohort, rows)
    got = bl.read_genotypes(paths_by_format[name], name, phenotypes, "y", phenotypes.rename(columns={"y": "age"}))
    assert got["call_dosage"].dtype == np.float32
    assert got["call_dosage"].values.flags.c_contiguous
    expected = cohort_from_arrays(
        cohort["call_dosage"].values.T,
        sample_id=cohort["sample_id"].values,
        family_id=cohort["sample_family_id"].values,
        variants=variant_frame(cohort).assign(cm=cohort["variant_cm"].values),
        phenotypes=phenotypes,
        trait="y",
        covariates=phenotypes.rename(columns={"y": "age"}),
    )
    assert "3 of 13 samples" in got.attrs.pop("remarks")
    del expected.attrs["remarks"]  # they name the file
    xr.testing.assert_identical(got, expected if name in FORMATS_WITH_MAP else without_map(expected))


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in WITHOUT_FRACTIONS])
def test_without_a_table_every_sample_is_kept(cohort, paths_by_format, name):
    got = bl.read_genotypes(paths_by_format[name], name)
    np.testing.assert_array_equal(got["call_dosage"], cohort["call_dosage"])
    families = "sample_id" if name in FORMATS_WITHOUT_FID else "sample_family_id"
    assert got["sample_family_id"].values.tolist() == cohort[families].values.tolist()


def test_a_join_by_iid_needs_distinct_iids(paths_by_format):
    twins = pd.DataFrame({"fid": ["a", "b"], "iid": ["i1", "i1"], "y": [1.0, 2.0]})
    with pytest.raises(
        bl.InputError, match=r"data frame \(as .*g.vcf tells no families\), got iid = 'i1' in rows 0, 1"
    ):
        bl.read_vcf(paths_by_format["vcf"], twins)


def test_a_second_table_is_joined_by_the_families_of_the_first(paths_by_format):
    phenotypes = pd.DataFrame({"fid": ["f0", "f1"], "iid": ["i0", "i1"], "y": [1.0, 2.0]})
    covariates = pd.DataFrame({"fid": ["f0", "other"], "iid": ["i0", "i1"], "age": [1.0, 2.0]})
    assert bl.read_vcf(paths_by_format["vcf"], phenotypes, "y", covariates)["sample_id"].values.tolist() == ["i0"]


def test_one_source_must_be_given():
    every = ", ".join(f"--{name.replace('_', '-')}" for name in FORMATS)
    assert every.startswith("--bfile, --pgen, --vcf, --vcf-zarr, --bimbam, --matrix")
    with pytest.raises(bl.InputError, match=rf"one of {every}, got none"):
        GenotypeSource.of({"bfile": None})
    with pytest.raises(bl.InputError, match="got --bfile and --vcf-zarr: give one"):
        GenotypeSource.of({"vcf_zarr": "b", "bfile": "a"})
    with pytest.raises(bl.InputError, match=r"a format among bfile, .*, got 'bgen'"):
        bl.read_genotypes("a", "bgen")


HAPLOID = """##fileformat=VCFv4.3
##contig=<ID=X>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=DS,Number=A,Type=Float,Description="Dosage">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\tc\td\te
X\t5\t.\tA\tG\t.\t.\t.\tGT:DS\t0|1:.\t1:0.75\t./.:1.25\t.\t./1:.
X\t6\tr\tA\t.\t.\t.\t.\tGT\t0/0\t0\t./.\t.\t0|0
X\t7\tq\tA\tG\t.\t.\t.\tDS\t0.125\t0.25\t.\t1\t2
"""


def test_calls_of_the_vcf_family(tmp_path):
    """Haploid, half missing, DS with and without GT, no alternate allele, no id: the same in both readers."""
    (tmp_path / "h.vcf").write_text(HAPLOID)
    bio2zarr("vcf2zarr", "--zarr-format=3", tmp_path / "h.vcf", tmp_path / "h.vcz")
    for got in (bl.read_vcf(tmp_path / "h.vcf"), bl.read_vcf_zarr(tmp_path / "h.vcz")):
        expected = [[1, 1.5, 1.25, np.nan, np.nan], [0, 0, np.nan, np.nan, 0], [0.125, 0.25, np.nan, 1, 2]]
        np.testing.assert_array_equal(got["call_dosage"], expected)
        assert got["variant_id"].values.tolist() == ["X:5:A:G", "r", "q"]
        assert got["variant_allele"].values.tolist() == [["G", "A"], ["0", "A"], ["G", "A"]]


def test_samples_by_snps(tmp_path):
    (tmp_path / "m.tsv").write_text('fid\tiid\trs1\t"rs 2"\nf\ta\t0\tNA\nf\tb\t1.5\t2\n')
    cohort = bl.read_matrix(tmp_path / "m.tsv")
    np.testing.assert_array_equal(cohort["call_dosage"], [[0, 1.5], [np.nan, 2]])
    assert variant_frame(cohort).to_numpy().tolist() == [["0", 0, "rs1", "A", "B"], ["0", 0, "rs 2", "A", "B"]]
    assert cohort["sample_family_id"].values.tolist() == ["f", "f"]
    (tmp_path / "m.txt").write_text("iid  rs1 rs2\n\na 0   1\nb 1.5 2\n")
    np.testing.assert_array_equal(bl.read_matrix(tmp_path / "m.txt")["call_dosage"], [[0, 1.5], [1, 2]])


def test_an_annotation_may_be_partial_and_absent(cohort, copied_paths):
    annotation = copied_paths["bimbam"].with_name("g.anno.txt")
    annotation.write_text("rs1_1, 77, 2\nrs0_0, NA, 3, 1.5\nunknown, 5, 5\n")
    got = bl.read_bimbam(copied_paths["bimbam"])
    assert variant_frame(got)[["chrom", "pos"]].to_numpy().tolist()[:3] == [["3", 0], ["2", 77], ["0", 0]]
    assert got["variant_cm"].values[:2].tolist() == [1.5, 0.0]
    annotation.unlink()
    assert set(bl.read_bimbam(copied_paths["bimbam"])["variant_position"].values) == {0}
    copied_paths["bimbam"].with_name("g.samples.txt").rename(copied_paths["bimbam"].with_name("ids.txt"))
    with pytest.raises(bl.InputError, match=r"sample ids of .*g.geno.txt, which has none, in .*g.samples.txt, got no"):
        bl.read_bimbam(copied_paths["bimbam"])
    other = bl.read_bimbam(copied_paths["bimbam"], samples=copied_paths["bimbam"].with_name("ids.txt"))
    np.testing.assert_array_equal(other["call_dosage"], cohort["call_dosage"])


def edit(path, old, new):
    read, write = (gzip.open, gzip.open) if path.suffix == ".gz" else (open, open)
    with read(path, "rt") as file:
        text = file.read()
    assert old in text
    with write(path, "wt") as file:
        file.write(text.replace(old, new, 1))


def truncate(path, n_bytes):
    path.write_bytes(path.read_bytes()[:-n_bytes])


def sibling(path, ending):
    return path.with_name(f"g{ending}")


TEXT_CASES = [
    ("vcf", lambda p: p.unlink(), "genotypes by --vcf, got no file .*g.vcf"),
    ("vcf", lambda p: truncate(p, 1), "got a truncated file"),
    ("vcf", lambda p: p.write_text("nonsense\n"), "got one that cannot be read after the header"),
    ("vcf", lambda p: edit(p, "\t./.:.", ""), "cannot be read after"),
    ("vcf", lambda p: edit(p, "\t./.:.", "\t0/0:2.5"), "allele counts from 0 to 2 .*got 2.5 for sample 'i"),
    ("vcf", lambda p: edit(p, "GT:DS", "DP"), "GT or DS at 5:100 .*got DP|cannot be read after"),
    ("vcf", lambda p: edit(p, "\ti1\t", "\ti0\t"), "cannot be read after the header"),
    ("bimbam", lambda p: p.unlink(), "genotypes by --bimbam, got no file .*g.geno.txt"),
    ("bimbam", lambda p: p.write_text(""), "at least one SNP"),
    ("bimbam", lambda p: truncate(p, 4), "a line end after line 7 of .*g.geno.txt, got none"),
    (
        "bimbam",
        lambda p: edit(p, ", NA", ""),
        "13 dosages, one for each sample of .*g.samples.txt, got 12 in line",
    ),
    ("bimbam", lambda p: edit(p, "NA", "x"), r"got 'x' in line \d of .*g.geno.txt"),
    ("bimbam", lambda p: edit(p, "NA", "-9"), "got -9 for sample"),
    ("bimbam", lambda p: edit(p, "NA", "inf"), "got inf for sample"),
    (
        "bimbam",
        lambda p: sibling(p, ".samples.txt").write_text("fid\tiid\nf0\ti0\n"),
        "1 dosages.*got 13 in line 1",
    ),
    ("bimbam", lambda p: edit(sibling(p, ".samples.txt"), "f1\ti1", "f0\ti0"), "'f0 i0' in rows"),
    (
        "bimbam",
        lambda p: edit(sibling(p, ".anno.txt"), "700", "7k"),
        "base pairs, got '7k' in line 1 of .*g.anno.txt",
    ),
    (
        "bimbam",
        lambda p: edit(sibling(p, ".anno.txt"), "rs6_6", "rs5_5"),
        "every SNP once .*'rs5_5' again in line 2",
    ),
    (
        "bimbam",
        lambda p: edit(sibling(p, ".anno.txt"), "\t700\t5\t1.5", "\t7"),
        "perhaps cM, got 2 fields in line 1",
    ),
    ("matrix", lambda p: p.unlink(), "genotypes by --matrix, got no file .*g.csv.gz"),
    ("matrix", lambda p: truncate(p, 12), r"g.csv.gz, got .*copied completely"),
    (
        "matrix",
        lambda p: edit(p, "chrom,pos,snp", "a,b,c"),
        r"a header of .* begins with snp chrom .*got a b c",
    ),
    (
        "matrix",
        lambda p: edit(p, ",NA", ""),
        r"expected 13 dosages, one for each sample of its header, got 12 in line",
    ),
    ("matrix", lambda p: edit(p, "\n5,100", "\n5,1e"), "got '1e' in line 2"),
    ("matrix", lambda p: edit(p, ",i1,", ",i0,"), "'i0' in rows 7, 8"),
    ("matrix", lambda p: edit(p, ",NA", ",3"), "got 3 for sample"),
    ("pgen", lambda p: sibling(p, ".pgen").unlink(), "genotypes by --pgen, got no file .*g.pgen"),
    (
        "pgen",
        lambda p: truncate(sibling(p, ".pgen"), 1),
        "13 samples of its .psam and the 7 SNPs .*truncated",
    ),
    (
        "pgen",
        lambda p: sibling(p, ".pgen").write_bytes(b"x"),
        "too small to be a valid .pgen file.; the file is trunc",
    ),
    (
        "pgen",
        lambda p: edit(sibling(p, ".psam"), "f0\ti0\n", ""),
        "raw_sample_ct == 12, but .* contains 13 samples",
    ),
    (
        "pgen",
        lambda p: edit(sibling(p, ".pvar"), "5\t100\trs0_0\tG\tA\t0.0\n", ""),
        "_ct == 6, but .* 7 variants",
    ),
    (
        "pgen",
        lambda p: edit(sibling(p, ".pvar"), "#CHROM", "#CHR"),
        r"a header line with #CHROM POS .*got CHR POS",
    ),
    ("pgen", lambda p: edit(sibling(p, ".pvar"), "\t100\t", "\tx\t"), "base pairs, got 'x' in line 2"),
    ("pgen", lambda p: edit(sibling(p, ".psam"), "f0\ti0", "f0"), "expected 2 fields .*got 1 in line 2"),
    ("pgen", lambda p: edit(sibling(p, ".psam"), "f1\ti1", "f0\ti0"), "'f0 i0' in rows 2, 3"),
    ("vcf_zarr", shutil.rmtree, "the folder of a VCF Zarr store, got .*g.vcz"),
    ("vcf_zarr", lambda p: (p / ".zgroup").unlink(), "a store that cannot be read"),
    ("vcf_zarr", lambda p: shutil.rmtree(p / "variant_allele"), "a store without variant_allele"),
    ("vcf_zarr", lambda p: [shutil.rmtree(p / name) for name in ("call_genotype", "call_DS")], "without call_genotype"),
    ("vcf_zarr", lambda p: (p / "call_genotype" / "0.0.0").unlink(), "1 chunks of call_genotype .*got 0"),
    ("vcf_zarr", lambda p: truncate(p / "call_genotype" / "0.0.0", 9), "a store that cannot be read"),
    ("vcf_zarr", lambda p: zarr.open_array(p / "sample_id").resize((12,)), "a store that cannot be read"),
]


@pytest.mark.parametrize(("name", "spoil", "message"), TEXT_CASES)
def test_spoilt_files_are_told(copied_paths, name, spoil, message):
    spoil(copied_paths[name])
    with pytest.raises(bl.InputError, match=message):
        bl.read_genotypes(copied_paths[name], name)


def test_a_bgzip_file_without_its_last_block_is_truncated(tmp_path):
    whole = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
    (tmp_path / "a.vcf.gz").write_bytes(whole[:4] + b"compressed" + whole[:-1])
    with pytest.raises(bl.InputError, match=r"a.vcf.gz, got a truncated file"):
        bl.read_vcf(tmp_path / "a.vcf.gz")


def test_a_raw_file_must_name_both_alleles(tmp_path):
    (tmp_path / "a.raw").write_text("FID\tIID\tPAT\tMAT\tSEX\tPHENOTYPE\trs1_A\nf\ti\t0\t0\t1\t-9\t2\n")
    with pytest.raises(bl.InputError, match=r"rs1_A\(/G\) in the header of .*a.raw, got 'rs1_A'; write .* include-alt"):
        bl.read_matrix(tmp_path / "a.raw")


@pytest.mark.parametrize(("name", "module"), [("vcf", "cyvcf2"), ("pgen", "pgenlib")])
def test_a_missing_extra_is_told_with_its_command(paths_by_format, monkeypatch, name, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(bl.InputError, match=rf"the package {module} .*pip install 'bayes-lmmlasso\[{name}\]'"):
        bl.read_genotypes(paths_by_format[name], name)


def test_an_allele_that_the_site_has_not_is_refused(tmp_path):
    lines = ["##fileformat=VCFv4.3", "##contig=<ID=1>", '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">']
    lines.append("\t".join(["#CHROM", *"POS ID REF ALT QUAL FILTER INFO FORMAT a b".split()]))
    for k, call in enumerate(("0/1", "0/2", "1/1")):
        lines.append("\t".join(["1", str(10 + k), f"s{k}", "A", "C", ".", ".", ".", "GT", "0/0", call]))
    (tmp_path / "x.vcf").write_text("\n".join(lines) + "\n")
    with pytest.raises(bl.InputError, match="expected alleles 0 and 1 in calls of one alternate allele, got 2"):
        bl.read_vcf(tmp_path / "x.vcf")


def test_a_broken_call_on_a_chromosome_that_is_not_declared_does_not_end_the_process(tmp_path):
    lines = ["##fileformat=VCFv4.3", '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">']
    lines.append("\t".join(["#CHROM", *"POS ID REF ALT QUAL FILTER INFO FORMAT a b".split()]))
    for k, (chrom, call) in enumerate((("1", "0/1"), ("1", "1|."), ("2", "<DEL>/1"))):
        lines.append("\t".join([chrom, str(10 + k), f"s{k}", "A", "C", ".", ".", ".", "GT", "0/0", call]))
    (tmp_path / "x.vcf").write_text("\n".join(lines) + "\n")
    with pytest.raises(bl.InputError, match=r"expected calls such as 0/1 in line 6 of .*x.vcf, got '<DEL>/1'"):
        bl.read_vcf(tmp_path / "x.vcf")
    (tmp_path / "x.vcf").write_text("\n".join(lines[:-1]) + "\n")
    np.testing.assert_array_equal(bl.read_vcf(tmp_path / "x.vcf")["call_dosage"], [[0, 1], [0, np.nan]])

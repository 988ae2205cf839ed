"""Genotypes by format without tables: who is genotyped, allele counts, chosen samples, files, and what is imported."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from genotype_files import write_formats

from bayes_lmmlasso import cohort as cohort_room
from bayes_lmmlasso.cohort import FORMATS, GenotypeSource, cohort_from_arrays, read_plink, variant_frame
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import read_kinship

N, P = 11, 5
FILES = {
    "bfile": ["g.bed", "g.bim", "g.fam"],
    "pgen": ["g.pgen", "g.pvar", "g.psam"],
    "vcf": ["g.vcf"],
    "bimbam": ["g.geno.txt", "g.samples.txt", "g.anno.txt"],
    "matrix": ["g.csv.gz"],
}


@pytest.fixture(scope="module")
def cohort():
    """Whole allele counts with gaps."""
    rng = np.random.default_rng(3)
    calls = rng.integers(-1, 3, size=(N, P))
    variants = pd.DataFrame(
        {
            "chrom": "2",
            "pos": np.arange(1, P + 1) * 10,
            "snp": [f"rs{j}" for j in range(P)],
            "effect_allele": "A",
            "other_allele": "G",
        }
    )
    ids = {"sample_id": [f"i{i}" for i in rng.permutation(N)], "family_id": [f"f{i % 4}" for i in range(N)]}
    return cohort_from_arrays(np.where(calls < 0, np.nan, calls), variants=variants, **ids)


@pytest.fixture(scope="module")
def sources(cohort, tmp_path_factory):
    written = write_formats(cohort, tmp_path_factory.mktemp("sources"))
    assert set(written) == set(FORMATS)
    return {name: GenotypeSource(name, path) for name, path in written.items()}


@pytest.fixture(params=list(FORMATS))
def source(sources, request):
    return sources[request.param]


def test_samples_are_those_of_the_file_in_its_order(source, cohort):
    samples = source.samples()
    assert samples["iid"].tolist() == cohort["sample_id"].values.tolist()
    if source.format in ("bfile", "pgen", "bimbam"):
        assert samples["fid"].tolist() == cohort["sample_family_id"].values.tolist()
    else:
        assert list(samples) == ["iid"]


def test_a_kinship_without_ids_follows_the_genotypes(source, cohort, tmp_path):
    K = np.eye(N) * np.arange(1, N + 1)
    np.savetxt(tmp_path / "all.cXX.txt", K)
    wanted = pd.DataFrame({"fid": cohort["sample_family_id"].values, "iid": cohort["sample_id"].values}).iloc[[7, 2]]
    got = read_kinship(tmp_path / "all.cXX.txt", wanted, source.samples())
    np.testing.assert_array_equal(got, np.diag([8.0, 3.0]))


def test_genotypes_are_read_without_tables(source, cohort):
    table = source.read_table()
    assert table.dosage.dtype == np.float32
    np.testing.assert_array_equal(table.dosage, cohort["call_dosage"])
    wanted = variant_frame(cohort)
    assert table.variants[list(wanted)].to_numpy().tolist() == wanted.to_numpy().tolist()
    assert source.path.name in table.source
    assert len(table.samples) == N


def test_whole_counts_are_stored_in_a_byte_each(source, cohort):
    small = source.read(dtype="int8")["call_dosage"]
    assert small.dtype == np.int8
    assert small.attrs["missing"] == "-1"
    np.testing.assert_array_equal(small, np.nan_to_num(cohort["call_dosage"], nan=-1))
    assert source.read_table("int8").dosage.dtype == np.int8


def test_fractions_stay_floats(cohort, tmp_path):
    fractional = cohort.copy(deep=True)
    fractional["call_dosage"].values[P - 1, N - 1] = 0.5
    for name, path in write_formats(fractional, tmp_path).items():
        table = GenotypeSource(name, path).read_table("int8")
        assert table.dosage.dtype == np.float32
        np.testing.assert_array_equal(table.dosage, fractional["call_dosage"])


def test_only_the_samples_of_the_join_are_loaded(source, cohort, rng):
    """Of each format the loader is asked for the samples that are left, and gives what all of the file gives."""
    file = FORMATS[source.format].read.open(source.path)
    rows = np.sort(rng.choice(N, size=4, replace=False))
    dosage = file.load(rows, "float32", 2).dosage
    assert dosage.flags.c_contiguous
    np.testing.assert_array_equal(dosage, cohort["call_dosage"].values[:, rows])
    table = pd.DataFrame({"iid": cohort["sample_id"].values[rows], "y": np.arange(4.0)})
    xr.testing.assert_identical(
        source.read(table, "y")["call_dosage"].variable, cohort["call_dosage"][:, rows].variable
    )


def test_a_bad_table_is_told_before_genotypes_are_read(sources, tmp_path):
    source = sources["bfile"]
    for suffix in (".bim", ".fam"):
        (tmp_path / f"g{suffix}").write_bytes(source.path.with_suffix(suffix).read_bytes())
    (tmp_path / "g.bed").write_bytes(b"no genotypes")
    with pytest.raises(InputError, match="expected trait 'z' in the phenotypes data frame, got no"):
        read_plink(tmp_path / "g", pd.DataFrame({"iid": ["i0"], "y": [1.0]}), "z")


def test_files_hold_the_genotypes(source):
    files = source.files()
    assert all(file.is_file() for file in files)
    if source.format == "vcf_zarr":
        assert set(files) == {file for file in source.path.rglob("*") if file.is_file()}
        assert list(files) == sorted(files)
        with pytest.raises(InputError, match=r"the folder of a VCF Zarr store, got .*absent"):
            GenotypeSource("vcf_zarr", source.path / "absent").files()
    else:
        assert [file.name for file in files] == FILES[source.format]


def test_every_format_says_its_option(source):
    described = FORMATS[source.format]
    assert described.help.endswith(".")
    assert described.metavar in ("PREFIX", "FILE", "DIR")
    with pytest.raises(InputError, match=r"a format among bfile, pgen, .*, got 'bgen'"):
        GenotypeSource("bgen", source.path)


def test_readers_have_one_signature_and_options_of_their_own(source):
    reader = FORMATS[source.format].read
    path, *rest = inspect.signature(reader).parameters.values()
    assert path.name == ("prefix" if source.format in ("bfile", "pgen") else "path")
    assert [parameter.name for parameter in rest[:4]] == ["phenotypes", "trait", "covariates", "dtype"]
    assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in rest[4:])
    assert reader is getattr(cohort_room, reader.__name__)
    assert "Parameters" in reader.__doc__
    by_name = {path.name: source.path, "trait": "y", "phenotypes": pd.DataFrame({"iid": ["i3"], "y": [1.0]})}
    assert reader(**by_name)["sample_id"].values.tolist() == ["i3"]


def test_readers_import_what_they_need_when_they_read():
    code = (
        "import json, sys, bayes_lmmlasso.cohort as c; c.FORMATS, c.read_plink, c.prepare, c.fetch, c.simulate_cohort;"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    needed_by_one = {"bed_reader", "cyvcf2", "msprime", "pgenlib", "rdata", "requests", "tskit", "zarr"}
    assert needed_by_one.isdisjoint(json.loads(done.stdout))

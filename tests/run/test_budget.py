"""Memory and disk are held against what is free before anything large is read."""

from __future__ import annotations

import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from genotype_files import write_bimbam, write_vcf
from launch import under
from small_run import cohort_folder, settings

from bayes_lmmlasso import InputError
from bayes_lmmlasso.cohort import GenotypeSource, read_plink
from bayes_lmmlasso.memory import free_memory
from bayes_lmmlasso.run import budget
from bayes_lmmlasso.run.budget import check_budget, check_memory

_LIMIT = 4 * 2**30
_N, _P = 20_000, 100_000


def _in_4_gb(*options: object) -> subprocess.CompletedProcess[str]:
    """Run a command that may take 4 GB."""
    limit = f"resource.setrlimit(resource.RLIMIT_AS, ({_LIMIT}, {_LIMIT}))"
    return subprocess.run(
        under(limit, sys.executable, "-m", "bayes_lmmlasso", *options),
        capture_output=True,
        text=True,
        check=False,
    )


def _large_files(folder: Path) -> Path:
    """Write a file set of a biobank's size, of which the genotypes take no room."""
    prefix = folder / "large"
    prefix.with_suffix(".fam").write_text("".join(f"f{i} i{i} 0 0 1 {i % 7}\n" for i in range(_N)))
    prefix.with_suffix(".bim").write_text("".join(f"1\trs{j}\t0\t{j + 1}\tA\tG\n" for j in range(_P)))
    with prefix.with_suffix(".bed").open("wb") as file:
        file.write(b"\x6c\x1b\x01")
        file.truncate(3 + _N // 4 * _P)
    table = folder / "traits.tsv"
    table.write_text("fid\tiid\ty\n" + "".join(f"f{i}\ti{i}\t{i % 7}\n" for i in range(_N)))
    return prefix


@pytest.mark.parametrize("command", ["null", "run", "simulate"])
def test_what_does_not_fit_ends_in_a_sentence(tmp_path, command):
    if command == "simulate":
        done = _in_4_gb("simulate", "--samples", _N, "--variants", _P, "--out", tmp_path / "out")
    else:
        prefix = _large_files(tmp_path)
        tables = ("--pheno", tmp_path / "traits.tsv", "--trait", "y", "--out", tmp_path / "out")
        done = _in_4_gb(command, "--bfile", prefix, *tables)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("Error: expected about ")
    assert "of memory for 20,000 samples" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_free_memory_heeds_limits_of_the_process_and_of_its_group(tmp_path, monkeypatch):
    assert 0 < free_memory() < 2**50
    for name, text in {"max": "4000\n", "current": "3000\n", "stat": "anon 1000\nfile 500\n"}.items():
        (tmp_path / f"memory.{name}").write_text(text)
    monkeypatch.setattr("bayes_lmmlasso.memory._GROUPS", ((str(tmp_path), "memory.max", "memory.current", "file"),))
    assert free_memory() == 1500
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory() > 10_000_000
    monkeypatch.setattr(resource, "getrlimit", lambda which: (2**20, resource.RLIM_INFINITY))
    assert free_memory() == 0


def test_the_estimate_grows_with_samples_and_snps(monkeypatch):
    monkeypatch.setattr(budget, "free_memory", lambda: 10**9)
    check_memory(1000, 70_000, related=True)
    with pytest.raises(
        InputError, match=r"about 1\.0 GB of memory for 1,000 samples and 79,000 SNPs, got 1\.0 GB free"
    ):
        check_memory(1000, 79_000, related=True)
    with pytest.raises(InputError, match=r"about 1\.4 GB of memory for 5,000 samples, got"):
        check_memory(5000, 0, related=True)
    check_memory(5000, 0, related=False)


def test_samples_without_a_value_are_not_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(budget, "free_memory", lambda: 150_000)
    data = settings().data
    with pytest.raises(InputError, match="of memory for 58 samples"):
        check_budget(data, "height")
    few = tmp_path / "few.tsv"
    few.write_text("".join((cohort_folder() / "pheno.tsv").read_text().splitlines(keepends=True)[:9]))
    check_budget(settings(pheno=few).data, "colour")


def test_draws_that_do_not_fit_the_disk_are_refused(tmp_path, monkeypatch):
    given = settings()
    monkeypatch.setattr(budget.shutil, "disk_usage", lambda folder: SimpleNamespace(free=10))
    monkeypatch.setattr(budget.FORMATS["bfile"].read, "open", _known(budget.FORMATS["bfile"].read.open))
    check_budget(given.data, "height")
    with pytest.raises(InputError, match=r"of disk for 50 draws of 2 chains and 200 SNPs, got 0 MB free in"):
        check_budget(given.data, "height", sampling=given.sampling, store=tmp_path)


@pytest.mark.parametrize(("name", "write"), [("vcf", write_vcf), ("bimbam", write_bimbam)])
def test_snps_of_a_text_are_estimated_from_its_size(tmp_path, monkeypatch, name, write):
    path = write(read_plink(cohort_folder() / "small"), tmp_path)
    monkeypatch.setattr(budget, "free_memory", lambda: 100_000)
    with pytest.raises(InputError, match=r"for 60 samples and (1[89]|2[01])\d SNPs"):
        budget.check_genotypes(GenotypeSource(name, path))


def test_a_matrix_is_not_read_for_its_size(tmp_path, monkeypatch):
    monkeypatch.setattr(budget, "free_memory", lambda: 100_000)
    cells = "\t".join(["1"] * 200)
    (tmp_path / "x.tsv").write_text("iid\t" + "\t".join(f"s{j}" for j in range(200)) + f"\nline\t{cells}" * 60 + "\n")
    with pytest.raises(InputError, match=r"for (59|6[01]) samples and 20\d SNPs"):
        budget.check_genotypes(GenotypeSource("matrix", tmp_path / "x.tsv"))
    (tmp_path / "x.tsv.gz").write_bytes(b"\x1f\x8b and so on")
    budget.check_genotypes(GenotypeSource("matrix", tmp_path / "x.tsv.gz"))


def _known(read):
    """Return the reader with the number of SNPs, which some formats do not tell."""
    return lambda path: replace(read(path), n_variants=200)

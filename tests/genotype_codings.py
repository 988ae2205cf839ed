"""One matrix of genotypes in every format and coding that can hold it, written by the plainest code."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import zarr
import zstandard
from genotype_files import dosage_text, write_bfile, write_bimbam, write_matrix, write_pgen

from bayes_lmmlasso.cohort import Cohort, cohort_from_arrays, read_genotypes, variant_frame

IUPAC = {"AG": "R", "CT": "Y", "CG": "S", "AT": "W", "GT": "K", "AC": "M"}
ALLELES = [("A", "G"), ("T", "C"), ("G", "C"), ("A", "T"), ("T", "G"), ("A", "C")]


def toy_cohort(dosage: np.ndarray) -> Cohort:
    """A cohort of ``(p, n)`` dosages, NaN for missing, on one chromosome."""
    p, n = dosage.shape
    effect, other = zip(*(ALLELES[j % len(ALLELES)] for j in range(p)), strict=True)
    variants = pd.DataFrame({"chrom": "2", "pos": np.arange(1, p + 1) * 10, "snp": [f"rs{j}" for j in range(p)]})
    variants = variants.assign(effect_allele=effect, other_allele=other)
    return cohort_from_arrays(dosage.T.astype(np.float64), sample_id=[f"i{i}" for i in range(n)], variants=variants)


def call_text(copies: float, ploidy: int) -> str:
    """A call of VCF with so many copies of the alternate allele."""
    return "/".join("." * ploidy if np.isnan(copies) else "1" * int(copies) + "0" * (ploidy - int(copies)))


def vcf(cohort: Cohort, path: Path, ploidy: int = 2) -> Path:
    samples = cohort["sample_id"].values
    lines = ["##fileformat=VCFv4.3", "##contig=<ID=2>"]
    lines += ['##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">']
    lines += ["\t".join(["#CHROM", *"POS ID REF ALT QUAL FILTER INFO FORMAT".split(), *samples])]
    for row, calls in zip(variant_frame(cohort).itertuples(), cohort["call_dosage"].values, strict=True):
        site = [row.chrom, str(row.pos), row.snp, row.other_allele, row.effect_allele, ".", ".", ".", "GT"]
        lines.append("\t".join([*site, *(call_text(d * ploidy / 2, ploidy) for d in calls)]))
    text = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def store(cohort: Cohort, path: Path, ploidy: int = 2) -> Path:
    """VCF Zarr, array by array."""
    variants = variant_frame(cohort)
    copies = np.nan_to_num(cohort["call_dosage"].values * ploidy / 2, nan=-1)
    calls = np.where(copies[..., None] < 0, -1, np.arange(ploidy) < copies[..., None]).astype(np.int8)
    alleles = variants[["other_allele", "effect_allele"]].to_numpy(str)
    arrays: dict[str, tuple[Any, list[str]]] = {
        "call_genotype": (calls, ["variants", "samples", "ploidy"]),
        "variant_allele": (alleles, ["variants", "alleles"]),
        "variant_contig": (np.zeros(len(variants), np.int8), ["variants"]),
        "variant_position": (variants["pos"].to_numpy(np.int32), ["variants"]),
        "variant_id": (variants["snp"].to_numpy(str), ["variants"]),
        "contig_id": (np.array(["2"]), ["contigs"]),
        "sample_id": (cohort["sample_id"].values.astype(str), ["samples"]),
    }
    group = zarr.create_group(path)
    for name, (data, dims) in arrays.items():
        fill = -5 if data.dtype.kind == "i" else "?"
        group.create_array(name, data=data, dimension_names=dims, fill_value=fill)
    return path


def matrix(cohort: Cohort, path: Path, ploidy: int = 2, separator: str = "\t", quoted: bool = False) -> Path:
    """SNPs x samples."""
    mark = '"' if quoted else ""
    samples = cohort["sample_id"].values
    head = ["chrom", "pos", "snp", "effect_allele", "other_allele", *samples]
    lines = [separator.join(f"{mark}{name}{mark}" for name in head)]
    for row, calls in zip(variant_frame(cohort).itertuples(index=False), cohort["call_dosage"].values, strict=True):
        site = [f"{mark}{value}{mark}" for value in (row.chrom, row.pos, row.snp, row.effect_allele, row.other_allele)]
        lines.append(separator.join([*site, *(dosage_text(d * ploidy / 2) for d in calls)]))
    text = ("\n".join(lines) + "\n").encode()
    path.write_bytes(zstandard.compress(text) if path.suffix == ".zst" else text)
    return path


def by_sample(cohort: Cohort, path: Path, head: str = "iid") -> Path:
    """Samples x SNPs, which holds no positions and alleles."""
    values = pd.DataFrame(cohort["call_dosage"].values.T, columns=cohort["variant_id"].values).map(dosage_text)
    values.insert(0, head, cohort["sample_id"].values)
    values.to_csv(path, sep="\t", index=False)
    return path


def hapmap(cohort: Cohort, path: Path, one_letter: bool = False) -> Path:
    lead = "rs# alleles chrom pos strand assembly# center protLSID assayLSID panelLSID QCcode".split()
    lines = ["\t".join([*lead, *cohort["sample_id"].values])]
    for row, calls in zip(variant_frame(cohort).itertuples(), cohort["call_dosage"].values, strict=True):
        a, b = row.other_allele, row.effect_allele
        letters = [a, IUPAC["".join(sorted(a + b))], b, "N"] if one_letter else [a + a, a + b, b + b, "NN"]
        site = [row.snp, f"{a}/{b}", row.chrom, str(row.pos), "+", *["NA"] * 6]
        lines.append("\t".join([*site, *(letters[3 if np.isnan(d) else int(d)] for d in calls)]))
    path.write_text("\n".join(lines) + "\n")
    return path


@dataclass(frozen=True)
class Coding:
    """A way to write genotypes: the name of the format, the function, and the ploidy to tell the reader."""

    format: str
    write: Callable[[Cohort, Path], Path]
    ploidy: int = 2

    def read(self, cohort: Cohort, folder: Path) -> Cohort:
        return read_genotypes(self.write(cohort, folder), self.format, ploidy=self.ploidy)


DIPLOID = {
    "bfile": Coding("bfile", write_bfile),
    "pgen": Coding("pgen", write_pgen),
    "vcf": Coding("vcf", lambda c, d: vcf(c, d / "a.vcf")),
    "vcf.gz by gzip": Coding("vcf", lambda c, d: vcf(c, d / "a.vcf.gz")),
    "vcf_zarr": Coding("vcf_zarr", lambda c, d: store(c, d / "a.vcz")),
    "bimbam": Coding("bimbam", write_bimbam),
    "csv.gz": Coding("matrix", write_matrix),
    "tsv.zst": Coding("matrix", lambda c, d: matrix(c, d / "b.tsv.zst")),
    "blanks": Coding("matrix", lambda c, d: matrix(c, d / "b.txt", separator=" ")),
    "quotes": Coding("matrix", lambda c, d: matrix(c, d / "c.csv", separator=",", quoted=True)),
    "quotes and blanks": Coding("matrix", lambda c, d: matrix(c, d / "d.txt", separator=" ", quoted=True)),
    "hapmap": Coding("matrix", lambda c, d: hapmap(c, d / "a.hmp.txt")),
    "hapmap, one letter": Coding("matrix", lambda c, d: hapmap(c, d / "b.hmp.txt", one_letter=True)),
}
"""Codings of whole counts of two copies."""

HAPLOID = {
    "vcf": Coding("vcf", lambda c, d: vcf(c, d / "h.vcf", 1)),
    "vcf_zarr": Coding("vcf_zarr", lambda c, d: store(c, d / "h.vcz", 1)),
    "matrix": Coding("matrix", lambda c, d: matrix(c, d / "h.tsv", 1), 1),
}
"""Codings of 0 and 2 as one copy."""

TETRAPLOID = {
    "vcf": Coding("vcf", lambda c, d: vcf(c, d / "t.vcf", 4), 4),
    "vcf_zarr": Coding("vcf_zarr", lambda c, d: store(c, d / "t.vcz", 4), 4),
    "matrix": Coding("matrix", lambda c, d: matrix(c, d / "t.tsv", 4), 4),
    "halves": Coding("matrix", lambda c, d: matrix(c, d / "u.tsv")),
}
"""Codings of 0, 0.5, 1, 1.5 and 2 as four copies."""

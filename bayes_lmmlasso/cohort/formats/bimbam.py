"""BIMBAM mean genotypes, the format of GEMMA (Zhou and Stephens 2012, doi:10.1038/ng.2310).

One line a SNP, no header, separated by commas, blanks or tabs: SNP id, minor allele, major allele, and the mean number
of minor alleles of each sample, 0 to 2, NA for missing. Counted is the first allele named, minor or not. Positions are
in a file of their own with the lines ``SNP position chromosome [cM]`` in any order.

The format has no sample ids. A table with the column ``iid`` (and ``fid``), a row for each sample in the order of the
genotypes, gives them; the trait table will do if its rows are in that order. Beside ``mice.geno.txt.gz`` (or
``mice.bimbam``, ``mice.txt``) these files are looked for as ``mice.samples.txt`` and ``mice.anno.txt``. It is told when
the allele named first is often the major one, and when the annotation lacks many of the SNPs.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.formats.genotype_file import DosageType, GenotypeFile, Genotypes
from bayes_lmmlasso.cohort.formats.reader import GenotypeFormat, PathLike, reads_cohort
from bayes_lmmlasso.cohort.formats.rules.files import require_files, stem_of, traits_beside
from bayes_lmmlasso.cohort.formats.rules.frequencies import against_minor, frequency
from bayes_lmmlasso.cohort.formats.text_genotypes import dosage_row, text_lines
from bayes_lmmlasso.cohort.tables import (
    NA_TOKENS,
    TableLike,
    id_columns,
    parse_base_pairs,
    parse_centimorgans,
    read_table,
)
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.remarks import Remark, examples

__all__ = ["BIMBAM", "read_bimbam"]

_FEW = 0.9  # share of the SNPs that an annotation should hold


@reads_cohort
def read_bimbam(
    path: PathLike, *, samples: TableLike | None = None, annotation: PathLike | None = None
) -> GenotypeFile:
    """Read mean genotypes and join them with tables by sample id.

    Parameters
    ----------
    path
        The mean genotype file, plain or compressed (.gz, .zst).
    phenotypes, trait, covariates, dtype, ploidy, covariate_names, categorical, missing_code
        As in `read_plink`.
    samples
        Table with the ids of the samples in the order of the genotypes; the default is ``NAME.samples.txt``.
    annotation
        File with the positions; the default is ``NAME.anno.txt`` if there is one. A SNP that it lacks has chromosome
        "0" and position 0.

    Raises
    ------
    InputError
        A missing, malformed or truncated file, a line of another length than the samples, a dosage outside of 0 to the
        ploidy, duplicated samples or annotations, an annotation of other SNPs, no sample ids, a bad table.
    """
    path = Path(path)
    require_files([path], "--bimbam")
    ids = _sample_ids(path, samples)
    sidecar = _sidecar(path, ".anno.txt")
    if annotation is None and sidecar.is_file():
        annotation = sidecar
    load = partial(_load, path, ids, None if annotation is None else Path(annotation))
    return GenotypeFile(ids, str(path), load, traits_beside(path))


def _load(
    path: Path, ids: pd.DataFrame, annotation: Path | None, rows: NDArray[np.intp], _: DosageType, ploidy: int
) -> Genotypes:
    alleles, dosages, frequencies = [], [], []
    for number, line in text_lines(path):
        head, fields = (parts := line.replace(",", " ").split())[:3], parts[3:]
        dosage = dosage_row(fields, len(ids), f"sample of {ids.attrs['source']}", f"line {number} of {path}")
        dosages.append(dosage[rows])
        frequencies.append(frequency(dosages[-1], ploidy))
        alleles.append(head)
    variants = pd.DataFrame(alleles, columns=["snp", "effect_allele", "other_allele"], dtype=object)
    variants, told = _annotate(variants, annotation, path)
    dosage = np.array(dosages, dtype=np.float32).reshape(-1, len(rows))
    return Genotypes(variants, dosage, (*told, *against_minor(frequencies, str(path))), ploidy)


def _sidecar(path: Path, ending: str) -> Path:
    """Return the file of the same name with another ending."""
    return path.with_name(f"{stem_of(path)}{ending}")


def _sample_ids(path: Path, samples: TableLike | None) -> pd.DataFrame:
    """Frame ``iid``, and ``fid`` if told, in the order of the genotypes."""
    sidecar = _sidecar(path, ".samples.txt")
    if samples is None and not sidecar.is_file():
        raise InputError(
            f"expected the sample ids of {path}, which has none, in {sidecar}, got no such file; write a table with a "
            "column 'iid' and a row for each sample in the order of the genotypes"
        )
    table = read_table(sidecar if samples is None else samples, "samples")
    return table[id_columns(table)]


def _annotate(variants: pd.DataFrame, annotation: Path | None, path: Path) -> tuple[pd.DataFrame, tuple[Remark, ...]]:
    """Add ``chrom``, ``pos`` and ``cm`` to the SNPs, by id, and tell how many are not found."""
    if annotation is None:
        return variants.assign(chrom="0", pos=0, cm=0.0), ()
    rows = {number: line.replace(",", " ").split() for number, line in text_lines(annotation)}
    for number, row in rows.items():
        if len(row) not in (3, 4):
            raise InputError(
                f"expected SNP, position, chromosome and perhaps cM, got {len(row)} fields in line {number} of "
                f"{annotation}; repair the line"
            )
    fields, columns = [[*row, "0"][:4] for row in rows.values()], ["snp", "pos", "chrom", "cm"]
    table = pd.DataFrame(fields, columns=columns, index=list(rows), dtype=object)
    twice = table["snp"].duplicated()
    if twice.any():
        raise InputError(
            f"expected every SNP once in {annotation}, got {table['snp'][twice].iloc[0]!r} again in line "
            f"{twice.index[twice][0]}; keep one of them"
        )
    table["pos"] = parse_base_pairs(table["pos"].where(~table["pos"].isin(NA_TOKENS), "0"), annotation)
    table["cm"] = parse_centimorgans(table["cm"])
    found = table.set_index("snp").reindex(variants["snp"]).reset_index(drop=True)
    places = {"chrom": found["chrom"].fillna("0"), "pos": found["pos"].fillna(0).astype(np.int64)}
    told = _coverage(variants["snp"], table["snp"], path, annotation)
    return variants.assign(**places, cm=found["cm"].fillna(0.0)), told


def _coverage(snps: pd.Series[str], annotated: pd.Series[str], path: Path, annotation: Path) -> tuple[Remark, ...]:
    """Tell when an annotation lacks many SNPs, and refuse one that has none."""
    lacking = ~snps.isin(set(annotated))
    n_found = int((~lacking).sum())
    if n_found >= _FEW * len(snps):
        return ()
    told = f"{n_found} of {len(snps)} SNPs of {path} are found in {annotation}"
    if not n_found:
        raise InputError(
            f"expected the SNPs of {path} in its annotation, got other ids: {told} ({examples(snps)} in the first, "
            f"{examples(annotated)} in the second); use the same ids in both, or remove the annotation"
        )
    return (Remark(f"{told} ({examples(snps[lacking])} are not): these have no position", caution=True),)


def _files(path: PathLike) -> tuple[Path, ...]:
    """Return the file and those that lie beside it."""
    beside = (_sidecar(Path(path), ending) for ending in (".samples.txt", ".anno.txt"))
    return (Path(path), *(file for file in beside if file.is_file()))


BIMBAM = GenotypeFormat(
    read_bimbam,
    _files,
    "BIMBAM mean genotypes NAME.geno.txt[.gz], with NAME.samples.txt and NAME.anno.txt beside.",
    "FILE",
)

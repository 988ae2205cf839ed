"""PLINK 1 binary genotypes (.bed/.bim/.fam), read and written through bed-reader.

A .bed of n samples and p SNPs holds the bytes 6c 1b 01 and then p rows of ceil(n / 4) bytes
(https://www.cog-genomics.org/plink/1.9/formats#bed). What is counted is allele 1, column 5 of the .bim. The .bim and
the .fam may be compressed (.gz, .zst); where each line has six fields or more between tabs, ids may hold blanks. Column
6 of the .fam is a trait, those beyond (as GEMMA reads them) are further ones: ``phenotype``, ``phenotype2``, ...
"""

from __future__ import annotations

import os
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.dataset import Cohort, sample_frame, variant_frame
from bayes_lmmlasso.cohort.formats.genotype_file import DosageType, GenotypeFile, Genotypes
from bayes_lmmlasso.cohort.formats.reader import GenotypeFormat, PathLike, reads_cohort
from bayes_lmmlasso.cohort.formats.rules.fam_traits import fam_traits
from bayes_lmmlasso.cohort.formats.rules.files import file_set, require_files, traits_beside
from bayes_lmmlasso.cohort.formats.rules.scale import refuse_ploidy
from bayes_lmmlasso.cohort.formats.rules.snp_ids import name_snps
from bayes_lmmlasso.cohort.tables import fields_frame, numbered_lines, parse_base_pairs, parse_centimorgans
from bayes_lmmlasso.errors import InputError

__all__ = ["PLINK", "read_plink", "write_plink"]

_FAM = ("fid", "iid", "father", "mother", "sex", "phenotype")
_BIM = ("chrom", "snp", "cm", "pos", "effect_allele", "other_allele")
_MAGIC = bytes((0x6C, 0x1B, 0x01))
_Variants = slice | list[int] | NDArray[np.integer]


@reads_cohort
def read_plink(prefix: PathLike, *, variants: _Variants | None = None) -> GenotypeFile:
    """Read a PLINK file set and join it with tables by sample id.

    Parameters
    ----------
    prefix
        Path of the file set, with or without ``.bed``.
    phenotypes, covariates
        Paths or frames for `read_table`. Only samples that occur in every file are kept; the others are
        counted per cause in ``attrs["dropped_samples"]``.
    trait
        A column that the phenotype table must have.
    dtype
        Storage of the dosages: float32 with NaN, or int8 with -1 for missing, which formats with fractions of an allele
        use if they find none.
    ploidy
        Copies that the dosages of a file count; they are brought to 0 to 2. The calls of PLINK are always of two.
    covariate_names, categorical, missing_code
        How the tables are coded: columns of the covariate table to use, in place of all; columns whose numbers name
        groups; further marks of a missing value.
    variants
        Positions (list, array or slice) of the SNPs to read; the rest of the .bed is not loaded.

    Returns
    -------
    Cohort
        See `bayes_lmmlasso.cohort.dataset`.

    Raises
    ------
    InputError
        A missing, malformed or truncated file, duplicated samples, positions out of range, a bad table.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> cohort = bl.read_plink("mice", phenotypes="traits.tsv", covariates="age.tsv")  # doctest: +SKIP
    """
    paths = bed, _, fam = _paths(prefix)
    require_files(paths, "--bfile")
    lines = _fields(fam)
    samples = fields_frame({number: line[: len(_FAM)] for number, line in lines.items()}, _FAM, fam)[["fid", "iid"]]
    load = partial(_load, prefix, len(samples), variants)
    traits = fam_traits(lines, samples)
    beside = traits_beside(bed.with_suffix("")) if traits is None else traits
    return GenotypeFile(samples, str(fam), load, beside, _n_variants(bed, len(samples)))


def write_plink(cohort: Cohort, prefix: PathLike) -> None:
    """Write the genotypes of a cohort as ``prefix.bed``, ``.bim`` and ``.fam``.

    The files are written in a temporary folder beside the target and then renamed, the .bed last.
    Pedigree, sex and trait are written as unknown.

    Raises
    ------
    InputError
        A dosage that is not 0, 1, 2 or missing, or an id that is empty or holds a blank: PLINK's files have
        no room for them.
    """
    from bed_reader import to_bed  # a tenth of a second that no other format needs

    stem = os.fspath(prefix).removesuffix(".bed")
    targets = [Path(f"{stem}{ending}") for ending in (".bed", ".bim", ".fam")]
    calls = cohort["call_dosage"].values
    codes = np.where(np.isnan(calls) | (calls < 0), -127, calls)
    if not np.isin(codes, (-127, 0, 1, 2)).all():
        j, i = np.argwhere(~np.isin(codes, (-127, 0, 1, 2)))[0]
        raise InputError(
            f"expected dosages 0, 1, 2 or missing, got {calls[j, i]} for sample "
            f"{cohort['sample_id'].values[i]!r} at {cohort['variant_id'].values[j]!r}; round them first"
        )
    samples, variants = sample_frame(cohort), variant_frame(cohort)
    properties = {
        "fid": samples["fid"],
        "iid": samples["iid"],
        "chromosome": variants["chrom"],
        "sid": variants["snp"],
        "cm_position": cohort["variant_cm"].to_series(),
        "bp_position": variants["pos"],
        "allele_1": variants["effect_allele"],
        "allele_2": variants["other_allele"],
    }
    for name, column in properties.items():
        blank = [value for value in column.astype(str) if value.split() != [value]]
        if blank:
            raise InputError(
                f"expected {name} without blanks for {targets[0].stem}.fam and .bim, got {blank[0]!r}; rename it"
            )
    with tempfile.TemporaryDirectory(dir=targets[0].parent) as folder:
        bed, bim, fam = (Path(folder) / path.name for path in targets)
        to_bed(
            bed,
            codes.T.astype(np.int8),
            properties={name: column.to_numpy() for name, column in properties.items()},
            fam_filepath=fam,
            bim_filepath=bim,
        )
        for written, target in zip((fam, bim, bed), reversed(targets), strict=True):
            written.replace(target)


def _load(
    prefix: PathLike, n: int, variants: _Variants | None, rows: NDArray[np.intp], dtype: DosageType, ploidy: int
) -> Genotypes:
    """Read the .bim, and of the .bed of n samples what is wanted."""
    from bed_reader import open_bed

    bed, bim, _ = _paths(prefix)
    refuse_ploidy(ploidy, bed)
    table = fields_frame(_fields(bim), _BIM, bim)
    table["pos"] = parse_base_pairs(table["pos"], bim)
    table["cm"] = parse_centimorgans(table["cm"])
    table, told = name_snps(table, str(bim))  # by all of them, also where some are chosen
    p = len(table)
    _check_bed(bed, n, p)
    try:
        chosen = np.arange(p)[slice(None) if variants is None else variants]
    except IndexError as error:
        raise InputError(f"expected SNPs of the {p} lines of {bim}, got {error}; count from 0") from error
    with open_bed(bed, iid_count=n, sid_count=p) as handle:
        dosage = handle.read((rows, chosen), dtype=dtype, order="F").T
    if dtype == "int8":
        np.maximum(dosage, -1, out=dosage)  # bed-reader's missing is -127
    return Genotypes(table.iloc[chosen], dosage, told)


def _paths(prefix: PathLike) -> tuple[Path, ...]:
    """Paths of the .bed, .bim and .fam."""
    return file_set(prefix, (".bed", ".bim", ".fam"))


def _n_variants(bed: Path, n: int) -> int:
    """Return the number of SNPs by the size of a .bed of n samples."""
    return max(0, bed.stat().st_size - len(_MAGIC)) // -(-n // 4)


def _fields(path: Path) -> dict[int, list[str]]:
    """Fields of a .fam or .bim by line number: between tabs if each line has six or more of these, else blanks."""
    lines = numbered_lines(path, "part of a PLINK file set")
    if not lines:
        raise InputError(f"expected at least one line in {path}, got an empty file; write it again")
    spaced = {number: line.split() for number, line in lines.items()}
    if not any(" " in line for line in lines.values()):
        return spaced
    tabbed = {number: [field.strip() for field in line.split("\t")] for number, line in lines.items()}
    if all(len(fields) >= len(_FAM) and all(fields[:2]) for fields in tabbed.values()):
        return tabbed
    usual = len(next(iter(spaced.values())))
    for number, fields in spaced.items():
        if len(fields) > max(usual, len(_FAM)):
            raise InputError(
                f"expected {max(usual, len(_FAM))} fields, got {len(fields)} in line {number} of {path}; an id with a "
                f"blank, as in {' '.join(fields[:3])!r}? Write _ for it here and in the tables, or separate by tabs"
            )
    return spaced


def _check_bed(bed: Path, n: int, p: int) -> None:
    try:
        size = bed.stat().st_size
        with bed.open("rb") as handle:
            magic = handle.read(3)
    except OSError as error:
        raise InputError(f"expected genotypes in {bed}, got {error}; check the prefix") from error
    if magic != _MAGIC:
        raise InputError(
            f"expected {bed} to begin with the bytes {_MAGIC.hex(' ')} (SNP-major PLINK 1), got "
            f"{magic.hex(' ') or 'nothing'}; convert it with `plink --make-bed`"
        )
    wanted = 3 + -(-n // 4) * p
    if size != wanted:
        raise InputError(
            f"expected {wanted} bytes in {bed} for the {n} samples of its .fam and the {p} SNPs of its .bim, "
            f"got {size}; the file is truncated or belongs to another .fam or .bim: copy the set again"
        )


PLINK = GenotypeFormat(read_plink, _paths, "PLINK 1 file set PREFIX.bed/.bim/.fam.", "PREFIX")

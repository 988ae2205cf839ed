"""Delimited matrices of dosages with a header, plain or compressed (.gz, .zst), in either orientation.

The header says which, and its separator (tab, else comma, else blanks) that of the file; fields may be in quotes:

SNPs x samples
    ``chrom pos snp effect_allele other_allele cm`` (``snp`` and any of the others, in any order), then a column for
    each sample, named by its ``iid``; a row for each SNP. The form to write: it holds all that a cohort needs.
samples x SNPs
    ``fid iid`` (or ``iid``; also ``id`` or ``taxa``, as GAPIT and TASSEL write it), then a column for each SNP, named
    by its id; a row for each sample. Without positions the chromosome is "0" and the position 0; the counted allele is
    called A and the other B.
HapMap
    ``rs# alleles chrom pos strand ...``, eleven columns, then a column of calls for each sample, see
    `bayes_lmmlasso.cohort.formats.hapmap`.

PLINK's own spellings are read as well. A .traw (``--export A-transpose``) names its samples ``fid_iid``; see
`bayes_lmmlasso.cohort.formats.rules.sample_ids`. A .raw (``--export A include-alt``) names its SNPs
``snp_A(/B)``, A being counted; without include-alt the end of a SNP id cannot be told, and the file is refused. plink2
counts the reference allele in both unless ``--export-allele`` says otherwise; counted here is what the file says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from itertools import takewhile
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.formats.genotype_file import DosageType, GenotypeFile, Genotypes
from bayes_lmmlasso.cohort.formats.hapmap import is_hapmap, read_hapmap
from bayes_lmmlasso.cohort.formats.reader import GenotypeFormat, PathLike, reads_cohort
from bayes_lmmlasso.cohort.formats.rules.files import require_files, traits_beside
from bayes_lmmlasso.cohort.formats.rules.sample_ids import likely_names
from bayes_lmmlasso.cohort.formats.text_genotypes import dosage_row, split_lines, text_lines
from bayes_lmmlasso.cohort.tables import id_columns, parse_base_pairs, parse_centimorgans
from bayes_lmmlasso.errors import InputError

__all__ = ["MATRIX", "read_matrix"]

_DEFAULTS = {"chrom": "0", "pos": "0", "effect_allele": "A", "other_allele": "B", "cm": "0"}
_SNP_COLUMNS = ("snp", *_DEFAULTS)
_TRAW = {"CHR": "chrom", "SNP": "snp", "(C)M": "cm", "POS": "pos", "COUNTED": "effect_allele", "ALT": "other_allele"}
_ID_NAMES = {"fid": "fid", "#fid": "fid"} | dict.fromkeys(("iid", "#iid", "id", "taxa", "<marker>"), "iid")
_SNP_NAMES = {name: name for name in _SNP_COLUMNS} | {"chr": "chrom", "#chrom": "chrom", "position": "pos"}
_TASSEL = "<Numeric>"
_RAW = ("FID", "IID", "PAT", "MAT", "SEX", "PHENOTYPE")
_RAW_SNP = re.compile(r"(.+)_([^_()/]+)\(/([^()/]+)\)")


@reads_cohort
def read_matrix(path: PathLike) -> GenotypeFile:
    """Read a matrix of dosages and join it with tables by sample id.

    Parameters
    ----------
    path
        File with a header as above and dosages from 0 to the ploidy, NA (or nothing between separators) for missing.
    phenotypes, trait, covariates, dtype, ploidy, covariate_names, categorical, missing_code
        As in `read_plink`.

    Raises
    ------
    InputError
        A missing, malformed or truncated file, a header of neither form, a row of another length than the header, a
        dosage outside of 0 to the ploidy, duplicated samples, a bad table.
    """
    path = Path(path)
    require_files([path], "--matrix")
    rows = split_lines(text_lines(path))
    _, header = next(rows, (0, []))
    if header[:1] == [_TASSEL]:
        _, header = next(rows, (0, []))
    if tuple(header[: len(_RAW)]) == _RAW:
        return _by_sample(rows, header, _raw_variants(header[len(_RAW) :], path), path)
    if is_hapmap(header):
        return read_hapmap(header, path)
    ids = [_ID_NAMES.get(name.lower(), "") for name in header[:2]]
    n_ids = 2 if ids == ["fid", "iid"] else 1 if ids[:1] == ["iid"] else 0
    if n_ids:
        named = [*ids[:n_ids], *header[n_ids:]]
        return _by_sample(rows, named, pd.DataFrame({"snp": header[n_ids:], **_DEFAULTS}, dtype=object), path)
    return _by_snp(header, path)


def _by_sample(
    rows: Iterable[tuple[int, list[str]]], header: list[str], variants: pd.DataFrame, path: Path
) -> GenotypeFile:
    """Read a row for each sample: all of the file, as its samples are known at its end."""
    lead = len(header) - len(variants)
    ids, dosages = {}, []
    for number, fields in rows:
        ids[number] = fields[:lead]
        dosages.append(dosage_row(fields[lead:], len(variants), "SNP of its header", f"line {number} of {path}"))
    names = [name.lower() for name in header[:lead]]
    samples = pd.DataFrame(list(ids.values()), columns=names, index=list(ids), dtype=object)
    dosage = np.array(dosages, dtype=np.float32).reshape(-1, len(variants))
    variants = _with_positions(variants, path)

    def load(kept: NDArray[np.intp], _: DosageType, ploidy: int) -> Genotypes:
        return Genotypes(variants, np.ascontiguousarray(dosage[kept].T), ploidy=ploidy)

    return GenotypeFile(samples[id_columns(samples)], str(path), load, traits_beside(path), len(variants))


def _by_snp(header: list[str], path: Path) -> GenotypeFile:
    """Open a file with a row for each SNP."""
    traw = header[:2] == list(_TRAW)[:2]
    renamed = [_TRAW.get(name, name) if traw else _SNP_NAMES.get(name.lower(), name) for name in header]
    lead = list(takewhile(lambda name: name in _SNP_COLUMNS, renamed))
    names = header[len(lead) :]
    if "snp" not in lead or not names:
        raise InputError(_no_header(header, path))
    samples = likely_names(names) if traw else pd.DataFrame({"iid": names}, dtype=object)
    samples.index = pd.RangeIndex(len(lead) + 1, len(header) + 1)  # columns of the file
    return GenotypeFile(
        samples, str(path), partial(_load_by_snp, path, lead, len(names)), traits_beside(path), names=names
    )


def _no_header(header: list[str], path: Path) -> str:
    """Say what is wrong with a header of neither form."""
    if header[:1] == [""]:
        return (
            f"expected a name for the first column of {path}, got none (row names of R?): name it iid if a row is a "
            "sample, or snp if a row is a SNP"
        )
    return (
        f"expected a header of {path} that begins with {' '.join(_SNP_COLUMNS)} (or iid, or is that of HapMap) and "
        f"goes on with a column for each sample (or SNP), got {' '.join(header[:6]) or 'an empty file'}; name the "
        "columns so"
    )


def _load_by_snp(path: Path, lead: list[str], n: int, rows: NDArray[np.intp], _: DosageType, ploidy: int) -> Genotypes:
    """Read a row for each SNP: the columns ``lead`` and the dosages of n samples."""
    lines = split_lines(text_lines(path))
    next(lines)  # the header
    sites, dosages = {}, []
    for number, fields in lines:
        sites[number] = fields[: len(lead)]
        dosage = dosage_row(fields[len(lead) :], n, "sample of its header", f"line {number} of {path}")
        dosages.append(dosage[rows])
    variants = pd.DataFrame(list(sites.values()), columns=lead, index=list(sites), dtype=object)
    variants = variants.assign(**{name: value for name, value in _DEFAULTS.items() if name not in lead})
    dosage = np.array(dosages, dtype=np.float32).reshape(-1, len(rows))
    return Genotypes(_with_positions(variants, path), dosage, ploidy=ploidy)


def _with_positions(variants: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Turn positions into numbers."""
    return variants.assign(pos=parse_base_pairs(variants["pos"], path), cm=parse_centimorgans(variants["cm"]))


def _raw_variants(names: list[str], path: Path) -> pd.DataFrame:
    """SNPs of a .raw from the names of its columns."""
    matches = [_RAW_SNP.fullmatch(name) for name in names]
    if None in matches:
        raise InputError(
            f"expected SNP columns such as rs1_A(/G) in the header of {path}, got {names[matches.index(None)]!r}; "
            "write the file with `plink2 --export A include-alt`"
        )
    parts = [match.groups() for match in matches if match]
    table = pd.DataFrame(parts, columns=["snp", "effect_allele", "other_allele"], dtype=object)
    return table.assign(chrom="0", pos="0", cm="0")


MATRIX = GenotypeFormat(read_matrix, lambda path: (Path(path),), "Delimited matrix of dosages with a header.", "FILE")

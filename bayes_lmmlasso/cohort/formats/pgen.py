"""PLINK 2 file sets (.pgen/.pvar/.psam), the .pgen read through pgenlib (extra ``pgen``).

Counted is the alternate allele (ALT of the .pvar): allele 1 of the .bim that `plink2 --make-bed` writes of the same
data. A site with several is left out, and counted. A dosage is stored in steps of 1/16384. The .pvar and the .psam may
be compressed (.zst, .gz). Columns of the .psam beyond FID IID SID PAT MAT SEX are traits.
The formats: https://www.cog-genomics.org/plink/2.0/formats
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.formats.calls import multiallelic, several_alternate, variant_table
from bayes_lmmlasso.cohort.formats.genotype_file import DosageType, GenotypeFile, Genotypes
from bayes_lmmlasso.cohort.formats.optional import optional_package
from bayes_lmmlasso.cohort.formats.reader import GenotypeFormat, PathLike, reads_cohort
from bayes_lmmlasso.cohort.formats.rules.files import file_set, require_files, traits_beside
from bayes_lmmlasso.cohort.formats.rules.scale import refuse_ploidy
from bayes_lmmlasso.cohort.tables import (
    fields_frame,
    id_columns,
    numbered_lines,
    parse_base_pairs,
    parse_centimorgans,
    value_columns,
)
from bayes_lmmlasso.errors import InputError

__all__ = ["PGEN", "read_pgen"]

_COLUMNS = {"CHROM": "chrom", "POS": "pos", "ID": "snp", "REF": "ref", "ALT": "alt"}
_NO_TRAITS = ("SID", "PAT", "MAT", "SEX")
_MAGIC = bytes((0x6C, 0x1B))


@reads_cohort
def read_pgen(prefix: PathLike) -> GenotypeFile:
    """Read a PLINK 2 file set and join it with tables by sample id.

    Parameters
    ----------
    prefix
        Path of the file set, with or without ``.pgen``.
    phenotypes, trait, covariates, dtype, ploidy, covariate_names, categorical, missing_code
        As in `read_plink`. A .psam without family ids is joined by ``iid``.

    Raises
    ------
    InputError
        pgenlib is not installed; a missing, malformed or truncated file, or one that belongs to another set; several
        alternate alleles at every site; duplicated samples; a bad table.
    """
    paths = pgen, _, psam = _paths(prefix)
    require_files(paths, "--pgen")
    table = _read_headed(psam, ("IID",)).rename(columns={"FID": "fid", "IID": "iid"})
    samples = table[id_columns(table)]
    traits = table.drop(columns=[name for name in _NO_TRAITS if name in table])
    return GenotypeFile(
        samples,
        str(psam),
        partial(_load, prefix, len(samples)),
        traits if value_columns(traits) else traits_beside(pgen.with_suffix("")),
        _n_variants(pgen),
    )


def _paths(prefix: PathLike) -> tuple[Path, ...]:
    """Paths of the .pgen, .pvar and .psam."""
    return file_set(prefix, (".pgen", ".pvar", ".psam"))


def _n_variants(pgen: Path) -> int | None:
    """Return the number of SNPs in the header of a .pgen, which follows two bytes and the mode."""
    with pgen.open("rb") as file:
        header = file.read(7)
    return int.from_bytes(header[3:], "little") if header.startswith(_MAGIC) and len(header) == 7 else None


def _load(prefix: PathLike, n: int, rows: NDArray[np.intp], _: DosageType, ploidy: int) -> Genotypes:
    """Read the .pvar, and of the .pgen of n samples those wanted."""
    pgen, pvar, _psam = _paths(prefix)
    refuse_ploidy(ploidy, pgen)
    sites = _read_headed(pvar, ("CHROM", "POS", "ID", "REF", "ALT"))
    sites["POS"] = parse_base_pairs(sites["POS"], pvar)
    several = several_alternate(sites["ALT"].tolist())
    told = multiallelic(sites["ID"][several].tolist(), len(sites), str(pvar))
    kept = sites[~several]
    variants = variant_table({ours: kept[theirs] for theirs, ours in _COLUMNS.items()})
    if "CM" in kept:
        variants["cm"] = parse_centimorgans(kept["CM"])
    return Genotypes(variants, _read_dosage(pgen, n, sites["ALT"], rows), told)


def _read_headed(path: Path, wanted: tuple[str, ...]) -> pd.DataFrame:
    """Fields below the last line that begins with #; the index of the frame is the line number."""
    lines = numbered_lines(path, "part of a PLINK 2 file set")
    above = [number for number, line in lines.items() if line.startswith("#")]
    header = lines[above[-1]].lstrip("#").split() if above else []
    absent = [name for name in wanted if name not in header]
    if absent:
        raise InputError(
            f"expected a header line with #{' '.join(wanted)} in {path}, got {' '.join(header) or 'none'}; "
            "write the file set with `plink2 --make-pgen`"
        )
    rows = {number: line.split() for number, line in lines.items() if number > above[-1]}
    if not rows:
        raise InputError(f"expected at least one line below the header of {path}, got none; write it again")
    return fields_frame(rows, header, path)


def _read_dosage(pgen: Path, n: int, alt: pd.Series[str], rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """``(p, len(rows))`` counts of the alternate allele where there is one, NaN for missing."""
    n_alt = alt.str.count(",").to_numpy() + 1
    chosen = np.flatnonzero(n_alt == 1).astype(np.uint32)
    first = None if len(chosen) == len(alt) else np.concatenate([[0], np.cumsum(n_alt + 1)]).astype(np.uintp)
    dosage = np.empty((len(chosen), len(rows)), dtype=np.float32)
    subset = None if len(rows) == n else rows.astype(np.uint32)
    pgenlib = optional_package("pgenlib", "pgen")
    try:
        with pgenlib.PgenReader(
            os.fsencode(pgen),
            raw_sample_ct=n,
            variant_ct=len(alt),
            sample_subset=subset,
            allele_idx_offsets=first,
        ) as file:
            if first is None:
                file.read_dosages_range(0, len(alt), dosage)
            else:
                file.read_dosages_list(chosen, dosage)
    except (RuntimeError, AssertionError) as error:
        told = error.args[0] if error.args else "nothing"
        reason = " ".join((told.decode() if isinstance(told, bytes) else str(told)).split())
        raise InputError(
            f"expected a .pgen of the {n} samples of its .psam and the {len(alt)} SNPs of its .pvar in {pgen}, got "
            f"{reason}; the file is truncated or belongs to another set: copy the set again"
        ) from error
    dosage[dosage < 0] = np.nan  # pgenlib's missing is -9
    return dosage


PGEN = GenotypeFormat(read_pgen, _paths, "PLINK 2 file set PREFIX.pgen/.pvar/.psam.", "PREFIX")

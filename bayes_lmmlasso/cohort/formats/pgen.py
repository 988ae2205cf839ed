"""PLINK 2 file sets (.pgen/.pvar/.psam), the .pgen read through pgenlib (extra ``pgen``).

Counted is the alternate allele (ALT of the .pvar): allele 1 of the .bim that `plink2 --make-bed` writes of the same
data. A dosage is stored in steps of 1/16384. The formats: https://www.cog-genomics.org/plink/2.0/formats
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.formats.calls import variant_table
from bayes_lmmlasso.cohort.formats.genotype_file import DosageType, GenotypeFile
from bayes_lmmlasso.cohort.formats.optional import optional_package
from bayes_lmmlasso.cohort.formats.reader import GenotypeFormat, PathLike, reads_cohort
from bayes_lmmlasso.cohort.tables import fields_frame, id_columns, numbered_lines, parse_base_pairs, parse_centimorgans
from bayes_lmmlasso.errors import InputError

__all__ = ["PGEN", "read_pgen"]


@reads_cohort
def read_pgen(prefix: PathLike) -> GenotypeFile:
    """Read a PLINK 2 file set and join it with tables by sample id.

    Parameters
    ----------
    prefix
        Path of the file set, with or without ``.pgen``. The .pvar must not be compressed.
    phenotypes, trait, covariates, dtype
        As in `read_plink`. A .psam without family ids is joined by ``iid``.

    Raises
    ------
    InputError
        pgenlib is not installed; a missing, malformed or truncated file, or one that belongs to another set; a SNP
        with several alternate alleles; duplicated samples; a bad table.
    """
    psam = _paths(prefix)[2]
    samples = _read_headed(psam, ("IID",)).rename(columns={"FID": "fid", "IID": "iid"})
    return GenotypeFile(samples[id_columns(samples)], str(psam), partial(_load, prefix, len(samples)))


def _paths(prefix: PathLike) -> tuple[Path, Path, Path]:
    """Paths of the .pgen, .pvar and .psam."""
    stem = os.fspath(prefix).removesuffix(".pgen")
    return Path(f"{stem}.pgen"), Path(f"{stem}.pvar"), Path(f"{stem}.psam")


def _load(prefix: PathLike, n: int, rows: NDArray[np.intp], _: DosageType) -> tuple[pd.DataFrame, NDArray[np.float32]]:
    """Read the .pvar, and of the .pgen of n samples those wanted."""
    pgen, pvar, _psam = _paths(prefix)
    sites = _read_headed(pvar, ("CHROM", "POS", "ID", "REF", "ALT"))
    names = {"CHROM": "chrom", "POS": "pos", "ID": "snp", "REF": "ref", "ALT": "alt"}
    sites["POS"] = parse_base_pairs(sites["POS"], pvar)
    variants = variant_table({ours: sites[theirs] for theirs, ours in names.items()}, str(pvar))
    if "CM" in sites:
        variants["cm"] = parse_centimorgans(sites["CM"])
    return variants, _read_dosage(pgen, n, len(variants), rows)


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


def _read_dosage(pgen: Path, n: int, p: int, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """``(p, len(rows))`` counts of the alternate allele, NaN for missing."""
    if not pgen.is_file():
        raise InputError(f"expected genotypes in {pgen}, got no such file; check the prefix")
    dosage = np.empty((p, len(rows)), dtype=np.float32)
    subset = None if len(rows) == n else rows.astype(np.uint32)
    pgenlib = optional_package("pgenlib", "pgen")
    try:
        with pgenlib.PgenReader(os.fsencode(pgen), raw_sample_ct=n, variant_ct=p, sample_subset=subset) as file:
            file.read_dosages_range(0, p, dosage)
    except (RuntimeError, AssertionError) as error:
        told = error.args[0] if error.args else "nothing"
        reason = " ".join((told.decode() if isinstance(told, bytes) else str(told)).split())
        raise InputError(
            f"expected a .pgen of the {n} samples of its .psam and the {p} SNPs of its .pvar in {pgen}, got {reason}; "
            "the file is truncated or belongs to another set: copy the set again"
        ) from error
    dosage[dosage < 0] = np.nan  # pgenlib's missing is -9
    return dosage


PGEN = GenotypeFormat(read_pgen, _paths, "PLINK 2 file set PREFIX.pgen/.pvar/.psam.", "PREFIX")

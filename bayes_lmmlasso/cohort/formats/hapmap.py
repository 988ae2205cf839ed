"""HapMap files (.hmp.txt) of TASSEL and GAPIT: a row for each SNP, calls as letters.

Eleven columns ``rs# alleles chrom pos strand assembly# center protLSID assayLSID panelLSID QCcode``, then one for each
sample. Of the alleles, as in A/G, the second is counted. A call is two letters (AG), or one: A, or the IUPAC code of
a heterozygote (R is A/G; doi:10.1093/nar/13.9.3021). N, NN, - and -- are missing, unless - is one of the alleles. A SNP
of three or more alleles is left out, and counted.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.formats.calls import multiallelic
from bayes_lmmlasso.cohort.formats.genotype_file import DosageType, GenotypeFile, Genotypes
from bayes_lmmlasso.cohort.formats.rules.files import traits_beside
from bayes_lmmlasso.cohort.formats.rules.scale import refuse_ploidy
from bayes_lmmlasso.cohort.formats.text_genotypes import split_lines, text_lines
from bayes_lmmlasso.cohort.tables import parse_base_pairs
from bayes_lmmlasso.errors import InputError

__all__ = ["is_hapmap", "read_hapmap"]

_HEAD = ("rs", "alleles", "chrom", "pos")
_N_LEAD = 11
_MISSING = ("N", "NN", "-", "--", "NA", "", "X", "XX")
_HETEROZYGOTES = dict(zip(("AG", "CT", "CG", "AT", "GT", "AC"), "RYSWKM", strict=True)) | {"+-": "0"}


def is_hapmap(header: list[str]) -> bool:
    """Whether a header is that of HapMap."""
    return tuple(name.lower().rstrip("#") for name in header[: len(_HEAD)]) == _HEAD


def read_hapmap(header: list[str], path: Path) -> GenotypeFile:
    """Open a file with such a header.

    Raises
    ------
    InputError
        A malformed or truncated file, a call of other letters than the alleles, no sample or one that occurs twice.
    """
    names = header[_N_LEAD:]
    samples = pd.DataFrame({"iid": names}, index=pd.RangeIndex(_N_LEAD + 1, _N_LEAD + len(names) + 1), dtype=object)
    return GenotypeFile(samples, str(path), partial(_load, path, len(header)), traits_beside(path), names=names)


def _load(path: Path, n_columns: int, rows: NDArray[np.intp], _: DosageType, ploidy: int) -> Genotypes:
    refuse_ploidy(ploidy, path)
    lines = split_lines(text_lines(path))
    next(lines)  # the header
    sites, dosages, several = {}, [], []
    for number, fields in lines:
        if len(fields) != n_columns:
            raise InputError(
                f"expected {n_columns} fields as in its header, got {len(fields)} in line {number} of {path}; the file "
                "is truncated or the line is broken: write it again"
            )
        snp, alleles, chrom, pos = fields[: len(_HEAD)]
        named = list(dict.fromkeys(alleles.upper().split("/")))
        if len(named) > 2:
            several.append(snp)
            continue
        other, effect = [*named, "0"][:2]  # 0 is no allele
        counts, calls = _counts(other, effect), fields[_N_LEAD:]
        try:
            dosages.append([counts[calls[i].upper()] for i in rows])
        except KeyError as error:
            raise InputError(
                f"expected calls of the alleles {alleles}, or NN for missing, got {error.args[0]!r} in line {number} "
                f"of {path}; correct the alleles or the call"
            ) from error
        sites[number] = (chrom, pos, snp, effect, other)
    told = multiallelic(several, len(sites) + len(several), str(path))
    columns = ["chrom", "pos", "snp", "effect_allele", "other_allele"]
    variants = pd.DataFrame(list(sites.values()), columns=columns, index=list(sites), dtype=object)
    variants["pos"] = parse_base_pairs(variants["pos"], path)
    return Genotypes(variants, np.array(dosages, dtype=np.float32).reshape(-1, len(rows)), told)


def _counts(other: str, effect: str) -> dict[str, float]:
    """Count of the second allele, if there is one, by call."""
    calls = dict.fromkeys(_MISSING, np.nan) | {other: 0.0, 2 * other: 0.0}
    if effect == "0":
        return calls
    calls |= {effect: 2.0, 2 * effect: 2.0}
    pairs = (other + effect, effect + other)
    return calls | dict.fromkeys((*pairs, *(code for pair in pairs if (code := _HETEROZYGOTES.get(pair)))), 1.0)

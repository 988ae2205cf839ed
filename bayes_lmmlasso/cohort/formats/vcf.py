"""VCF files (.vcf, .vcf.gz, .bcf), read through cyvcf2 (extra ``vcf``).

Counted is the alternate allele, from FORMAT/DS where a call has one and else from GT; see
`bayes_lmmlasso.cohort.formats.calls`. A VCF has no family ids and no genetic map.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.formats.calls import DIPLOID, count_alternate, variant_table
from bayes_lmmlasso.cohort.formats.genotype_file import DosageType, GenotypeFile
from bayes_lmmlasso.cohort.formats.optional import optional_package
from bayes_lmmlasso.cohort.formats.reader import GenotypeFormat, PathLike, reads_cohort
from bayes_lmmlasso.errors import InputError

__all__ = ["VCF", "read_vcf"]

_BGZF, _BGZF_END = bytes.fromhex("1f8b0804"), bytes.fromhex("1f8b08040000000000ff0600424302001b0003") + bytes(9)
_SILENT, _WARNINGS = 0, 3  # levels of htslib's own messages; the second is its default
_Site = tuple[str, int, str, str, str]  # chromosome, position, id, reference and alternate alleles


@reads_cohort
def read_vcf(path: PathLike) -> GenotypeFile:
    """Read a VCF and join it with tables by sample id.

    Parameters
    ----------
    path
        Path of the file; it needs no index.
    phenotypes, trait, covariates, dtype
        As in `read_plink`; the sample names of the VCF are the ``iid``.

    Raises
    ------
    InputError
        cyvcf2 is not installed; a missing, malformed or truncated file; a SNP with several alternate alleles, a call
        of more than two alleles or without GT and DS; duplicated samples; a bad table.
    """
    path = Path(path)
    _check_end(path)
    with _opened(path, []) as file:
        names = file.samples
    if not names:
        raise InputError(f"expected samples in {path}, got a VCF of sites alone; name the file with the genotypes")
    samples = pd.DataFrame({"iid": names}, index=np.arange(1, len(names) + 1), dtype=object)
    return GenotypeFile(samples, str(path), partial(_load, path))


def _load(path: Path, rows: NDArray[np.intp], _: DosageType) -> tuple[pd.DataFrame, NDArray[np.float32]]:
    sites: list[_Site] = []
    counts = []
    with _opened(path, sites) as file:
        for record in file:
            sites.append((record.CHROM, record.POS, record.ID or ".", record.REF, ",".join(record.ALT)))
            counts.append(_counts(record, path)[rows])
    columns = {name: [site[k] for site in sites] for k, name in enumerate(("chrom", "pos", "snp", "ref", "alt"))}
    return variant_table(columns, str(path)), np.array(counts, dtype=np.float32).reshape(-1, len(rows))


def _counts(record: Any, path: Path) -> NDArray[np.float32]:
    """``(n,)`` counts of the alternate allele of a record."""
    fields = record.FORMAT or []
    where = f"at {record.CHROM}:{record.POS} of {path}"
    if not {"GT", "DS"}.intersection(fields):
        raise InputError(f"expected GT or DS {where}, got {':'.join(fields) or 'no genotypes'}; write one of them")
    estimated = record.format("DS")[:, 0] if "DS" in fields else None
    if estimated is not None and "GT" not in fields:
        return count_alternate(np.full((len(estimated), DIPLOID), -1), estimated)
    calls = record.genotype.array()[:, :-1]  # the last column says whether the call is phased
    if calls.shape[1] > DIPLOID:
        raise InputError(f"expected calls of one or two alleles, got {calls.shape[1]} {where}; the model is diploid")
    return count_alternate(calls, estimated)


def _check_end(path: Path) -> None:
    """Refuse what htslib takes for whole: text that ends within a line, blocks without the closing one."""
    try:
        with path.open("rb") as file:
            head = file.read(len(_BGZF))
            file.seek(-min(path.stat().st_size, len(_BGZF_END)), os.SEEK_END)
            tail = file.read()
    except OSError as error:
        raise InputError(f"expected genotypes in {path}, got {error}; check the path") from error
    if (head == _BGZF and tail != _BGZF_END) or (head.startswith(b"##") and not tail.endswith(b"\n")):
        raise InputError(f"expected the whole of a VCF in {path}, got a truncated file; write or copy it again")


@contextmanager
def _opened(path: Path, sites: list[_Site]) -> Iterator[Any]:
    """Open a VCF; what goes wrong is told with the last of the sites read, and htslib writes nothing to stderr."""
    cyvcf2 = optional_package("cyvcf2", "vcf")
    cyvcf2.cyvcf2.set_htslib_log_level(_SILENT)
    try:
        yield cyvcf2.VCF(str(path))
    except InputError:
        raise
    except Exception as error:  # cyvcf2 has no exceptions of its own
        last = f"{sites[-1][0]}:{sites[-1][1]}" if sites else "the header"
        raise InputError(
            f"expected a VCF in {path}, got one that cannot be read after {last} ({error}); write or copy the file "
            "again"
        ) from error
    finally:
        cyvcf2.cyvcf2.set_htslib_log_level(_WARNINGS)


VCF = GenotypeFormat(read_vcf, lambda path: (Path(path),), "VCF, counted by DS or GT.", "FILE")

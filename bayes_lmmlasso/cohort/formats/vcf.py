"""VCF files (.vcf, plain or packed by gzip or bgzip, .bcf), read through cyvcf2 (extra ``vcf``).

Counted is the alternate allele, from FORMAT/DS where a call has one and else from GT; see
`bayes_lmmlasso.cohort.formats.calls`. A VCF has no genetic map, and no family ids unless they are pasted to the names
of the samples. Its INFO/AF is compared with the frequencies found.
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

from bayes_lmmlasso.cohort.formats.calls import (
    beyond_haploid,
    count_alternate,
    haploid_remark,
    multiallelic,
    polyploid,
    polyploid_sites,
    variant_table,
)
from bayes_lmmlasso.cohort.formats.genotype_file import DosageType, GenotypeFile, Genotypes
from bayes_lmmlasso.cohort.formats.optional import optional_package
from bayes_lmmlasso.cohort.formats.reader import GenotypeFormat, PathLike, reads_cohort
from bayes_lmmlasso.cohort.formats.rules.files import require_files, traits_beside
from bayes_lmmlasso.cohort.formats.rules.frequencies import against_declared, frequency
from bayes_lmmlasso.cohort.formats.rules.scale import DIPLOID
from bayes_lmmlasso.cohort.formats.rules.vcf_lines import check_undeclared
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
    phenotypes, trait, covariates, dtype, ploidy, covariate_names, categorical, missing_code
        As in `read_plink`; the sample names of the VCF are the ``iid``.

    Raises
    ------
    InputError
        cyvcf2 is not installed; a missing, malformed or truncated file; several alternate alleles, or calls of more
        alleles than 2 and the ploidy, at every site; a site without GT and DS; duplicated samples; a bad table.
    """
    path = Path(path)
    require_files([path], "--vcf")
    _check_end(path)
    check_undeclared(path)
    with _opened(path, []) as file:
        names = file.samples
    if not names:
        raise InputError(f"expected samples in {path}, got a VCF of sites alone; name the file with the genotypes")
    samples = pd.DataFrame({"iid": names}, index=np.arange(1, len(names) + 1), dtype=object)
    return GenotypeFile(samples, str(path), partial(_load, path), traits_beside(path), names=names)


def _load(path: Path, rows: NDArray[np.intp], dtype: DosageType, ploidy: int, haploid: int = 1) -> Genotypes:
    sites: list[_Site] = []
    counts, frequencies, declared = [], [], []
    chosen, several, beyond, most = [], [], [], DIPLOID
    with _opened(path, sites) as file:
        for record in file:
            where = f"{record.CHROM}:{record.POS}"
            _check_fields(record, f"{where} of {path}")
            sites.append((record.CHROM, record.POS, record.ID or ".", record.REF, ",".join(record.ALT)))
            if len(record.ALT) > 1:
                several.append(where)
                continue
            calls, estimated = _calls(record)
            if polyploid(calls, ploidy):
                beyond.append(where)
                most = max(most, calls.shape[1])
                continue
            if haploid < DIPLOID and beyond_haploid(calls, estimated):
                return _load(path, rows, dtype, ploidy, DIPLOID)
            chosen.append(len(sites) - 1)
            counts.append(count_alternate(calls, estimated, ploidy, haploid)[rows])
            declared.append(_declared(record))
            frequencies.append(np.nan if np.isnan(declared[-1]) else float(frequency(counts[-1])))
    remarks = (
        *haploid_remark(haploid, str(path)),
        *multiallelic(several, len(sites), str(path)),
        *polyploid_sites(beyond, len(sites) - len(several), most, ploidy, str(path)),
        *against_declared(frequencies, declared, str(path)),
    )
    columns = {name: [sites[j][k] for j in chosen] for k, name in enumerate(("chrom", "pos", "snp", "ref", "alt"))}
    return Genotypes(variant_table(columns), np.array(counts, dtype=np.float32).reshape(-1, len(rows)), remarks)


def _check_fields(record: Any, where: str) -> None:
    """Refuse a record without GT and DS, also one that ends before its alleles: cyvcf2 must not be asked for them."""
    fields = record.FORMAT or []
    if not {"GT", "DS"}.intersection(fields):
        got = ":".join(fields) or "no genotypes"
        way = "have the imputation write DS" if "GP" in fields else "write one of them"
        raise InputError(f"expected GT or DS at {where}, got {got}; {way}")


def _calls(record: Any) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """``(n, alleles)`` calls of a record and its ``(n,)`` DS; either may be absent."""
    fields = record.FORMAT
    estimated = record.format("DS")[:, 0] if "DS" in fields else None
    if estimated is not None and "GT" not in fields:
        return np.full((len(estimated), DIPLOID), -1), estimated
    return record.genotype.array()[:, :-1], estimated  # the last column says whether the call is phased


def _declared(record: Any) -> float:
    """INFO/AF of a record, NaN where there is none."""
    declared = record.INFO.get("AF")
    return declared if isinstance(declared, float) else np.nan


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

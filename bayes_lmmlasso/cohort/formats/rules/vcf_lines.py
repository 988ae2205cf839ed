"""Lines of a VCF that htslib must not see.

A call that it cannot read is an error that cyvcf2 raises, but in the first record of a chromosome that the header does
not declare it ends the process. Where the header does not declare the first record's chromosome, those records are
looked at here.
"""

from __future__ import annotations

import re
from pathlib import Path

from bayes_lmmlasso.cohort.tables.compressed import open_bytes
from bayes_lmmlasso.errors import InputError

__all__ = ["check_undeclared"]

_CONTIG = re.compile(rb"##contig=<.*?ID=([^,>\s]+).*>")
_GENOTYPE = re.compile(rb"(\.|\d{1,6})([/|](\.|\d{1,6}))*")
_LEAD = 9  # columns before the first sample


def check_undeclared(path: Path) -> None:
    """Refuse a broken call in the first record of a chromosome that the header does not declare.

    Raises
    ------
    InputError
        If there is one, or the file cannot be read.
    """
    try:
        with open_bytes(path) as file:
            known: set[bytes] = set()
            at_first = True
            for number, line in enumerate(file, 1):
                if number == 1 and not line.startswith(b"##"):
                    return  # BCF, or no VCF
                if declared := _CONTIG.match(line):
                    known.add(declared[1])
                if line.startswith(b"#"):
                    continue
                chrom = line.split(b"\t", 1)[0]
                if chrom in known and at_first:
                    return
                at_first = False
                if chrom not in known:
                    _check_calls(line, f"line {number} of {path}")
                    known.add(chrom)
    except OSError as error:
        raise InputError(f"expected genotypes in {path}, got {error}; check the path") from error


def _check_calls(line: bytes, place: str) -> None:
    fields = line.rstrip(b"\r\n").split(b"\t")
    if len(fields) <= _LEAD or b"GT" not in fields[_LEAD - 1].split(b":"):
        return
    k = fields[_LEAD - 1].split(b":").index(b"GT")
    for sample in fields[_LEAD:]:
        parts = sample.split(b":")
        if len(parts) > k and not _GENOTYPE.fullmatch(parts[k]):
            got = parts[k].decode(errors="replace")
            raise InputError(f"expected calls such as 0/1 in {place}, got {got!r}; write or copy the file again")

"""Memory and disk that an analysis needs, held against what is free before anything large is read.

    memory = 12 n p + 400 p + 56 n^2 bytes (+ 700 MB for the process that samples)
    disk   =  4 n p + 4 p chains draws bytes

of n samples and p SNPs: dosages, standardised and rotated SNPs of 4 bytes; labels of a SNP; and the kinship, its
eigenvectors and what their computation needs, of 8. With 300 MB for the program, measured peaks are 0.7 to 0.95 of
that: 300 x 20,000, 3,000 x 3,000, 1,000 x 40,000, and 84 x 216,065 of A. thaliana.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from bayes_lmmlasso.cohort import FORMATS, GenotypeSource
from bayes_lmmlasso.cohort.tables import read_table
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.memory import free_memory
from bayes_lmmlasso.posterior import default_lengths
from bayes_lmmlasso.run.settings import CohortSettings, SamplingSettings

__all__ = ["check_budget", "check_genotypes", "check_memory"]

_SAMPLER_BYTES = 700_000_000
_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")  # gzip, bgzip and Zstandard


def check_budget(
    data: CohortSettings,
    trait: str,
    *,
    related: bool = True,
    sampling: SamplingSettings | None = None,
    store: Path | None = None,
) -> None:
    """Refuse an analysis for which there is not enough memory, or disk in the folder of its draws.

    Parameters
    ----------
    data, trait
        Genotypes, of which the number of SNPs may be unknown, and the column of the trait table: samples without a
        value are not counted.
    related
        Whether there is a kinship.
    sampling
        What is sampled, if anything.
    store
        Folder that the draws go to.

    Raises
    ------
    InputError
        If something is missing; or what a file that cannot be read raises.
    """
    n, p = _size_of(data.genotypes)
    if data.pheno is not None:
        table = read_table(data.pheno, missing_code=data.missing_code)
        n = min(n, int(table[trait].notna().sum()) if trait in table else len(table))
    check_memory(n, p, related=related, sampled=sampling is not None)
    if sampling is not None and store is not None:
        draws = sum(sampling.draws or default_lengths(model, sampling.sampler).draws for model in sampling.models)
        needed, free = 4 * p * (n + sampling.chains * draws), shutil.disk_usage(store).free
        if needed > free:
            raise InputError(
                f"expected about {_bytes(needed)} of disk for {draws:,} draws of {sampling.chains} chains and {p:,} "
                f"SNPs, got {_bytes(free)} free in {store.parent}: take fewer --draws or SNPs, or another folder"
            )


def check_genotypes(source: GenotypeSource) -> None:
    """Refuse genotypes of which all samples and SNPs do not fit the memory.

    Raises
    ------
    InputError
        As `check_budget`.
    """
    check_memory(*_size_of(source), related=False)


def check_memory(n: int, p: int, *, related: bool, sampled: bool = False) -> None:
    """Refuse n samples and p SNPs (0 if unknown) that do not fit the memory, with a kinship and a sampler or without.

    Raises
    ------
    InputError
        If they do not.
    """
    needed, free = 12 * n * p + 400 * p + 56 * n**2 * related + _SAMPLER_BYTES * sampled, free_memory()
    if needed > free:
        snps = f" and {p:,} SNPs" if p else ""
        raise InputError(
            f"expected about {_bytes(needed)} of memory for {n:,} samples{snps}, got {_bytes(free)} free: take fewer "
            "SNPs (by `plink2 --maf` or `--indep-pairwise`) or fewer samples, or a machine with more memory"
        )


def _size_of(source: GenotypeSource) -> tuple[int, int]:
    """Return the numbers of samples and of SNPs in a file, those of a text by its size, 0 where they are not known."""
    if source.format == "matrix":  # one with a row for each sample is read whole when it is opened
        rows, columns = _shape_of_text(source.path)
        return min(rows, columns), max(rows, columns)
    file = FORMATS[source.format].read.open(source.path)
    p = _shape_of_text(source.path)[0] if file.n_variants is None else file.n_variants
    return len(file.samples), p


def _shape_of_text(path: Path) -> tuple[int, int]:
    """Return about how many rows and columns a text has, by the length of its first row; 0 if it is compressed."""
    if not path.is_file():
        return 0, 0
    with path.open("rb") as file:
        line = file.readline()
        if line.startswith(_COMPRESSED):
            return 0, 0
        while line.startswith(b"##"):
            line = file.readline()
        row = file.readline() or line  # below the header
        rows = (path.stat().st_size - file.tell()) // max(len(row), 1) + 1
    return rows, len(re.split(rb"[\t, ]+", row.strip()))


def _bytes(count: int) -> str:
    """Write a number of bytes."""
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.0f} MB"

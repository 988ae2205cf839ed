"""SNPs in the order of the genome: chromosomes as they come in the file, SNPs on them by position.

A SNP without a place is unplaced: one on chromosome 0, or at bp 0 on a chromosome that has positions. These SNPs are a
group of their own behind the last chromosome, in the order of the file. So are the SNPs of a chromosome without any
position, on that chromosome; and where no SNP has a chromosome, 0 is one like any other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.remarks import Remark, examples

__all__ = ["UNPLACED", "genome_groups", "genome_order", "placement_remarks", "unplaced"]

UNPLACED = "unplaced"
_NO_CHROMOSOME = "0"


def unplaced(chrom: ArrayLike, position: ArrayLike) -> NDArray[np.bool_]:
    """Return which SNPs, of given chromosome and bp (0 where unknown), have no place, shape ``(p,)``."""
    code, names = pd.factorize(np.asarray(chrom).astype(str))
    known = np.asarray(position) > 0
    mapped = np.bincount(code[known], minlength=names.size) > 0
    nowhere = (np.asarray(names) == _NO_CHROMOSOME) & (names.size > 1)
    return np.asarray(nowhere[code] | (mapped[code] & ~known))


def genome_groups(chrom: ArrayLike, position: ArrayLike) -> list[tuple[str, NDArray[np.intp]]]:
    """Return the chromosomes, and last those `UNPLACED`, each with its SNPs (places in the file) in order.

    Parameters
    ----------
    chrom, position
        Chromosome and bp of each SNP, 0 where unknown, shape ``(p,)``.
    """
    nowhere = unplaced(chrom, position)
    place = np.where(nowhere, 0, np.asarray(position))
    code, names = pd.factorize(pd.Series(np.asarray(chrom).astype(str)).mask(nowhere))
    code = np.where(nowhere, len(names), code)
    order = np.lexsort((place, code))
    found, first = np.unique(code[order], return_index=True)
    labels: list[Any] = [*names, UNPLACED]
    return [(str(labels[k]), on) for k, on in zip(found.tolist(), np.split(order, first[1:]), strict=True)]


def genome_order(chrom: ArrayLike, position: ArrayLike) -> NDArray[np.intp] | None:
    """Return the SNPs (places in the file) in the order of `genome_groups`; None if the file has that order."""
    order = np.concatenate([on for _, on in genome_groups(chrom, position)])
    return None if (np.diff(order) == 1).all() else order


def placement_remarks(variants: pd.DataFrame) -> tuple[Remark, ...]:
    """Tell how many SNPs have no place, and whether the others are out of order.

    Parameters
    ----------
    variants
        Frame with the columns chrom, pos and snp, one row a SNP.
    """
    told = []
    nowhere = unplaced(variants["chrom"], variants["pos"])
    if nowhere.any():
        told.append(
            Remark(
                f"{nowhere.sum():,} of {nowhere.size:,} SNPs have no place on the genome (chromosome 0 or bp 0: "
                f"{examples(variants['snp'][nowhere])}): they form windows of their own, {UNPLACED}, and stand behind "
                "the last chromosome in figures; give their positions where they are known"
            )
        )
    order = genome_order(variants["chrom"][~nowhere], variants["pos"][~nowhere]) if not nowhere.all() else None
    if order is not None:
        told.append(
            Remark(
                "the SNPs of the file are not sorted by chromosome and position: windows, blocks of linkage and moves "
                "between neighbours take them in order, and tables of SNPs keep the order of the file"
            )
        )
    return tuple(told)

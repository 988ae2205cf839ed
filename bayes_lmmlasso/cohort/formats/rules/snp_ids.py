"""Names of SNPs: one that is missing or given twice becomes ``chrom:pos:other:effect``, in every format.

The alleles stand in the order of the VCF family, reference before alternate. SNPs that agree in these as well are the
same SNP twice: the second is named ``...:2``.
"""

from __future__ import annotations

import pandas as pd

from bayes_lmmlasso.remarks import Remark, examples

__all__ = ["name_snps"]

_ABSENT = ("", ".", "NA")


def name_snps(variants: pd.DataFrame, source: str) -> tuple[pd.DataFrame, tuple[Remark, ...]]:
    """Give each SNP a name of its own.

    Parameters
    ----------
    variants
        Frame ``chrom pos snp effect_allele other_allele`` of the p SNPs.
    source
        The file, for messages.

    Returns
    -------
    variants, remarks
        The frame with names that differ, and what is told about them.
    """
    given = variants["snp"]
    absent = given.isin(_ABSENT)
    twice = given.duplicated(keep=False) & ~absent
    if not (absent | twice).any():
        return variants, ()
    place = variants["chrom"].astype(str) + ":" + variants["pos"].astype(str)
    place = place + ":" + variants["other_allele"] + ":" + variants["effect_allele"]
    names = given.where(~(absent | twice), place)
    told = []
    if absent.any():
        told.append(f"{absent.sum()} of {len(given)} SNPs of {source} have no id")
    if twice.any():
        told.append(
            f"{twice.sum()} of {len(given)} SNPs of {source} share their id with another ({examples(given[twice])})"
        )
    renamed = examples(names[absent | twice])
    remarks = [Remark(f"{' and '.join(told)}: they are named by place and alleles ({renamed})")]
    again = names.groupby(names, sort=False).cumcount()
    if (again > 0).any():
        remarks.append(
            Remark(
                f"{(again > 0).sum()} SNPs of {source} are there twice, with one place and the same alleles "
                f"({examples(names[again > 0])}): the second is named ...:2; keep one of each",
                caution=True,
            )
        )
        names = names.where(again == 0, names + ":" + (again + 1).astype(str))
    return variants.assign(snp=names.astype(object)), tuple(remarks)

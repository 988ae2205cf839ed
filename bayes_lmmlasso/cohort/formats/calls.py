"""Allele counts and SNP tables as the VCF family stores them: VCF, VCF Zarr and the .pvar of PLINK 2.

The alternate allele is counted. With m copies of it among the k alleles of a call,

    d = 2 m / k

so that a haploid call counts as a homozygous one, as in PLINK. A call is missing if any of its alleles is. Where an
estimated dosage DS (the expectation of m) stands beside the call, it takes the place of m; without a call k is 2.
The format: https://samtools.github.io/hts-specs/VCFv4.3.pdf
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.errors import InputError

__all__ = ["DIPLOID", "count_alternate", "variant_table"]

DIPLOID = 2
"""The most alleles that a call may have."""


def count_alternate(calls: NDArray[Any], estimated: NDArray[Any] | None = None) -> NDArray[np.float32]:
    """Count the alternate allele.

    Parameters
    ----------
    calls
        ``(..., ploidy)`` index of each allele of a call; -1 is missing and -2 fills up a call of lower ploidy.
    estimated
        ``(...)`` DS, NaN where there is none.

    Returns
    -------
    ``(...)`` counts from 0 to 2, NaN for missing.
    """
    called = (calls != -1).all(axis=-1) & (calls >= 0).any(axis=-1)
    copies = np.where(called, (calls > 0).sum(axis=-1), np.nan).astype(np.float32)
    if estimated is not None:
        copies = np.where(np.isnan(estimated), copies, estimated)
    alleles = np.where(called, (calls >= 0).sum(axis=-1), DIPLOID)
    return np.asarray(DIPLOID * copies / alleles, dtype=np.float32)


def variant_table(columns: dict[str, Any], source: str) -> pd.DataFrame:
    """Name the SNPs of a file and refuse those with several alternate alleles.

    Parameters
    ----------
    columns
        ``chrom pos snp ref alt``, each ``(p,)``; ``alt`` separates several alleles by commas, "." or "" is none, which
        becomes PLINK's "0". A SNP without an id (".") is named ``chrom:pos:ref:alt``.
    source
        The file, for messages.

    Returns
    -------
    Frame ``chrom pos snp effect_allele other_allele``.

    Raises
    ------
    InputError
        If a SNP has more than one alternate allele.
    """
    table = pd.DataFrame(columns)
    several = table[table["alt"].str.contains(",", regex=False)]
    if len(several):
        first = several.iloc[0]
        raise InputError(
            f"expected one alternate allele for each SNP of {source}, got {len(several)} with more, the first "
            f"{first['snp']!r} at {first['chrom']}:{first['pos']} with {first['alt']}; split them with `bcftools "
            "norm -m-` or leave them out with `plink2 --max-alleles 2`"
        )
    place = table["chrom"] + ":" + table["pos"].astype(str) + ":" + table["ref"] + ":" + table["alt"]
    return pd.DataFrame(
        {
            "chrom": table["chrom"],
            "pos": table["pos"].astype(np.int64),
            "snp": table["snp"].where(~table["snp"].isin((".", "")), place),
            "effect_allele": table["alt"].replace({".": "0", "": "0"}),
            "other_allele": table["ref"].replace({".": "0", "": "0"}),
        }
    )

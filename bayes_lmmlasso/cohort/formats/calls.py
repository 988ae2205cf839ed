"""Allele counts and SNP tables as the VCF family stores them: VCF, VCF Zarr and the .pvar of PLINK 2.

The alternate allele is counted. With m copies of it among the k alleles of a call,

    d = 2 m / k

so that a haploid call counts as a homozygous one, as in PLINK. A call is missing if any of its alleles is. Where an
estimated dosage DS (the expectation of m) stands beside the call, it takes the place of m; without a call k is the
ploidy that the user tells, 2 by default. Some programs write DS from 0 to 2 beside haploid calls too: if one of a file
is above 1, k is 2 for all of them. A site is left out, and counted, if it has several alternate alleles or a call
of more alleles than 2 and the ploidy. The format: https://samtools.github.io/hts-specs/VCFv4.3.pdf
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.formats.rules.scale import DIPLOID
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.remarks import Remark, examples

__all__ = [
    "beyond_haploid",
    "count_alternate",
    "haploid_remark",
    "multiallelic",
    "polyploid",
    "polyploid_sites",
    "several_alternate",
    "variant_table",
]


def count_alternate(
    calls: NDArray[Any], estimated: NDArray[Any] | None = None, ploidy: int = DIPLOID, haploid: int = 1
) -> NDArray[np.float32]:
    """Count the alternate allele.

    Parameters
    ----------
    calls
        ``(..., alleles)`` index of each allele of a call; -1 is missing and -2 fills up a call of lower ploidy.
    estimated
        ``(...)`` DS, NaN where there is none.
    ploidy
        What DS counts up to where there is no call.
    haploid
        What DS counts up to beside a haploid call.

    Returns
    -------
    ``(...)`` counts from 0 to 2, NaN for missing.

    Raises
    ------
    InputError
        If a call has an allele that its site has not.
    """
    if calls.max(initial=0) > 1:
        raise InputError(
            f"expected alleles 0 and 1 in calls of one alternate allele, got {calls.max()}: the calls are damaged, or "
            "alleles were removed from the sites; write the genotypes again"
        )
    called = (calls != -1).all(axis=-1) & (calls >= 0).any(axis=-1)
    copies = np.where(called, (calls > 0).sum(axis=-1), np.nan).astype(np.float32)
    alleles = np.where(called, (calls >= 0).sum(axis=-1), ploidy)
    if estimated is not None:
        copies = np.where(np.isnan(estimated), copies, estimated)
        alleles = np.where((alleles == 1) & called & ~np.isnan(estimated), haploid, alleles)
    return np.asarray(DIPLOID * copies / alleles, dtype=np.float32)


def beyond_haploid(calls: NDArray[Any], estimated: NDArray[Any] | None) -> bool:
    """Whether DS is above 1 beside a haploid call."""
    if estimated is None:
        return False
    one = (calls != -1).all(axis=-1) & ((calls >= 0).sum(axis=-1) == 1)
    return bool((estimated[one] > 1).any())


def haploid_remark(haploid: int, source: str) -> tuple[Remark, ...]:
    """Tell that DS beside haploid calls counts to 2, if it does."""
    if haploid == 1:
        return ()
    return (Remark(f"DS of {source} is above 1 beside haploid calls: it is taken to count from 0 to 2 there"),)


def polyploid(calls: NDArray[Any], ploidy: int) -> NDArray[np.bool_]:
    """``(p,)`` whether a call of ``(p, n, alleles)`` has more alleles than 2 and ``ploidy``."""
    beyond: NDArray[np.bool_] = (calls[..., max(DIPLOID, ploidy) :] != -2).any(axis=(-2, -1))
    return beyond


def several_alternate(alt: Sequence[str]) -> NDArray[np.bool_]:
    """``(p,)`` whether the alternate alleles of a site, separated by commas, are more than one."""
    return np.array(["," in alleles for alleles in alt], dtype=bool)


def variant_table(columns: dict[str, Any]) -> pd.DataFrame:
    """Name the SNPs of a file.

    Parameters
    ----------
    columns
        ``chrom pos snp ref alt``, each ``(p,)``; an allele "." or "" is none, which becomes PLINK's "0".

    Returns
    -------
    Frame ``chrom pos snp effect_allele other_allele``.
    """
    table = pd.DataFrame(columns)
    return pd.DataFrame(
        {
            "chrom": table["chrom"],
            "pos": table["pos"].astype(np.int64),
            "snp": table["snp"],
            "effect_allele": table["alt"].replace({".": "0", "": "0"}),
            "other_allele": table["ref"].replace({".": "0", "": "0"}),
        }
    )


def multiallelic(skipped: Sequence[str], n_sites: int, source: str) -> tuple[Remark, ...]:
    """Tell that sites with several alternate alleles are left out, ``skipped`` names them.

    Raises
    ------
    InputError
        If all sites are such.
    """
    way = "split them with `bcftools norm -m-`"
    if len(skipped) == n_sites and skipped:
        raise InputError(
            f"expected SNPs with one alternate allele in {source}, got {n_sites} of {n_sites} sites with more "
            f"({examples(skipped)}); {way}"
        )
    if not skipped:
        return ()
    told = f"{len(skipped)} of {n_sites} sites of {source} have several alternate alleles and are left out"
    return (Remark(f"{told} ({examples(skipped)}): {way}"),)


def polyploid_sites(
    skipped: Sequence[str], n_sites: int, n_alleles: int, ploidy: int, source: str
) -> tuple[Remark, ...]:
    """Tell that sites with calls of up to ``n_alleles``, more than told by the user, are left out.

    Raises
    ------
    InputError
        If all sites are such.
    """
    most = max(DIPLOID, ploidy)
    way = f"give --ploidy {n_alleles} (ploidy={n_alleles} in Python) to count them"
    if len(skipped) == n_sites and skipped:
        raise InputError(
            f"expected calls of at most {most} alleles in {source}, got up to {n_alleles} at {n_sites} of {n_sites} "
            f"sites ({examples(skipped)}); {way}"
        )
    if not skipped:
        return ()
    told = f"{len(skipped)} of {n_sites} sites of {source} have calls of more than {most} alleles and are left out"
    return (Remark(f"{told} ({examples(skipped)}): {way}", caution=True),)

"""Genotypes of all samples of a file, checked and joined with tables: the last step of every reader."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.alignment import align
from bayes_lmmlasso.cohort.dataset import Cohort, assemble
from bayes_lmmlasso.cohort.tables import TableLike, reject_duplicates
from bayes_lmmlasso.errors import InputError

__all__ = ["GenotypeTable", "join_tables"]


@dataclass(frozen=True, eq=False)
class GenotypeTable:
    """What a file of genotypes holds.

    Attributes
    ----------
    samples
        Frame with ``iid`` of the n samples, and ``fid`` if the format has it; the index gives places for messages.
    variants
        ``(p, .)`` frame ``chrom pos snp effect_allele other_allele``, and ``cm`` if there is a genetic map.
    dosage
        ``(p, n)`` counts of the effect allele, NaN for missing.
    """

    samples: pd.DataFrame
    variants: pd.DataFrame
    dosage: NDArray[np.float32]


def join_tables(
    genotypes: GenotypeTable,
    phenotypes: TableLike | None,
    trait: str | None,
    covariates: TableLike | None,
    *,
    source: str,
) -> Cohort:
    """Make a cohort of the samples that occur in the genotypes and in every table.

    Parameters
    ----------
    genotypes
        All samples and SNPs of the file.
    phenotypes, trait, covariates
        As in `read_plink`.
    source
        The file, for messages.

    Raises
    ------
    InputError
        No SNP, a count outside of 0 to 2, duplicated samples, or a bad table.
    """
    samples, variants, dosage = genotypes.samples, genotypes.variants, genotypes.dosage
    if not len(variants):
        raise InputError(f"expected at least one SNP in {source}, got none; write it again")
    reject_duplicates(samples, [name for name in ("fid", "iid") if name in samples], source)
    bad = (dosage < 0) | (dosage > 2)
    if bad.any():
        j, i = np.argwhere(bad)[0]
        raise InputError(
            f"expected allele counts from 0 to 2 in {source}, got {dosage[j, i]:g} for sample "
            f"{samples['iid'].iloc[i]!r} at {variants['snp'].iloc[j]!r}; recode the genotypes"
        )
    alignment = align(samples, phenotypes, trait, covariates, source=source)
    if len(alignment.rows) < len(samples):
        dosage = np.ascontiguousarray(dosage[:, alignment.rows])
    return assemble(dosage, variants, alignment)

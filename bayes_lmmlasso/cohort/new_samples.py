"""The SNPs of one cohort found in another, whichever allele is counted there.

SNPs are matched by id and alleles. A name ``chrom:pos:other:effect``, which a SNP without an id has, is matched with
either order of the alleles.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.dataset import Cohort, variant_frame
from bayes_lmmlasso.cohort.formats.rules.frequencies import against_training
from bayes_lmmlasso.cohort.standardise import snp_statistics, standardise_calls
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.remarks import Remark

__all__ = ["compare_frequencies", "standardise_new_samples"]


def standardise_new_samples(
    cohort: Cohort, variants: pd.DataFrame, mean: NDArray[np.float64], sd: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Standardise the analysed SNPs of other samples with the statistics of the analysed ones.

    Where the other allele is counted the dosage d becomes 2 - d.

    Parameters
    ----------
    cohort
        Genotypes that hold every SNP of ``variants``, in any order.
    variants
        Frame with ``snp effect_allele other_allele`` of the p analysed SNPs.
    mean, sd
        ``(p,)`` dosage statistics of the analysed samples.

    Returns
    -------
    ``(n_new, p)`` float32 in Fortran order; missing calls are 0 (the training mean).

    Raises
    ------
    InputError
        If a SNP is absent, has other alleles or occurs twice.
    """
    columns, flipped = _find(cohort, variants)
    return standardise_calls(cohort["call_dosage"].values, mean, sd, columns=columns, flipped=flipped)


def compare_frequencies(cohort: Cohort, variants: pd.DataFrame, mean: NDArray[np.float64]) -> tuple[Remark, ...]:
    """Compare the allele frequencies of other samples with those of the analysed ones.

    Parameters
    ----------
    cohort, variants, mean
        As in `standardise_new_samples`.

    Returns
    -------
    A caution if the frequencies look swapped, else nothing.

    Raises
    ------
    InputError
        As `standardise_new_samples`.
    """
    columns, flipped = _find(cohort, variants)
    calls = cohort["call_dosage"].values
    statistics = snp_statistics(calls)
    f = np.where(statistics.missing < 1, statistics.mean / 2, np.nan)[columns]
    return against_training(np.where(flipped, 1 - f, f), mean / 2, calls.shape[1])


def _find(cohort: Cohort, variants: pd.DataFrame) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Position of each SNP in a cohort, and whether the other allele is counted there."""
    given = variant_frame(cohort)
    wanted_keys, given_keys = _allele_keys(variants), _allele_keys(given)
    twice = given_keys[given_keys.duplicated()].intersection(wanted_keys)
    if len(twice):
        raise InputError(
            f"expected each SNP once in the new genotypes, got {twice[0][0]!r} more than once; "
            "keep one of the duplicates or give them different ids"
        )
    columns = given_keys.get_indexer(wanted_keys)
    absent = np.flatnonzero(columns < 0)
    if absent.size:
        snp, *alleles = wanted_keys[absent[0]]
        raise InputError(
            f"expected all {len(columns)} SNPs of the fit in the new genotypes, got {absent.size} absent "
            f"or with other alleles, the first {snp!r} with alleles {'/'.join(alleles)}; add them "
            "(missing calls are allowed; ids that SNPs share are replaced by place and alleles)"
        )
    flipped = given["effect_allele"].to_numpy()[columns] != variants["effect_allele"].to_numpy()
    return columns, np.asarray(flipped)


def _allele_keys(variants: pd.DataFrame) -> pd.MultiIndex:
    """(id, alleles in alphabetical order): equal for a SNP whichever allele is counted."""
    alleles = np.sort(variants[["effect_allele", "other_allele"]].to_numpy(object), axis=1)
    pairs = zip(variants["snp"], variants["effect_allele"], variants["other_allele"], strict=True)
    names = [snp.removesuffix(f":{b}:{a}").removesuffix(f":{a}:{b}") for snp, a, b in pairs]
    return pd.MultiIndex.from_arrays([names, alleles[:, 0], alleles[:, 1]])

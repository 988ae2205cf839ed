"""Cohorts from NumPy arrays and pandas frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.arguments import check_type, named
from bayes_lmmlasso.cohort.alignment import align
from bayes_lmmlasso.cohort.dataset import Cohort, assemble
from bayes_lmmlasso.cohort.formats.rules.scale import DIPLOID, check_ploidy, narrowed, one_copy, scaled
from bayes_lmmlasso.cohort.formats.rules.snp_ids import name_snps
from bayes_lmmlasso.cohort.tables import TableLike, reject_duplicates
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.numerics.checks import any_array
from bayes_lmmlasso.remarks import Remark

__all__ = ["cohort_from_arrays"]


def cohort_from_arrays(
    dosage: NDArray[Any] | pd.DataFrame,
    *,
    sample_id: Sequence[object] | None = None,
    family_id: Sequence[object] | None = None,
    variants: pd.DataFrame | None = None,
    phenotypes: TableLike | None = None,
    trait: str | None = None,
    covariates: TableLike | None = None,
    ploidy: int = 2,
) -> Cohort:
    """Make a cohort of a matrix of allele counts.

    Parameters
    ----------
    dosage
        ``(n, p)`` counts of the effect allele, 0 to ``ploidy``. Floats with NaN for missing are stored as float32,
        integers with -1 for missing as int8. A data frame gives its index as ``sample_id`` and its columns
        as SNP ids unless these are given.
    sample_id, family_id
        ``(n,)`` ids; the default is ``S0, S1, ...``, and ``family_id`` defaults to ``sample_id``.
    variants
        ``(p, .)`` frame with any of ``chrom pos snp effect_allele other_allele cm``; what is absent becomes
        "0", 0, ``V0, V1, ...``, "A", "B" and 0.
    phenotypes, trait, covariates
        As in `read_plink`; tables are joined by id.
    ploidy
        Copies that the counts are of; they are brought to 0 to 2.

    Raises
    ------
    InputError
        A value that is no allele count, whole numbers from -1 to 1 (where -1 may be missing or a homozygote), ids or
        variants of another length, duplicated ids, a bad table.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import bayes_lmmlasso as bl
    >>> traits = pd.DataFrame({"iid": ["a", "b", "c"], "height": [1.7, 1.8, 1.6]})
    >>> cohort = bl.cohort_from_arrays(
    ...     np.array([[0, 1], [2, 1], [1, -1]]), sample_id=["a", "b", "c"], phenotypes=traits
    ... )
    >>> dict(cohort.sizes)["samples"]
    3
    """
    if isinstance(dosage, pd.DataFrame):
        sample_id = list(dosage.index) if sample_id is None else sample_id
        variants = pd.DataFrame({"snp": dosage.columns.astype(str)}) if variants is None else variants
        dosage = dosage.to_numpy()
    dosage = any_array(dosage, "dosages")
    if dosage.ndim != 2 or dosage.dtype.kind not in "iuf":
        raise InputError(
            f"expected dosages as an (n, p) matrix of numbers, got {dosage.dtype} of shape {dosage.shape}; convert them"
        )
    if sample_id is None and not (phenotypes is None and covariates is None):
        raise InputError("expected `sample_id` to join the tables with, got None; give the ids of the rows")
    n, p = dosage.shape
    if variants is not None:
        check_type(variants, pd.DataFrame, "a data frame of variants", "read the table first")
    for name, ids in (("sample_id", sample_id), ("family_id", family_id)):
        if ids is not None and not isinstance(ids, Iterable):
            raise InputError(f"expected a list for {name}, got {named(ids)}: give the id of each row")
    iid = [f"S{i}" for i in range(n)] if sample_id is None else [str(i) for i in sample_id]
    samples = {"iid": iid, "fid": iid if family_id is None else [str(i) for i in family_id]}
    defaults: dict[str, list[str] | list[int]] = {
        "chrom": ["0"] * p,
        "pos": [0] * p,
        "snp": [f"V{j}" for j in range(p)],
        "effect_allele": ["A"] * p,
        "other_allele": ["B"] * p,
        "cm": [0] * p,
    }
    given = pd.DataFrame() if variants is None else variants
    snps = {name: list(given[name]) if name in given else value for name, value in defaults.items()}
    for name, values in (samples | snps).items():
        wanted = n if name in samples else p
        if len(values) != wanted:
            raise InputError(
                f"expected {wanted} values of {name!r} for dosages of shape {dosage.shape}, got "
                f"{len(values)}; give one for every row (samples) or column (SNPs)"
            )
    sample_table = pd.DataFrame(samples, dtype=object)
    reject_duplicates(sample_table, ("fid", "iid"), "the sample ids")
    variant_table = pd.DataFrame(snps).astype({name: str for name in defaults if name not in ("pos", "cm")})
    variant_table, renamed = name_snps(variant_table, "the variants")
    alignment = align(sample_table, phenotypes, trait, covariates)
    counts, told = _allele_counts(dosage, check_ploidy(ploidy))
    return assemble(np.ascontiguousarray(counts[alignment.rows].T), variant_table, alignment, (*told, *renamed))


def _allele_counts(dosage: NDArray[Any], ploidy: int) -> tuple[NDArray[Any], tuple[Remark, ...]]:
    """``(n, p)`` counts from 0 to 2 as float32 (NaN missing) or int8 (-1 missing), and what is told about them."""
    integer = np.issubdtype(dosage.dtype, np.integer)
    low, high = (int(dosage.min()), int(dosage.max())) if integer and dosage.size else (0, 0)
    if ploidy == DIPLOID and low == -1 and high <= 1:
        raise InputError(
            f"expected allele counts from 0 to 2, got whole numbers from -1 to {high}: -1 may be missing or, as "
            "in rrBLUP, a homozygote; add 1 to each if it is one, else give floats with NaN for missing"
        )
    if integer and ploidy == DIPLOID and low >= -1 and high <= DIPLOID:
        return dosage.astype(np.int8), one_copy(high, "the array")
    counts = dosage.astype(np.float32)
    if integer:
        counts[dosage == -1] = np.nan
    counts, told = scaled(counts, ploidy, lambda i, j: f"in row {i}, column {j}", "the array")
    return narrowed(counts) if integer else counts, told

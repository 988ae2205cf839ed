"""Kinship from a pedigree: the numerator relationship matrix A, by the tabular method.

With s and d the parents of i, every sample after its parents, and A_xk = 0 where parent x is unknown,

    A_ik = (A_sk + A_dk) / 2   for k before i,        A_ii = 1 + F_i,   F_i = A_sd / 2

F is the coefficient of inbreeding, A / 2 the probability that two alleles drawn from i and k are identical by descent
(Wright 1922, doi:10.1086/279872; Henderson 1976, doi:10.2307/2529339). Founders are neither related nor inbred. One
sample may be both parents (selfing: F_i = A_ss / 2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.tables import TableLike
from bayes_lmmlasso.display import Display
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm.files.parents import Parents, read_parents
from bayes_lmmlasso.remarks import Remark

__all__ = ["PedigreeKinship", "pedigree_kinship"]


@dataclass(frozen=True, eq=False, repr=False)
class PedigreeKinship(Display):
    """Relationships of the samples of a pedigree.

    Attributes
    ----------
    ids
        ``(m,)`` sample ids: those of the table in its order, then parents that have no row of their own.
    matrix
        Numerator relationship matrix A, shape ``(m, m)``.
    remarks
        What is told about the table.
    """

    ids: NDArray[np.str_]
    matrix: NDArray[np.float64]
    remarks: tuple[Remark, ...] = ()

    @property
    def inbreeding(self) -> NDArray[np.float64]:
        """Coefficients of inbreeding F, shape ``(m,)``."""
        return np.diag(self.matrix) - 1.0


def pedigree_kinship(table: TableLike) -> PedigreeKinship:
    """Numerator relationship matrix of a table of parents.

    Parameters
    ----------
    table
        Path or data frame for `bayes_lmmlasso.cohort.read_table` with columns ``iid``, ``sire`` and ``dam`` (or
        ``father`` and ``mother``, ``pat`` and ``mat``), one row a sample in any order, or PLINK's .fam. A parent that
        is missing, 0, ``*``, ``unknown`` and the like is unknown; one without a row of its own is a founder. Family
        ids are not used.

    Returns
    -------
    PedigreeKinship

    Raises
    ------
    InputError
        If a column is absent, an id occurs twice or means an unknown parent, no parent is known, or a sample is its
        own ancestor.
    """
    known = read_parents(table)
    order = _parents_first(known)
    return PedigreeKinship(known.ids, _tabular(known.parents, order), known.remarks)


def _parents_first(known: Parents) -> NDArray[np.int64]:
    """Order the samples, generation by generation, so that each comes after its parents."""
    parents, m = known.parents, len(known.ids)
    waiting = np.arange(m)
    placed = np.zeros(m + 1, dtype=bool)
    placed[m] = True
    generations = []
    while waiting.size:
        ready = placed[parents[waiting]].all(axis=1)
        if not ready.any():
            name = known.ids[_member_of_a_cycle(parents, placed, int(waiting[0]))]
            raise InputError(
                f"expected a pedigree without cycles in {known.source}, got {name} among its own ancestors: "
                "correct its parents"
            )
        generations.append(waiting[ready])
        placed[waiting[ready]] = True
        waiting = waiting[~ready]
    return np.concatenate(generations)


def _member_of_a_cycle(parents: NDArray[np.int64], placed: NDArray[np.bool_], sample: int) -> int:
    """Go from a waiting sample to a waiting parent until a sample comes again."""
    seen: set[int] = set()
    while sample not in seen:
        seen.add(sample)
        sample = int(next(parent for parent in parents[sample] if not placed[parent]))
    return sample


def _tabular(parents: NDArray[np.int64], order: NDArray[np.int64]) -> NDArray[np.float64]:
    """Fill A row by row; the last row and column, of the unknown parent, stay 0."""
    m = len(order)
    A = np.zeros((m + 1, m + 1))
    for i in order:
        sire, dam = parents[i]
        A[i] = 0.5 * (A[sire] + A[dam])  # 0 for samples that come later
        A[:, i] = A[i]
        A[i, i] = 1.0 + 0.5 * A[sire, dam]
    return A[:m, :m]

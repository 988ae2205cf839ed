"""Kinships written pair by pair.

``i j N value``   GCTA and PLINK 2: rows i and j of the ``.grm.id``, from 1, N SNPs; every pair of the lower triangle
``id id value``   GEMMA ``-km 2``: one sample or two by id, in any order; a pair that is not there is unrelated
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm.files.stored import StoredKinship
from bayes_lmmlasso.remarks import Remark

__all__ = ["indexed_pairs", "named_pairs"]


def indexed_pairs(lines: dict[int, str], n: int, path: Path) -> NDArray[np.float64]:
    """Return the matrix of a list ``i j N value`` of n samples.

    Raises
    ------
    InputError
        If a line is none, or a pair is absent or there twice.
    """
    if not lines:
        raise InputError(f"{path}: expected lines `i j N value`, got an empty file: write the GRM again")
    try:
        values = np.loadtxt(list(lines.values()), dtype=np.float64, ndmin=2, comments=None)
    except ValueError as error:
        raise InputError(
            f"{path}: expected lines `i j N value`, got {str(error).splitlines()[0]}: write the GRM again"
        ) from error
    if values.shape[1:] != (4,):
        raise InputError(
            f"{path}: expected 4 columns, i j N value, got {values.shape[-1]}: write it with GCTA or plink2 "
            "--make-grm-list"
        )
    pairs = np.sort(values[:, :2], axis=1)[:, ::-1]
    wrong = ~((pairs >= 1) & (pairs <= n) & (pairs == np.rint(pairs))).all(axis=1)
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError(
            f"{path}: expected rows from 1 to {n}, the samples of its ids, got {values[row, 0]:g} "
            f"{values[row, 1]:g} in line {list(lines)[row]}: copy both files again"
        )
    i, j = (pairs - 1).astype(np.intp).T
    counts = np.bincount(i * (i + 1) // 2 + j, minlength=n * (n + 1) // 2)
    if (counts != 1).any():
        raise InputError(
            f"{path}: expected each of the {counts.size} pairs of {n} samples once, got {int((counts == 0).sum())} "
            f"never and {int((counts > 1).sum())} more than once: copy it and its .grm.id again"
        )
    matrix = np.zeros((n, n))
    matrix[i, j] = matrix[j, i] = values[:, 3]
    return matrix


def named_pairs(rows: Mapping[int, list[str]], values: NDArray[np.float64], path: Path) -> StoredKinship:
    """Return the matrix of a list ``id id value`` and its ids in the order in which they come.

    Raises
    ------
    InputError
        If a sample has no value with itself, or a pair has two.
    """
    names = np.array([row[:2] for row in rows.values()])
    codes, ids = pd.factorize(names.ravel())
    i, j = codes.reshape(-1, 2).T
    n = len(ids)
    matrix = np.zeros((n, n))
    matrix[i, j] = values
    matrix[j, i] = values
    there = np.zeros((n, n), dtype=bool)
    there[i, j] = there[j, i] = True
    other = ~np.isclose(matrix[i, j], values, rtol=0.0, atol=0.0, equal_nan=True)
    if other.any():
        row = int(other.argmax())
        raise InputError(
            f"{path}: expected one value for each pair, got two for {names[row, 0]} {names[row, 1]}, one of them in "
            f"line {list(rows)[row]}: remove the wrong one"
        )
    if not there.diagonal().all():
        name = ids[int((~there.diagonal()).argmax())]
        raise InputError(
            f"{path}: expected a line for each sample with itself, got none for {name}: add `{name} {name} VALUE`"
        )
    absent = (there.size - int(there.sum())) // 2
    remarks = (Remark(f"{path}: {absent:,} of {n * (n - 1) // 2:,} pairs have no line: taken as unrelated (0)"),)
    frame = pd.DataFrame({"iid": ids}, index=pd.RangeIndex(1, n + 1), dtype=object)
    return StoredKinship(matrix, frame, remarks=remarks if absent else ())

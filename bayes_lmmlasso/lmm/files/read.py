"""Kinship matrices from files, brought into the order of the samples.

Files with ids (see `bayes_lmmlasso.lmm.files.formats`) are joined by id. A matrix without must hold exactly the
analysed samples in their order or, as GEMMA writes it, all samples of the genotypes in theirs, and it is told which.

For new samples a file with ids holds analysed and new ones together in one square matrix; a plain text matrix has a
row for each new sample in their order and a column for each analysed sample, followed by one for each new sample (of
which the diagonal is used).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.ids import find_samples, likely_reason
from bayes_lmmlasso.cohort.tables import id_columns, reject_duplicates
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm.cross_kinship import CrossKinship
from bayes_lmmlasso.lmm.files.formats import load_kinship
from bayes_lmmlasso.lmm.files.rounding import without_rounding
from bayes_lmmlasso.lmm.files.stored import StoredKinship
from bayes_lmmlasso.lmm.kinship import check_matrix
from bayes_lmmlasso.remarks import Remark, examples

__all__ = ["RawKinship", "read_cross_kinship", "read_given_kinship", "read_kinship"]


@dataclass(frozen=True, eq=False)
class RawKinship:
    """A kinship, not scaled yet.

    Attributes
    ----------
    matrix
        Shape ``(n, n)``.
    remarks
        What is told about it.
    """

    matrix: NDArray[np.float64]
    remarks: tuple[Remark, ...] = ()


def read_kinship(
    path: str | Path, sample_ids: pd.DataFrame | None = None, genotyped: pd.DataFrame | None = None
) -> NDArray[np.float64]:
    """Read a kinship matrix and bring it into the order of the samples.

    Parameters
    ----------
    path
        A file in one of the formats of `bayes_lmmlasso.lmm.files.formats`.
    sample_ids
        The samples wanted, columns ``fid`` and ``iid``, one row for each of n samples; None takes the file as
        it is.
    genotyped
        All samples of the genotypes in their order, with the same columns: the ids of a matrix without ids that has a
        row for each of them.

    Returns
    -------
    ndarray, shape (n, n), float64
        Checked, not scaled. Eigenvalues that are negative by the rounding of the file alone are set to 0.

    Raises
    ------
    InputError
        If the file is missing or malformed, lacks a sample, repeats an id, or the matrix is not a kinship.
    """
    return read_given_kinship(path, sample_ids, genotyped).matrix


def read_given_kinship(
    path: str | Path, sample_ids: pd.DataFrame | None = None, genotyped: pd.DataFrame | None = None
) -> RawKinship:
    """Read a kinship matrix as `read_kinship` does, with what is told about it."""
    stored, source = load_kinship(path), str(path)
    matrix, remarks = stored.matrix, stored.remarks
    if sample_ids is not None:
        order, remark = _rows_of(stored, sample_ids, genotyped, source)
        matrix = matrix if order is None else matrix[np.ix_(order, order)]
        remarks += (remark,)
    matrix, rounding = without_rounding(matrix, stored.half_unit, source)
    return RawKinship(matrix, remarks + rounding)


def read_cross_kinship(path: str | Path, new_ids: pd.DataFrame, train_ids: pd.DataFrame) -> CrossKinship:
    """Read the kinship of new samples with analysed ones.

    Parameters
    ----------
    path
        A file in one of the formats of `bayes_lmmlasso.lmm.files.formats`.
    new_ids, train_ids
        New and analysed samples, columns ``fid`` and ``iid``.

    Raises
    ------
    InputError
        If the file is missing or malformed, has another shape, or lacks a sample.
    """
    n_new, n = len(new_ids), len(train_ids)
    stored = load_kinship(path)
    matrix, ids = stored.matrix, stored.ids
    if ids is not None:
        _check_shape(matrix, ids, str(path))
        new = _positions(new_ids, ids, str(path), "new")
        train = _positions(train_ids, ids, str(path), "analysed")
        told = f"{path}: the {n_new:,} new and {n:,} analysed samples by id, of {len(ids):,} in the file"
        return CrossKinship(matrix[np.ix_(new, train)], matrix[new, new], (Remark(told), *stored.remarks))
    if matrix.shape != (n_new, n + n_new):
        raise InputError(
            f"{path}: expected shape {(n_new, n + n_new)}, columns for the {n} analysed samples and the {n_new} new "
            f"ones, got {matrix.shape}: write one row for each new sample, or a file with ids that holds analysed and "
            "new samples"
        )
    told = f"{path} has no ids: its rows are taken to be the new samples in their order, its columns the analysed ones"
    return CrossKinship(matrix[:, :n], np.diag(matrix[:, n:]).copy(), (Remark(f"{told} and these"), *stored.remarks))


def _rows_of(
    stored: StoredKinship, samples: pd.DataFrame, genotyped: pd.DataFrame | None, source: str
) -> tuple[NDArray[np.intp] | None, Remark]:
    """Return the rows of the samples, None if all as they are, and how they were found."""
    matrix, ids, n = stored.matrix, stored.ids, len(samples)
    if ids is not None:
        _check_shape(matrix, ids, source)
        order = _positions(samples, ids, source, "analysed")
        told = f"{source}: the {n:,} analysed samples by id, of {len(ids):,} in the file"
        return order, Remark(told)
    if len(matrix) == n or genotyped is None:
        check_matrix(matrix, n, source)
        return None, Remark(f"{source} has no ids: its {n:,} rows are taken to be the analysed samples in their order")
    if matrix.shape != (len(genotyped), len(genotyped)):
        size = " x ".join(map(str, matrix.shape))
        raise InputError(
            f"{source}: expected a square matrix of the {n} analysed samples or of all {len(genotyped)} of the "
            f"genotypes, got {size}: a matrix without ids has one row for each, in their order"
        )
    told = (
        f"{source} has no ids: its {len(genotyped):,} rows are taken to be all samples of the genotypes in their order"
    )
    return _positions(samples, genotyped, "the genotypes", "analysed"), Remark(told)


def _check_shape(matrix: NDArray[np.float64], ids: pd.DataFrame, source: str) -> None:
    if matrix.shape != (len(ids), len(ids)):
        raise InputError(
            f"{source}: expected {len(ids)} x {len(ids)} for its {len(ids)} ids, got shape {matrix.shape}: "
            "write one row and column for each id"
        )


def _positions(samples: pd.DataFrame, ids: pd.DataFrame, source: str, kind: str) -> NDArray[np.intp]:
    """Row of the file for each wanted sample."""
    for frame, name in ((ids, source), (samples, f"the {kind} samples")):
        reject_duplicates(frame.astype(str), id_columns(frame), name)
    order = find_samples(samples, ids, f"the {kind} samples", source)
    if (order < 0).any():
        iid = samples["iid"].astype(str).to_numpy()[order < 0]
        unused = np.delete(ids["iid"].astype(str).to_numpy(), order[order >= 0])
        reason = likely_reason(iid.tolist(), unused.tolist())
        raise InputError(
            f"{source}: expected all {len(samples)} {kind} samples, got none of {iid.size} ({examples(iid)})"
            f"{f' - {reason}' if reason else ''}: drop these samples or extend the matrix"
        )
    return order

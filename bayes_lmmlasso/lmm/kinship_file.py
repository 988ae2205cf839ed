"""Kinship matrices from files, brought into the order of the samples.

Formats that have ids (see `bayes_lmmlasso.lmm.kinship_format`) are joined by id. A plain text matrix has none and must
hold exactly the analysed samples in their order or, as GEMMA writes it, all samples of the .fam in its order.

For new samples a file with ids holds analysed and new ones together in one square matrix; a plain text matrix has a
row for each new sample in their order and a column for each analysed sample, followed by one for each new sample (of
which the diagonal is used).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm.cross_kinship import CrossKinship
from bayes_lmmlasso.lmm.kinship import validate_kinship
from bayes_lmmlasso.lmm.kinship_format import load_kinship

__all__ = ["read_cross_kinship", "read_kinship"]


def read_kinship(
    path: str | Path, sample_ids: pd.DataFrame | None = None, genotyped: pd.DataFrame | None = None
) -> NDArray[np.float64]:
    """Read a kinship matrix and bring it into the order of the samples.

    Parameters
    ----------
    path
        A file in one of the formats of `bayes_lmmlasso.lmm.kinship_format`.
    sample_ids
        The samples wanted, columns ``fid`` and ``iid``, one row for each of n samples; None takes the file as
        it is.
    genotyped
        All samples of the .fam in its order, with the same columns: the ids of a plain text matrix that has a row for
        each of them.

    Returns
    -------
    ndarray, shape (n, n), float64
        Checked, not scaled.

    Raises
    ------
    InputError
        If the file is missing or malformed, lacks a sample, repeats an id, or the matrix is not a kinship.
    """
    stored = load_kinship(path)
    matrix, ids = stored.matrix, stored.ids
    if ids is None and sample_ids is not None and genotyped is not None and len(matrix) != len(sample_ids):
        if matrix.shape != (len(genotyped), len(genotyped)):
            size = " x ".join(map(str, matrix.shape))
            raise InputError(
                f"{path}: expected a square matrix of the {len(sample_ids)} analysed samples or of all "
                f"{len(genotyped)} of the .fam, got {size}: a matrix without ids has one row for each, in their order"
            )
        ids = genotyped
    n_wanted = None if sample_ids is None else len(sample_ids)
    if ids is None or sample_ids is None:
        return validate_kinship(matrix, n_wanted, str(path))
    if matrix.shape != (len(ids), len(ids)):
        raise InputError(
            f"{path}: expected {len(ids)} x {len(ids)} for its {len(ids)} ids, got shape {matrix.shape}: "
            "write one row and column for each id"
        )
    order = _positions(path, ids, sample_ids)
    return validate_kinship(matrix[np.ix_(order, order)], n_wanted, str(path))


def read_cross_kinship(path: str | Path, new_ids: pd.DataFrame, train_ids: pd.DataFrame) -> CrossKinship:
    """Read the kinship of new samples with analysed ones.

    Parameters
    ----------
    path
        A file in one of the formats of `bayes_lmmlasso.lmm.kinship_format`.
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
    wanted = (n_new, n + n_new) if ids is None else (len(ids), len(ids))
    if matrix.shape != wanted:
        columns = f"columns for the {n} analysed samples and the {n_new} new ones" if ids is None else "its ids"
        raise InputError(
            f"{path}: expected shape {wanted}, {columns}, got {matrix.shape}: write one row for each new sample, or a "
            "file with ids that holds analysed and new samples"
        )
    if ids is None:
        return CrossKinship(matrix[:, :n], np.diag(matrix[:, n:]).copy())
    new, train = _positions(path, ids, new_ids), _positions(path, ids, train_ids)
    return CrossKinship(matrix[np.ix_(new, train)], matrix[new, new])


def _positions(path: str | Path, ids: pd.DataFrame, sample_ids: pd.DataFrame) -> NDArray[np.intp]:
    """Row of the file for each wanted sample."""
    keys = list(ids.columns)
    there = pd.MultiIndex.from_frame(ids[keys].astype(str))
    wanted = pd.MultiIndex.from_frame(sample_ids[keys].astype(str))
    for index, what in ((there, str(path)), (wanted, "samples")):
        if not index.is_unique:
            repeated = " ".join(map(str, index[index.duplicated()][0]))
            raise InputError(f"{what}: expected unique ids ({', '.join(keys)}), got {repeated} twice: rename one")
    order = there.get_indexer(wanted)
    if (order < 0).any():
        lacking = np.flatnonzero(order < 0)
        raise InputError(
            f"{path}: expected all {len(wanted)} samples, got none of {lacking.size} (first: "
            f"{' '.join(map(str, wanted[lacking[0]]))}): drop these samples or extend the matrix"
        )
    return np.asarray(order, dtype=np.intp)

"""Kinship matrices from files.

Two formats: ``.npz`` with one two-dimensional array and the sample ids ``iid`` (and ``fid``, if there are
family ids), joined by id; and a plain text square matrix (blanks, tabs or commas, also ``.gz``), which has no
ids and therefore must hold exactly the analysed samples in their order.

For new samples a ``.npz`` holds analysed and new ones together in one square matrix; a plain text matrix has a row for
each new sample in their order and a column for each analysed sample, followed by one for each new sample (of which the
diagonal is used).
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm.cross_kinship import CrossKinship
from bayes_lmmlasso.lmm.validation import validate_kinship

__all__ = ["read_cross_kinship", "read_kinship"]


def read_kinship(path: str | Path, sample_ids: pd.DataFrame | None = None) -> NDArray[np.float64]:
    """Read a kinship matrix and bring it into the order of the samples.

    Parameters
    ----------
    path
        A ``.npz`` file or a plain text matrix.
    sample_ids
        The samples wanted, columns ``fid`` and ``iid``, one row for each of n samples; None takes the file as
        it is.

    Returns
    -------
    ndarray, shape (n, n), float64
        Checked, not scaled.

    Raises
    ------
    InputError
        If the file is missing or malformed, lacks a sample, repeats an id, or the matrix is not a kinship.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"expected a kinship file, got {path}, which does not exist: check the path")
    if path.suffix == ".npz":
        matrix, ids = _read_npz(path)
    else:
        matrix, ids = _read_text(path), None
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
        A ``.npz`` file or a plain text matrix, see the module docstring.
    new_ids, train_ids
        New and analysed samples, columns ``fid`` and ``iid``.

    Raises
    ------
    InputError
        If the file is missing or malformed, has another shape, or lacks a sample.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"expected a kinship file, got {path}, which does not exist: check the path")
    n_new, n = len(new_ids), len(train_ids)
    matrix, ids = _read_npz(path) if path.suffix == ".npz" else (_read_text(path), None)
    wanted = (n_new, n + n_new) if ids is None else (len(ids), len(ids))
    if matrix.shape != wanted:
        columns = f"columns for the {n} analysed samples and the {n_new} new ones" if ids is None else "its ids"
        raise InputError(
            f"{path}: expected shape {wanted}, {columns}, got {matrix.shape}: write one row for each new sample, or a "
            ".npz with analysed and new samples and their ids"
        )
    if ids is None:
        return CrossKinship(matrix[:, :n], np.diag(matrix[:, n:]).copy())
    new, train = _positions(path, ids, new_ids), _positions(path, ids, train_ids)
    return CrossKinship(matrix[np.ix_(new, train)], matrix[new, new])


def _read_npz(path: Path) -> tuple[NDArray[np.float64], pd.DataFrame | None]:
    """Return the only two-dimensional array of the file, and its ids when it has them."""
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(
            f"{path}: expected a NumPy .npz file, got one that cannot be read ({error}): write it with "
            "numpy.savez, the matrix as numbers and the ids as NumPy text (dtype U)"
        ) from error
    matrices = [name for name, array in arrays.items() if array.ndim == 2]
    if len(matrices) != 1:
        raise InputError(
            f"{path}: expected one two-dimensional array, got {', '.join(matrices) or 'none'}: "
            "store the kinship matrix alone"
        )
    names = [name for name in ("fid", "iid") if name in arrays]
    matrix = np.asarray(arrays[matrices[0]], dtype=np.float64)
    if "iid" not in names:
        return matrix, None
    return matrix, pd.DataFrame({name: arrays[name].astype(str) for name in names})


def _read_text(path: Path) -> NDArray[np.float64]:
    """Read numbers separated by blanks, tabs or commas, one row a line."""
    try:
        opener = gzip.open if path.suffix == ".gz" else Path.open
        with opener(path, "rt") as file:
            lines = file.readlines()
        return np.loadtxt(lines, delimiter="," if "," in lines[0] else None, ndmin=2)
    except (ValueError, OSError, EOFError, IndexError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{path}: expected a square matrix of numbers, got text that cannot be read ({reason}): "
            "write one row of numbers a line, without header or ids"
        ) from error


def _positions(path: Path, ids: pd.DataFrame, sample_ids: pd.DataFrame) -> NDArray[np.intp]:
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

"""Kinships as binary arrays: NumPy's files, and those of GCTA and PLINK.

``.grm.bin``   lower triangle, diagonal included, row by row in little-endian float32
``.rel.bin``   square or lower triangle, in float64 or float32; its size and the number of ids tell which
"""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm.files.lines import ids_beside, read_ids
from bayes_lmmlasso.lmm.files.stored import StoredKinship, mirrored

__all__ = ["load_numpy", "load_triangle"]

_BROKEN = (
    *(ValueError, TypeError, OSError, EOFError, LookupError, OverflowError, MemoryError, SyntaxError, RuntimeError),
    *(struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)
"""What NumPy raises for files that are no arrays, or damaged."""

_ID_NAMES = ("iid", "ids", "id", "samples", "sample", "taxa", "line")


def load_numpy(path: Path) -> StoredKinship:
    """Read an ``.npy``, or the only two-dimensional array of an ``.npz`` and its ids when it has them.

    Raises
    ------
    InputError
        If the file is broken or holds something else.
    """
    try:
        with path.open("rb") as handle:
            file = np.load(handle, allow_pickle=False)
            arrays = {"K": file} if isinstance(file, np.ndarray) else {name: file[name] for name in file.files}
    except _BROKEN as error:
        raise InputError(
            f"{path}: expected a NumPy file, got one that cannot be read ({error}): write it with "
            "numpy.savez, the matrix as numbers and the ids as NumPy text (dtype U)"
        ) from error
    matrices = [name for name, array in arrays.items() if array.ndim == 2]
    if len(matrices) != 1:
        raise InputError(
            f"{path}: expected one two-dimensional array, got {', '.join(matrices) or 'none'}: "
            "store the kinship matrix alone"
        )
    stored = arrays[matrices[0]]
    if stored.dtype.kind not in "biuf":
        raise InputError(f"{path}: expected a matrix of real numbers, got {stored.dtype}: store it as float64")
    with np.errstate(invalid="ignore"):  # of NaN, which is refused later
        matrix = stored.astype(np.float64)
    return StoredKinship(matrix, _ids(arrays, path), _half_spacing(matrix) if stored.dtype == np.float32 else 0.0)


def _ids(arrays: dict[str, NDArray[Any]], path: Path) -> pd.DataFrame | None:
    """Return the ids that an ``.npz`` holds."""
    iid = next((name for name in _ID_NAMES if name in arrays), None)
    if iid is None:
        return None
    columns = {name: arrays[key].astype(str) for name, key in (("fid", "fid"), ("iid", iid)) if key in arrays}
    if any(column.ndim != 1 or column.size != columns["iid"].size for column in columns.values()):
        raise InputError(f"{path}: expected one id for each sample, got arrays of other shapes: store vectors of text")
    return pd.DataFrame(columns, index=pd.RangeIndex(1, columns["iid"].size + 1))


def load_triangle(path: Path) -> StoredKinship:
    """Read ``.grm.bin`` or ``.rel.bin``, and the ids of its samples from the file beside it.

    Raises
    ------
    InputError
        If there are no ids, or the size does not fit their number.
    """
    listed = ids_beside(path)
    ids = read_ids(listed)
    n, size = len(ids), path.stat().st_size
    n_pairs = n * (n + 1) // 2
    forms = {4 * n_pairs: ("<f4", n_pairs)}
    if not path.name.endswith(".grm.bin"):
        forms = {8 * n * n: ("<f8", n * n), 4 * n * n: ("<f4", n * n), 8 * n_pairs: ("<f8", n_pairs)} | forms
    if size not in forms:
        wanted = " or ".join(f"{given:,}" for given in forms)
        raise InputError(
            f"{path}: expected {wanted} bytes, a matrix of the {n} samples of {listed.name}, got {size:,}: the file is "
            "truncated or belongs to other ids, copy both again"
        )
    dtype, count = forms[size]
    with np.errstate(invalid="ignore"):  # of NaN, which is refused later
        values = np.fromfile(path, dtype=dtype).astype(np.float64)
    if count == n * n:
        matrix = mirrored(values.reshape(n, n))
    else:
        matrix = np.zeros((n, n))
        matrix[np.tril_indices(n)] = values
        matrix += np.tril(matrix, -1).T
    return StoredKinship(matrix, ids, _half_spacing(matrix) if dtype == "<f4" else 0.0)


def _half_spacing(matrix: NDArray[np.float64]) -> float:
    """Return half the distance between the float32 numbers nearest to the largest value."""
    largest = np.abs(matrix, where=np.isfinite(matrix), out=np.zeros_like(matrix)).max(initial=0.0)
    return float(np.spacing(np.float32(largest))) / 2.0

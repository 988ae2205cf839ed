"""The formats that a kinship matrix is stored in.

=================  =====================================================================================  =========
file               content                                                                                ids
=================  =====================================================================================  =========
``.npz``           one two-dimensional array, ``iid`` (and ``fid``, if there are family ids)              its own
``.grm.bin``       GCTA and PLINK 2: the lower triangle, diagonal included, row by row in little-endian   ``.grm.id``
                   float32; ``.grm.N.bin`` (SNPs of each entry) beside it is not needed
``pedigree:FILE``  a table of parents, see `bayes_lmmlasso.lmm.pedigree`                                  its own
any other          plain text, one row a line, separated by blanks, tabs or commas, also ``.gz``;         none
                   GEMMA's ``.cXX.txt`` and ``.sXX.txt``
=================  =====================================================================================  =========

(Yang et al. 2011, doi:10.1016/j.ajhg.2010.11.011, for GCTA; Zhou and Stephens 2012, doi:10.1038/ng.2310, for GEMMA.)
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.tables import fields_frame, numbered_lines
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm.pedigree import pedigree_kinship

__all__ = ["PEDIGREE", "StoredKinship", "load_kinship"]

PEDIGREE = "pedigree:"
"""What comes before the path of a table of parents."""

_GRM = ".grm.bin"


@dataclass(frozen=True, eq=False)
class StoredKinship:
    """What a file holds.

    Attributes
    ----------
    matrix
        Two-dimensional, not checked.
    ids
        Frame ``fid iid``, or ``iid`` alone, of its samples; None where the format has no ids.
    """

    matrix: NDArray[np.float64]
    ids: pd.DataFrame | None


def load_kinship(path: str | Path) -> StoredKinship:
    """Read a file in the format that its name says.

    Raises
    ------
    InputError
        If the file is missing or malformed.
    """
    table = str(path).removeprefix(PEDIGREE)
    if table != str(path):
        pedigree = pedigree_kinship(table)
        return StoredKinship(pedigree.matrix, pd.DataFrame({"iid": pedigree.ids}))
    path = Path(path)
    if not path.is_file():
        raise InputError(f"expected a kinship file, got {path}, which does not exist: check the path")
    if path.suffix == ".npz":
        return _load_npz(path)
    if path.name.endswith(_GRM):
        return _load_grm(path)
    return StoredKinship(_load_text(path), None)


def _load_npz(path: Path) -> StoredKinship:
    """Read the only two-dimensional array of the file, and its ids when it has them."""
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
        return StoredKinship(matrix, None)
    return StoredKinship(matrix, pd.DataFrame({name: arrays[name].astype(str) for name in names}))


def _load_grm(path: Path) -> StoredKinship:
    """Read a lower triangle, and the ids of its samples from the file beside it."""
    ids = _grm_ids(path.with_name(path.name.removesuffix(_GRM) + ".grm.id"))
    n = len(ids)
    size, wanted = path.stat().st_size, 4 * (n * (n + 1) // 2)
    if size != wanted:
        raise InputError(
            f"{path}: expected {wanted} bytes, a lower triangle of float32 for the {n} samples of its .grm.id, got "
            f"{size}: the file is truncated or belongs to another .grm.id, copy both again"
        )
    matrix = np.zeros((n, n))
    matrix[np.tril_indices(n)] = np.fromfile(path, dtype="<f4")
    return StoredKinship(matrix + np.tril(matrix, -1).T, ids)


def _grm_ids(path: Path) -> pd.DataFrame:
    """Read the ids of a GRM: fid and iid a line; PLINK 2 may write a header, and iid alone."""
    lines = [line.split() for line in numbered_lines(path, "the ids of a GRM").values()]
    header = lines[0] if lines and lines[0][0].startswith("#") else None
    names = ["fid", "iid"] if header is None else [name.lstrip("#").lower() for name in header]
    rows = dict(enumerate(lines if header is None else lines[1:], 1 if header is None else 2))
    if not rows or "iid" not in names:
        raise InputError(f"{path}: expected a line `fid iid` for each sample, got none: write the GRM again")
    ids = fields_frame(rows, names, path).reset_index(drop=True)
    return ids[[name for name in ("fid", "iid") if name in names]]


def _load_text(path: Path) -> NDArray[np.float64]:
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

"""The files that a kinship matrix is stored in.

==========================  =======================================================================  =================
file                        content                                                                  ids
==========================  =======================================================================  =================
``.npz``, ``.npy``          a two-dimensional array; ``iid`` (and ``fid``) in an ``.npz``            its own
``.grm.bin``, ``.grm.gz``   GCTA, PLINK 2: triangle in float32, or lines ``i j N value``             ``.grm.id``
``.rel``, ``.rel.bin``      PLINK: square or triangle, as text or binary                             ``.rel.id``
``pedigree:FILE``           a table of parents, see `bayes_lmmlasso.lmm.pedigree`                    its own
any other                   text, see `bayes_lmmlasso.lmm.files.text`                                its own, or those
                                                                                                     of FILE.id, or none
a prefix                    the one of the above that begins with it                                 as above
==========================  =======================================================================  =================

Text may be compressed (``.gz``). (Yang et al. 2011, doi:10.1016/j.ajhg.2010.11.011, for GCTA; Chang et al. 2015,
doi:10.1186/s13742-015-0047-8, for PLINK; Zhou and Stephens 2012, doi:10.1038/ng.2310, for GEMMA.)
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm.files.arrays import load_numpy, load_triangle
from bayes_lmmlasso.lmm.files.lines import ids_beside, read_ids, read_lines
from bayes_lmmlasso.lmm.files.pairs import indexed_pairs
from bayes_lmmlasso.lmm.files.stored import StoredKinship, decimals
from bayes_lmmlasso.lmm.files.text import parse_text
from bayes_lmmlasso.lmm.pedigree import pedigree_kinship

__all__ = ["PEDIGREE", "find_kinship", "kinship_files", "load_kinship"]

PEDIGREE = "pedigree:"
"""What comes before the path of a table of parents."""

_SUFFIXES = (".grm.bin", ".grm.gz", ".grm", ".rel", ".rel.gz", ".rel.bin", ".npz", ".npy", ".cXX.txt", ".sXX.txt")

_NO_KINSHIP = {
    (".king", ".king.gz", ".king.bin", ".kin0", ".kin"): (
        "KING-robust coefficients, which are no covariance: use plink2 --make-rel or --make-grm-bin"
    ),
    (".grm.N.bin",): "numbers of SNPs: give the .grm.bin beside it",
    (".dist", ".dist.gz", ".dist.bin", ".mdist", ".mdist.gz", ".mdist.bin"): (
        "distances: use plink2 --make-rel or --make-grm-bin"
    ),
}
"""Files of other things that are at hand where there are kinships."""


def find_kinship(text: str | Path) -> Path | None:
    """Return the file that a text names: itself, or the only one whose name it begins, as in ``g`` for ``g.grm.bin``.

    Raises
    ------
    InputError
        If several files begin with it.
    """
    path = Path(text)
    if path.is_file():
        return path
    found = (
        [file for suffix in _SUFFIXES if (file := path.with_name(f"{path.name}{suffix}")).is_file()]
        if path.name
        else []
    )
    if len(found) > 1:
        names = ", ".join(file.name for file in found)
        raise InputError(f"expected one kinship that begins with {path}, got {names}: give the whole name of one")
    return found[0] if found else None


def kinship_files(choice: str | Path) -> list[Path]:
    """Return the files that a given kinship is read from: its own, and the one with its ids where there is one."""
    path = Path(str(choice).removeprefix(PEDIGREE))
    found = find_kinship(path)
    return [path] if found is None else [file for file in (found, ids_beside(found)) if file.is_file()]


def load_kinship(path: str | Path) -> StoredKinship:
    """Read a file in the format that its name says.

    Raises
    ------
    InputError
        If the file is missing or malformed, or holds something else.
    """
    table = str(path).removeprefix(PEDIGREE)
    if table != str(path):
        pedigree = pedigree_kinship(table)
        ids = pd.DataFrame({"iid": pedigree.ids}, index=pd.RangeIndex(1, len(pedigree.ids) + 1))
        return StoredKinship(pedigree.matrix, ids, remarks=pedigree.remarks)
    found = find_kinship(path)
    if found is None:
        raise InputError(f"expected a kinship file, got {path}, which does not exist: check the path")
    for suffixes, content in _NO_KINSHIP.items():
        if found.name.endswith(suffixes):
            raise InputError(f"expected a kinship matrix, got {found} with {content}")
    if found.suffix in (".npz", ".npy"):
        return _with_decimals(_with_ids_beside(load_numpy(found), found))
    if found.suffix == ".bin":
        return load_triangle(found)
    lines = read_lines(found, "a kinship matrix")
    if found.name.endswith((".grm", ".grm.gz")):
        ids = read_ids(ids_beside(found))
        return _with_decimals(StoredKinship(indexed_pairs(lines, len(ids), found), ids))
    return _with_decimals(_with_ids_beside(parse_text(lines, found), found))


def _with_ids_beside(stored: StoredKinship, path: Path) -> StoredKinship:
    """Return a matrix without ids with those of the file beside it, where there is one."""
    listed = ids_beside(path)
    return replace(stored, ids=read_ids(listed)) if stored.ids is None and listed.is_file() else stored


def _with_decimals(stored: StoredKinship) -> StoredKinship:
    """Return it with the half unit of its decimals."""
    digits = None if stored.half_unit else decimals(stored.matrix)
    return stored if digits is None else replace(stored, half_unit=0.5 * 10.0**-digits)

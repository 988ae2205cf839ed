"""Tables of parents: who is known, and by which name.

A parent is unknown where the cell is missing or holds a mark that programs and people write for it; an id of no letter
and no digit is a mark that is not known here, and refused. A parent that is sire of some and dam of others is in order
for plants, and told, as in animals it is an error or one more mark.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.arguments import check_path
from bayes_lmmlasso.cohort.tables import TableLike, fields_frame, numbered_lines, read_table, reject_duplicates
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.remarks import Remark, examples

__all__ = ["Parents", "read_parents"]

_FAM = ("fid", "iid", "sire", "dam", "sex", "trait")
_NAMES = {"sire": ("sire", "father", "pat"), "dam": ("dam", "mother", "mat")}
_MARKS = "* ? . - -- -9 -99 -999 na n/a #n/a nan none null nil unk unknown missing".split()
_UNKNOWN = re.compile("|".join(["0+", *map(re.escape, _MARKS)]), re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Parents:
    """The parents of the samples of a pedigree.

    Attributes
    ----------
    ids
        ``(m,)`` sample ids: those of the table in its order, then parents that have no row of their own.
    parents
        Shape ``(m + 1, 2)``: sire and dam of each by position, m where unknown; the last row is the unknown parent.
    source
        The table, for messages.
    remarks
        What is told about it.
    """

    ids: NDArray[np.str_]
    parents: NDArray[np.int64]
    source: str
    remarks: tuple[Remark, ...]


def read_parents(table: TableLike) -> Parents:
    """Read a table of parents, see `bayes_lmmlasso.lmm.pedigree_kinship`.

    Raises
    ------
    InputError
        If a column is absent, an id occurs twice or means an unknown parent, or no parent is known.
    """
    pedigree = _read(table)
    source = pedigree.attrs["source"]
    columns = [_column(pedigree, role, source) for role in _NAMES]
    reject_duplicates(pedigree, ["iid"], f"{source} (family ids are not used)")
    if (marks := pedigree["iid"][_unknown(pedigree["iid"])]).size:
        raise InputError(
            f"expected ids other than {marks.iloc[0]}, which means an unknown parent, got one in {source}: rename it"
        )
    named = pedigree[columns].apply(lambda parents: parents.where(parents.notna() & ~_unknown(parents)))
    if not named.notna().any(axis=None):
        raise InputError(f"expected parents in {source}, got none that is known: give another kinship")
    known = pd.Index(named.stack().dropna()).unique()
    if strange := [name for name in known if not any(map(str.isalnum, name))]:
        n = int((named == strange[0]).any(axis=1).sum())
        raise InputError(
            f"expected ids of parents in {source}, got {strange[0]!r} as parent of {n} of {len(named)} samples: "
            "write 0 for an unknown parent"
        )
    ids = pd.Index(pedigree["iid"]).append(known).unique()
    parents = np.full((len(ids) + 1, 2), len(ids))
    for side, name in enumerate(columns):
        there = named[name].notna().to_numpy()
        parents[np.flatnonzero(there), side] = ids.get_indexer(named[name][there])
    remarks = (*pedigree.attrs["remarks"], *_both_roles(named, set(pedigree["iid"]), source))
    return Parents(ids.to_numpy(np.str_), parents, source, remarks)


def _read(table: TableLike) -> pd.DataFrame:
    """Read a table with a header, or PLINK's .fam, which has none."""
    if isinstance(table, pd.DataFrame) or not str(table).endswith(".fam"):
        text = [spelt(name) for names in _NAMES.values() for name in names for spelt in (str, str.upper, str.title)]
        return read_table(table, "parents", text=text)
    path = check_path(table, "parents")
    rows = {number: line.split() for number, line in numbered_lines(path, "parents").items()}
    frame = read_table(fields_frame(rows, _FAM, path)[["iid", "sire", "dam"]], "parents", text=("sire", "dam"))
    frame.attrs["source"] = str(Path(path))
    return frame


def _column(pedigree: pd.DataFrame, role: str, source: str) -> str:
    """Return the name of the column of sires or dams."""
    found = [name for name in pedigree.columns if str(name).lower() in _NAMES[role]]
    if len(found) != 1:
        raise InputError(
            f"expected columns iid, sire and dam in {source}, got {', '.join(map(str, pedigree.columns))}: "
            f"{'keep one of ' + ', '.join(found) if found else f'add {role}'}"
        )
    return found[0]


def _unknown(names: pd.Series[str]) -> pd.Series[bool]:
    return names.map(lambda name: isinstance(name, str) and _UNKNOWN.fullmatch(name.strip()) is not None).astype(bool)


def _both_roles(named: pd.DataFrame, known: set[str], source: str) -> list[Remark]:
    """Tell which parents are sire of some samples and dam of others."""
    sires, dams = (named[name] for name in named)
    both = pd.Index(sires.dropna()).unique().intersection(pd.Index(dams.dropna()).unique())
    if both.empty:
        return []
    told = f"{source}: {len(both):,} parents are sire of some samples and dam of others or the same ({examples(both)})"
    selfed = sires[sires == dams]
    if selfed.empty:
        way = "right for plants; in animals correct them, or write 0 for an unknown parent"
        return [Remark(f"{told}: {way}", caution=True)]
    if alone := [name for name in selfed.unique() if name not in known]:
        way = f"without a row of their own {examples(alone)}: if that means an unknown parent, write 0"
        return [Remark(f"{told}, {len(selfed):,} samples are selfed, {way}", caution=True)]
    return [Remark(f"{told}, {len(selfed):,} samples are selfed: taken as plants")]

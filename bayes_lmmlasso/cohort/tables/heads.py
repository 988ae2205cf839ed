"""Heads of tables: which columns hold ids, and which have no name.

``fid`` and ``iid`` are the contract, in either case and with or without PLINK's ``#``. A table without ``iid`` may call
it by one of the names that other programs write. A column without a name holds row numbers that a program has added:
it is never used.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from bayes_lmmlasso.cohort.tables.columns import text_values
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.remarks import Remark, examples

__all__ = ["is_id_head", "name_columns", "with_ids_of_index"]

_OTHER_IDS = frozenset(
    "id taxa taxon <trait> sample sample_id sampleid individual individual_id accession accession_id line line_id "
    "line_name genotype genotype_id animal animal_id subject subject_id".split()
)
_UNNAMED = re.compile(r"|Unnamed: \d+(_level_\d+)?")  # as pandas calls them
_ROW_NUMBERS = ("X", "...1", "index", "rownames")  # as others call the column, where it holds row numbers


def is_id_head(head: object) -> bool:
    """Whether a column of this name can hold the ids of samples or families."""
    return _canonical(head) in ("fid", "iid") or _is_other_id(head)


def with_ids_of_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Make columns of the index of a data frame where that holds the ids."""
    told = any(is_id_head(name) and _canonical(name) != "fid" for name in frame.columns)
    if told or not any(is_id_head(name) for name in frame.index.names):
        return frame
    return frame.reset_index(allow_duplicates=True)  # which `name_columns` refuses


def name_columns(frame: pd.DataFrame, source: str) -> tuple[pd.DataFrame, tuple[Remark, ...]]:
    """Call the ids ``fid`` and ``iid``, strip the other names, and leave out columns that have none.

    Raises
    ------
    InputError
        If no column or several may hold the ids, or a name is given twice.
    """
    names = [_canonical(name) for name in frame.columns]
    nameless = [not name or _holds_row_numbers(name, frame.iloc[:, i]) for i, name in enumerate(names)]
    remarks = _nameless_remarks(frame, nameless, source)
    if "iid" not in names:
        others = [i for i, name in enumerate(names) if _is_other_id(name) and not nameless[i]]
        if len(others) != 1:
            raise InputError(_no_ids(frame, names, nameless, [names[i] for i in others], source))
        remarks += (Remark(f"the ids of samples in {source} are those in column {names[others[0]]!r}"),)
        names[others[0]] = "iid"
    kept = [i for i, without in enumerate(nameless) if not without]
    named = frame.iloc[:, kept].set_axis([names[i] for i in kept], axis="columns")
    if not named.columns.is_unique:
        repeated = named.columns[named.columns.duplicated()][0]
        raise InputError(f"expected distinct column names in {source}, got {repeated!r} more than once; rename one")
    return named, remarks


def _canonical(name: object) -> str:
    if name is None or (isinstance(name, float) and name != name):
        return ""
    text = str(name).strip()
    bare = text.lstrip("#").strip().lower()
    if bare in ("fid", "iid"):
        return bare
    return "" if _UNNAMED.fullmatch(text) else text


def _is_other_id(name: object) -> bool:
    return re.sub(r"[ .-]", "_", str(name).strip().lstrip("#").lower()) in _OTHER_IDS


def _holds_row_numbers(name: str, column: pd.Series[Any]) -> bool:
    if name not in _ROW_NUMBERS:
        return False
    numbers = pd.to_numeric(text_values(column), errors="coerce").sort_values().to_list()
    return numbers in (list(range(len(column))), list(range(1, len(column) + 1)))


def _nameless_remarks(frame: pd.DataFrame, nameless: Sequence[bool], source: str) -> tuple[Remark, ...]:
    return tuple(
        Remark(
            f"column {i + 1} of {source} has no name of its own ({examples(held)}) and is not used: name it if it "
            "holds data"
        )
        for i, without in enumerate(nameless)
        if without and (held := _held(frame.iloc[:, i]))
    )


def _held(column: pd.Series[Any]) -> list[str]:
    """Values of a column that are there."""
    return [str(value) for value in column[column.notna()] if str(value).strip()]


def _is_number(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return True


def _no_ids(
    frame: pd.DataFrame, names: Sequence[str], nameless: Sequence[bool], candidates: Sequence[str], source: str
) -> str:
    """Say that the column of ids is not clear, and which it could be."""
    if candidates:
        return (
            f"expected a column 'iid' in {source}, got {' and '.join(map(repr, candidates))}, which may all hold "
            "sample ids; name the right one 'iid'"
        )
    listed = ", ".join(name for name in names if name) or "no column"
    message = f"expected a column 'iid' in {source}, got {listed}"
    if any(_is_number(name) for name in names):
        return f"{message}: is this a row of data? Put a line of names before it, such as fid iid height"
    if len(names):
        first = _held(frame.iloc[:, 0])
        if nameless[0] and first:
            return f"{message} and a first column without a name ({examples(first)}); name the one of sample ids 'iid'"
        if first and len(set(first)) == len(frame) and not all(map(_is_number, first)):
            return f"{message}; name the column of sample ids 'iid': is it {names[0]!r} ({examples(first)})?"
    if not isinstance(frame.index, pd.RangeIndex) and frame.index.inferred_type == "string":
        return f"{message}; the index holds {examples(frame.index)}: if these are the ids, name it 'iid'"
    return f"{message}; name the column of sample ids 'iid' (and the one of family ids 'fid')"

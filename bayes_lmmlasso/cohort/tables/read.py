"""Tables of traits and covariates: text files and data frames in, one tidy frame out.

A table has a header, one row a sample and the columns ``fid`` and ``iid``, or ``iid`` alone. See
`bayes_lmmlasso.cohort.tables.dialect` for the files that are understood, `heads` for the ids and `columns` for what
becomes float64 and what text.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypedDict

import pandas as pd

from bayes_lmmlasso.arguments import check_path
from bayes_lmmlasso.cohort.tables.columns import Column, read_column, text_values
from bayes_lmmlasso.cohort.tables.dialect import split_table
from bayes_lmmlasso.cohort.tables.heads import name_columns, with_ids_of_index
from bayes_lmmlasso.cohort.tables.missing import MissingCodes, is_mark, is_word
from bayes_lmmlasso.cohort.tables.text import numbered_lines
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.remarks import Remark, examples

__all__ = [
    "TableCoding",
    "TableLike",
    "id_columns",
    "read_table",
    "reject_duplicates",
    "use_columns",
    "value_columns",
    "write_table",
]

_IDS = ("fid", "iid")
_NO_FAMILY = "0"
_N_ROWS = 4  # named in a message

TableLike = str | os.PathLike[str] | pd.DataFrame
"""What may be given as a table: its path or the table itself."""


class TableCoding(TypedDict, total=False):
    """How tables of traits and covariates are coded: keyword arguments of every reader.

    Attributes
    ----------
    covariate_names
        Columns of the covariate table to use, in place of all.
    categorical
        Columns whose numbers name groups.
    missing_code
        Further marks of a missing value.
    """

    covariate_names: Sequence[str]
    categorical: Sequence[str]
    missing_code: Sequence[str]


def read_table(
    table: TableLike,
    what: str = "phenotypes",
    text: Sequence[str] = (),
    *,
    categorical: Sequence[str] = (),
    missing_code: Sequence[str] = (),
) -> pd.DataFrame:
    """Read a table of traits or covariates.

    Parameters
    ----------
    table
        Path of a file separated by tabs, commas, semicolons or blanks, also compressed, or a data frame with the same
        columns.
    what
        What the table holds; used in error messages.
    text
        Columns that hold text, such as ids, even where they look like numbers.
    categorical
        Columns whose numbers name groups: they become text.
    missing_code
        Further marks of a missing value.

    Returns
    -------
    pandas.DataFrame
        ``fid`` (if given) and ``iid`` as text; every other column float64 with NaN, or text (object) with
        None for missing. ``.attrs["source"]`` names the origin for later messages, ``.attrs["remarks"]`` is the
        tuple of remarks on its columns. A column that cannot be used as it is, such as numbers with one odd value, is
        text and refused by `use_columns`.

    Raises
    ------
    InputError
        Unreadable, empty or ragged file, no ``iid`` column, a column name given twice, empty or duplicated
        ids.
    """
    if isinstance(table, pd.DataFrame):
        source, row, raw = f"the {what} data frame", "row", with_ids_of_index(table).dropna(how="all")
    else:
        path = check_path(table, what)
        source, row, raw = str(table), "line", split_table(numbered_lines(path, what), path, what)
    raw, remarks = name_columns(raw, source)
    codes = MissingCodes.of(missing_code)
    groups = [categorical] if isinstance(categorical, str) else categorical
    columns = {
        name: _ids(raw[name], source)
        if name in _IDS
        else read_column(raw[name], source, row, text=name in text, categorical=name in groups, codes=codes)
        for name in raw.columns
    }
    tidy = pd.DataFrame({name: column.values for name, column in columns.items()})
    reject_duplicates(tidy, id_columns(tidy), source, "keep one row a sample, such as its mean or BLUE")
    tidy = tidy.reset_index(drop=True)
    tidy.attrs |= {
        "source": source,
        "remarks": (*remarks, *(remark for column in columns.values() for remark in column.remarks)),
        "column_remarks": {name: column.remarks for name, column in columns.items()},
        "refusals": {name: column.refusal for name, column in columns.items() if column.refusal},
    }
    return tidy


def use_columns(table: pd.DataFrame, names: Iterable[str]) -> tuple[Remark, ...]:
    """Check that columns of a table that was read can be used, and return what is told of them and of the table.

    Raises
    ------
    InputError
        If one of them is neither numbers nor groups.
    """
    used = list(names)
    for name in used:
        if refusal := table.attrs["refusals"].get(name):
            raise InputError(refusal)
    unused = {name: remarks for name, remarks in table.attrs["column_remarks"].items() if name not in used}
    others = [remark for remarks in unused.values() for remark in remarks]
    return tuple(remark for remark in table.attrs["remarks"] if remark not in others)


def write_table(table: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write a tab-separated table with ``NA`` for missing; the file appears complete, by rename."""
    target = Path(path)
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        table.to_csv(unfinished, sep="\t", index=False, na_rep="NA")
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def id_columns(table: pd.DataFrame) -> list[str]:
    """Columns that identify a sample: ``fid`` and ``iid``, or ``iid`` alone."""
    return [name for name in ("fid", "iid") if name in table.columns]


def value_columns(table: pd.DataFrame) -> list[str]:
    """Columns that hold traits or covariates."""
    return [name for name in table.columns if name not in ("fid", "iid")]


def reject_duplicates(frame: pd.DataFrame, keys: Sequence[str], source: str, remedy: str = "keep one of them") -> None:
    """Raise InputError if two rows agree in all ``keys``; the frame's index gives the row numbers."""
    ids = frame[list(keys)]
    twice = ids.duplicated()
    if twice.any():
        first = ids[twice].iloc[0]
        rows = ids.index[(ids == first).all(axis=1)]
        n = len(ids[twice].drop_duplicates())
        raise InputError(
            f"expected every sample once in {source}, got {' '.join(keys)} = {' '.join(first)!r} in rows "
            f"{examples(rows, _N_ROWS)}{f' ({n} samples are there more than once)' if n > 1 else ''}; {remedy}"
        )


def _ids(raw: pd.Series[Any], source: str) -> Column:
    """Take ids as text; a family that is not given is none."""
    values = text_values(raw)
    missing = values.map(lambda value: value is None or (is_mark(value) and not is_word(value))).astype(bool)
    if raw.name == "fid":
        return Column(values.mask(missing, _NO_FAMILY))
    if missing.any():
        raise InputError(
            f"expected an id in every row of {source}, got no {raw.name!r} in row {raw.index[missing][0]}; fill it in "
            "or remove the row"
        )
    return Column(values)

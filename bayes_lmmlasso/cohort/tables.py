"""Tables of traits and covariates: text files and data frames in, one tidy frame out.

A table has a header, one row a sample and the columns ``fid`` and ``iid`` (or ``iid`` alone), written in
either case and with or without PLINK's leading ``#``. The header decides the separator: tab, else comma,
else blanks. A column in which every value that is present is a number becomes float64; any other is text.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.arguments import check_path
from bayes_lmmlasso.errors import InputError

__all__ = [
    "NA_TOKENS",
    "TableCoding",
    "TableLike",
    "fields_frame",
    "id_columns",
    "numbered_lines",
    "parse_base_pairs",
    "parse_centimorgans",
    "read_table",
    "reject_duplicates",
    "value_columns",
    "write_table",
]

NA_TOKENS = frozenset({"", ".", "NA", "N/A", "NaN", "nan"})
"""Spellings of a missing value."""

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
        Path of a TSV, CSV or blank-separated file, or a data frame with the same columns.
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
        tuple of remarks on its columns.

    Raises
    ------
    InputError
        Unreadable, empty or ragged file, no ``iid`` column, a column name given twice, empty or duplicated
        ids.
    """
    if isinstance(table, pd.DataFrame):
        source, frame = f"the {what} data frame", table.copy()
    else:
        source, frame = str(table), _parse(check_path(table, what), what)
    names = [_canonical(str(name)) for name in frame.columns]
    frame.columns = pd.Index(names)
    if "iid" not in names:
        raise InputError(
            f"expected a column 'iid' in {source}, got {', '.join(names) or 'no column'}; "
            "name the column of sample ids 'iid' (and the one of family ids 'fid')"
        )
    if not frame.columns.is_unique:
        repeated = frame.columns[frame.columns.duplicated()][0]
        raise InputError(f"expected distinct column names in {source}, got {repeated!r} more than once; rename one")
    columns = {}
    for name in names:
        tokens = _text(frame[name])
        if name in ("fid", "iid") and tokens.isna().any():
            raise InputError(
                f"expected an id in every row of {source}, got no {name!r} in row "
                f"{tokens.index[tokens.isna()][0]}; fill it in or remove the row"
            )
        columns[name] = tokens if name in ("fid", "iid", *text) else _number_or_text(frame[name], tokens)
    tidy = pd.DataFrame(columns)
    reject_duplicates(tidy, id_columns(tidy), source)
    tidy = tidy.reset_index(drop=True)
    tidy.attrs |= {"source": source, "remarks": ()}
    return tidy


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


def reject_duplicates(frame: pd.DataFrame, keys: Sequence[str], source: str) -> None:
    """Raise InputError if two rows agree in all ``keys``; the frame's index gives the row numbers."""
    ids = frame[list(keys)]
    twice = ids.duplicated()
    if twice.any():
        first = ids[twice].iloc[0]
        rows = ", ".join(map(str, ids.index[(ids == first).all(axis=1)]))
        raise InputError(
            f"expected every sample once in {source}, got {' '.join(keys)} = {' '.join(first)!r} in rows "
            f"{rows}; keep one of them"
        )


def numbered_lines(path: Path, what: str) -> dict[int, str]:
    """Lines of a UTF-8 text file that are not blank, by line number."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"expected {what} as UTF-8 text in {path}, got {error}; check the path and the format"
        ) from error
    return {number: line for number, line in enumerate(lines, 1) if line.strip()}


def fields_frame(rows: dict[int, list[str]], header: Sequence[str], path: Path) -> pd.DataFrame:
    """Rows of text fields as a frame with the line numbers as index; each needs one field per column."""
    for number, row in rows.items():
        if len(row) != len(header):
            raise InputError(
                f"expected {len(header)} fields ({' '.join(header[:6])}{' ...' * (len(header) > 6)}), got "
                f"{len(row)} in line {number} of {path}; repair the line"
            )
    return pd.DataFrame(list(rows.values()), columns=list(header), index=list(rows), dtype=object)


def parse_base_pairs(tokens: pd.Series[Any], path: Path) -> NDArray[np.int64]:
    """Base-pair positions as whole numbers; the index of the tokens gives the line numbers."""
    numbers = pd.to_numeric(tokens, errors="coerce")
    bad = numbers.index[numbers.isna() | (numbers % 1 != 0)]
    if len(bad):
        raise InputError(
            f"expected a whole number of base pairs, got {tokens[bad[0]]!r} in line {bad[0]} of {path}; "
            "write 0 where the position is unknown"
        )
    return numbers.to_numpy(np.int64)


def parse_centimorgans(tokens: pd.Series[Any]) -> pd.Series[float]:
    """Positions on the genetic map; what is no number, or negative, is unknown (0)."""
    return pd.to_numeric(tokens, errors="coerce").fillna(0.0).clip(lower=0.0)


def _parse(path: Path, what: str) -> pd.DataFrame:
    """Split a table into text fields."""
    lines = numbered_lines(path, what)
    if len(lines) < 2:
        raise InputError(
            f"expected a header and at least one row of {what}, got {len(lines)} lines in {path}; "
            "check that the file was written completely"
        )
    head = next(iter(lines.values()))
    separator = "\t" if "\t" in head else "," if "," in head else None
    fields = csv.reader(lines.values(), delimiter=separator) if separator else map(str.split, lines.values())
    header, *rows = ([field.strip() for field in row] for row in fields)
    return fields_frame(dict(zip(list(lines)[1:], rows, strict=True)), header, path)


def _canonical(name: str) -> str:
    bare = name.strip().lstrip("#").lower()
    return bare if bare in ("fid", "iid") else name.strip()


def _text(column: pd.Series[Any]) -> pd.Series[Any]:
    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")  # whole numbers beside missing ones: id 12, not 12.0
    values = [None if pd.isna(v) or str(v) in NA_TOKENS else str(v) for v in column]
    return pd.Series(values, index=column.index, dtype=object)


def _number_or_text(column: pd.Series[Any], text: pd.Series[Any]) -> pd.Series[Any]:
    try:
        numbers = pd.to_numeric(column if pd.api.types.is_numeric_dtype(column) else text)
    except ValueError:
        return text
    return pd.Series(numbers.to_numpy(np.float64, na_value=np.nan), index=text.index)

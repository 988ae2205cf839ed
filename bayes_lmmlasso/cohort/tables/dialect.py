"""Dialects of tables: lines to a header and fields.

The header decides the separator: tab, else comma or semicolon (what is there more often), else blanks. Fields may stand
in double quotes. Lines that begin with ``#`` before the header are comments, unless a head of ids follows the mark;
lines of nothing but separators are empty. Where every row has one field more than the header, as R writes it, the
first is the name of the row.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pandas as pd

from bayes_lmmlasso.cohort.tables.heads import is_id_head
from bayes_lmmlasso.cohort.tables.text import fields_frame
from bayes_lmmlasso.errors import InputError

__all__ = ["split_table"]

_BLANK_SEPARATED = re.compile(r'"((?:[^"\\]|\\.|"")*)"(?!\S)|([^\s"]\S*)')
_QUOTED = re.compile(r'"[^"]*"')
_ESCAPED_QUOTE = re.compile(r'\\"|""')


def split_table(lines: dict[int, str], path: Path, what: str) -> pd.DataFrame:
    """Split the lines of a table into text fields.

    Parameters
    ----------
    lines
        By line number, none of them blank.
    path, what
        The file and what it holds, for messages.

    Returns
    -------
    pandas.DataFrame
        One row a line, with its number as index; a column without a name is called "".

    Raises
    ------
    InputError
        No row, a row with too few or too many fields, or a quote that is not closed.
    """
    table = _without_comments(lines)
    separator = _separator(next(iter(table.values()), ""))
    fields = {number: _split(line, separator, f"line {number} of {path}") for number, line in table.items()}
    rows = {number: row for number, row in fields.items() if any(row)}
    if len(rows) < 2:
        raise InputError(
            f"expected a header and at least one row of {what}, got {len(rows)} lines in {path}; "
            "check that the file was written completely"
        )
    header = rows.pop(next(iter(rows)))
    if _has_row_names(header, list(rows.values())):
        header = ["", *header]
    return fields_frame({number: _without_tail(row, len(header)) for number, row in rows.items()}, header, path)


def _without_comments(lines: dict[int, str]) -> dict[int, str]:
    """Leave out comments before the header, and the mark of a comment before its heads."""
    table = dict(lines)
    for number, line in lines.items():
        if not line.startswith("#"):
            break
        bare = line.lstrip("#")
        first, *_ = _split_plainly(bare, _separator(bare)) or [""]
        if is_id_head(first) and (first.lower() in ("fid", "iid") or bare.startswith(first)):  # no "# Sample sheet of"
            table[number] = bare
            break
        del table[number]
    return table


def _separator(head: str) -> str | None:
    bare = _QUOTED.sub("", head)
    best = max("\t" if "\t" in bare else ",;", key=bare.count)
    return best if best in bare else None


def _split_plainly(line: str, separator: str | None) -> list[str]:
    return [field.strip() for field in line.split(separator)]


def _split(line: str, separator: str | None, place: str) -> list[str]:
    """Split a line, with double quotes taken from its fields."""
    if '"' not in line:
        return _split_plainly(line, separator)
    try:
        if separator:
            (fields,) = csv.reader([line], delimiter=separator, skipinitialspace=True, strict=True)
        else:
            fields = _blank_separated(line)
    except csv.Error as error:
        raise InputError(
            f"expected double quotes in pairs around fields, got {error} in {place}; take stray quotes out"
        ) from error
    return [field.strip() for field in fields]


def _blank_separated(line: str) -> list[str]:
    if _BLANK_SEPARATED.sub("", line).strip():
        raise csv.Error("a quote that is not closed")
    return [
        plain or _ESCAPED_QUOTE.sub('"', quoted)
        for quoted, plain in (match.groups(default="") for match in _BLANK_SEPARATED.finditer(line))
    ]


def _has_row_names(header: list[str], rows: list[list[str]]) -> bool:
    """Whether every row has one field more than the header, its first one a name of its own and its last one filled."""
    longer = all(len(row) == len(header) + 1 and row[-1] for row in rows)
    return longer and len({row[0] for row in rows}) == len(rows)


def _without_tail(row: list[str], width: int) -> list[str]:
    """Leave out empty fields beyond those of the header."""
    return row if any(row[width:]) else row[:width]

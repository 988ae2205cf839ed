"""Rows of dosages in text files, plain or compressed."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.tables import NA_TOKENS
from bayes_lmmlasso.cohort.tables.compressed import open_text
from bayes_lmmlasso.errors import InputError

__all__ = ["dosage_row", "split_lines", "text_lines"]

_MISSING = NA_TOKENS | {"N", "NN", "-", "--", "./."}
"""Marks of a missing dosage: those of tables, and those of calls."""


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a UTF-8 text file that are not blank, with their numbers.

    Raises
    ------
    InputError
        If the file cannot be read, is cut short, or ends within a line: its last number may lack digits.
    """
    try:
        with open_text(path) as file:
            for number, line in enumerate(file, 1):
                if not line.endswith("\n"):
                    raise InputError(
                        f"expected a line end after line {number} of {path}, got none: the file may be truncated; copy "
                        "it again, or end the line"
                    )
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(
            f"expected genotypes as text in {path}, got {error}; check the path and that the file was copied completely"
        ) from error


def split_lines(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of each line without quotes; the first line decides the separator: tab, else comma, else blanks.

    Raises
    ------
    InputError
        If a field is longer than a field can be: a quote was not closed.
    """
    separator, first = None, True
    for number, line in lines:
        if first:
            separator, first = "\t" if "\t" in line else "," if "," in line else None, False
        if '"' not in line:
            yield number, [field.strip() for field in line.split(separator)]
            continue
        try:
            fields = next(csv.reader([line], delimiter=separator or " ", skipinitialspace=separator is None))
        except csv.Error as error:
            raise InputError(f"expected quotes in pairs, got {error} in line {number}; repair the line") from error
        yield number, [field.strip() for field in fields if separator or field]


def dosage_row(fields: Sequence[str], n_wanted: int, what: str, place: str) -> NDArray[np.float32]:
    """Return the dosages of one line, NaN for missing.

    Parameters
    ----------
    fields
        The fields that hold dosages.
    n_wanted
        How many there must be.
    what, place
        What they belong to, and the line, for messages.

    Raises
    ------
    InputError
        Another number of fields, or one that is neither a number nor missing.
    """
    if len(fields) != n_wanted:
        raise InputError(
            f"expected {n_wanted} dosages, one for each {what}, got {len(fields)} in {place}; the file is truncated "
            "or the line is broken: write it again"
        )
    try:
        return np.array(fields, dtype=np.float32)
    except ValueError:
        return np.array([np.nan if field in _MISSING else _number(field, place) for field in fields], dtype=np.float32)


def _number(field: str, place: str) -> float:
    try:
        return float(field)
    except ValueError as error:
        raise InputError(f"expected dosages from 0 to 2 or NA, got {field!r} in {place}; recode it") from error

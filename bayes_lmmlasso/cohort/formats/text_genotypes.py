"""Rows of dosages in text files, plain or .gz."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.tables import NA_TOKENS
from bayes_lmmlasso.errors import InputError

__all__ = ["dosage_row", "text_lines"]


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a UTF-8 text file that are not blank, with their numbers.

    Raises
    ------
    InputError
        If the file cannot be read, is a truncated .gz, or ends within a line: its last number may lack digits.
    """
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8-sig")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8-sig") as file
        ):
            for number, line in enumerate(file, 1):
                if not line.endswith("\n"):
                    raise InputError(
                        f"expected a line end after line {number} of {path}, got none: the file may be truncated; copy "
                        "it again, or end the line"
                    )
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise InputError(
            f"expected genotypes as text in {path}, got {error}; check the path and that the file was copied completely"
        ) from error


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
        return np.array([np.nan if field in NA_TOKENS else _number(field, place) for field in fields], dtype=np.float32)


def _number(field: str, place: str) -> float:
    try:
        return float(field)
    except ValueError as error:
        raise InputError(f"expected dosages from 0 to 2 or NA, got {field!r} in {place}; recode it") from error

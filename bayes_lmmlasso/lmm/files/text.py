"""Kinships as plain text: a matrix with or without ids, a triangle, or a list of pairs.

=========================================================  =======================================================
rows by columns, of n samples                              what it is
=========================================================  =======================================================
1, 2, ..., n values a row                                  lower triangle (PLINK)
n + 1 rows of n + 1, the corner no number                  header and row names (R's ``write.csv``, pandas)
first row of n, then n rows of n + 1                       header and row names (R's ``write.table``)
n rows of n + 1                                            row names (GAPIT; TASSEL, which writes n in a line before)
n + 1 rows of n                                            header
3 columns, the first two names                             pairs (GEMMA ``-km 2``)
any other                                                  a matrix without ids
=========================================================  =======================================================

The last line tells the separator: tab, else semicolon, else comma, else blanks.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm.files.pairs import named_pairs
from bayes_lmmlasso.lmm.files.stored import StoredKinship, mirrored
from bayes_lmmlasso.remarks import examples

__all__ = ["parse_text"]

_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+")
_FRACTION = re.compile(r"[-+]?\d*\.\d+([eE][-+]?\d+)?")


class _Rows(Mapping[int, list[str]]):
    """Rows by line number, split into fields when they are asked for: all at once take much memory."""

    def __init__(self, lines: dict[int, str], separator: str | None, path: Path) -> None:
        self.lines, self.separator, self.path = lines, separator, path

    @classmethod
    def of(cls, lines: dict[int, str], path: Path) -> _Rows:
        """Find the separator of some lines."""
        if not lines:
            raise InputError(f"{path}: expected a kinship matrix, got an empty file: write it again")
        last = lines[max(lines)]
        separator = next((mark for mark in "\t;," if mark in last), None)
        if separator == "," and re.search(r"\d,\d+ +[-+]?\d+,\d", last):
            separator = None  # decimal commas between blanks
        return cls(lines, separator, path)

    def __getitem__(self, number: int) -> list[str]:
        line = self.lines[number]
        if '"' not in line:
            return [field.strip() for field in line.split(self.separator)]
        reader = csv.reader([line], delimiter=self.separator or " ", skipinitialspace=True, strict=True)
        try:
            return [field.strip() for field in next(reader)]
        except csv.Error as error:
            raise InputError(f"{self.path}: expected a table, got a stray quote in line {number}: remove it") from error

    def __iter__(self) -> Iterator[int]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def first(self) -> list[str]:
        """The first row."""
        return self[next(iter(self.lines))]

    @property
    def rest(self) -> _Rows:
        """All rows but the first."""
        return _Rows(dict(islice(self.lines.items(), 1, None)), self.separator, self.path)


def parse_text(lines: dict[int, str], path: Path) -> StoredKinship:
    """Return the matrix of a text, and its ids where it has some.

    Raises
    ------
    InputError
        If it is in none of the forms above.
    """
    rows = _Rows.of(lines, path)
    lengths = [len(row) for row in rows.values()]
    m, last = len(rows), lengths[-1]
    if m > 2 and lengths[0] == 1 and lengths[1] == m and rows.first[0] == str(m - 1):
        rows, lengths, m = rows.rest, lengths[1:], m - 1  # without TASSEL's number of samples
    numbers = list(rows)
    if m > 1 and lengths == list(range(1, m + 1)):
        return StoredKinship(_triangle(rows, path), None)
    if set(lengths[1:]) <= {last} and lengths[0] == last - 1 == m - 1:
        return _with_header(rows, rows.first, path)
    if set(lengths) != {last}:
        odd = next(i for i, length in enumerate(lengths) if length != last)
        raise InputError(
            f"{path}: expected rows of one length, got {lengths[odd]} values in line {numbers[odd]} and {last} in line "
            f"{numbers[-1]}: write a square matrix, or a lower triangle, of which row i has i values"
        )
    return _even(rows, last, path)


def _even(rows: _Rows, width: int, path: Path) -> StoredKinship:
    """Return what rows of one length hold."""
    m, first = len(rows), rows.first
    if width == 3 and (m > 4 or not any(_is_value(name) for row in rows.rest.values() for name in row[:2])):
        pairs = rows if _is_value(first[2]) else rows.rest
        if pairs:
            return named_pairs(pairs, _numbers(pairs, 2, path)[:, 0], path)
    if width == m > 1 and not _is_value(first[0]):
        return _with_header(rows, first[1:], path)
    if width == m + 1 and not _values_among(names := [row[0] for row in rows.values()]):
        return StoredKinship(mirrored(_numbers(rows, 1, path)), _frame(names, list(rows), path))
    if width == m - 1 and not _values_among(first):
        return StoredKinship(mirrored(_numbers(rows.rest, 0, path)), _frame(first, range(1, m), path))
    return StoredKinship(mirrored(_numbers(rows, 0, path)), None)


def _with_header(rows: _Rows, header: list[str], path: Path) -> StoredKinship:
    """Return a matrix with names of rows and columns, the columns in the order of the rows."""
    names = [row[0] for row in rows.rest.values()]
    ids, matrix = _frame(names, list(rows.rest), path), _numbers(rows.rest, 1, path)
    if header != names:
        if sorted(header) != sorted(names) or len(set(names)) < len(names):
            odd = next((name for name in names if name not in header), names[0])
            raise InputError(
                f"{path}: expected the names of the rows to be those of the columns, got row {odd!r} and columns "
                f"{examples(header)}: write the ids in both (R: dimnames(K) <- list(ids, ids))"
            )
        matrix = matrix[:, pd.Index(header).get_indexer(pd.Index(names))]
    return StoredKinship(mirrored(matrix), ids)


def _triangle(rows: Mapping[int, list[str]], path: Path) -> NDArray[np.float64]:
    matrix = np.zeros((len(rows), len(rows)))
    for i, (number, row) in enumerate(rows.items()):
        matrix[i, : i + 1] = _numbers({number: row}, 0, path)[0]
    return np.asarray(matrix + np.tril(matrix, -1).T)


def _numbers(rows: Mapping[int, list[str]], start: int, path: Path) -> NDArray[np.float64]:
    """Return the fields of rows from a column on as numbers."""
    matrix = np.empty((len(rows), len(next(iter(rows.values()))) - start))
    for i, (number, row) in enumerate(rows.items()):
        fields = row[start:]
        try:
            matrix[i] = np.array(fields, dtype=np.float64)
            plain = "_" not in "".join(fields)  # 1_0 passes for 10 in Python alone
        except ValueError:
            plain = False
        if not plain:
            bad = ((k, field) for k, field in enumerate(fields, start + 1) if not _is_number(field))
            column, value = next(bad, (start + 1, fields[0]))
            comma = ": write decimal points, not commas" if _DECIMAL_COMMA.fullmatch(value) else ""
            raise InputError(
                f"{path}: expected a number, got {value!r} in line {number}, column {column}"
                f"{comma or ': write the matrix again, with ids in the first row and column or nowhere'}"
            )
    return matrix


def _frame(names: Sequence[str], index: Sequence[int] | range, path: Path) -> pd.DataFrame:
    """Return names as ids."""
    if values := _values_among(names):
        raise InputError(
            f"{path}: expected a square matrix, or ids in its first row or column, got {examples(values)} there: "
            "write it again, with one row and one column for each sample"
        )
    if "" in names:
        raise InputError(f"{path}: expected an id for each sample, got an empty one: fill it in")
    return pd.DataFrame({"iid": list(names)}, index=list(index), dtype=object)


def _values_among(names: Sequence[str]) -> list[str]:
    """Return names that are fractions, and so no names."""
    return [name for name in names if _FRACTION.fullmatch(name)]


def _is_value(text: str) -> bool:
    """Whether a field is meant as a number, with a decimal comma perhaps."""
    return _is_number(text) or _DECIMAL_COMMA.fullmatch(text) is not None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text

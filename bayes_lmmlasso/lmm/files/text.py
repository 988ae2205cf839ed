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
from collections.abc import Sequence
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


def parse_text(lines: dict[int, str], path: Path) -> StoredKinship:
    """Return the matrix of a text, and its ids where it has some.

    Raises
    ------
    InputError
        If it is in none of the forms above.
    """
    rows = _split(lines, path)
    numbers, lengths = list(rows), [len(row) for row in rows.values()]
    m, last = len(rows), lengths[-1]
    if m > 2 and lengths[0] == 1 and lengths[1] == m and rows[numbers[0]][0] == str(m - 1):
        del rows[numbers[0]]  # TASSEL's number of samples
        numbers, lengths, m = numbers[1:], lengths[1:], m - 1
    if m > 1 and lengths == list(range(1, m + 1)):
        return StoredKinship(_triangle(rows, path), None)
    if set(lengths[1:]) <= {last} and lengths[0] == last - 1 == m - 1:
        return _with_header(rows, rows[numbers[0]], path)
    if set(lengths) != {last}:
        odd = next(i for i, length in enumerate(lengths) if length != last)
        raise InputError(
            f"{path}: expected rows of one length, got {lengths[odd]} values in line {numbers[odd]} and {last} in line "
            f"{numbers[-1]}: write a square matrix, or a lower triangle, of which row i has i values"
        )
    return _even(rows, last, path)


def _even(rows: dict[int, list[str]], width: int, path: Path) -> StoredKinship:
    """Return what rows of one length hold."""
    m, first = len(rows), next(iter(rows.values()))
    if width == 3 and (m > 4 or not any(_is_value(name) for row in list(rows.values())[1:] for name in row[:2])):
        pairs = rows if _is_value(first[2]) else dict(list(rows.items())[1:])
        if pairs:
            return named_pairs(pairs, _numbers(pairs, 2, path)[:, 0], path)
    if width == m > 1 and not _is_value(first[0]):
        return _with_header(rows, first[1:], path)
    names = [row[0] for row in rows.values()]
    if width == m + 1 and not _values_among(names):
        return StoredKinship(mirrored(_numbers(rows, 1, path)), _frame(names, list(rows), path))
    if width == m - 1 and not _values_among(first):
        body = dict(list(rows.items())[1:])
        return StoredKinship(mirrored(_numbers(body, 0, path)), _frame(first, range(1, m), path))
    return StoredKinship(mirrored(_numbers(rows, 0, path)), None)


def _with_header(rows: dict[int, list[str]], header: Sequence[str], path: Path) -> StoredKinship:
    """Return a matrix with names of rows and columns, the columns in the order of the rows."""
    body = dict(list(rows.items())[1:])
    names = [row[0] for row in body.values()]
    ids, matrix = _frame(names, list(body), path), _numbers(body, 1, path)
    order = pd.Index(header).get_indexer(pd.Index(names)) if len(set(header)) == len(header) else np.array([-1])
    if (order < 0).any() and list(header) != names:
        odd = next(i for i, name in enumerate(names) if name not in header) if set(names) - set(header) else 0
        raise InputError(
            f"{path}: expected the names of the rows to be those of the columns, got row {names[odd]!r} and columns "
            f"{examples(header)}: write the ids in both (R: dimnames(K) <- list(ids, ids))"
        )
    return StoredKinship(mirrored(matrix if list(header) == names else matrix[:, order]), ids)


def _split(lines: dict[int, str], path: Path) -> dict[int, list[str]]:
    """Split lines into fields."""
    if not lines:
        raise InputError(f"{path}: expected a kinship matrix, got an empty file: write it again")
    last = lines[max(lines)]
    separator = next((mark for mark in "\t;," if mark in last), None)
    if separator == "," and re.search(r"\d,\d+ +[-+]?\d+,\d", last):
        separator = None  # decimal commas between blanks
    if any('"' in line for line in lines.values()):
        reader = csv.reader(lines.values(), delimiter=separator or " ", skipinitialspace=True)
        try:
            fields = [[field.strip() for field in row] for row in reader]
        except csv.Error as error:
            raise InputError(f"{path}: expected a table, got one with a stray quote ({error}): remove it") from error
        if len(fields) != len(lines):
            raise InputError(f"{path}: expected one row a line, got a quote that is never closed: remove it")
        return dict(zip(lines, fields, strict=True))
    return {number: [field.strip() for field in line.split(separator)] for number, line in lines.items()}


def _triangle(rows: dict[int, list[str]], path: Path) -> NDArray[np.float64]:
    matrix = np.zeros((len(rows), len(rows)))
    for i, (number, row) in enumerate(rows.items()):
        matrix[i, : i + 1] = _numbers({number: row}, 0, path)[0]
    return np.asarray(matrix + np.tril(matrix, -1).T)


def _numbers(rows: dict[int, list[str]], start: int, path: Path) -> NDArray[np.float64]:
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
            column, value = next((k, field) for k, field in enumerate(fields, start + 1) if not _is_number(field))
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

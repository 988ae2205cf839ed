"""Text files: bytes to numbered lines, lines to frames of text fields.

A file may be compressed, starts with any byte order mark and ends its lines in LF, CR or both. What is no text, or
text in another encoding than UTF-8 or UTF-16, is told by name.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.tables.compressed import open_bytes
from bayes_lmmlasso.errors import InputError

__all__ = ["fields_frame", "numbered_lines", "parse_base_pairs", "parse_centimorgans"]

_ENCODINGS = {  # that of 32 bits first, as its mark starts with the one of 16
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8-sig",
}
_NO_TEXT = {
    b"PK\x03\x04": "a spreadsheet (.xlsx, .ods) or another zip archive; save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "a spreadsheet (.xls); save the sheet as CSV",
    b"PAR1": "a Parquet file; write it as CSV, or pass it as a data frame",
    b"ARROW1": "a Feather file; write it as CSV, or pass it as a data frame",
    b"BZh": "a .bz2 file; unpack it",
    b"\xfd7zXZ": "an .xz file; unpack it",
    b"%PDF": "a PDF; save the table as CSV",
}
_FARTHEST = 1 << 40  # bp, beyond any chromosome
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def numbered_lines(path: Path, what: str) -> dict[int, str]:
    """Lines of a text file that are not blank, by line number."""
    try:
        with open_bytes(path) as file:
            data = file.read()
    except OSError as error:
        raise InputError(
            f"expected {what} as UTF-8 text in {path}, got {error.strerror or error}; check the path and the format"
        ) from error
    text = _decoded(data, path, what).replace("\r\n", "\n").replace("\r", "\n")
    return {number: line for number, line in enumerate(text.split("\n"), 1) if line.strip()}


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
    bad = numbers.index[numbers.isna() | (numbers % 1 != 0) | (numbers.abs() > _FARTHEST)]
    if len(bad):
        raise InputError(
            f"expected a whole number of base pairs, got {tokens[bad[0]]!r} in line {bad[0]} of {path}; "
            "write 0 where the position is unknown"
        )
    return numbers.to_numpy(np.int64)


def parse_centimorgans(tokens: pd.Series[Any]) -> pd.Series[float]:
    """Positions on the genetic map; what is no number, or negative, is unknown (0)."""
    return pd.to_numeric(tokens, errors="coerce").fillna(0.0).clip(lower=0.0)


def _decoded(data: bytes, path: Path, what: str) -> str:
    expected = f"expected {what} as UTF-8 text in {path}, got"
    for start, kind in _NO_TEXT.items():
        if data.startswith(start):
            raise InputError(f"{expected} {kind}")
    encoding = next((name for mark, name in _ENCODINGS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        place = f"in line {data.count(b'\n', 0, error.start) + 1}"
        if encoding != "utf-8" or _CONTROL.search(data):
            raise InputError(
                f"{expected} no text {place} ({error.reason}); check the format and copy it again"
            ) from error
        raise InputError(
            f"{expected} the byte 0x{data[error.start]:02x} {place}, as in Latin-1 or Windows text; save it as UTF-8, "
            "for instance by `iconv -f latin1 -t utf-8`"
        ) from error
    if "\0" in text:
        place = f"in line {text.count('\n', 0, text.index('\0')) + 1}"
        raise InputError(f"{expected} a zero byte {place}, as in binary files; check the format, or save it as UTF-8")
    return text

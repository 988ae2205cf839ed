"""The lines of a text file, compressed or not, and the ids in the file beside a matrix."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pandas as pd

from bayes_lmmlasso.cohort.tables import fields_frame
from bayes_lmmlasso.errors import InputError

__all__ = ["ids_beside", "read_ids", "read_lines"]

_GZIP, _ZSTD, _UTF_16 = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", (b"\xff\xfe", b"\xfe\xff")


def read_lines(path: Path, what: str) -> dict[int, str]:
    """Return the lines that hold something, by number, without what TASSEL writes after ``##``.

    Raises
    ------
    InputError
        If the file cannot be read as text.
    """
    if not path.is_file():
        raise InputError(f"expected {what} in {path}, which does not exist: check the path, or write them again")
    try:
        data = path.read_bytes()
        if data.startswith(_GZIP):
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"expected {what} in {path}, got {error}: check the path and copy the file again") from error
    if data.startswith(_ZSTD):
        raise InputError(
            f"expected {what} as text in {path}, got Zstandard data: unpack it (zstd -d) and give that file"
        )
    if data.startswith(_UTF_16):
        raise InputError(f"expected {what} as UTF-8 text in {path}, got UTF-16: save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"expected {what} as UTF-8 text in {path}, got byte {data[error.start]:#04x} at position {error.start}: "
            "write it as text, in R with write.csv(K, FILE)"
        ) from error
    lines = {number: line.rstrip() for number, line in enumerate(text.split("\n"), 1)}
    return {number: line for number, line in lines.items() if line and not line.startswith("##")}


def ids_beside(path: Path) -> Path:
    """Return where PLINK, GCTA and LDAK write the ids of a matrix: ``k.rel.id`` for ``k.rel``, ``k.rel.bin``."""
    name = path.name.removesuffix(".gz")
    return path.with_name(f"{name.removesuffix('.bin').removesuffix('.raw')}.id")


def read_ids(path: Path) -> pd.DataFrame:
    """Read the ids of a matrix: fid and iid a line, or iid alone; PLINK 2 may write a header.

    Returns
    -------
    pandas.DataFrame
        ``fid`` (if given) and ``iid`` as text, with line numbers as index.

    Raises
    ------
    InputError
        If the file is missing, empty or ragged.
    """
    lines = {number: line.split() for number, line in read_lines(path, "the ids of a kinship matrix").items()}
    if not lines:
        raise InputError(f"{path}: expected a line `fid iid` for each sample, got none: write the matrix again")
    first = next(iter(lines))
    names = [name.lstrip("#").lower() for name in lines[first]]
    if "iid" in names:
        del lines[first]
    else:
        names = ["iid"] if len(names) == 1 else ["fid", "iid"]
    if not lines or len(set(names)) < len(names):
        raise InputError(f"{path}: expected a line `fid iid` for each sample, got none: write the matrix again")
    return fields_frame(lines, names, path)[[name for name in ("fid", "iid") if name in names]]

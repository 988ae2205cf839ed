"""Text files of a run: tab separated, ``NA`` for missing, six significant digits, complete or absent."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.integrity import sync
from bayes_lmmlasso.settings import Settings

__all__ = [
    *("PRIORS", "RECORD", "OutputFile", "json_text", "priors_of", "read_tsv", "write_json", "write_text", "write_tsv"),
]

RECORD = "run.json"
"""What a run says of itself."""
PRIORS = "priors.tsv"
"""Its priors side by side, if it has several."""

_ROWS = 10_000  # whose text is in memory at a time
_TEXT = frozenset(
    {"chrom", "snp", "effect_allele", "other_allele", "top_snp", "snps", "parameter", "duplicate_of", "fid", "iid"}
    | {"trait"}
)


def priors_of(record: Mapping[str, Any]) -> list[str]:
    """Return the priors that the record of a run names, the first one that of its tables."""
    return str(record["arguments"].get("model", "")).split(",")


def write_tsv(table: pd.DataFrame, path: Path, *, lasting: bool = False) -> None:
    """Write a table as `write_text` does."""
    write_text(_lines(table), path, lasting=lasting)


def read_tsv(path: Path) -> pd.DataFrame:
    """Read a table that `write_tsv` wrote; ids stay text.

    Raises
    ------
    InputError
        If there is no such file.
    """
    try:
        with path.open(encoding="utf-8") as file:
            header = file.readline().rstrip("\n").split("\t")
    except OSError as error:
        raise InputError(
            f"expected a table of a finished run at {path}, got {error.strerror}: "
            "name the folder of a `bayes-lmmlasso run`"
        ) from error
    numbers = [name for name in header if name not in _TEXT]
    return pd.read_csv(
        path,
        sep="\t",
        dtype={name: str for name in header if name in _TEXT},
        na_values={name: ["NA"] for name in numbers},
        keep_default_na=False,
    )


def write_json(record: Mapping[str, Any], path: Path) -> None:
    """Write a record of plain values; NaN and infinities become null."""
    write_text(json_text(record) + "\n", path)


def json_text(record: Mapping[str, Any]) -> str:
    """Return the text of a record."""
    return json.dumps(_plain(record), indent=2, allow_nan=False, ensure_ascii=False)


def write_text(text: str | Iterable[str], path: Path, *, lasting: bool = False) -> None:
    """Write a text, or one part after the other, to a file in UTF-8; it appears complete, by rename.

    What is ``lasting`` is on the disk before: a power cut then leaves it, or what was there.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines([text] if isinstance(text, str) else text)
        if lasting:
            sync(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@dataclass(frozen=True)
class OutputFile:
    """A table to be written when the work is done, checked before it starts; beside it NAME.log says what it is of.

    Raises
    ------
    InputError
        If the path is a folder or its folder does not exist.
    """

    path: Path

    def __post_init__(self) -> None:
        if self.path.is_dir():
            raise InputError(f"expected a file name for --out, got the folder {self.path}: add a file name")
        if not self.path.absolute().parent.is_dir():
            raise InputError(
                f"expected a file in an existing folder for --out, got {self.path}: create the folder first"
            )

    @property
    def log(self) -> Path:
        """The file beside the table."""
        return self.path.with_name(f"{self.path.name}.log")

    def write(self, table: pd.DataFrame, about: Sequence[str]) -> list[str]:
        """Write the table and what is said about it, in place of what was there, and return that and where they are."""
        write_text("".join(f"{line}\n" for line in about), self.log, lasting=True)
        write_tsv(table, self.path, lasting=True)
        return [*about, f"table: {self.path}"]


def _lines(table: pd.DataFrame) -> Iterator[str]:
    """Return the text of a table, some rows at a time."""
    floats = [str(name) for name in table if pd.api.types.is_float_dtype(table[name])]
    for start in range(0, max(1, len(table)), _ROWS):
        rows = table.iloc[start : start + _ROWS]
        rows = rows.assign(**{name: _digits(rows[name]) for name in floats})
        yield rows.to_csv(sep="\t", index=False, header=start == 0, na_rep="NA", lineterminator="\n")


def _digits(column: pd.Series) -> list[str]:
    """Format numbers, several times faster than pandas does."""
    return ["NA" if math.isnan(value) else f"{value:.6g}" for value in column.tolist()]


def _plain(value: Any) -> Any:
    """Return what JSON can hold: NumPy scalars unpacked, NaN and infinities as None."""
    if isinstance(value, Settings):
        value = dict(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value

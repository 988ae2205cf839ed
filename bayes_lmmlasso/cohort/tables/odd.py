"""Odd values in a column of numbers: what they were meant as, and the ways out.

Numbers with a decimal comma or with a unit, dates and complex numbers are meant as numbers; other text is not.
"""

from __future__ import annotations

import re
import shlex
from typing import Any

import pandas as pd

__all__ = ["count_meant", "refusal_of_odd"]

_KINDS = (
    (
        re.compile(r"[+-]?(\d*,\d+([eE][+-]?\d+)?|\d{1,3}(?:[ ',.\u00a0\u202f]\d{3})+([.,]\d+)?)"),
        "a decimal comma or a separator of thousands",
        "write 1.5 for 1,5 and 1000 for 1,000",
    ),
    (
        re.compile(r"(\d{4}([-/.])\d{1,2}\2\d{1,2}|\d{1,2}([-/.])\d{1,2}\3(\d{4}|\d{2}))([T ]\d{1,2}:.*)?"),
        "a date",
        "give it as a number, such as days since the first",
    ),
    (
        re.compile(r"\(?([+-]?[\d.]+(e[+-]?\d+)?[+-])?[\d.]+(e[+-]?\d+)?j\)?", re.IGNORECASE),
        "a complex number",
        "give its parts as columns of their own",
    ),
    (
        re.compile(
            r"[+-]?(\d+\.?\d*|\.\d+)(\s*(%|°C?|[cmkµu]m|[mkµu]g|[mdcµu]l|ha|days?|weeks?|months?|years?|yrs?|min)"
            r"|\s+[mgtlhsd])"
        ),
        "a number with a unit",
        "give the number alone",
    ),
)


def count_meant(odd: pd.Series[Any]) -> int:
    """Count values that are no numbers but were meant as such."""
    return sum(_kind(token) is not None for token in odd)


def refusal_of_odd(odd: pd.Series[Any], name: str, where: str, row: str) -> str:
    """Say which value of a column is no number, and what to do.

    Parameters
    ----------
    odd
        The values that are no numbers, by number or label of their row.
    name, where
        The column and its table.
    row
        What rows are called.
    """
    token = odd.iloc[0]
    named, remedy = _kind(token) or ("", "")
    got = f"{token!r}{f' ({named})' if named else ''} in {row} {odd.index[0]}"
    more = f" (and {len(odd) - 1} more)" if len(odd) > 1 else ""
    missing = f"correct it, give `--missing-code {shlex.quote(token)}` if it means a missing value"
    return (
        f"expected numbers in column {name!r} of {where}, got {got}{more}: {remedy or missing}, or give `--categorical "
        f"{shlex.quote(name)}` if the values name groups"
    )


def _kind(token: str) -> tuple[str, str] | None:
    """Name what a token was meant as, with the remedy; None if it was not meant as a number."""
    return next(((name, remedy) for pattern, name, remedy in _KINDS if pattern.fullmatch(token)), None)

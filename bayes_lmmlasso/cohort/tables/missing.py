"""What means a missing value, in every text that is read.

Marks are one list, in which upper and lower case are the same. The number -9 is missing as in PLINK, where all other
numbers are 0 or more, or where it occurs twice or more and lies below them all; with -9 beside 1 and 2, as cases and
controls are coded, 0 is missing as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.remarks import Remark

__all__ = ["NA_TOKENS", "MissingCodes", "is_mark", "is_word", "without_codes"]

_PLINK = -9.0

_MARKS = ("", ".", "NA", "N/A", "N.A.", "NaN", "-NaN", "NaT", "#N/A", "#N/A N/A", "#NA", "<NA>", "NULL")
_WORDS = ("-", "--", "---", "?", "*", "None", "missing", "unknown", "not available")  # these may be levels or ids
_FOLDED_WORDS = frozenset(word.casefold() for word in _WORDS)
_FOLDED = _FOLDED_WORDS | {mark.casefold() for mark in _MARKS}

NA_TOKENS = frozenset(
    spelling for mark in _MARKS + _WORDS for spelling in (mark, mark.lower(), mark.upper(), mark.capitalize())
)
"""Spellings of a missing value, for readers that look up many tokens."""


def is_mark(token: str) -> bool:
    """Whether a token without blanks around it means a missing value."""
    return token.casefold() in _FOLDED


def is_word(token: str) -> bool:
    """Whether a token means a missing value among numbers, but may be a name among names."""
    return token.casefold() in _FOLDED_WORDS


@dataclass(frozen=True)
class MissingCodes:
    """Further marks, which the user has named: as they are written, and their values where they are numbers."""

    spellings: frozenset[str]
    numbers: tuple[float, ...]

    @classmethod
    def of(cls, codes: Iterable[object]) -> MissingCodes:
        """Take one code or several."""
        spellings = frozenset(str(code).strip() for code in ([codes] if isinstance(codes, str) else codes))
        return cls(spellings, tuple(number for number in map(_number, spellings) if not math.isnan(number)))


def without_codes(
    values: NDArray[np.float64], what: str, codes: MissingCodes
) -> tuple[NDArray[np.float64], tuple[Remark, ...]]:
    """Make numbers that mean missing NaN.

    Parameters
    ----------
    values
        ``(n,)`` numbers of a column.
    what
        The column, for messages.
    codes
        What the user has named.

    Returns
    -------
    ndarray of float, shape (n,)
    tuple of Remark
        What is told about the codes of PLINK.
    """
    values = np.where(np.isin(values, codes.numbers), np.nan, values)
    coded = values == _PLINK
    n, others = int(coded.sum()), values[~coded & ~np.isnan(values)]
    case_control = {1.0, 2.0} <= set(others) and bool(np.isin(others, [0, 1, 2]).all())
    n_zero = int((others == 0).sum()) if case_control else 0
    if n and n_zero:
        text = f"-9 and 0 are taken as missing in {what}, as PLINK does ({n + n_zero} of {len(values)} values)"
        return np.where(coded | (values == 0), np.nan, values), (Remark(text, caution=True),)
    if n_zero:
        text = f"{what} has the values 0, 1 and 2, taken as they are: if 0 means missing, give `--missing-code 0`"
        return values, (Remark(text, caution=True),)
    negative = bool((others < 0).any())
    if n == 0 or (negative and (n < 2 or others.min() < _PLINK)):
        return values, ()
    text = f"-9 is taken as missing in {what}, as PLINK does ({n} of {len(values)} values)"
    return np.where(coded, np.nan, values), (Remark(text, caution=negative),)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan

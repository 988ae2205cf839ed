"""The marks of a missing value, one list for every text that is read; upper and lower case are the same."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["NA_TOKENS", "MissingCodes", "is_mark", "is_word"]

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


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan

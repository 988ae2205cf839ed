"""Columns of a table: numbers or text, said by the values and never by a single odd one.

A column is one of numbers if most of its values that are present are written as numbers. If some are not, or it holds
dates, decimal commas, units or complex numbers, it cannot be used as it is: the refusal is kept until somebody wants to
use it. A column without numbers is text. Declared groups (a category, or a column that the user names) are text, truth
values 1 and 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.tables.missing import MissingCodes, is_mark, is_word, without_codes
from bayes_lmmlasso.cohort.tables.odd import count_meant, refusal_of_odd
from bayes_lmmlasso.remarks import Remark, examples

__all__ = ["Column", "read_column", "text_values"]

_REFUSED_KINDS = {"c": "complex numbers", "M": "dates", "m": "durations"}
_TRUTH = {"true": "1", "false": "0"}
_WHOLE = re.compile(r"([+-]?\d+)\.0+")


@dataclass(frozen=True, eq=False)
class Column:
    """A column as it was taken.

    Attributes
    ----------
    values
        float64 with NaN for missing, or text (object) with None.
    remarks
        What is told about it when it is used.
    refusal
        Why it cannot be used; "" if it can.
    """

    values: pd.Series[Any]
    remarks: tuple[Remark, ...] = ()
    refusal: str = ""


def read_column(
    raw: pd.Series[Any], where: str, row: str, *, text: bool, categorical: bool, codes: MissingCodes
) -> Column:
    """Say what a column holds.

    Parameters
    ----------
    raw
        Its values, by number or label of their row; its name is that of the column.
    where
        The table, for messages.
    row
        What its rows are called.
    text
        Whether its values are names, whatever they look like.
    categorical
        Whether the user says that its values name groups.
    codes
        Further marks of a missing value.
    """
    what = f"column {raw.name!r} of {where}"
    if not (text or categorical):
        if kind := _refused_kind(raw):
            refusal = f"expected numbers or text in {what}, got {kind}; leave it out or make numbers of it"
            return Column(text_values(raw), refusal=refusal)
        if pd.api.types.is_numeric_dtype(raw):  # truth values as well
            numbers, remarks = without_codes(raw.to_numpy(np.float64, na_value=np.nan), what, codes)
            return Column(pd.Series(numbers, index=raw.index), remarks)
    tokens = text_values(raw)
    words = [token for token in tokens if token is not None and is_word(token) and token not in codes.spellings]
    tokens = _without(tokens, [token is None or is_mark(token) or token in codes.spellings for token in tokens])
    if text:
        return Column(tokens)
    parsed = pd.to_numeric(_truth_as_digits(tokens), errors="coerce").to_numpy(np.float64, na_value=np.nan)
    numbers, remarks = without_codes(parsed, what, codes)
    odd = tokens[tokens.notna() & np.isnan(parsed)]
    if not categorical and not isinstance(raw.dtype, pd.CategoricalDtype):
        if odd.empty:
            return Column(pd.Series(numbers, index=raw.index), remarks)
        n = tokens.notna().sum()
        if 2 * (n - len(odd) + count_meant(odd)) > n:
            return Column(tokens, refusal=refusal_of_odd(odd, str(raw.name), where, row))
    return Column(
        _groups(_without(tokens, np.isnan(numbers) & ~np.isnan(parsed))), remarks + _told(words, len(raw), what)
    )


def text_values(raw: pd.Series[Any]) -> pd.Series[Any]:
    """Values as text without blanks around it, None for missing; whole numbers as such (id 12, not 12.0)."""
    values = [None if missing else _text(value) for value, missing in zip(raw, raw.isna(), strict=True)]
    return pd.Series(values, index=raw.index, dtype=object)


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _without(tokens: pd.Series[Any], gone: Sequence[bool] | NDArray[np.bool_]) -> pd.Series[Any]:
    """Make values missing."""
    left = [None if without else token for token, without in zip(tokens, gone, strict=True)]
    return pd.Series(left, index=tokens.index, dtype=object)


def _truth_as_digits(tokens: pd.Series[Any]) -> pd.Series[Any]:
    """Write 1 and 0 for true and false in a column of nothing else."""
    if set(tokens.dropna().str.lower()) <= set(_TRUTH):
        return tokens.map(lambda token: _TRUTH[token.lower()], na_action="ignore")
    return tokens


def _refused_kind(raw: pd.Series[Any]) -> str:
    """Name a type of data frames that is neither number nor text."""
    return "dates" if isinstance(raw.dtype, pd.PeriodDtype) else _REFUSED_KINDS.get(raw.dtype.kind, "")


def _groups(tokens: pd.Series[Any]) -> pd.Series[Any]:
    """Names of groups, those that are whole numbers without a point."""
    names = [whole[1] if token and (whole := _WHOLE.fullmatch(token)) else token for token in tokens]
    return pd.Series(names, index=tokens.index, dtype=object)


def _told(words: Sequence[str], n: int, what: str) -> tuple[Remark, ...]:
    """Tell that words that might name groups were taken as missing."""
    if not words:
        return ()
    text = (
        f"{examples(sorted(set(words)))} ({len(words)} of {n} values) is taken as missing in {what}: if it names a "
        "group, call that otherwise"
    )
    return (Remark(text, caution=True),)

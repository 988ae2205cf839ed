"""Checks of what kind of thing an argument is: the wrong object is told at the door, not deep within."""

from __future__ import annotations

import math
import os
from numbers import Real
from pathlib import Path
from typing import Any

from bayes_lmmlasso.errors import InputError

__all__ = ["check_count", "check_number", "check_path", "check_type", "named"]

_LONGEST = 60  # characters of a value in a message


def check_type[T](value: object, kind: type[T], what: str, remedy: str) -> T:
    """Return an argument of a type.

    Parameters
    ----------
    value, kind
        The argument and the type that it must have.
    what
        What is expected, with its article.
    remedy
        What to do.

    Raises
    ------
    InputError
        If it has another type.
    """
    if not isinstance(value, kind):
        raise InputError(f"expected {what}, got {named(value)}: {remedy}")
    return value


def check_path(path: object, what: str) -> Path:
    """Return a path.

    Raises
    ------
    InputError
        If it is neither text nor a path.
    """
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"expected the path of {what}, got {named(path)}: pass text or a pathlib.Path")
    return Path(path)


def check_count(value: object, what: str, least: int = 1) -> int:
    """Return a whole number.

    Raises
    ------
    InputError
        If it is none, or below the least.
    """
    number = check_number(value, what)
    if number != int(number) or number < least:
        raise InputError(f"expected {what} >= {least}, got {value}: give a whole number")
    return int(number)


def check_number(value: object, what: str) -> float:
    """Return a finite number.

    Raises
    ------
    InputError
        If it is none.
    """
    if not isinstance(value, Real) or not math.isfinite(float(value)):
        raise InputError(f"expected a finite number for {what}, got {named(value)}: give one")
    return float(value)


def named(value: Any) -> str:
    """Name a value in a message: short ones as they are, others by their type."""
    text = repr(value)
    plain = value is None or isinstance(value, str | int | float)
    return text if plain and len(text) <= _LONGEST else f"a {type(value).__name__}"

"""Attributes that Zarr and netCDF both hold: numbers, text and lists of them; truth is 0 or 1, nothing is NaN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["plain_attributes"]


def plain_attributes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as attributes of a tree."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, bool | np.bool_):
        return int(value)
    if value is None:
        return float("nan")
    return value.item() if isinstance(value, np.generic) else value

"""Results on one screen: the name of the class and a line for each field, arrays by shape and range."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Display", "Table", "describe"]

_WIDTH = 90  # characters of a description
_LARGEST = 2**24  # elements of an array whose range is looked for


class Display:
    """What a terminal or a notebook shows of a frozen dataclass with ``repr=False``."""

    def _described(self) -> Iterator[tuple[str, str]]:
        """Yield names and descriptions of what is shown."""
        for field in fields(cast(Any, self)):  # a mixin of dataclasses
            yield field.name, describe(getattr(self, field.name))

    def __repr__(self) -> str:
        shown = dict(self._described())
        width = max(map(len, shown), default=0)
        return "\n".join([type(self).__name__, *(f"  {name:{width}}  {text}" for name, text in shown.items())])

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in self._described())
        return f"<table><caption>{type(self).__name__}</caption>{rows}</table>"


class Table(Display):
    """A result with fields or properties of one length: the columns of a table."""

    _columns: ClassVar[tuple[str, ...]]

    def to_frame(self, labels: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return the columns as a frame.

        Parameters
        ----------
        labels
            Columns to put before them, such as ``AnalysisSet.variants``, one row for each of theirs.
        """
        import pandas as pd  # the sampler's process does without

        values = {name: getattr(self, name) for name in self._columns}
        return pd.DataFrame(values) if labels is None else labels.assign(**values)


def describe(value: Any) -> str:
    """Describe a value in at most one line."""
    text = _describe(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."


def _describe(value: Any) -> str:
    if isinstance(value, Display) or hasattr(value, "dims"):
        return type(value).__name__
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    if hasattr(value, "columns"):
        return f"{len(value):,} rows: {' '.join(map(str, value.columns))}"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{value.shape} {value.dtype}{_range(value)}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {describe(entry)}" for name, entry in value.items())
    if isinstance(value, tuple | list) and any(is_dataclass(entry) or np.ndim(entry) for entry in value):
        return f"{len(value):,} of {type(value[0]).__name__}"
    if isinstance(value, tuple | list):
        return ", ".join(map(describe, value))
    return str(value).partition("\n")[0]


def _range(array: Any) -> str:
    """Say what lies in an array, if that is quickly found."""
    if hasattr(array, "nnz"):
        return f", {array.nnz:,} entries"
    if not isinstance(array, np.ndarray) or not 0 < array.size <= _LARGEST:
        return ""
    if array.dtype.kind == "b":
        return f", {np.count_nonzero(array):,} true"
    if array.dtype.kind not in "iuf" or np.isnan(array).all():
        return ""
    return f", {np.nanmin(array):.4g} to {np.nanmax(array):.4g}"

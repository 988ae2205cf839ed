"""Which SNPs a page draws: all of them, or so many that a browser draws them at once and none that stands out is lost.

Along each quantity the plot is divided into cells; of each cell the highest SNP is drawn. So every SNP that is the
highest of its place is there, in each panel, and what is left out lies behind or beside one that is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_DRAWN", "drawn"]

MOST_DRAWN = 20_000
"""Up to so many SNPs all are drawn."""
_ACROSS, _UP = 450, 45  # cells along the genome, and of a quantity: at first sight of half a dot each
_FIRST = 1000  # of each quantity are drawn wherever they are


def drawn(x: NDArray[np.float64], quantities: Iterable[NDArray[np.float64]]) -> NDArray[np.intp]:
    """Return the SNPs to draw, ascending.

    Parameters
    ----------
    x
        Where the SNPs are along the genome, shape ``(p,)``.
    quantities
        What is drawn of them, shape ``(p,)`` each; NaN is not drawn.
    """
    if len(x) <= MOST_DRAWN:
        return np.arange(len(x))
    column = _cell(x, _ACROSS)
    kept = np.zeros(len(x), dtype=bool)
    for values in quantities:
        order = np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable")
        order = order[: np.count_nonzero(np.isfinite(values))]
        kept[order[:_FIRST]] = True
        cell = column[order] * (_UP + 1) + _cell(values[order], _UP)
        kept[order[np.unique(cell, return_index=True)[1]]] = True
    return np.flatnonzero(kept)


def _cell(values: NDArray[np.float64], n: int) -> NDArray[np.intp]:
    """Return which of n cells from the least to the largest value each is in."""
    if not values.size:
        return np.zeros(0, dtype=np.intp)
    least, width = values.min(), np.ptp(values) or 1.0
    return np.asarray(n * (values - least) / width, dtype=np.intp)

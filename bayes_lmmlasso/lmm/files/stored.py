"""What a kinship file holds, and how coarsely it is written.

A value rounded to d decimals is off by at most u = 0.5 10^-d, so that the eigenvalues of a matrix of n samples are off
by at most n u (Weyl's inequality; the spectral norm of the errors is at most n max|e_ik|).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.remarks import Remark

__all__ = ["StoredKinship", "decimals", "mirrored"]

_MOST_DECIMALS = 12
_WHOLE = 2.0**52  # from here on float64 has no decimals


@dataclass(frozen=True, eq=False)
class StoredKinship:
    """What a file holds.

    Attributes
    ----------
    matrix
        Two-dimensional, not checked.
    ids
        Frame ``fid iid``, or ``iid`` alone, of its samples, with the index counting rows or lines; None where the file
        has no ids.
    half_unit
        The most that a value can be off by rounding; 0 where that is unknown or next to nothing.
    remarks
        What is told about the content.
    """

    matrix: NDArray[np.float64]
    ids: pd.DataFrame | None
    half_unit: float = 0.0
    remarks: tuple[Remark, ...] = ()


def decimals(matrix: NDArray[np.float64]) -> int | None:
    """Return the decimals that the values are written with, None if they are whole or of full precision.

    The values of the largest order of magnitude decide, which have the fewest decimals where a program writes so many
    significant digits.
    """
    values = np.abs(matrix[np.abs(matrix) < _WHOLE])
    values = values[values != np.rint(values)]
    if not values.size:
        return None
    values = values[values >= 10.0 ** np.floor(np.log10(values.max()))]
    for digits in range(1, _MOST_DECIMALS + 1):
        if np.array_equal(np.round(values, digits), values):
            return digits
    return None


def mirrored(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a square matrix of which the upper triangle is left at 0, as PLINK's square0, with both filled in.

    At least half of the lower one has to be other than 0, or a single value would be taken for a triangle.
    """
    if matrix.shape[0] != matrix.shape[1]:
        return matrix
    lower, n = np.tril(matrix, -1), len(matrix)
    if np.triu(matrix, 1).any() or 4 * np.count_nonzero(lower) < n * (n - 1):
        return matrix
    return np.asarray(matrix + lower.T)

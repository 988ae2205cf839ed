"""Checks of arrays, traits and covariates where they enter a model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.arguments import named
from bayes_lmmlasso.errors import InputError

__all__ = [
    "any_array",
    "check_covariates",
    "check_trait",
    "number_array",
    "real_numbers",
]


def any_array(values: ArrayLike, what: str) -> NDArray[Any]:
    """Return an array in its own type, not copied.

    Raises
    ------
    InputError
        If it is none and cannot become one.
    """
    try:
        return np.asarray(values)
    except InputError:  # that of a kinship of low rank
        raise
    except (TypeError, ValueError) as error:
        raise InputError(f"{what}: expected an array of numbers, got {named(values)}: pass an array") from error


def number_array(values: ArrayLike, what: str) -> NDArray[Any]:
    """Return an array of real numbers in their own type, not copied.

    Raises
    ------
    InputError
        If it is anything else.
    """
    array = any_array(values, what)
    if array.dtype.kind not in "biuf":
        raise InputError(f"{what}: expected real numbers, got {named(values)} of {array.dtype}: pass an array of them")
    return array


def real_numbers(values: ArrayLike, what: str) -> NDArray[np.float64]:
    """Return an array in float64.

    Raises
    ------
    InputError
        If it holds anything but numbers.
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except InputError:  # that of a kinship of low rank
        raise
    except (TypeError, ValueError) as error:
        raise InputError(f"{what}: expected an array of numbers, got {named(values)}: pass an array") from error


def check_trait(y: ArrayLike, n: int) -> NDArray[np.float64]:
    """Return a trait in float64, shape ``(n,)``.

    Raises
    ------
    InputError
        If it is not a vector of n finite values.
    """
    trait = real_numbers(y, "trait")
    if trait.shape != (n,):
        raise InputError(
            f"trait: expected shape ({n},), one value for each sample, got {trait.shape}: align by sample id first"
        )
    if not np.isfinite(trait).all():
        i = int(np.flatnonzero(~np.isfinite(trait))[0])
        raise InputError(
            f"trait: expected finite values, got {trait[i]} for sample {i + 1} of {n}: drop samples without a value"
        )
    return trait


def check_covariates(covariates: ArrayLike | None, n: int) -> NDArray[np.float64]:
    """Return covariates in float64, shape ``(n, q)``; None gives ``q = 0``.

    Raises
    ------
    InputError
        If they are not n rows of finite values with linearly independent columns.
    """
    if covariates is None:
        return np.empty((n, 0))
    matrix = real_numbers(covariates, "covariates")
    if matrix.ndim != 2 or matrix.shape[0] != n:
        raise InputError(
            f"covariates: expected shape ({n}, q), one row for each sample, got {matrix.shape}: "
            "pass a two-dimensional array aligned by sample id"
        )
    if not np.isfinite(matrix).all():
        i, j = np.argwhere(~np.isfinite(matrix))[0]
        raise InputError(
            f"covariates: expected finite values, got {matrix[i, j]} for sample {i + 1} in column {j + 1}: "
            "drop the sample or fill in the value"
        )
    norms = np.linalg.norm(matrix, axis=0)
    scaled = matrix / np.where(norms > 0.0, norms, 1.0)
    rank = int(np.linalg.matrix_rank(scaled)) if scaled.size else 0  # NumPy 2.2 knows no rank of nothing
    if rank < matrix.shape[1]:
        raise InputError(
            f"covariates: expected linearly independent columns, got {matrix.shape[1]} of rank {rank}: "
            "remove all-zero and redundant columns (a full set of dummies contains the intercept)"
        )
    return matrix

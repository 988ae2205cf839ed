"""Checks of matrices and vectors where they enter the mixed model.

A kinship matrix K is accepted when it is square, finite, symmetric up to rounding
(``max|K - K'| <= 1e-6 max|K|``) and positive semi-definite up to rounding
(smallest eigenvalue ``>= -1e-6`` times the largest).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.arguments import named
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.numerics.threads import blas_threads

__all__ = [
    "any_array",
    "check_covariates",
    "check_matrix",
    "check_spectrum",
    "check_trait",
    "number_array",
    "real_numbers",
    "validate_kinship",
]

_ROUNDING = 1e-6


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


def check_matrix(K: ArrayLike, n: int | None, source: str = "kinship") -> NDArray[np.float64]:
    """Return a kinship matrix in float64, checked for everything but definiteness.

    Parameters
    ----------
    K
        Candidate matrix.
    n
        Number of samples it must have, or None for any.
    source
        What an error message calls the matrix.

    Raises
    ------
    InputError
        If it is not square, has the wrong size, holds NaN or Inf, or is asymmetric.
    """
    matrix = real_numbers(K, source)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] == 0:
        raise InputError(
            f"{source}: expected a square matrix (samples x samples), got shape {matrix.shape}: "
            "pass one row and one column for each sample"
        )
    if n is not None and matrix.shape[0] != n:
        raise InputError(
            f"{source}: expected {n} x {n} for the {n} analysed samples, got {matrix.shape[0]} x "
            f"{matrix.shape[1]}: subset the matrix to the analysed samples in their order"
        )
    if not np.isfinite(matrix).all():
        i, j = np.argwhere(~np.isfinite(matrix))[0]
        raise InputError(
            f"{source}: expected finite values, got {matrix[i, j]} in row {i + 1}, column {j + 1}: "
            "drop that sample or recompute the matrix"
        )
    asymmetry = np.abs(matrix - matrix.T)
    if asymmetry.max() > _ROUNDING * np.abs(matrix).max():
        i, j = np.unravel_index(int(asymmetry.argmax()), asymmetry.shape)
        raise InputError(
            f"{source}: expected a symmetric matrix, got {matrix[i, j]:.6g} in row {i + 1}, column {j + 1} "
            f"but {matrix[j, i]:.6g} in row {j + 1}, column {i + 1}: write both triangles alike"
        )
    return matrix


def check_spectrum(values: NDArray[np.float64], source: str = "kinship") -> None:
    """Refuse eigenvalues that are negative beyond rounding, or all zero.

    Raises
    ------
    InputError
        If the smallest is below ``-1e-6`` times the largest, or none is positive.
    """
    smallest, largest = float(values.min()), float(values.max())
    if largest <= 0.0:
        raise InputError(
            f"{source}: expected a matrix with a positive eigenvalue, got largest eigenvalue {largest:.3g}: "
            "check that the genotypes it was computed from vary"
        )
    if smallest < -_ROUNDING * largest:
        raise InputError(
            f"{source}: expected a positive semi-definite matrix, got smallest eigenvalue {smallest:.6g} "
            f"(largest {largest:.6g}): set negative eigenvalues to zero or recompute the matrix"
        )


def validate_kinship(K: ArrayLike, n: int | None = None, source: str = "kinship") -> NDArray[np.float64]:
    """Return a kinship matrix in float64 after checking everything, definiteness included.

    Parameters
    ----------
    K
        Candidate matrix, shape ``(n, n)``.
    n
        Number of samples it must have, or None for any.
    source
        What an error message calls the matrix, for instance a file name.

    Raises
    ------
    InputError
        If it is not square, has the wrong size, holds NaN or Inf, is asymmetric or indefinite.
    """
    matrix = check_matrix(K, n, source)
    with blas_threads(matrix.shape[0]):
        if not _clearly_semi_definite(matrix):
            check_spectrum(np.linalg.eigvalsh(matrix), source)
    return matrix


def _clearly_semi_definite(matrix: NDArray[np.float64]) -> bool:
    """Whether K + 1e-6 l I has a Cholesky factor, l at most the largest eigenvalue: a tenth of the time of eigenvalues.

    l is a Rayleigh quotient after two power iterations; one too small only refuses matrices that are in order, which
    are then decided by their eigenvalues.
    """
    vector = matrix @ (matrix @ np.ones(matrix.shape[0]) + np.diag(matrix))
    square = float(vector @ vector)
    largest = float(vector @ (matrix @ vector)) / square if square > 0.0 else 0.0
    shifted = matrix.copy()
    shifted[np.diag_indices_from(shifted)] += _ROUNDING * largest
    try:
        np.linalg.cholesky(shifted)
    except np.linalg.LinAlgError:
        return False
    return largest > 0.0


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
    rank = int(np.linalg.matrix_rank(matrix / np.where(norms > 0.0, norms, 1.0)))
    if rank < matrix.shape[1]:
        raise InputError(
            f"covariates: expected linearly independent columns, got {matrix.shape[1]} of rank {rank}: "
            "remove all-zero and redundant columns (a full set of dummies contains the intercept)"
        )
    return matrix

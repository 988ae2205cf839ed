"""A kinship matrix as the nearest semi-definite one, where rounding alone has made it indefinite.

With every value off by at most u the eigenvalues of a matrix of n samples are off by at most n u (see
`bayes_lmmlasso.lmm.files.stored`). Those from -n u to 0 become 0, which gives the semi-definite matrix that is nearest
in the Frobenius norm (Higham 1988, doi:10.1016/0024-3795(88)90223-6); one below refuses the matrix.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm.kinship import check_matrix, check_spectrum, check_values, clearly_semi_definite, is_symmetric
from bayes_lmmlasso.numerics.threads import blas_threads
from bayes_lmmlasso.remarks import Remark

__all__ = ["without_rounding"]


def without_rounding(
    matrix: NDArray[np.float64], half_unit: float, source: str
) -> tuple[NDArray[np.float64], tuple[Remark, ...]]:
    """Return a semi-definite kinship, and what is told if that is not the one given.

    Parameters
    ----------
    matrix
        Candidate, shape ``(n, n)``.
    half_unit
        u: the most that a value is off.
    source
        The file, for messages.

    Raises
    ------
    InputError
        If the matrix is no kinship, whatever the rounding.
    """
    check_values(matrix, source)
    matrix = check_matrix(_symmetric(matrix, half_unit), None, source)
    n = matrix.shape[0]
    with blas_threads(n):
        if clearly_semi_definite(matrix):
            return matrix, ()
        values, vectors = np.linalg.eigh(matrix)
        negative = values < 0.0
        if not -n * half_unit <= values[0] < 0.0 or values[-1] <= 0.0:
            _check_spectrum(values, n * half_unit, source)
            return matrix, ()
        positive = vectors[:, ~negative]
        nearest = (positive * values[~negative]) @ positive.T
    told = (
        f"{source}: {int(negative.sum()):,} of {n:,} eigenvalues below 0, the smallest {values[0]:.2g}, within the "
        f"rounding of its values (half a unit of the last digit is {half_unit:.1g}): set to 0"
    )
    return np.asarray((nearest + nearest.T) / 2.0), (Remark(told),)


def _check_spectrum(values: NDArray[np.float64], bound: float, source: str) -> None:
    """Refuse eigenvalues below rounding, with the way out."""
    try:
        check_spectrum(values, source)
    except InputError as error:
        if values[-1] <= 0.0:
            raise
        rounding = f", where rounding explains {-bound:.2g}" if bound else ""
        raise InputError(
            f"{source}: expected a positive semi-definite matrix, got smallest eigenvalue {values[0]:.6g} (largest "
            f"{values[-1]:.6g}){rounding}: have it estimated from the genotypes (--kinship rrm), or set its negative "
            "eigenvalues to 0 (R: e <- eigen(K); K <- e$vectors %*% diag(pmax(e$values, 0)) %*% t(e$vectors))"
        ) from error


def _symmetric(matrix: NDArray[np.float64], half_unit: float) -> NDArray[np.float64]:
    """Return the mean of both triangles where they differ by their rounding alone."""
    if half_unit == 0.0 or matrix.shape[0] != matrix.shape[1] or is_symmetric(matrix):
        return matrix
    near = np.abs(matrix - matrix.T).max() <= 2.001 * half_unit
    return np.asarray((matrix + matrix.T) / 2.0) if near else matrix

"""Kinship matrices from genotypes, their scale, and what passes for one.

    rrm:      K = W W' / p,  w_ij = (x_ij - mean_j) / sd_j    (realised relationships)
    centred:  K = C C' / p,  c_ij = x_ij - mean_j             (GEMMA -gk 1)
    ibs:      K_ik = mean_j (1 - |x_ij - x_kj| / 2)           (alleles identical by state; dosages 0..2)

(VanRaden 2008, doi:10.3168/jds.2007-0980; Zhou and Stephens 2012, doi:10.1038/ng.2310). Standard deviations
have divisor n. Sums run over blocks of SNPs in float64, so a float32 or int8 genotype matrix is never copied
whole. `gower_scale` sets the expected sample variance of u ~ N(0, K) to one:

    K -> K (n - 1) / tr(P K P),   P = I - 11'/n                 (Kang et al. 2010, doi:10.1038/ng.548)

A matrix K is accepted as a kinship when it is square, finite, symmetric up to rounding (``max|K - K'| <= 1e-6 max|K|``)
and positive semi-definite up to rounding (smallest eigenvalue ``>= -1e-6`` times the largest).
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.numerics.checks import number_array, real_numbers
from bayes_lmmlasso.numerics.threads import blas_threads

__all__ = [
    "KinshipMethod",
    "check_matrix",
    "check_spectrum",
    "check_values",
    "clearly_semi_definite",
    "gower_scale",
    "is_symmetric",
    "kinship",
    "validate_kinship",
]

KinshipMethod = Literal["rrm", "centred", "ibs"]

_BLOCK_BYTES = 32 * 2**20
_ROUNDING = 1e-6
_LARGEST = 1e60


def kinship(X: ArrayLike, method: KinshipMethod = "rrm", *, block_bytes: int = _BLOCK_BYTES) -> NDArray[np.float64]:
    """Kinship matrix of the samples.

    Parameters
    ----------
    X
        Genotypes without missing values, shape ``(n, p)``, any real dtype and memory layout. ``rrm`` and
        ``centred`` take any coding; ``ibs`` needs allele dosages between 0 and 2.
    method
        Which estimator; see the module's equations.
    block_bytes
        Memory for the SNPs that are summed over together.

    Returns
    -------
    ndarray, shape (n, n), float64
        Symmetric and positive semi-definite up to rounding; not scaled any further.

    Raises
    ------
    InputError
        For an unknown method, missing values, SNPs that do not vary (``rrm``) or values outside 0..2
        (``ibs``).

    Examples
    --------
    >>> import numpy as np
    >>> import bayes_lmmlasso as bl
    >>> dosages = np.array([[0, 1, 2], [1, 1, 0], [2, 0, 1]])
    >>> bl.kinship(dosages, "ibs").round(2)
    array([[1.  , 0.5 , 0.33],
           [0.5 , 1.  , 0.5 ],
           [0.33, 0.5 , 1.  ]])
    """
    if method not in get_args(KinshipMethod):
        raise InputError(f"expected kinship method rrm, centred or ibs, got {method!r}: choose one of the three")
    genotypes = number_array(X, "genotypes")
    if genotypes.ndim != 2 or 0 in genotypes.shape:
        raise InputError(
            f"genotypes: expected a matrix (samples x SNPs), got shape {genotypes.shape}: "
            "pass one row for each sample and at least one SNP"
        )
    n, p = genotypes.shape
    total = np.zeros((n, n))
    size = max(1, block_bytes // (8 * n))
    with blas_threads(n):
        for start in range(0, p, size):
            block = np.asarray(genotypes[:, start : start + size], dtype=np.float64)
            _check_block(block, start, method)
            total += _ibs_block(block) if method == "ibs" else _product_block(block, method == "rrm")
    return np.asarray(total / p)


def gower_scale(K: ArrayLike) -> NDArray[np.float64]:
    """Scale a kinship matrix so that ``tr(PKP) = n - 1`` with ``P = I - 11'/n``.

    Parameters
    ----------
    K
        Kinship matrix, shape ``(n, n)``.

    Returns
    -------
    ndarray, shape (n, n), float64

    Raises
    ------
    InputError
        If the matrix has no variance after centring.

    Examples
    --------
    >>> import numpy as np
    >>> import bayes_lmmlasso as bl
    >>> bl.gower_scale(3 * np.eye(4))[0]
    array([1., 0., 0., 0.])
    """
    matrix = check_matrix(K, None)
    n = matrix.shape[0]
    centred_trace = float(np.trace(matrix) - matrix.sum() / n)
    if centred_trace <= 1e-12 * float(np.abs(np.diag(matrix)).sum()):
        raise InputError(
            f"kinship: expected a positive trace after centring, got {centred_trace:.3g}: "
            "check that the samples are not all identical"
        )
    return np.asarray(matrix * ((n - 1) / centred_trace))


def _check_block(block: NDArray[np.float64], start: int, method: str) -> None:
    """Refuse missing values, and dosages outside 0..2 where dosages are needed."""
    bad = ~np.isfinite(block)
    if bad.any():
        i, j = np.argwhere(bad)[0]
        raise InputError(
            f"genotypes: expected finite values, got {block[i, j]} in sample {i + 1}, SNP {start + j + 1}: "
            "fill in missing genotypes first"
        )
    if method == "ibs" and (block.min() < 0.0 or block.max() > 2.0):
        i, j = np.argwhere((block < 0.0) | (block > 2.0))[0]
        raise InputError(
            f"genotypes: expected allele dosages between 0 and 2 for the ibs kinship, got {block[i, j]:.6g} "
            f"in sample {i + 1}, SNP {start + j + 1}: pass dosages before standardising them"
        )


def _product_block(block: NDArray[np.float64], standardise: bool) -> NDArray[np.float64]:
    """Sum of w_j w_j' over the SNPs of a block."""
    centred = block - block.mean(axis=0)
    if standardise:
        deviation = np.sqrt(np.mean(centred**2, axis=0))
        varies = deviation > 1e-10 * np.abs(block).max(axis=0)
        if not varies.all():
            raise InputError(
                "genotypes: expected SNPs that vary for the rrm kinship, "
                f"got {int((~varies).sum())} constant ones: filter by minor allele frequency first"
            )
        centred /= deviation
    return centred @ centred.T


def _ibs_block(block: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of 1 - |x_i - x_k| / 2 over the SNPs of a block.

    For whole dosages |a - b| is the sum over t = 1, 2 of u + v - 2 u v with u = [a >= t], v = [b >= t],
    which takes two matrix products; the other SNPs are compared pair by pair.
    """
    from scipy.spatial.distance import pdist, squareform  # a fifth of a second that few need

    whole = (block == np.rint(block)).all(axis=0)
    distance = squareform(pdist(block[:, ~whole], "cityblock")) if not whole.all() else 0.0
    for threshold in (1.0, 2.0):
        at_least = (block[:, whole] >= threshold).astype(np.float64)
        count = at_least.sum(axis=1)
        distance = distance + count[:, None] + count[None, :] - 2.0 * (at_least @ at_least.T)
    similarity: NDArray[np.float64] = block.shape[1] - 0.5 * distance
    return similarity


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
        If it is not square, has the wrong size, holds NaN, Inf or absurd values, or is asymmetric.
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
    check_values(matrix, source)
    if not is_symmetric(matrix):
        asymmetry = np.abs(matrix - matrix.T)
        i, j = np.unravel_index(int(asymmetry.argmax()), asymmetry.shape)
        raise InputError(
            f"{source}: expected a symmetric matrix, got {matrix[i, j]:.6g} in row {i + 1}, column {j + 1} "
            f"but {matrix[j, i]:.6g} in row {j + 1}, column {i + 1}: write both triangles alike"
        )
    return matrix


def check_values(matrix: NDArray[np.float64], source: str = "kinship") -> None:
    """Refuse values that are not finite, or so large that squares of them are not.

    Raises
    ------
    InputError
        If there are some.
    """
    bad = ~(np.abs(matrix) < _LARGEST)
    if bad.any():
        i, j = np.argwhere(bad)[0]
        wanted = f"values below {_LARGEST:g}" if np.isfinite(matrix[i, j]) else "finite values"
        raise InputError(
            f"{source}: expected {wanted}, got {matrix[i, j]} in row {i + 1}, column {j + 1}: "
            "drop that sample or recompute the matrix"
        )


def is_symmetric(matrix: NDArray[np.float64]) -> bool:
    """Whether a square matrix is symmetric up to rounding."""
    return bool(np.abs(matrix - matrix.T).max() <= _ROUNDING * np.abs(matrix).max())


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
        if not clearly_semi_definite(matrix):
            check_spectrum(np.linalg.eigvalsh(matrix), source)
    return matrix


def clearly_semi_definite(matrix: NDArray[np.float64]) -> bool:
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

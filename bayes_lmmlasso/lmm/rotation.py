"""From samples to the eigenbasis: what a model function sees.

    y, Z, X  ->  U'y, U'Z, U'X        K = U S U'

together with the singular values and left singular vectors of U'X that whiten the effects, the variance of y that Z
leaves, on which v's prior is centred (see `bayes_lmmlasso.models.rotated`), and U'Z = B R, B'B = I, in which single
precision can tell apart covariates that nearly coincide (`bayes_lmmlasso.models.given_effects`). With K proportional to
XX' the rows of U'X are orthogonal already and no singular vectors are kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from scipy.linalg import qr

from bayes_lmmlasso.cohort import AnalysisSet
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm.eigenbasis import Eigenbasis
from bayes_lmmlasso.lmm.low_rank import check_basis
from bayes_lmmlasso.models import RotatedData
from bayes_lmmlasso.numerics.checks import check_covariates, check_trait, number_array

__all__ = ["residual_variance", "rotate", "rotate_arrays"]

_BLOCK_BYTES = 16 * 2**20  # of the SNPs rotated at a time
_LEAST_VARIANCE = 1e-30  # left by covariates; its logarithm is finite in float32


def rotate(
    source: AnalysisSet | NDArray[np.floating],
    basis: Eigenbasis,
    *,
    y: ArrayLike | None = None,
    covariates: ArrayLike | None = None,
    dtype: DTypeLike | None = None,
) -> RotatedData:
    """Premultiply trait, covariates and SNPs by U', once.

    Parameters
    ----------
    source
        An analysis set, which brings its own trait and covariates, or SNPs of shape ``(n, p)``.
    basis
        Eigenbasis of the kinship of the n samples.
    y
        Trait, shape ``(n,)``, where ``source`` is an array.
    covariates
        Covariates, shape ``(n, q)``, where ``source`` is an array; None means none, no intercept either.
    dtype
        Floating-point type of the result; default JAX's (float32 unless x64 is enabled).

    Returns
    -------
    RotatedData
        Eigenvalues in descending order.

    Raises
    ------
    InputError
        If the shapes disagree or a value is not finite.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> cohort = bl.simulate_cohort(n_samples=60, n_variants=100, seed=1)
    >>> cohort = cohort.assign(height=("samples", bl.simulate_trait(cohort, n_causal=2, seed=1).y))
    >>> analysis = bl.prepare(cohort, "height")
    >>> basis = bl.Eigenbasis.from_kinship(bl.gower_scale(bl.kinship(analysis.X)))
    >>> bl.rotate(analysis, basis).n_snps
    100
    """
    from bayes_lmmlasso.models.rotated import default_float, on_device  # JAX takes seconds and 130 MB

    return on_device(rotate_arrays(source, basis, y=y, covariates=covariates, dtype=dtype or default_float()))


def rotate_arrays(
    source: AnalysisSet | NDArray[np.floating],
    basis: Eigenbasis,
    *,
    y: ArrayLike | None = None,
    covariates: ArrayLike | None = None,
    dtype: DTypeLike = np.float32,
) -> RotatedData:
    """Return the same as NumPy arrays, without JAX, which makes its own of them."""
    if isinstance(source, AnalysisSet):
        X, y, covariates = source.X, source.y, source.covariates
    else:
        X = number_array(source, "genotypes")
    n = check_basis(basis).n_samples
    if X.ndim != 2 or X.shape[0] != n:
        raise InputError(
            f"expected SNPs of shape ({n}, p), one row for each sample of the kinship matrix, got {X.shape}: "
            "align both by sample id first"
        )
    if y is None:
        raise InputError(f"expected a trait of shape ({n},), got none: pass y= with an array of SNPs")
    U = basis.vectors[:, ::-1]
    float_type = _floating(dtype)
    rotated, gram = _rotate_snps(X, U, float_type)
    sigma, left = _whitening(gram, tolerance=1e-9 if float_type == np.float64 else 1e-5)

    def array(values: NDArray[np.floating]) -> Any:  # the annotations speak of JAX
        return values.astype(float_type, copy=False)

    trait, Z = check_trait(y, n), check_covariates(covariates, n)
    orthonormal, to_effects = _orthonormal(Z)
    return RotatedData(
        y=array(U.T @ trait),
        Z=array(U.T @ Z),
        XT=array(rotated),
        S=array(basis.values[::-1]),
        U=array(U),
        sigma=array(sigma),
        Q=None if left is None else array(left),
        residual_variance=array(residual_variance(trait, Z)),
        orthonormal=array(U.T @ orthonormal),
        to_effects=array(to_effects),
    )


def residual_variance(y: NDArray[np.float64], Z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the variance of a trait that covariates leave, shape (), each beyond the first a degree of freedom.

    A standardised trait with no covariate but the intercept has exactly 1: rounding is cut off.
    """
    n, q = Z.shape
    scaled = Z / np.maximum(np.linalg.norm(Z, axis=0), np.finfo(float).tiny)
    residual = y - scaled @ np.linalg.lstsq(scaled, y)[0]
    variance = residual @ residual / max(n + 1 - max(q, 1), 1)
    return np.array(float(f"{max(variance, _LEAST_VARIANCE):.6g}"))


def _orthonormal(Z: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return B of Z = B R, B'B = I, and the inverse of R; directions that are nearly determined by others come last.

    R is triangular but for the order of its columns: what is nearly determined, and large in the inverse, stays by
    itself.
    """
    B, triangle, order = qr(Z, mode="economic", pivoting=True)
    to_effects = np.empty_like(triangle)
    to_effects[order] = np.linalg.inv(triangle)
    return B, to_effects


def _floating(dtype: DTypeLike) -> np.dtype[Any]:
    """Return a floating-point type."""
    try:
        found = np.dtype(dtype)
    except TypeError as error:
        raise InputError(f"expected a floating-point type, got {dtype!r}: pass float32 or float64") from error
    if found.kind != "f":
        raise InputError(f"expected a floating-point type, got {found}: pass float32 or float64")
    return found


def _rotate_snps(
    X: NDArray[np.floating], U: NDArray[np.float64], dtype: np.dtype[Any]
) -> tuple[NDArray[np.floating], NDArray[np.float64]]:
    """Return X'U of shape (p, n) in ``dtype`` and its Gram matrix U'XX'U of shape (n, n) in float64."""
    n, p = X.shape
    rotated = np.empty((p, n), dtype=dtype)
    gram = np.zeros((n, n))
    size = max(1, _BLOCK_BYTES // (8 * n))
    for start in range(0, p, size):
        block = X[:, start : start + size].T.astype(np.float64) @ U
        if not np.isfinite(block).all():
            raise InputError(
                f"expected finite genotypes, got NaN or Inf among SNPs {start + 1} to {start + len(block)}: "
                "fill missing genotypes first"
            )
        rotated[start : start + len(block)] = block
        gram += block.T @ block
    return rotated, gram


def _whitening(gram: NDArray[np.float64], tolerance: float) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return the singular values and, unless they are unit vectors, the left singular vectors of U'X.

    Directions with less than 1e-5 of the largest squared singular value stay unwhitened: they carry next to
    no information on the effects, and the model is exact for any set of orthonormal directions.
    """
    squares = np.diag(gram)
    rank = int(np.count_nonzero(squares > 1e-5 * squares.max()))
    scale = np.sqrt(squares[:rank])
    correlation = gram[:rank, :rank] / np.outer(scale, scale)
    if squares[rank:].max(initial=0.0) <= squares[:rank].min() and (
        np.abs(correlation - np.eye(rank)).max() < tolerance
    ):
        return scale, None
    squares, left = np.linalg.eigh(gram)
    keep = np.flatnonzero(squares > 1e-5 * squares[-1])[::-1]
    return np.sqrt(squares[keep]), left[:, keep]

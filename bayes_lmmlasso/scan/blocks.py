"""Genotypes in blocks of SNPs that stay in a core's cache, one SNP a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.numerics.threads import thread_map

__all__ = ["BLOCK_BYTES", "map_blocks", "read_snps", "working_type"]

BLOCK_BYTES = 2**23


def read_snps(X: ArrayLike, n: int) -> NDArray[Any]:
    """Return genotypes as an array of n rows, never copied whole.

    Raises
    ------
    InputError
        If they are not real numbers of n samples.
    """
    matrix: NDArray[Any] = np.asarray(X)
    if matrix.ndim != 2 or matrix.shape[0] != n or matrix.shape[1] == 0 or matrix.dtype.kind not in "biuf":
        raise InputError(
            f"genotypes: expected real numbers of shape ({n}, p), one row for each sample, got {matrix.dtype} of "
            f"shape {matrix.shape}: align by sample id first"
        )
    return matrix


def working_type(X: NDArray[Any]) -> type[np.floating]:
    """Type in which SNPs are rotated: float64 if X is, otherwise float32."""
    return np.float64 if X.dtype.kind == "f" and X.dtype.itemsize > 4 else np.float32


def map_blocks[T](work: Callable[[NDArray[Any]], T], X: NDArray[Any], block_bytes: int = BLOCK_BYTES) -> list[T]:
    """Apply a function to each block of SNPs, one SNP a row in the working type, in several threads.

    Blocks have ``block_bytes`` in float64, and 16 SNPs at least.

    Raises
    ------
    InputError
        If a genotype is NaN or infinite.
    """
    n, p = X.shape
    dtype = working_type(X)

    def checked(where: slice) -> T:
        block = X[:, where].T.astype(dtype, copy=False)
        finite = np.isfinite(block.sum(axis=1))
        if not finite.all():
            raise InputError(
                f"genotypes: expected finite values, got NaN or Inf at SNP {where.start + int(finite.argmin()) + 1} "
                f"of {p}: fill in missing genotypes first"
            )
        return work(block)

    size = max(16, block_bytes // (8 * n))
    return thread_map(checked, [slice(start, min(start + size, p)) for start in range(0, p, size)])

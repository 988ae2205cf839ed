"""The genotype matrix as the solver sees it, checked once and shared by any number of calls.

Everything the solver asks of all SNPs is a product X'Q with a few vectors, done in float32 block by block in two or
more threads, so X may be larger than memory (a `numpy.memmap`). SNP j may carry a penalty weight w_j: the penalty
mu w_j |b_j| is the plain one for the column x_j / w_j (adaptive Lasso, Zou 2006, doi:10.1198/016214506000000735;
weights equal to standard deviations standardise X without a copy).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.display import Display
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.numerics.checks import any_array, real_numbers
from bayes_lmmlasso.numerics.threads import thread_map

__all__ = ["Genotypes", "read_genotypes"]

_BLOCK_BYTES = 2**20
_SLACK = 1.0 + 1e-3  # rounding of norms in float32


@dataclass(frozen=True, eq=False, repr=False)
class Genotypes(Display):
    """A checked genotype matrix; build it with `Genotypes.of` and pass it wherever X is asked for.

    Parameters
    ----------
    X
        Shape ``(n, p)``, any real dtype and layout; never copied whole. Fastest in float32 with each SNP contiguous
        (Fortran order).
    norm
        Upper bound of the Euclidean norms of the columns x_j / w_j.
    representative
        For each SNP the first SNP whose column x_j / w_j is the same up to sign, shape ``(p,)``. Such duplicates
        are one variable to the Lasso: only the representative can enter.
    inverse_weights
        1 / w_j in float64, shape ``(p,)``, 0 for SNPs left out; None when all are 1.
    block_bytes
        Memory for the SNPs of a product, in float32: what a core's cache holds.
    """

    X: NDArray[Any]
    norm: float
    representative: NDArray[np.intp]
    inverse_weights: NDArray[np.float64] | None = None
    block_bytes: int = _BLOCK_BYTES

    @classmethod
    def of(cls, X: ArrayLike, n: int | None = None, *, block_bytes: int = _BLOCK_BYTES) -> Self:
        """Check a genotype matrix (of n samples) and find its duplicates.

        Raises
        ------
        InputError
            If it is not n rows of finite real values.
        """
        matrix = any_array(X, "genotypes")
        if (
            matrix.ndim != 2
            or 0 in matrix.shape
            or (n or matrix.shape[0]) != matrix.shape[0]
            or (matrix.dtype.kind not in "biuf")
        ):
            raise InputError(
                f"genotypes: expected real numbers of shape ({n or 'n'}, p), one row for each sample, got "
                f"{matrix.dtype} of shape {matrix.shape}: align by sample id first"
            )
        return cls(matrix, *_fingerprint(matrix, None, block_bytes), block_bytes=block_bytes)

    def weighted(self, weights: ArrayLike) -> Self:
        """Return the same genotypes with penalty weights, shape ``(p,)``; infinity leaves a SNP out.

        Raises
        ------
        InputError
            If a weight is not above 0, or all are infinite.
        """
        w = real_numbers(weights, "weights")
        if w.shape != (self.n_snps,) or not (w > 0.0).all() or not np.isfinite(w).any():
            raise InputError(
                f"weights: expected {self.n_snps} values above 0, one for each SNP, got shape {w.shape} with "
                f"{int((~(w > 0.0)).sum())} others: unpenalised effects belong to the covariates"
            )
        inverse = 1.0 / w
        norm, representative = _fingerprint(self.X, inverse, self.block_bytes)
        return replace(self, norm=norm, representative=representative, inverse_weights=inverse)

    @property
    def n_samples(self) -> int:
        """Number of samples n."""
        return int(self.X.shape[0])

    @property
    def n_snps(self) -> int:
        """Number of SNPs p."""
        return int(self.X.shape[1])

    @property
    def n_classes(self) -> int:
        """Number of SNPs, duplicates counted once."""
        return int(np.count_nonzero(self.representative == np.arange(self.n_snps)))

    def columns(self, snps: NDArray[np.intp], rows: NDArray[np.intp] | None = None) -> NDArray[np.float64]:
        """Return chosen columns x_j / w_j in float64, all samples or chosen ones, shape ``(n, len(snps))``."""
        chosen = self.X.T[snps] if rows is None else self.X.T[snps][:, rows]
        exact = chosen.astype(np.float64)
        if self.inverse_weights is not None:
            exact *= self.inverse_weights[snps, None]
        return exact.T

    def fitted(self, snps: NDArray[np.intp], coef: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return X b of chosen SNPs, on the scale of X, for coefficients of shape ``(m, len(snps))``: ``(n, m)``."""
        return np.asarray(self.X.T[snps].astype(np.float64).T @ coef.T)

    def blocks(self, width: int) -> list[slice]:
        """Split the SNPs so that neither a block nor its product with ``width`` vectors leaves a core's cache."""
        size = max(16, self.block_bytes // (4 * max(self.n_samples, width)))
        return [slice(start, min(start + size, self.n_snps)) for start in range(0, self.n_snps, size)]

    def product(self, where: slice, Q: NDArray[Any]) -> NDArray[Any]:
        """Return q_t'(x_j / w_j) for some SNPs, shape ``(t, len(where))``, in float32 unless X is wider."""
        block = _floating(self.X[:, where])
        out: NDArray[Any] = Q.T.astype(block.dtype, copy=False) @ block
        if self.inverse_weights is not None:
            out *= self.inverse_weights[where].astype(out.dtype)
        return out


def read_genotypes(X: ArrayLike | Genotypes, n: int) -> Genotypes:
    """Return genotypes of n samples, from an array or as the caller already holds them.

    Raises
    ------
    InputError
        As `Genotypes.of`.
    """
    if not isinstance(X, Genotypes):
        return Genotypes.of(X, n)
    if X.n_samples != n:
        raise InputError(
            f"genotypes: expected {n} samples, got {X.n_samples}: align genotypes and kinship by sample id first"
        )
    return X


def _floating(block: NDArray[Any]) -> NDArray[Any]:
    """Return float64 as it is and narrower types as float32."""
    return block.astype(np.float64 if block.dtype.itemsize > 4 else np.float32, copy=False)


def _fingerprint(
    X: NDArray[Any], inverse_weights: NDArray[np.float64] | None, block_bytes: int
) -> tuple[float, NDArray[np.intp]]:
    """Check all values; return the largest norm and the representatives, from random projections in float64."""
    n, p = X.shape
    directions = np.random.default_rng(0).standard_normal((n, 2))
    prints, norms = np.empty((p, 2)), np.empty(p)

    def project(where: slice) -> None:
        block = _floating(X[:, where]).T
        norms[where] = np.sqrt(np.einsum("ij,ij->i", block, block)) * _SLACK
        prints[where] = block.astype(np.float64, copy=False) @ directions

    size = max(16, block_bytes // (4 * n))
    thread_map(project, [slice(start, min(start + size, p)) for start in range(0, p, size)])
    finite = np.isfinite(prints).all(axis=1)
    if not finite.all():
        raise InputError(
            f"genotypes: expected finite values, got NaN or Inf at SNP {int(finite.argmin()) + 1} of {p}: "
            "fill in missing genotypes first"
        )
    if inverse_weights is not None:
        norms *= inverse_weights
        prints *= inverse_weights[:, None]
    norm = float(norms.max())
    return norm, _representatives(prints, 1e-7 * norm)


def _representatives(prints: NDArray[np.float64], tolerance: float) -> NDArray[np.intp]:
    """First SNP with the same random projections up to sign, shape ``(p,)``."""
    size = np.abs(prints[:, 0])
    order = _ascending(size)
    same = np.abs(np.diff(size[order])) <= tolerance  # as the next one in order, decided by the second projection
    left = np.flatnonzero(same)
    one, other = prints[order[left]], prints[order[left + 1]]
    flip = np.where((one[:, 0] < 0.0) == (other[:, 0] < 0.0), 1.0, -1.0)
    same[left] = np.abs(one[:, 1] - flip * other[:, 1]) <= tolerance
    representative = np.arange(order.size)
    member = np.concatenate([[False], same]) | np.concatenate([same, [False]])
    members = order[member]
    if members.size:
        starts = np.flatnonzero(~np.concatenate([[False], same])[member])
        first = np.minimum.reduceat(members, starts)
        representative[members] = np.repeat(first, np.diff(starts, append=members.size))
    return representative


def _ascending(size: NDArray[np.float64]) -> NDArray[np.intp]:
    """Order of values not below zero, up to their last bits, which make room for the index: sorting these is faster."""
    room = np.uint64(size.size.bit_length())
    index = np.arange(size.size, dtype=np.uint64)
    keys = (size.view(np.uint64) >> room << room) | index
    keys.sort()
    return (keys & ((np.uint64(1) << room) - np.uint64(1))).astype(np.intp)

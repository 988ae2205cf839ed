r"""SNP statistics and standardisation in blocks, with one float32 matrix as the only copy.

For SNP j over the n analysed samples, with C_j the samples in which it is called,

    m_j = sum_{i in C_j} d_ij / |C_j|,  s_j^2 = sum_{i in C_j} (d_ij - m_j)^2 / n,  x_ij = (d_ij - m_j) / s_j

and x_ij = 0 where the call is missing: missing calls take the SNP mean, and every column of X has mean 0 and
variance 1 (ddof 0). Sums are in float64. X lies SNP-major in memory: ``X.T`` is C-contiguous.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.errors import InputError

__all__ = ["SnpStatistics", "missing_share", "snp_statistics", "standardise", "standardise_calls"]

_BLOCK = 1 << 21  # entries of a float64 block: 16 MiB
_CONSTANT = 1e-8  # a float32 dosage that varies at all has a larger standard deviation


@dataclass(frozen=True)
class SnpStatistics:
    """Statistics of each SNP over the analysed samples, each ``(p,)``.

    Attributes
    ----------
    mean, sd
        Mean over the called samples and standard deviation (ddof 0) after missing calls took the mean.
    missing
        Share of samples without a call.
    """

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    missing: NDArray[np.float64]

    @property
    def constant(self) -> NDArray[np.bool_]:
        """``(p,)`` whether the SNP does not vary."""
        return self.sd < _CONSTANT


def standardise(dosage: NDArray[Any]) -> NDArray[np.float32]:
    """Standardise allele counts to mean 0 and variance 1 (ddof 0) per SNP.

    Parameters
    ----------
    dosage
        ``(n, p)`` floats with NaN, or integers with negative values, for missing.

    Returns
    -------
    ``(n, p)`` float32 in Fortran order; missing calls are 0.

    Raises
    ------
    InputError
        If a SNP does not vary.
    """
    statistics = snp_statistics(dosage.T)
    if statistics.constant.any():
        raise InputError(
            f"expected SNPs that vary, got a constant column {np.argmax(statistics.constant)} "
            f"({statistics.constant.sum()} of {dosage.shape[1]} do not vary); remove constant columns"
        )
    return standardise_calls(dosage.T, statistics.mean, statistics.sd)


def snp_statistics(
    calls: NDArray[Any], rows: NDArray[np.intp] | None = None, *, block_size: int = _BLOCK
) -> SnpStatistics:
    """Mean, sd and missing share of each SNP of ``calls`` (p, n) over the samples ``rows``."""
    p = len(calls)
    mean, sd, missing = np.zeros(p), np.zeros(p), np.zeros(p)
    for snps, block in _blocks(calls, np.arange(p), rows, block_size):
        called = ~np.isnan(block)
        mean[snps] = block.sum(axis=1, where=called) / np.maximum(called.sum(axis=1), 1)
        block -= mean[snps, None]
        sd[snps] = np.sqrt(np.square(block, out=block).sum(axis=1, where=called) / block.shape[1])
        missing[snps] = (~called).mean(axis=1)
    return SnpStatistics(mean, sd, missing)


def missing_share(calls: NDArray[Any], rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float64]:
    """``(n,)`` share of the SNPs ``columns`` that each of the samples ``rows`` has no call of."""
    lacking = np.zeros(len(rows))
    for _, block in _blocks(calls, columns, rows, _BLOCK):
        lacking += np.isnan(block).sum(axis=0)
    return lacking / len(columns)


def standardise_calls(
    calls: NDArray[Any],
    mean: NDArray[np.float64],
    sd: NDArray[np.float64],
    *,
    rows: NDArray[np.intp] | None = None,
    columns: NDArray[np.intp] | None = None,
    flipped: NDArray[np.bool_] | None = None,
    block_size: int = _BLOCK,
) -> NDArray[np.float32]:
    """Standardise chosen SNPs and samples with given statistics.

    Parameters
    ----------
    calls
        ``(p_all, n_all)`` allele counts.
    mean, sd
        ``(p,)`` statistics of the chosen SNPs.
    rows, columns
        Positions of the samples ``(n,)`` and SNPs ``(p,)``; all by default.
    flipped
        ``(p,)`` SNPs whose count d is of the other allele and is turned into 2 - d.
    block_size
        Dosages that are in memory as float64 at a time.

    Returns
    -------
    ``(n, p)`` float32 in Fortran order.
    """
    columns = np.arange(len(calls)) if columns is None else columns
    n = calls.shape[1] if rows is None else len(rows)
    X_t = np.empty((len(columns), n), dtype=np.float32)
    for snps, block in _blocks(calls, columns, rows, block_size):
        if flipped is not None:
            block[flipped[snps]] = 2 - block[flipped[snps]]
        block -= mean[snps, None]
        block /= sd[snps, None]
        X_t[snps] = np.nan_to_num(block, copy=False, nan=0.0)
    return X_t.T


def _blocks(
    calls: NDArray[Any], columns: NDArray[np.intp], rows: NDArray[np.intp] | None, block_size: int
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Slices of ``columns`` with their ``(block, n)`` allele counts in float64, NaN where missing."""
    samples = slice(None) if rows is None else rows
    size = max(1, block_size // max(1, calls.shape[1]))
    for start in range(0, len(columns), size):
        snps = slice(start, min(start + size, len(columns)))
        raw = calls[columns[snps]][:, samples]
        block = raw.astype(np.float64)
        if np.issubdtype(raw.dtype, np.integer):
            block[raw < 0] = np.nan
        yield snps, block

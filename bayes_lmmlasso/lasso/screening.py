"""Products of all SNPs with a few vectors, block by block, fast in float32 and certain in float64.

A path is certified when |x_j'q_t| <= mu_t for all SNPs j at every point t, with q_t = A'r_t. For genotypes
stored in float32 the products are formed in float32 first; an entry differs from the exact one by at most

    margin = lambda sqrt(n) u max_j|x_j| |q_t|,   u = 2^-24,  lambda = 10

(probabilistic rounding error bound: Higham and Mary 2019, doi:10.1137/18M1226312), so only SNPs with a
float32 product above mu_t - margin can matter, and these few are computed again in float64.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.errors import InputError

__all__ = ["Genotypes", "Screen"]

_BLOCK_BYTES = 8 * 2**20
_CONFIDENCE = 10.0


@dataclass(frozen=True, eq=False)
class Screen:
    """What a pass over all SNPs found, for t points of one or several paths.

    Parameters
    ----------
    largest
        max_j |x_j'q_t| / mu_t in float64, at least 0, shape ``(t,)``. Values below ``1 - margin`` stand as 0.
    snp, point, ratio
        SNPs j and points t with |x_j'q_t| / mu_t > 1 + slack, and that ratio, shape ``(v,)`` each.
    """

    largest: NDArray[np.float64]
    snp: NDArray[np.intp]
    point: NDArray[np.intp]
    ratio: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Genotypes:
    """The genotype matrix as the solver sees it.

    Parameters
    ----------
    X
        Shape ``(n, p)``, any real dtype and layout; never copied whole. Fastest when each SNP is contiguous.
    norm
        Largest Euclidean norm of a column.
    representative
        For each SNP the first SNP whose column is the same up to sign, shape ``(p,)``. Such duplicates are
        one variable to the Lasso: only the representative can enter.
    """

    X: NDArray[Any]
    norm: float
    representative: NDArray[np.intp]

    @classmethod
    def of(cls, X: ArrayLike, n: int) -> Genotypes:
        """Check a genotype matrix of n samples and find its duplicates.

        Raises
        ------
        InputError
            If it is not n rows of finite real values.
        """
        matrix: NDArray[Any] = np.asarray(X)
        if (
            matrix.ndim != 2
            or matrix.shape[0] != n
            or matrix.shape[1] == 0
            or matrix.dtype.kind not in "biuf"
        ):
            raise InputError(
                f"genotypes: expected real numbers of shape ({n}, p), one row for each sample, got "
                f"{matrix.dtype} of shape {matrix.shape}: align by sample id first"
            )
        p = matrix.shape[1]
        squares, prints = np.empty(p), np.empty((p, 2))
        directions = np.random.default_rng(0).standard_normal((n, 2))
        for where, block in _blocks(matrix, 1):
            exact = block.astype(np.float64, copy=False)
            squares[where] = np.einsum("ij,ij->j", exact, exact)
            prints[where] = exact.T @ directions
        if not np.isfinite(squares).all():
            j = int(np.flatnonzero(~np.isfinite(squares))[0])
            raise InputError(
                f"genotypes: expected finite values, got NaN or Inf at SNP {j + 1} of {p}: "
                "fill in missing genotypes first"
            )
        norm = float(np.sqrt(squares.max()))
        return cls(matrix, norm, _representatives(prints, 1e-7 * norm))

    @property
    def n_snps(self) -> int:
        """Number of SNPs p."""
        return int(self.X.shape[1])

    def columns(self, snps: NDArray[np.intp], rows: NDArray[np.intp] | None = None) -> NDArray[np.float64]:
        """Return chosen SNPs in float64, all samples or chosen ones, shape ``(n, len(snps))``."""
        chosen = self.X[:, snps] if rows is None else self.X[np.ix_(rows, snps)]
        return np.asarray(chosen, dtype=np.float64)

    def correlations(self, Q: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return X'Q in float32, shape ``(p, t)``."""
        out = np.empty((self.n_snps, Q.shape[1]), dtype=np.float32)
        for where, block in _blocks(self.X, Q.shape[1]):
            out[where] = block.T @ Q.astype(block.dtype, copy=False)
        return out

    def screen(self, Q: NDArray[np.float64], mu: NDArray[np.float64], slack: float) -> Screen:
        """Compare |X'Q| with mu for all SNPs.

        Parameters
        ----------
        Q
            Back-transformed residuals q_t, shape ``(n, t)``.
        mu
            Penalties, above 0, shape ``(t,)``.
        slack
            Relative excess below which a SNP is no violator.
        """
        scaled = Q / mu
        margin = _CONFIDENCE * Q.shape[0] ** 0.5 * 2.0**-24 * self.norm * np.linalg.norm(scaled, axis=0)
        floor = np.maximum(1.0 - margin, 0.0)
        largest = np.zeros(mu.size)
        snps, points, ratios = [], [], []
        for where, block in _blocks(self.X, mu.size):
            product = np.abs(block.T @ scaled.astype(block.dtype, copy=False))
            snp, point = np.nonzero(product > floor.astype(product.dtype))
            exact = _exact_products(block, scaled, snp, point)
            np.maximum.at(largest, point, exact)
            over = exact > 1.0 + slack
            snps.append(where.start + snp[over])
            points.append(point[over])
            ratios.append(exact[over])
        return Screen(largest, np.concatenate(snps), np.concatenate(points), np.concatenate(ratios))


def _blocks(X: NDArray[Any], width: int) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Yield blocks of SNPs in a floating dtype: float64 as it is, narrower types as float32.

    Neither a block nor its product with ``width`` vectors takes more than a fixed memory.
    """
    n, p = X.shape
    dtype = np.float64 if X.dtype.itemsize > 4 else np.float32
    size = max(16, _BLOCK_BYTES // (4 * max(n, width)))
    for start in range(0, p, size):
        where = slice(start, min(start + size, p))
        yield where, X[:, where].astype(dtype, copy=False)


def _exact_products(
    block: NDArray[Any], Q: NDArray[np.float64], snp: NDArray[np.intp], point: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return |x_j'q_t| in float64 for chosen pairs (j, t)."""
    out = np.empty(snp.size)
    size = max(1, _BLOCK_BYTES // (8 * block.shape[0]))
    for start in range(0, snp.size, size):
        part = slice(start, start + size)
        out[part] = np.einsum("ij,ij->j", block[:, snp[part]].astype(np.float64), Q[:, point[part]])
    return np.abs(out)


def _representatives(prints: NDArray[np.float64], tolerance: float) -> NDArray[np.intp]:
    """First SNP with the same random projections up to sign, shape ``(p,)``."""
    signed = prints * np.where(prints[:, :1] < 0.0, -1.0, 1.0)
    order = np.argsort(signed[:, 0], kind="stable")
    new_class = (np.abs(np.diff(signed[order], axis=0)) > tolerance).any(axis=1)
    label = np.concatenate([[0], np.cumsum(new_class)])
    first = np.full(int(label[-1]) + 1, order.size, dtype=np.intp)
    np.minimum.at(first, label, order)
    representative = np.empty_like(order)
    representative[order] = first[label]
    return representative

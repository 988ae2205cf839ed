r"""What counts as finding a causal SNP when neighbours carry the same information.

SNP j *tags* the causal SNP c if

    j = c,  or  both lie on one chromosome and |pos_j - pos_c| <= window,  or  r_jc^2 >= r2

(on one chromosome, where chromosomes are given). A ranking of SNPs by scores s_j then becomes a ranking of items:

    one positive a causal SNP, with the score max { s_j : j tags c }
    one negative a unit of SNPs that tag nothing, with the largest of their scores

so that at every threshold each causal SNP counts once, however many SNPs of its locus pass, and these are neither
further true positives nor false ones. A SNP that tags two causal SNPs finds both: data cannot tell them apart at this
resolution. Units are single SNPs unless labels (of windows, say) are given, under which false positives count once a
unit as well: precision by SNPs punishes a method for the number of SNPs that carry a false signal, by units for the
signal. With neither window nor r2 this is the plain SNP-wise ranking.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.display import Display, Table
from bayes_lmmlasso.errors import InputError

__all__ = ["CausalLoci", "RankedItems", "causal_loci"]


@dataclass(frozen=True, eq=False, repr=False)
class RankedItems(Table):
    """Causal SNPs and units without one, each with a score; arrays of shape ``(k + m,)``, causal SNPs first.

    Attributes
    ----------
    score
        Larger for stronger evidence.
    positive
        Whether the item is a causal SNP.
    """

    _columns = ("score", "positive")

    score: NDArray[np.float64]
    positive: NDArray[np.bool_]


@dataclass(frozen=True, eq=False, repr=False)
class CausalLoci(Display):
    """Which SNPs tag which of k causal SNPs.

    Attributes
    ----------
    causal
        Columns of the causal SNPs, shape ``(k,)``.
    tags
        Columns of the SNPs that tag each causal SNP, ascending, itself included: k arrays.
    n_snps
        p.
    """

    causal: NDArray[np.intp]
    tags: tuple[NDArray[np.intp], ...]
    n_snps: int

    @property
    def tagging(self) -> NDArray[np.bool_]:
        """Whether each SNP tags a causal SNP, shape ``(p,)``."""
        inside = np.zeros(self.n_snps, dtype=bool)
        inside[np.concatenate(self.tags)] = True
        return inside

    def found(self, selected: ArrayLike) -> NDArray[np.bool_]:
        """Whether each causal SNP is tagged by one of the selected SNPs (a mask of shape ``(p,)``), shape ``(k,)``."""
        mask = np.asarray(selected, dtype=bool)
        self._check(mask)
        return np.array([mask[tags].any() for tags in self.tags])

    def items(self, score: ArrayLike, units: ArrayLike | None = None) -> RankedItems:
        """Rank causal SNPs against units that tag none.

        Parameters
        ----------
        score
            Score of each SNP, shape ``(p,)``, larger for stronger evidence, not NaN.
        units
            Label of the unit of each SNP, shape ``(p,)``; every SNP by itself by default.

        Raises
        ------
        InputError
            If shapes disagree or a score is NaN.
        """
        scores = np.asarray(score, dtype=np.float64)
        self._check(scores)
        if np.isnan(scores).any():
            raise InputError(f"expected a score for every SNP, got {np.isnan(scores).sum()} NaN: give them the least")
        outside = ~self.tagging
        negative = scores[outside]
        if units is not None:
            labels = np.asarray(units)
            self._check(labels)
            names, unit = np.unique(labels[outside], return_inverse=True)
            best = np.full(names.size, -np.inf)
            np.maximum.at(best, unit, negative)
            negative = best
        positive = np.array([scores[tags].max() for tags in self.tags])
        return RankedItems(
            np.concatenate([positive, negative]), np.arange(positive.size + negative.size) < positive.size
        )

    def _check(self, values: NDArray[np.generic]) -> None:
        if values.shape != (self.n_snps,):
            raise InputError(f"expected one value for each of {self.n_snps} SNPs, got shape {values.shape}")


def causal_loci(
    causal: ArrayLike,
    n_snps: int,
    *,
    variants: pd.DataFrame | None = None,
    window_kb: float | None = None,
    X: NDArray[np.floating] | None = None,
    r2: float | None = None,
) -> CausalLoci:
    """Find the SNPs that tag causal SNPs.

    Parameters
    ----------
    causal
        Columns of the causal SNPs, shape ``(k,)``.
    n_snps
        p.
    variants
        Frame ``chrom pos`` of the p SNPs, needed for ``window_kb``. SNPs of unknown position (0) have no neighbours.
    window_kb
        Largest distance in kb; None for no such rule.
    X
        Standardised genotypes, shape ``(n, p)``, needed for ``r2``.
    r2
        Least squared correlation; None for no such rule.

    Raises
    ------
    InputError
        If causal SNPs repeat or are out of range, a rule lacks what it needs, or its threshold makes no sense.
    """
    columns = np.asarray(causal)
    bad = (
        columns.ndim != 1
        or columns.size == 0
        or columns.dtype.kind not in "iu"
        or np.unique(columns).size < columns.size
    )
    if bad or not 0 <= columns.min() <= columns.max() < n_snps:
        raise InputError(f"expected distinct causal columns from 0 to {n_snps - 1}, got {causal!r}: count from 0")
    if (window_kb is not None and not window_kb >= 0) or (r2 is not None and not 0 < r2 <= 1):
        raise InputError(
            f"expected window_kb of at least 0 and r2 in (0, 1], got {window_kb} and {r2}: 10 and 0.8, say"
        )
    if (window_kb is not None and variants is None) or (r2 is not None and X is None):
        raise InputError("expected `variants` for window_kb and `X` for r2, got none: pass it or leave the rule out")
    tagged = np.zeros((n_snps, columns.size), dtype=bool)
    if X is not None and r2 is not None:
        tagged |= _correlation(X, columns) ** 2 >= r2 - 1e-6  # sums in float32
    if variants is not None:
        chrom, position = variants["chrom"].to_numpy(), variants["pos"].to_numpy()
        together = chrom[:, None] == chrom[columns]
        tagged &= together
        if window_kb is not None:
            known = (position > 0)[:, None] & (position[columns] > 0)
            tagged |= together & known & (np.abs(position[:, None] - position[columns]) <= 1000 * window_kb)
    tagged[columns, np.arange(columns.size)] = True
    return CausalLoci(columns.astype(np.intp), tuple(np.flatnonzero(column) for column in tagged.T), n_snps)


def _correlation(X: NDArray[np.floating], columns: NDArray[np.intp]) -> NDArray[np.float64]:
    """Correlation of every SNP with the chosen ones, shape ``(p, k)``; X has mean 0 and variance 1."""
    return np.asarray(X.T @ X[:, columns] / X.shape[0], dtype=np.float64)

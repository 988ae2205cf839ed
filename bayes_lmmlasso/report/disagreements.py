"""Where stability, posterior and single-SNP test disagree about a SNP, and why.

A SNP is looked at if any of the three singles it out: it is stable, its pip is above 1/2, or its p-value is below
0.05 / p. Where another does not, the reason is sought among the SNPs that correlate with it: the same signal is one
SNP's in one analysis and its neighbour's in the other, or is shared between neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.remarks import counted

__all__ = ["Disagreements", "Linkage", "find_disagreements"]

Linkage = Callable[[int, NDArray[np.intp]], NDArray[np.float64]]
"""Correlations of a SNP, given by its row, with others."""

_LINKED = 0.5  # least absolute correlation of SNPs that can share a signal
_LIKELY, _UNLIKELY = 0.5, 0.1
_LEVEL = 0.05  # of all single-SNP tests together
_N_ROWS = 12


@dataclass(frozen=True, eq=False)
class Disagreements:
    """SNPs about which the analyses disagree.

    Attributes
    ----------
    table
        The widest gaps first: snp, chrom, pos, stability, pip, p_lmm, reason.
    n_found
        How many there are, in the table or not.
    p_limit
        The p-value below which a single-SNP test singles a SNP out; NaN without a scan.
    """

    table: pd.DataFrame
    n_found: int
    p_limit: float


def find_disagreements(inclusion: pd.DataFrame, threshold: float, linkage: Linkage) -> Disagreements:
    """Find SNPs about which the analyses disagree, each with the reason.

    Parameters
    ----------
    inclusion
        The inclusion table, ``(p, .)``.
    threshold
        Frequency from which a SNP counts as stable.
    linkage
        Correlations of its SNPs.
    """
    pip, stability, p = (inclusion[name].to_numpy(float) for name in ("pip", "stability", "p_lmm"))
    tested = np.isfinite(p)
    p_limit = _LEVEL / tested.sum() if tested.any() else np.nan
    stable, likely, significant = stability >= threshold, pip > _LIKELY, p < p_limit
    alone = (stable | significant) & (pip < _UNLIKELY)
    missed = likely & ((stability < threshold / 2) | (tested & ~significant))
    found = np.flatnonzero(alone | missed)
    gap = np.where(likely, pip - np.minimum(stability, significant), np.maximum(stability, significant) - pip)
    first = found[np.argsort(-gap[found], kind="stable")][:_N_ROWS]
    chromosome = inclusion["chrom"].to_numpy()
    reasons = []
    for row in first:
        others = np.flatnonzero((chromosome == chromosome[row]) & (np.arange(len(pip)) != row))
        r = linkage(int(row), others)
        linked = np.abs(r) >= _LINKED
        neighbours = inclusion.iloc[others[linked]].assign(r=r[linked])
        if alone[row]:
            reasons.append(_why_unlikely(neighbours))
        else:
            causes = []
            if stability[row] < threshold / 2:
                causes.append(_why_unstable(neighbours, threshold))
            if tested[row] and not significant[row]:
                causes.append(_NOT_SIGNIFICANT)
            reasons.append(" ".join(causes))
    columns = ["snp", "chrom", "pos", "stability", "pip", "p_lmm"]
    return Disagreements(inclusion.iloc[first][columns].assign(reason=reasons), len(found), float(p_limit))


def _why_unlikely(neighbours: pd.DataFrame) -> str:
    """Say why a SNP that is stable, or significant by itself, has a small pip."""
    if len(neighbours) and neighbours["pip"].max() > _LIKELY:
        place = neighbours.iloc[int(neighbours["pip"].to_numpy().argmax())]
        return (
            f"{place['snp']} (r = {place['r']:.2f}, pip {place['pip']:.2f}) takes its place: given that one, this one "
            "adds nothing."
        )
    together = float(neighbours["pip"].sum())
    if together > _LIKELY:
        return (
            f"The signal is shared with {counted(len(neighbours), 'SNP')} of |r| at least {_LINKED:g}, whose pips add "
            f"up to {together:.2f}: read its window."
        )
    return (
        "Once all SNPs and the polygenic background are in one model nothing is left for it or its neighbours: the "
        "Lasso fills its places, and a test by itself does not know of the others."
    )


def _why_unstable(neighbours: pd.DataFrame, threshold: float) -> str:
    """Say why a SNP with a large pip is not stable."""
    together = float(neighbours["stability"].sum())
    if together >= threshold / 2:
        return (
            f"Subsamples choose between it and {counted(len(neighbours), 'SNP')} of |r| at least {_LINKED:g}, whose "
            f"frequencies add up to {together:.2f}: stability is divided."
        )
    return (
        "The Lasso shrinks every effect by the same amount and has few places, and a subsample less power than all "
        "samples."
    )


_NOT_SIGNIFICANT = (
    "By itself it is not significant: the kinship contains the SNP and takes a part of its effect (scan --loco leaves "
    "its chromosome out), or it shows once other effects are accounted for."
)

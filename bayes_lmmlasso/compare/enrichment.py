r"""Candidate genes: are hits nearer to them than chance has it.

A SNP is near a gene if its distance to the gene's interval (0 inside it) is at most a window. With h hits, of which t
are near a candidate, the rotation test keeps everything about the genome but where the hits are: all hits are moved by
the same number of SNPs along the genome, closed to a circle, so that their spacing and the local density of SNPs and
genes stay as they are. All p rotations are tried, the identity among them:

    p-value = #{rotations with at least t hits near a candidate} / p

which is exact and needs no random numbers. Hits of several traits are rotated together, by the same number of SNPs,
which keeps what the traits have in common (`rotated_counts`). Adjacent pairs are neighbouring hits of a chromosome
within a distance: two signals in one locus, or one signal that is split, which their correlation tells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.fft import irfft, rfft

from bayes_lmmlasso.display import Display
from bayes_lmmlasso.errors import InputError

__all__ = ["Enrichment", "adjacent_pairs", "candidate_enrichment", "gene_distances", "rotated_counts"]


@dataclass(frozen=True, eq=False, repr=False)
class Enrichment(Display):
    """Hits near candidate genes.

    Attributes
    ----------
    n_hits, n_near
        h and t.
    share_near, share_of_snps
        t / h, and the share of all SNPs that are near a candidate.
    p_value
        Of the rotation test.
    hits
        One row a hit: chrom pos snp gene distance (to the nearest candidate of its chromosome) near.
    """

    n_hits: int
    n_near: int
    share_near: float
    share_of_snps: float
    p_value: float
    hits: pd.DataFrame


def candidate_enrichment(
    hits: ArrayLike, variants: pd.DataFrame, genes: pd.DataFrame, window: int = 10_000
) -> Enrichment:
    """Test whether hits lie near candidate genes more often than under rotations of the genome.

    Parameters
    ----------
    hits
        Columns of the hits, shape ``(h,)``.
    variants
        Frame ``chrom pos snp`` of the p SNPs in genome order. SNPs of unknown position (0) are near no gene.
    genes
        Frame ``chrom start end gene`` of the candidates, in bp of the same assembly.
    window
        Largest distance in bp that is near.

    Raises
    ------
    InputError
        If hits repeat, are out of range or absent, a column is absent, or the window is negative.
    """
    columns = _checked_hits(hits, len(variants))
    if window < 0:
        raise InputError(f"expected a window of at least 0 bp, got {window}: 10000 is usual")
    found = gene_distances(variants, genes)
    near = found["distance"].to_numpy() <= window
    counts = rotated_counts(np.bincount(columns, minlength=near.size), near)
    observed = int(counts[0])
    table = pd.concat([variants[["chrom", "pos", "snp"]].reset_index(drop=True), found], axis=1).iloc[columns]
    return Enrichment(
        n_hits=columns.size,
        n_near=observed,
        share_near=observed / columns.size,
        share_of_snps=float(near.mean()),
        p_value=float((counts >= observed).mean()),
        hits=table.assign(near=near[columns]).reset_index(drop=True),
    )


def rotated_counts(hits: ArrayLike, near: ArrayLike) -> NDArray[np.intp]:
    """Count hits near a candidate in every rotation, sum_j hits_j near_{j + r}, by the convolution theorem.

    Parameters
    ----------
    hits
        How often each SNP is a hit (in how many traits), shape ``(p,)``.
    near
        Whether each SNP is near a candidate, shape ``(p,)``.

    Returns
    -------
    numpy.ndarray
        One a rotation by r = 0 ... p - 1 SNPs, shape ``(p,)``; the first is what was observed.
    """
    turned = np.conj(rfft(np.asarray(hits, dtype=np.float64))) * rfft(np.asarray(near, dtype=np.float64))
    return np.asarray(np.rint(irfft(turned, n=np.size(near))), dtype=np.intp)


def gene_distances(variants: pd.DataFrame, genes: pd.DataFrame) -> pd.DataFrame:
    """Find the nearest candidate gene of every SNP.

    Parameters
    ----------
    variants, genes
        As in `candidate_enrichment`.

    Returns
    -------
    pandas.DataFrame
        One row a SNP: gene (None on chromosomes without one) and distance in bp (infinite there, and for SNPs of
        unknown position).
    """
    for name, frame, needed in (
        ("variants", variants, ("chrom", "pos")),
        ("genes", genes, ("chrom", "start", "end", "gene")),
    ):
        absent = [column for column in needed if column not in frame]
        if absent:
            raise InputError(f"expected {name} with a column {absent[0]!r}, got {list(frame)}: rename or add it")
    chrom, position = variants["chrom"].astype(str).to_numpy(), variants["pos"].to_numpy(np.float64)
    distance, nearest = np.full(len(variants), np.inf), np.full(len(variants), None, dtype=object)
    for gene in genes.dropna(subset=["start", "end"]).itertuples():
        on = np.flatnonzero((chrom == str(gene.chrom)) & (position > 0))
        away = np.maximum.reduce([gene.start - position[on], position[on] - gene.end, np.zeros(on.size)])
        closer = on[away < distance[on]]
        distance[closer], nearest[closer] = away[away < distance[on]], gene.gene
    return pd.DataFrame({"gene": nearest, "distance": distance})


def adjacent_pairs(
    hits: ArrayLike,
    variants: pd.DataFrame,
    max_distance: int = 10_000,
    *,
    X: NDArray[np.floating] | None = None,
    genes: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """List neighbouring hits of one chromosome that are close together.

    Parameters
    ----------
    hits, variants
        As in `candidate_enrichment`.
    max_distance
        Largest distance of a pair in bp.
    X
        Standardised genotypes, shape ``(n, p)``, for the correlation of each pair.
    genes
        Candidates, for the one nearest to the middle of each pair.

    Returns
    -------
    pandas.DataFrame
        One row a pair: chrom, first, second (ids), pos (of the first), distance, r (NaN without X), gene,
        gene_distance (None and infinite without candidates).
    """
    columns = np.sort(_checked_hits(hits, len(variants)))
    chrom, position = variants["chrom"].to_numpy()[columns], variants["pos"].to_numpy()[columns]
    order = np.lexsort((position, pd.factorize(chrom)[0]))
    columns, chrom, position = columns[order], chrom[order], position[order]
    gap = np.diff(position)
    close = np.flatnonzero((chrom[1:] == chrom[:-1]) & (position[:-1] > 0) & (gap <= max_distance))
    left, right = columns[close], columns[close + 1]
    names = variants["snp"].to_numpy()
    r = np.full(close.size, np.nan) if X is None else (X[:, left] * X[:, right]).mean(axis=0, dtype=np.float64)
    table = pd.DataFrame(
        {
            "chrom": chrom[close],
            "first": names[left],
            "second": names[right],
            "pos": position[close],
            "distance": gap[close],
            "r": r,
        }
    )
    middle = table.assign(pos=position[close] + gap[close] / 2)
    empty = pd.DataFrame({"gene": np.full(len(table), None, dtype=object), "distance": np.inf})
    found = empty if genes is None else gene_distances(middle, genes)
    return table.assign(gene=found["gene"], gene_distance=found["distance"])


def _checked_hits(hits: ArrayLike, p: int) -> NDArray[np.intp]:
    columns = np.asarray(hits)
    distinct = columns.ndim == 1 and columns.dtype.kind in "iu" and np.unique(columns).size == columns.size > 0
    if not distinct or not 0 <= columns.min() <= columns.max() < p:
        raise InputError(f"expected distinct hits as columns from 0 to {p - 1}, got {hits!r}: count from 0")
    return columns.astype(np.intp)

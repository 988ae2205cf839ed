"""Whether the data of an analysis look like what they are taken for: trait, covariates and samples.

Nothing is changed here. A check tells what it saw, in how many samples, two of them, and the way out. Samples are
compared over at most 1,000 of the analysed SNPs, evenly spaced: with x_i the standardised genotypes of sample i,

    r_ik = x_i'x_k / (|x_i| |x_k|)      above 0.99: the same sample twice, or clones
    d_i = |x_i|^2 / p                   its squared distance from the mean; samples far outside have a large one
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.remarks import Remark, counted, examples

__all__ = ["THINNED", "covariate_remarks", "sample_remarks", "snp_remarks", "trait_remarks"]

THINNED = 1000
"""SNPs over which samples are compared."""

_LEAST_SNPS = 100  # fewer can agree by chance
_SAME = 0.99
_BLOCK = 512  # samples that are compared with all others at a time
_FAR = 10.0  # robust standard deviations
_FAR_RATIO = 3.0  # times the median distance
_APART = 5.0  # times the largest deviation of the other values
_FEW = 0.05  # share of the samples up to which those far outside are no population of their own
_MOSTLY_MISSING = 0.5
_COLLINEAR = 0.99  # R^2


def trait_remarks(name: str, values: NDArray[np.float64], ids: Sequence[str]) -> list[Remark]:
    """Tell of a trait with two values, and of values far from all others.

    Parameters
    ----------
    name
        The trait.
    values
        ``(n,)`` its values in the analysed samples, not transformed.
    ids
        ``(n,)`` ids of the samples.
    """
    levels, counts = np.unique(values, return_counts=True)
    if len(levels) == 2:
        told = ", ".join(f"{level:g} in {count:,}" for level, count in zip(levels, counts, strict=True))
        return [
            Remark(
                f"{name} has two values ({told} samples): it is analysed as a quantitative trait, effects are "
                "differences on the scale of these codes",
                caution=True,
            )
        ]
    deviation, outside = np.abs(values - np.median(values)), _far(values)
    apart = outside & (deviation > _APART * deviation[~outside].max(initial=0.0))  # not the tail of the others
    far = np.flatnonzero(apart & _few(apart))
    if not far.size or len(levels) <= 5:
        return []
    repeated = [f"{level:g}" for level, count in zip(levels, counts, strict=True) if count > 1 and level in values[far]]
    code = [f"; {level} occurs more than once: if it means missing, give --missing-code {level}" for level in repeated]
    shown = examples(f"{ids[i]}: {values[i]:g}" for i in far.tolist())
    return [
        Remark(
            f"far from all others: {counted(far.size, 'value')} of {name} ({shown}): correct, write NA, or see what "
            f"holds under --transform rank-normal{''.join(code[:1])}",
            caution=True,
        )
    ]


def covariate_remarks(
    matrix: NDArray[np.float64], names: Sequence[str], trait: str, y: NDArray[np.float64]
) -> list[Remark]:
    """Tell of covariates that the others nearly determine, and of one that is nearly the trait.

    Parameters
    ----------
    matrix
        ``(n, q)`` design with the intercept first, the other columns standardised.
    names
        ``(q,)`` of its columns.
    trait
        Name of the trait.
    y
        ``(n,)`` the trait, standardised.
    """
    columns = matrix[:, 1:]
    found: list[Remark] = []
    if columns.shape[1] > 1:  # R^2 of each column on the others from the inverse of their correlations
        r2 = 1 - 1 / np.diag(np.linalg.inv(columns.T @ columns / len(columns)))
        close = [f"{name} ({share:.4f})" for name, share in zip(names[1:], r2, strict=True) if share > _COLLINEAR]
        if close:
            found.append(
                Remark(
                    f"nearly determined by the others: {counted(len(close), 'covariate')} (R^2 of {examples(close)}): "
                    "leave some out with --covar-names",
                    caution=True,
                )
            )
    with_trait = np.square(columns.T @ y / len(y)) if columns.shape[1] else np.zeros(0)
    alike = [f"{name} ({share:.4f})" for name, share in zip(names[1:], with_trait, strict=True) if share > _COLLINEAR]
    if alike:
        found.append(
            Remark(
                f"nearly the trait {trait} itself: {counted(len(alike), 'covariate')} (R^2 of {examples(alike)}): "
                "nothing is left to explain; leave out with --covar-names",
                caution=True,
            )
        )
    return found


def snp_remarks(dropped: Mapping[str, int], p: int) -> list[Remark]:
    """Tell when most SNPs fall because they lack calls.

    Parameters
    ----------
    dropped
        SNPs left out, per cause.
    p
        SNPs of the genotypes.
    """
    lacking = dropped["missingness"]
    if lacking <= _MOSTLY_MISSING * p:
        return []
    return [
        Remark(
            f"{lacking:,} of {p:,} SNPs lack too many calls: raise --missing, or fill in the genotypes first",
            caution=True,
        )
    ]


def sample_remarks(X: NDArray[np.float32], missing: NDArray[np.float64], ids: Sequence[str]) -> list[Remark]:
    """Tell of samples with the same genotypes, far outside, or with few calls.

    Parameters
    ----------
    X
        ``(n, m)`` standardised genotypes of some SNPs.
    missing
        ``(n,)`` share of missing calls of each sample.
    ids
        ``(n,)`` ids of the samples.
    """
    found = []
    hardly = np.flatnonzero(missing > _MOSTLY_MISSING)
    if hardly.size:
        shown = examples(f"{ids[i]}: {missing[i]:.0%}" for i in hardly.tolist())
        found.append(
            Remark(
                f"more than half of the calls missing: {counted(hardly.size, 'sample')} ({shown}); these calls take "
                "the SNPs' means: consider leaving out",
                caution=True,
            )
        )
    if X.shape[1] < _LEAST_SNPS:
        return found
    distance = np.square(X).mean(axis=1, dtype=np.float64)
    outside = (distance > np.median(distance)) & _far(distance) & (distance > _FAR_RATIO * np.median(distance))
    if (far := np.flatnonzero(outside & _few(outside))).size:
        shown = examples(f"{ids[i]}: {distance[i] / np.median(distance):.1f} times the median" for i in far.tolist())
        found.append(
            Remark(
                f"far from all others by genotypes: {counted(far.size, 'sample')} ({shown}): another population, or "
                "failed genotyping; see what holds without",
                caution=True,
            )
        )
    if pairs := _same(X):
        shown = examples(f"{ids[i]} = {ids[k]}" for i, k in pairs)
        found.append(
            Remark(
                f"nearly the same genotypes: {counted(len(pairs), 'pair')} of samples ({shown}): the same sample "
                "twice, or clones; keep one of each unless their traits were measured apart",
                caution=True,
            )
        )
    return found


def _far(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether values lie many robust standard deviations (1.4826 times the median deviation) from the median."""
    deviation = np.abs(values - np.median(values))
    return deviation > _FAR * 1.4826 * max(float(np.median(deviation)), 1e-12 * float(deviation.max(initial=0.0)))


def _few(far: NDArray[np.bool_]) -> bool:
    return bool(far.mean() <= _FEW)


def _same(X: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Pairs of samples whose genotypes correlate nearly perfectly."""
    unit = X / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1e-12)
    pairs = []
    for start in range(0, len(unit), _BLOCK):
        alike = unit[start : start + _BLOCK] @ unit[start:].T > _SAME
        pairs += [(start + int(i), start + int(k)) for i, k in np.argwhere(np.triu(alike, 1))]
    return pairs

"""Kinship of new samples with those that were analysed, on the scale of the analysed ones' kinship matrix.

With x the genotypes of both standardised by the mean m_j and standard deviation s_j of the analysed samples, and c the
factor of `bayes_lmmlasso.lmm.gower_scale`:

    rrm:      K_ik = c/p sum_j x_ij x_kj
    centred:  K_ik = c/p sum_j s_j^2 x_ij x_kj
    ibs:      K_ik = c/p sum_j (1 - |d_ij - d_kj| / 2),    d = m + s x

which is, for an analysed sample taken as a new one, its row of the kinship matrix: kinship is covariance, and a
covariance of new with old needs the same allele frequencies and the same scale.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.display import Display
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm.kinship import KinshipMethod
from bayes_lmmlasso.remarks import Remark

__all__ = ["CrossKinship", "cross_kinship"]

_BLOCK_BYTES = 32 * 2**20
_WHOLE = 1e-5  # rounding of a dosage in float32


@dataclass(frozen=True, eq=False, repr=False)
class CrossKinship(Display):
    """Kinship of new samples.

    Attributes
    ----------
    cross
        With the n analysed samples, shape ``(n_new, n)``.
    diagonal
        Of each new sample with itself, shape ``(n_new,)``.
    remarks
        What is told about it.
    """

    cross: NDArray[np.float64]
    diagonal: NDArray[np.float64]
    remarks: tuple[Remark, ...] = ()

    def __post_init__(self) -> None:
        if self.cross.ndim != 2 or self.diagonal.shape != self.cross.shape[:1]:
            raise InputError(
                "new-by-training kinship: expected shapes (new samples, n) and (new samples,), got "
                f"{self.cross.shape} and {self.diagonal.shape}: pass a row and a diagonal element for each new sample"
            )
        bad = int((~np.isfinite(self.cross)).sum() + (~np.isfinite(self.diagonal)).sum())
        if bad:
            raise InputError(f"new-by-training kinship: expected finite values, got {bad} others: recompute the matrix")

    def scaled(self, factor: float) -> CrossKinship:
        """Return it times a factor."""
        return replace(self, cross=self.cross * factor, diagonal=self.diagonal * factor)


def cross_kinship(
    new: NDArray[np.floating],
    train: NDArray[np.floating],
    method: KinshipMethod,
    *,
    mean: NDArray[np.float64],
    sd: NDArray[np.float64],
) -> CrossKinship:
    """Kinship of new with analysed samples, not scaled.

    Parameters
    ----------
    new, train
        Genotypes standardised by the statistics of the analysed samples, shapes ``(n_new, p)`` and ``(n, p)``.
    method
        How the analysed samples' kinship was estimated.
    mean, sd
        Those statistics of the allele dosages, shape ``(p,)``.

    Raises
    ------
    InputError
        If the numbers of SNPs differ.
    """
    p = train.shape[1]
    if new.shape[1] != p:
        raise InputError(f"expected {p} SNPs of the new samples, got {new.shape[1]}: standardise the analysed SNPs")
    cross, diagonal = np.zeros((len(new), len(train))), np.zeros(len(new))
    size = max(1, _BLOCK_BYTES // (8 * (len(new) + len(train))))
    for start in range(0, p, size):
        snps = slice(start, start + size)
        one, other = (block[:, snps].astype(np.float64) for block in (new, train))
        if method != "rrm":
            one, other = one * sd[snps], other * sd[snps]
        if method == "ibs":
            one, other = _dosages(one + mean[snps]), _dosages(other + mean[snps])
            cross += one.shape[1] - 0.5 * _distance(one, other)
            diagonal += one.shape[1]
        else:
            cross += one @ other.T
            diagonal += np.square(one).sum(axis=1)
    return CrossKinship(cross / p, diagonal / p)


def _dosages(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Dosages from 0 to 2, whole ones whole."""
    whole = np.rint(values)
    return np.clip(np.where(np.abs(values - whole) < _WHOLE, whole, values), 0.0, 2.0)


def _distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of |d_i - d_k| over SNPs, by matrix products where all dosages are whole (see `kinship`)."""
    whole = (one == np.rint(one)).all(axis=0) & (other == np.rint(other)).all(axis=0)
    from scipy.spatial.distance import cdist  # a fifth of a second that few need

    distance = np.asarray(cdist(one[:, ~whole], other[:, ~whole], "cityblock"))
    for threshold in (1.0, 2.0):
        left, right = ((part[:, whole] >= threshold).astype(np.float64) for part in (one, other))
        distance += left.sum(axis=1)[:, None] + right.sum(axis=1) - 2.0 * (left @ right.T)
    return distance

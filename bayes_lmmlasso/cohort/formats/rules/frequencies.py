"""Allele frequencies against what a file declares, or against those of other samples.

With dosages d from 0 to 2 the frequency of the effect allele is f = mean(d) / 2. A single SNP may differ by chance or
by population; when many do, the allele columns are probably swapped.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.remarks import Remark

__all__ = ["against_declared", "against_minor", "against_training", "frequency"]

_MINOR = 0.6  # a minor allele that is more frequent is none
_FAR, _OPPOSITE = 0.2, 0.5
_MANY = 0.1  # share of SNPs
_ENOUGH_SAMPLES, _ENOUGH_SNPS = 20, 10


def frequency(dosage: NDArray[np.float32], copies: int = 2) -> NDArray[np.float64]:
    """``(...)`` frequency of the allele counted in ``(..., n)`` dosages, NaN where all are missing."""
    n_known = (~np.isnan(dosage)).sum(axis=-1)
    total = np.nansum(dosage, axis=-1, dtype=np.float64)
    return np.where(n_known > 0, total / (copies * np.maximum(n_known, 1)), np.nan)


def against_minor(frequency: ArrayLike, source: str) -> tuple[Remark, ...]:
    """Tell when many alleles that a file names first, as the minor ones, are frequent."""
    f = _known(frequency)[0]
    major = int((f > _MINOR).sum())
    if len(f) < _ENOUGH_SNPS or major <= _MANY * len(f):
        return ()
    return (
        Remark(
            f"the allele named first in {source}, by the format the minor one, has a frequency above {_MINOR} at "
            f"{major} of {len(f)} SNPs: the allele columns may be swapped, or dosages count the second; the effects "
            "are those of the first",
            caution=True,
        ),
    )


def against_declared(frequency: ArrayLike, declared: ArrayLike, source: str) -> tuple[Remark, ...]:
    """Tell when many frequencies are not those that a file declares."""
    f, wanted = _known(frequency, declared)
    far = int((np.abs(f - wanted) > _FAR).sum())
    if len(f) < _ENOUGH_SNPS or far <= _MANY * len(f):
        return ()
    return (
        Remark(
            f"the allele frequency differs by more than {_FAR} from the INFO/AF of {source} at {far} of {len(f)} SNPs: "
            "AF may be that of another population, or the alleles are swapped",
            caution=True,
        ),
    )


def against_training(frequency: ArrayLike, training: ArrayLike, n: int) -> tuple[Remark, ...]:
    """Tell when the frequencies of n new samples are opposite to those of the analysed ones."""
    f, wanted = _known(frequency, training)
    if n < _ENOUGH_SAMPLES or len(f) < _ENOUGH_SNPS:
        return ()
    opposite = int((np.abs(f - wanted) > _OPPOSITE).sum())
    varying = f.std() > 0 and wanted.std() > 0
    correlation = float(np.corrcoef(f, wanted)[0, 1]) if varying else 0.0
    if correlation >= 0 and opposite <= _MANY * len(f):
        return ()
    return (
        Remark(
            f"allele frequencies of the new samples are unlike those of the analysed ones (correlation "
            f"{correlation:.2f}; {opposite} of {len(f)} SNPs differ by more than {_OPPOSITE}): check that the "
            "same allele is counted in both",
            caution=True,
        ),
    )


def _known(*frequencies: ArrayLike) -> list[NDArray[np.float64]]:
    """Return those SNPs of each list that are known in all."""
    arrays = np.array(frequencies, dtype=np.float64)
    return list(arrays[:, ~np.isnan(arrays).any(axis=0)])

"""Which SNPs are analysed: enough calls, variation, and a minor allele that is common enough.

With m the mean dosage over the analysed samples, f = m / 2 is the frequency of the counted allele and min(f, 1 - f)
the minor-allele frequency.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.arguments import check_number
from bayes_lmmlasso.cohort.standardise import SnpStatistics
from bayes_lmmlasso.errors import InputError

__all__ = ["SnpFilter", "per_cause"]


@dataclass(frozen=True)
class SnpFilter:
    """The thresholds; their defaults are those of every command and function.

    Attributes
    ----------
    maf
        Least minor-allele frequency, 0 to 0.5.
    missing
        Largest share of missing calls, 0 to 1.

    Raises
    ------
    InputError
        If a threshold is out of range.
    """

    maf: float = 0.01
    missing: float = 0.05

    def __post_init__(self) -> None:
        for name, value, top in (("maf", self.maf, 0.5), ("missing", self.missing, 1.0)):
            if not 0 <= check_number(value, name) <= top:
                raise InputError(f"expected {name} between 0 and {top:g}, got {value}; it is a share")

    def choose(self, statistics: SnpStatistics) -> tuple[NDArray[np.intp], dict[str, int]]:
        """Positions of the SNPs analysed, and counts of the others by the first cause that applies.

        Raises
        ------
        InputError
            If no SNP is left.
        """
        frequency = statistics.mean / 2
        causes = {
            "missingness": statistics.missing > self.missing,
            "constant": statistics.constant,
            "maf": np.minimum(frequency, 1 - frequency) < self.maf - 1e-12,  # 1 - 0.9 < 0.1 in floats
        }
        keep = np.ones(len(frequency), dtype=bool)
        counts = {}
        for cause, applies in causes.items():
            counts[cause] = int((keep & applies).sum())
            keep &= ~applies
        if not keep.any():
            raise InputError(
                f"expected at least one SNP after filtering, got none of {len(keep)} "
                f"(left out: {per_cause(counts)}); lower `maf` or raise `missing`"
            )
        return np.flatnonzero(keep), counts


def per_cause(counts: dict[str, int]) -> str:
    """Put counts into words, for messages."""
    return ", ".join(f"{cause} {count}" for cause, count in counts.items())

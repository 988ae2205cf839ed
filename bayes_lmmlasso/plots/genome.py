"""Chromosomes laid end to end: the horizontal axis of a Manhattan plot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Genome"]


@dataclass(frozen=True, eq=False)
class Genome:
    """Where SNPs are drawn.

    Attributes
    ----------
    x, number
        Place and chromosome (counted from 0) of each SNP, shape ``(p,)``.
    length
        Length of the axis.
    ticks, labels
        Middles and names of the chromosomes that have room for a name.
    unit
        What ``x`` counts.
    """

    x: NDArray[np.float64]
    number: NDArray[np.intp]
    length: float
    ticks: list[float]
    labels: list[str]
    unit: str

    @classmethod
    def of(cls, inclusion: pd.DataFrame) -> Genome:
        """Lay chromosomes end to end, in bp, or in SNP order where a chromosome has unknown positions."""
        number, names = pd.factorize(inclusion["chrom"])
        position = inclusion["pos"].to_numpy(float)
        known = bool((position > 0).all())
        x = np.empty(len(inclusion))
        gap = 0.01 * sum(position[number == k].max() for k in range(len(names))) if known else 1.0
        offset, middles = 0.0, []
        for k in range(len(names)):
            on = np.flatnonzero(number == k)
            place = position[on] - position[on].min() if known else np.arange(len(on), dtype=float)
            x[on] = offset + place
            middles.append(offset + float(place.max()) / 2)
            offset = float(x[on].max()) + gap
        ticks: list[float] = []
        labels: list[str] = []
        for middle, name in zip(middles, names, strict=True):
            if not ticks or middle - ticks[-1] > 0.022 * offset:  # room for a label
                ticks.append(middle)
                labels.append(str(name))
        return cls(x, number, offset, ticks, labels, "positions in bp" if known else "SNPs in order")

"""Chromosomes laid end to end: the horizontal axis of a Manhattan plot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.genome import UNPLACED, genome_groups
from bayes_lmmlasso.plots.style import short

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
        """Lay chromosomes end to end, in bp, and behind them SNPs without a place; in SNP order if no SNP has one.

        Unplaced SNPs, and those of a chromosome without positions, are as far apart as others are on average.
        """
        groups = genome_groups(inclusion["chrom"], inclusion["pos"])
        position = inclusion["pos"].to_numpy(float)
        on_map = [name != UNPLACED and bool((position[on] > 0).all()) for name, on in groups]
        lengths = [position[on].max() for (_, on), mapped in zip(groups, on_map, strict=True) if mapped]
        known, gap, spacing = bool(lengths), 0.01 * sum(lengths), 1.0
        if known:
            spacing = sum(lengths) / sum(len(on) for (_, on), mapped in zip(groups, on_map, strict=True) if mapped)
        x, number = np.empty(len(inclusion)), np.empty(len(inclusion), dtype=np.intp)
        offset, middles = 0.0, []
        for k, (_, on) in enumerate(groups):
            place = position[on] - position[on].min() if on_map[k] else spacing * np.arange(len(on), dtype=float)
            x[on], number[on] = offset + place, k
            middles.append(offset + float(place.max()) / 2)
            offset = float(x[on].max()) + (gap if known else 1.0)
        ticks: list[float] = []
        labels: list[str] = []
        for middle, (name, _) in zip(middles, groups, strict=True):
            if not ticks or middle - ticks[-1] > 0.022 * offset:  # room for a label
                ticks.append(middle)
                labels.append(short(name, 12))
        return cls(x, number, offset, ticks, labels, "positions in bp" if known else "SNPs in order")

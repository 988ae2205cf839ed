"""The genome cut into windows: by base pairs, by genetic distance, by number of SNPs, or at gaps in linkage.

    "1Mb", "500kb", "20000bp"    windows of equal width that start at multiples of it
    "2cM", "0.5cM"               the same on the genetic map (column 3 of a .bim)
    "100snps"                    equal numbers of SNPs
    "ld", "ld0.3"                blocks of linkage disequilibrium: along the chromosome a SNP belongs to the block of
                                 the SNP before it as long as its mean r^2 with the block's last 50 SNPs is at least
                                 the number (0.3 unless given)

The blocks are a one-pass form of hierarchical clustering of adjacent SNPs by average r^2 (Dehman, Ambroise, Neuvial
2015, doi:10.1186/s12859-015-0556-6).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.errors import InputError

__all__ = ["assign_windows"]

_UNITS = {"mb": 1_000_000, "kb": 1_000, "bp": 1}
_UNKNOWN_POSITIONS = 100  # SNPs in a window where a chromosome has no positions
_BLOCK_R2 = 0.3
_REACH = 50  # last SNPs of a block with which the next one is compared
_CHUNK = 256  # SNPs whose r^2 are in memory at a time


@dataclass(frozen=True)
class _Window:
    """A width, or the least mean r^2 of a block, and its unit (mb, kb, bp, cm, snps or ld)."""

    size: float
    unit: str


def assign_windows(
    chrom: NDArray[Any],
    position: NDArray[np.integer],
    window: str,
    *,
    cm: NDArray[np.floating] | None = None,
    XT: NDArray[np.floating] | None = None,
) -> pd.DataFrame:
    """Cut each chromosome into windows: one row a window with chrom, start, end, n_snps and members (SNP indices).

    Parameters
    ----------
    chrom, position
        Chromosome and bp of each SNP, shape ``(p,)``. SNPs of unknown position (bp 0) are placed by linear
        interpolation between their neighbours in the file; where a chromosome has no positions at all, windows hold 100
        SNPs, and start and end count SNPs along the chromosome.
    window
        One of the module docstring's. Empty windows are left out. Windows in bp start and end at multiples of the
        width; windows in cM and blocks at the bp of their first and last SNP; of windows of a number of SNPs start and
        end count SNPs along the chromosome.
    cm
        Genetic map position of each SNP, shape ``(p,)``, 0 where unknown (treated as an unknown bp), for "cM".
    XT
        Standardised genotypes, one SNP a row, shape ``(p, n)``, for "ld".

    Raises
    ------
    InputError
        If the window is not understood, or "cM" is asked for and no SNP has a position on the genetic map.
    """
    asked = _parse(window)
    if asked.unit == "cm" and (cm is None or not (cm > 0).any()):
        raise InputError(
            f"expected genetic map positions for the window {window!r}, got none above 0 for {len(chrom)} SNPs: write "
            "them in column 3 of the .bim or choose a window in Mb"
        )
    rows = []
    for name in dict.fromkeys(chrom.tolist()):
        on = np.flatnonzero(chrom == name)
        place = _places(position[on])
        by_number = place is None or asked.unit == "snps"
        where = np.arange(1, len(on) + 1) if by_number else place.astype(np.int64)
        if asked.unit in _UNITS and not by_number:
            size = int(asked.size) * _UNITS[asked.unit]
            for number, inside in _groups((where - 1) // size):
                rows.append((name, int(number * size + 1), int((number + 1) * size), on[inside]))
            continue
        for _, inside in _groups(_labels(asked, on, cm, XT)):
            rows.append((name, int(where[inside].min()), int(where[inside].max()), on[inside]))
    table = pd.DataFrame(rows, columns=["chrom", "start", "end", "members"])
    table.insert(3, "n_snps", table["members"].map(len))
    return table


def _labels(
    asked: _Window, on: NDArray[np.intp], cm: NDArray[np.floating] | None, XT: NDArray[np.floating] | None
) -> NDArray[np.integer]:
    """Number the windows of the SNPs ``on`` a chromosome that are not cut by bp."""
    if asked.unit == "ld" and XT is not None:
        return _blocks(XT[on], asked.size)
    map_place = _places(cm[on]) if asked.unit == "cm" and cm is not None else None
    if map_place is not None:
        return np.floor(map_place / asked.size + 1e-9).astype(np.int64)
    size = int(asked.size) if asked.unit == "snps" else _UNKNOWN_POSITIONS
    return np.arange(len(on)) // size


def _places(position: NDArray[Any]) -> NDArray[np.float64] | None:
    """Fill in unknown positions between their neighbours in the file; None if all are unknown."""
    known = np.flatnonzero(position > 0)
    if not known.size:
        return None
    return np.interp(np.arange(position.size), known, position[known].astype(np.float64))


def _groups(labels: NDArray[np.integer]) -> list[tuple[int, NDArray[np.intp]]]:
    """Return each label, ascending, with where it occurs."""
    order = np.argsort(labels, kind="stable")
    values, first = np.unique(labels[order], return_index=True)
    return list(zip(values.tolist(), np.split(order, first[1:]), strict=True))


def _blocks(XT: NDArray[np.floating], least: float) -> NDArray[np.intp]:
    """Number the blocks of linkage disequilibrium along a chromosome."""
    centred = XT - XT.mean(axis=1, keepdims=True)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    labels, first = np.zeros(len(unit), dtype=np.intp), 0
    for start in range(0, len(unit), _CHUNK):
        before = max(0, start - _REACH)
        r2 = np.square(unit[start : start + _CHUNK] @ unit[before : start + _CHUNK].T)
        for j in range(max(start, 1), min(start + _CHUNK, len(unit))):
            near = slice(max(first, j - _REACH) - before, j - before)
            if r2[j - start, near].mean() < least:
                first = j
            labels[j] = labels[j - 1] + (first == j)
    return labels


def _parse(window: str) -> _Window:
    """Read "1Mb" as (1, "mb") and "ld" as (0.3, "ld")."""
    text = window.strip().lower()
    if match := re.fullmatch(r"ld(0?\.\d+)?", text):
        return _Window(float(match[1] or _BLOCK_R2), "ld")
    if match := re.fullmatch(r"([1-9]\d*)\s*(mb|kb|bp|snps)|(\d+(?:\.\d+)?)\s*(cm)", text):
        size, unit = float(match[1] or match[3]), match[2] or match[4]
        if size > 0:
            return _Window(size, unit)
    raise InputError(
        f"expected a window such as '1Mb', '500kb', '20000bp', '2cM', '100snps', 'ld' or 'ld0.3', got {window!r}: give "
        "a number (whole but for cM) and a unit, or a mean r^2 for ld"
    )

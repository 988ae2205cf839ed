"""The genome cut into windows: by base pairs, by genetic distance, by number of SNPs, or at gaps in linkage.

    "1Mb", "500kb", "20000bp"    windows of equal width that start at multiples of it
    "2cM", "0.5cM"               the same on the genetic map (column 3 of a .bim)
    "100snps"                    equal numbers of SNPs
    "ld", "ld0.3"                blocks of linkage disequilibrium, which end where linkage across is weakest

For the blocks, linkage across the gap between two neighbours is the mean r^2 between the 10 SNPs before and the 10 SNPs
after it. A block ends at every gap where this is below the number (0.3 unless given) and lower than at the 10 gaps on
either side: the local minima of the correlation across, as LDetect seeks them (Berisa and Pickrell 2016,
doi:10.1093/bioinformatics/btv546). So a block has at least 10 SNPs unless the chromosome has less than 20, and a rare
SNP in its middle, with a low r^2 to all around it, does not end it, as it would if SNPs joined one by one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d

from bayes_lmmlasso.cohort.genome import UNPLACED, genome_groups
from bayes_lmmlasso.errors import InputError

__all__ = ["SnpPlaces", "Window", "assign_windows", "check_window", "parse_window", "windows_of"]

_UNITS = {"mb": 1_000_000, "kb": 1_000, "bp": 1}
_UNKNOWN_POSITIONS = 100  # SNPs in a window where a chromosome has no positions
_LARGEST_BP, _LARGEST = 1e12, {"cm": 1e6, "snps": 1e9}
_BLOCK_R2 = 0.3
_REACH = 10  # SNPs on each side of a gap whose correlations count, and least distance of two ends
_CHUNK = 256  # SNPs whose r^2 are in memory at a time


@dataclass(frozen=True)
class Window:
    """A width, or the least mean r^2 of a block, and its unit (mb, kb, bp, cm, snps or ld)."""

    size: float
    unit: str


def check_window(window: str, cm: NDArray[np.floating] | None) -> None:
    """Refuse a window that makes no sense, or one in cM without a genetic map.

    Raises
    ------
    InputError
        As `assign_windows`.
    """
    if parse_window(window).unit == "cm" and (cm is None or not (cm > 0).any()):
        raise InputError(
            f"expected genetic map positions for the window {window!r}, got none above 0: write them in column 3 of "
            "the .bim or choose a window in Mb"
        )


class SnpPlaces(NamedTuple):
    """Where SNPs are in the units of a window table, and the row of each one's window, -1 if in none; ``(p,)`` each."""

    place: NDArray[np.int64]
    row: NDArray[np.intp]


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
        Chromosome and bp of each SNP, shape ``(p,)``, in any order. SNPs without a place on the genome
        (`bayes_lmmlasso.cohort.genome`) are in windows of their own, last and with the chromosome "unplaced". These
        hold 100 SNPs, and start and end count them; so do windows of a chromosome that has no positions at all.
    window
        One of the module docstring's. Empty windows are left out. Windows in bp start and end at multiples of the
        width; windows in cM and blocks at the bp of their first and last SNP; of windows of a number of SNPs start and
        end count SNPs along the chromosome.
    cm
        Genetic map position of each SNP, shape ``(p,)``, for "cM"; 0 where unknown, which is filled in between the
        neighbours.
    XT
        Standardised genotypes, one SNP a row, shape ``(p, n)``, for "ld".

    Raises
    ------
    InputError
        If the window is not understood, "cM" is asked for and no SNP has a position on the genetic map, or "ld"
        without genotypes.
    """
    check_window(window, cm)
    asked = parse_window(window)
    if asked.unit == "ld" and XT is None:
        raise InputError(f"expected genotypes for the window {window!r}, got none: pass XT")
    rows = []
    for name, on in genome_groups(chrom, position):
        placed = _is_placed(name, position[on])
        where = _where(asked, name, position[on])
        if placed and asked.unit in _UNITS:
            size = int(asked.size) * _UNITS[asked.unit]
            for number, inside in _groups((where - 1) // size):
                rows.append((name, int(number * size + 1), int((number + 1) * size), on[inside]))
            continue
        labels = _counted(asked, len(on)) if name == UNPLACED else _labels(asked, on, cm, XT)
        for _, inside in _groups(labels):
            rows.append((name, int(where[inside].min()), int(where[inside].max()), on[inside]))
    table = pd.DataFrame(rows, columns=["chrom", "start", "end", "members"])
    table.insert(3, "n_snps", table["members"].map(len))
    return table


def windows_of(chrom: NDArray[Any], position: NDArray[np.integer], windows: pd.DataFrame, window: str) -> SnpPlaces:
    """Return where the SNPs are in the units of a window table, and in which of its rows.

    Parameters
    ----------
    chrom, position
        As of `assign_windows`.
    windows
        A window table of these SNPs, in any order, with an index from 0.
    window
        The windows' definition.
    """
    place, row = np.zeros(len(chrom), dtype=np.int64), np.full(len(chrom), -1)
    for name, on in genome_groups(chrom, position):
        place[on] = _where(parse_window(window), name, position[on])
        there = windows[windows["chrom"] == name].sort_values("start")
        if len(there):
            at = np.searchsorted(there["start"].to_numpy(), place[on], side="right") - 1
            inside = (at >= 0) & (place[on] <= there["end"].to_numpy()[np.maximum(at, 0)])
            row[on[inside]] = there.index.to_numpy()[at[inside]]
    return SnpPlaces(place, row)


def _is_placed(name: str, position: NDArray[np.integer]) -> bool:
    """Return whether the SNPs of a group have positions."""
    return name != UNPLACED and bool((position > 0).all())


def _where(asked: Window, name: str, position: NDArray[np.integer]) -> NDArray[np.integer]:
    """Return what start and end of windows count for the SNPs of a group in order: bp, or the SNPs from 1."""
    by_bp = _is_placed(name, position) and asked.unit != "snps"
    return position.astype(np.int64) if by_bp else np.arange(1, len(position) + 1)


def _labels(
    asked: Window, on: NDArray[np.intp], cm: NDArray[np.floating] | None, XT: NDArray[np.floating] | None
) -> NDArray[np.integer]:
    """Return the number of the window of each SNP ``on`` a chromosome that is not cut by bp."""
    if asked.unit == "ld" and XT is not None:
        return _blocks(XT[on], asked.size)
    map_place = _places(cm[on]) if asked.unit == "cm" and cm is not None else None
    if map_place is not None:
        return np.floor(map_place / asked.size + 1e-9).astype(np.int64)
    return _counted(asked, len(on))


def _counted(asked: Window, count: int) -> NDArray[np.integer]:
    """Return the number of the window of each of some SNPs in order, of which windows hold equal numbers."""
    return np.arange(count) // (int(asked.size) if asked.unit == "snps" else _UNKNOWN_POSITIONS)


def _places(position: NDArray[Any]) -> NDArray[np.float64] | None:
    """Fill in unknown positions on the genetic map between those of their neighbours; None if all are unknown."""
    known = np.flatnonzero(position > 0)
    if not known.size:
        return None
    return np.interp(np.arange(position.size), known, position[known].astype(np.float64))


def _groups(labels: NDArray[np.integer]) -> list[tuple[int, NDArray[np.intp]]]:
    """Return each label, ascending, with where it occurs."""
    order = np.argsort(labels, kind="stable")
    values, first = np.unique(labels[order], return_index=True)
    return list(zip(values.tolist(), np.split(order, first[1:]), strict=True))


def _blocks(XT: NDArray[np.floating], below: float) -> NDArray[np.intp]:
    """Return the number of each SNP's block of linkage disequilibrium along a chromosome."""
    p = len(XT)
    if p < 2 * _REACH:
        return np.zeros(p, dtype=np.intp)
    across = _across(XT)
    lowest = minimum_filter1d(across, 2 * _REACH + 1, mode="nearest")
    ends = np.flatnonzero((across == lowest) & (across < below)) + _REACH  # first SNPs of the following blocks
    return np.searchsorted(ends, np.arange(p), side="right")


def _across(XT: NDArray[np.floating]) -> NDArray[np.floating]:
    """Mean r^2 between the SNPs on both sides of each gap but those next to the ends, shape ``(p - 2 reach + 1,)``."""
    centred = XT - XT.mean(axis=1, keepdims=True)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    gaps = len(unit) - 2 * _REACH + 1
    across = np.empty(gaps)
    for start in range(0, gaps, _CHUNK):
        stop = min(start + _CHUNK, gaps)
        neighbours = unit[start : stop + 2 * _REACH - 1]
        r2 = np.square(neighbours @ neighbours.T)
        for k in range(stop - start):
            across[start + k] = r2[k : k + _REACH, k + _REACH : k + 2 * _REACH].mean()
    return across


def parse_window(window: str) -> Window:
    """Read "1Mb" as (1, "mb") and "ld" as (0.3, "ld").

    Raises
    ------
    InputError
        If the window is not understood, or larger than any genome.
    """
    text = window.strip().lower()
    if match := re.fullmatch(r"ld(0?\.\d+)?", text):
        return Window(float(match[1] or _BLOCK_R2), "ld")
    if match := re.fullmatch(r"([1-9]\d*)\s*(mb|kb|bp|snps)|(\d+(?:\.\d+)?)\s*(cm)", text):
        size, unit = float(match[1] or match[3]), match[2] or match[4]
        if size > _LARGEST.get(unit, _LARGEST_BP / _UNITS.get(unit, 1)):
            raise InputError(f"expected a window shorter than a genome, got {window!r}: '1Mb' is usual")
        if size > 0:
            return Window(size, unit)
    raise InputError(
        f"expected a window such as '1Mb', '500kb', '20000bp', '2cM', '100snps', 'ld' or 'ld0.3', got {window!r}: give "
        "a number (whole but for cM) and a unit, or a mean r^2 for ld"
    )

"""The scale of dosages: every format is brought to counts from 0 to 2, so that an allele frequency is their mean / 2.

A dosage d counts the effect allele among k copies of a chromosome (``ploidy``); kept is 2 d / k. What lies outside of 0
to k is refused with a guess of what it may be: -1, 0, 1 as in rrBLUP, a code for missing, polyploids, percentages.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.remarks import Remark

__all__ = ["DIPLOID", "Dosage", "check_ploidy", "narrowed", "one_copy", "refuse_ploidy", "scaled"]

Dosage = NDArray[np.float32] | NDArray[np.int8]
"""Counts of the effect allele from 0 to 2; missing is NaN or -1."""

DIPLOID = 2
_BLOCK = 1 << 22  # dosages that are narrowed at a time
_MISSING_CODES = (-9, -1, 3, 5, 9, -99, 99, -999, 999)
_MOST_COPIES = 12  # the highest whole dosage that is taken for a ploidy
_MANY = 0.02  # share of values above 2 that speaks of polyploids rather than of slips


def check_ploidy(ploidy: int) -> int:
    """Return a number of copies.

    Raises
    ------
    InputError
        If it is not a whole number from 1.
    """
    if not isinstance(ploidy, int) or ploidy < 1:
        raise InputError(f"expected a ploidy of 1, 2, 3, ..., got {ploidy!r}: give the copies that a dosage counts")
    return ploidy


def refuse_ploidy(ploidy: int, source: object) -> None:
    """Raise InputError if another ploidy than 2 is asked of a format whose calls have two alleles."""
    if ploidy != DIPLOID:
        raise InputError(
            f"expected ploidy 2 for {source}, whose calls have two alleles, got {ploidy}: leave the option out"
        )


def scaled(
    dosage: NDArray[np.float32], ploidy: int | None, place: Callable[[int, int], str], source: str
) -> tuple[NDArray[np.float32], tuple[Remark, ...]]:
    """Bring dosages to 0 to 2, in place.

    Parameters
    ----------
    dosage
        Matrix of floats, NaN for missing.
    ploidy
        Copies that they count by what the user says; None where the format itself counts from 0 to 2.
    place
        Takes the row and column of a dosage and says in words where it stands.
    source
        The file, for messages.

    Raises
    ------
    InputError
        If a dosage is outside of 0 to ``ploidy``.
    """
    copies = DIPLOID if ploidy is None else ploidy
    low, high = (float(reduced(dosage, axis=None, initial=0)) for reduced in (np.fmin.reduce, np.fmax.reduce))
    if low < 0 or high > copies:
        row, column = np.argwhere((dosage < 0) | (dosage > copies))[0]
        raise InputError(
            f"expected allele counts from 0 to {copies} in {source}, got {dosage[row, column]:g} "
            f"{place(row, column)}; {_way_out(dosage, low, high, ploidy)}"
        )
    if copies != DIPLOID:
        dosage *= DIPLOID
        dosage /= copies
    return dosage, one_copy(high, source) if ploidy == DIPLOID else ()


def narrowed(dosage: NDArray[np.float32]) -> Dosage:
    """Return the counts as int8 with -1 for missing if all are whole numbers, else as they are."""
    codes = np.empty(dosage.shape, dtype=np.int8)
    step = max(1, _BLOCK // max(1, dosage.shape[1]))
    for start in range(0, len(dosage), step):
        block = np.nan_to_num(dosage[start : start + step], nan=-1)
        codes[start : start + step] = block
        if (codes[start : start + step] != block).any():
            return dosage
    return codes


def one_copy(highest: float, source: str) -> tuple[Remark, ...]:
    """Tell when no dosage is above 1, by the highest: two copies would reach 2."""
    if not 0 < highest <= 1:
        return ()
    return (
        Remark(
            f"no dosage of {source} is above 1: if lines are coded 0/1 by one copy, give --ploidy 1 (ploidy=1 in "
            "Python), as every allele frequency is taken for half of what it is; a backcross is right as it is",
            caution=True,
        ),
    )


def _way_out(dosage: NDArray[np.float32], low: float, high: float, copies: int | None) -> str:
    """Say what dosages outside of 0 to ``copies`` look like, and what to do."""
    if copies is None:
        return "recode the genotypes"
    if low == -1 and high <= 1:
        return "values from -1 to 1 are the coding of rrBLUP: add 1 to each, or NA where -1 stands for missing"
    outside = dosage[(dosage < 0) | (dosage > copies)]
    if (outside == outside[0]).all() and outside[0] in _MISSING_CODES and not _is_ploidy(dosage, high, copies):
        return f"write NA (NaN in an array) if {outside[0]:g} stands for missing, else recode the genotypes"
    if low >= 0 and _is_ploidy(dosage, high, copies):
        k = int(np.ceil(high))
        return f"if they count the alleles of {k} copies (polyploids), give --ploidy {k} (ploidy={k} in Python)"
    if low >= 0 and _MOST_COPIES < high <= 100:
        return "values up to 100 may be percentages: divide them by 50"
    return "recode the genotypes"


def _is_ploidy(dosage: NDArray[np.float32], high: float, copies: int) -> bool:
    """Whether dosages reach a number of copies, and not by a few slips."""
    beyond = dosage > copies
    one_code = high in _MISSING_CODES and high != copies + 1 and (dosage[beyond] == high).all()
    return bool(not one_code and high <= _MOST_COPIES and beyond.mean() > _MANY)

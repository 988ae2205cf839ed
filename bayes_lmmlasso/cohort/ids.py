"""Who is who: the one rule by which samples of two files are matched, for genotypes, tables and kinships alike.

The key is (fid, iid) where both files tell families, else iid. A family id that is absent or 0 is none, as in PLINK,
and one that equals the iid in every row of a file (what programs write that have no families) tells nothing either. A
file without families is joined by iid, which then has to be unique on both sides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.tables import reject_duplicates
from bayes_lmmlasso.errors import InputError

__all__ = ["find_samples", "likely_reason", "tells_families"]

_NO_FAMILY = "0"
_SCIENTIFIC = re.compile(r"\d(\.\d+)?[eE]\+?\d+")


def tells_families(samples: pd.DataFrame) -> bool:
    """Whether a frame ``fid iid`` has family ids that say more than the iid."""
    if "fid" not in samples:
        return False
    fid, iid = samples["fid"].astype(str), samples["iid"].astype(str)
    return bool(((fid != _NO_FAMILY) & (fid != iid)).any())


def find_samples(wanted: pd.DataFrame, given: pd.DataFrame, wanted_source: str, given_source: str) -> NDArray[np.intp]:
    """Find samples of one file in another.

    Parameters
    ----------
    wanted, given
        Frames with ``iid``, and ``fid`` where the file has it, one row a sample.
    wanted_source, given_source
        The files, for messages.

    Returns
    -------
    ndarray of int, shape (n,)
        Row of ``given`` for each row of ``wanted``, -1 where there is none.

    Raises
    ------
    InputError
        If families are told on one side alone and an iid occurs twice on either, or no sample is shared.
    """
    by_family = tells_families(wanted) and tells_families(given)
    if not by_family:
        silent = wanted_source if tells_families(given) else given_source
        for frame, source in ((wanted, wanted_source), (given, given_source)):
            reject_duplicates(frame, ["iid"], f"{source} (as {silent} tells no families)")
    found = _positions(wanted, given, ["fid", "iid"] if by_family else ["iid"])
    if by_family:
        found = _without_family(wanted, given, found)
    if (found < 0).all():
        raise InputError(_none_shared(wanted, given, wanted_source, given_source, by_family))
    return found


def likely_reason(left: Sequence[str], right: Sequence[str]) -> str:
    """Say why ids of two files that do not match might differ, by what would make most of them match; "" if unknown.

    Parameters
    ----------
    left, right
        The ids of either file that the other lacks.
    """
    there = set(right)
    best, reason = 0, ""
    for way, change in _WAYS.items():
        changed = {change(name) for name in there}
        matches = sum(change(name) in changed for name in left)
        if matches > best:
            best, reason = matches, way
    if best:
        return f"{best} would match {reason}"
    for names in (left, right):
        if scientific := [name for name in names if _SCIENTIFIC.fullmatch(name)]:
            return f"a program has written {scientific[0]!r} for a number: keep ids as text"
    return ""


def _positions(wanted: pd.DataFrame, given: pd.DataFrame, keys: list[str]) -> NDArray[np.intp]:
    index = pd.MultiIndex.from_frame(given[keys].astype(str))
    found: NDArray[np.intp] = index.get_indexer(pd.MultiIndex.from_frame(wanted[keys].astype(str)))
    return found


def _without_family(wanted: pd.DataFrame, given: pd.DataFrame, found: NDArray[np.intp]) -> NDArray[np.intp]:
    """Find by iid those samples that have no family on one of the sides, where the iid is unique on both."""
    iids = [frame["iid"].astype(str) for frame in (wanted, given)]
    alone = [~iid.duplicated(keep=False).to_numpy() for iid in iids]
    free = [(frame["fid"].astype(str) == _NO_FAMILY).to_numpy() for frame in (wanted, given)]
    rows = np.flatnonzero(alone[1])
    by_iid = pd.Index(iids[1].to_numpy()[rows]).get_indexer(pd.Index(iids[0]))
    there = np.append(rows, -1)[by_iid]
    chosen = (found < 0) & (there >= 0) & alone[0] & (free[0] | free[1][there]) & ~np.isin(there, found)
    return np.where(chosen, there, found)


def _none_shared(
    wanted: pd.DataFrame, given: pd.DataFrame, wanted_source: str, given_source: str, by_family: bool
) -> str:
    """Say that no sample is shared, with examples of both sides and the likely reason."""
    keys = ["fid", "iid"] if by_family else ["iid"]
    left, right = (frame[keys].astype(str).agg(" ".join, axis=1).iloc[:2].tolist() for frame in (wanted, given))
    message = (
        f"expected samples shared by {wanted_source} and {given_source}, got none: {' '.join(keys)} is {left} in the "
        f"first and {right} in the second"
    )
    iids = [frame["iid"].astype(str).tolist() for frame in (wanted, given)]
    shared = len(set(iids[0]).intersection(iids[1]))
    if by_family and shared:
        return f"{message}; {shared} iid are shared, in other families: correct the fid of one, or write 0 for none"
    reason = likely_reason(*iids)
    return f"{message}; {f'{reason}: ' if reason else ''}use the same ids in both"


def _doubled(name: str) -> str:
    """Return X for X_X."""
    half = len(name) // 2
    return name[:half] if len(name) % 2 and name[half] == "_" and name[:half] == name[half + 1 :] else name


def _as_number(name: str) -> str:
    try:
        number = float(name)
    except ValueError:
        return name
    return str(int(number)) if np.isfinite(number) and number == int(number) else name


_WAYS: dict[str, Callable[[str], str]] = {
    "without leading zeros": lambda name: name.lstrip("0"),
    "if 1e+05 were written out, or without .0": _as_number,
    "with one half of doubled ids such as a_a": _doubled,
    "without the prefix 0_": lambda name: name.removeprefix("0_"),
    "without what stands before the first _": lambda name: name.partition("_")[2] or name,
    "in the same case": str.casefold,
    "without blanks": lambda name: "".join(name.split()),
    "with _ for blanks": lambda name: "_".join(name.split()),
    "with one kind of - _ . and blank": lambda name: re.sub(r"[-_.\s]+", "", name),
}
"""Changes that make ids of two files alike, in the words of a hint."""

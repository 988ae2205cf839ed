"""Names of samples that a program has pasted together from family and individual ids.

PLINK writes a VCF or .traw with the names ``fid_iid``, ``0_iid`` without families, ``iid_iid`` where fid and iid are
equal. Ids hold "_" themselves, so a name can be read in several ways: the table that the genotypes are joined with
decides, by the number of its samples that are found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from bayes_lmmlasso.cohort.ids import tells_families
from bayes_lmmlasso.remarks import Remark, examples

__all__ = ["likely_names", "names_of_table"]


def likely_names(names: Sequence[str]) -> pd.DataFrame:
    """Read names of a .traw without a table: ``fid iid``, or ``iid`` where the fid is 0, the iid or unclear."""
    for reading in (_without_prefix(names), _one_half(names), _parted(names)):
        if reading is not None:
            return reading
    return _whole(names)


def names_of_table(
    samples: pd.DataFrame, names: Sequence[str], table: pd.DataFrame, source: str
) -> tuple[pd.DataFrame, tuple[Remark, ...]]:
    """Read names as those of a table.

    Parameters
    ----------
    samples
        How they are read without it.
    names
        The names as they stand in the file.
    table
        Frame with ``iid``, and ``fid`` if it has families.
    source
        The file of the names, for messages.

    Returns
    -------
    samples, remarks
        The reading by which most samples are found, and what is told if it is another one.
    """
    iids = set(table["iid"])

    def found(reading: pd.DataFrame) -> int:
        return int(reading["iid"].isin(iids).sum())

    best = samples
    for reading in _readings(names, table):
        if found(reading) > found(best):
            best = reading.set_index(samples.index)
    if best is samples:
        return samples, ()
    read = [" ".join(row) for row in best.to_numpy().tolist()]
    changed = [f"{name} is {text}" for name, text in zip(names, read, strict=True) if name != text]
    if not changed:
        return best, ()
    return best, (Remark(f"sample names of {source} are read as {' '.join(map(str, best))} ({examples(changed)})"),)


def _readings(names: Sequence[str], table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield the ways to read names, the plainest first."""
    yield _whole(names)
    if tells_families(table):
        pasted = {f"{fid}_{iid}": (fid, iid) for fid, iid in zip(table["fid"], table["iid"], strict=True)}
        parts = [pasted.get(name, ("0", name)) for name in names]
        yield pd.DataFrame(parts, columns=["fid", "iid"], dtype=object)
    for reading in (_without_prefix(names), _one_half(names), _parted(names)):
        if reading is not None:
            yield reading


def _whole(names: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({"iid": list(names)}, dtype=object)


def _without_prefix(names: Sequence[str]) -> pd.DataFrame | None:
    """Read ``0_iid``, if all are such."""
    return _whole([name[2:] for name in names]) if all(name.startswith("0_") and name[2:] for name in names) else None


def _one_half(names: Sequence[str]) -> pd.DataFrame | None:
    """Read ``iid_iid``, if all are such."""
    halves = [name[: len(name) // 2] for name in names]
    doubled = all(half and name == f"{half}_{half}" for half, name in zip(halves, names, strict=True))
    return _whole(halves) if doubled else None


def _parted(names: Sequence[str]) -> pd.DataFrame | None:
    """Read ``fid_iid``, if all have one "_"."""
    parts = [name.split("_") for name in names]
    if any(len(part) != 2 or not all(part) for part in parts):
        return None
    return pd.DataFrame(parts, columns=["fid", "iid"], dtype=object)

"""Traits in a .fam: column 6, and those beyond it as GEMMA reads them.

Missing is -9, NA or nan; 0 as well in a column of 1 (control) and 2 (case). A column without a value is no trait.
"""

from __future__ import annotations

import pandas as pd

__all__ = ["fam_traits"]

_FIRST = 5  # columns before the first trait
_MISSING = ("-9", "NA", "nan", "NaN", "")
_CASES = frozenset({"0", "1", "2"})


def fam_traits(lines: dict[int, list[str]], samples: pd.DataFrame) -> pd.DataFrame | None:
    """Return the table ``fid iid phenotype phenotype2 ...``, or None if there is no value.

    Parameters
    ----------
    lines
        Fields of the .fam by line number; columns that not every line has are left out.
    samples
        Frame ``fid iid`` of the same lines.
    """
    traits: dict[str, pd.Series[str]] = {}
    for k in range(_FIRST, min(map(len, lines.values()))):
        values = [None if fields[k] in _MISSING else fields[k] for fields in lines.values()]
        known = {value for value in values if value is not None}
        if known <= _CASES:
            values = [None if value == "0" else value for value in values]
            known -= {"0"}
        if known:
            traits["phenotype" if k == _FIRST else f"phenotype{k - _FIRST + 1}"] = pd.Series(
                values, index=samples.index, dtype=object
            )
    return samples.assign(**traits).reset_index(drop=True) if traits else None

"""Published results beside those of a study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.errors import InputError

__all__ = ["compare_counts", "compare_snps", "read_columns"]


def read_columns(path: Path | None, columns: Sequence[str], names: Sequence[str]) -> pd.DataFrame | None:
    """Read columns of a table under other names.

    Parameters
    ----------
    path
        Tab-separated table; None gives None.
    columns, names
        Columns of the file, and what they are called from here on; columns beyond the names keep their own. Rows with a
        missing value are left out.

    Raises
    ------
    InputError
        If the file cannot be read or has no such column.
    """
    if path is None:
        return None
    named = dict(zip(columns, names, strict=False))
    try:
        table = pd.read_csv(path, sep="\t", dtype={column: str for column, name in named.items() if name == "chrom"})
    except (OSError, ValueError) as error:
        raise InputError(f"expected a tab-separated table at {path}, got {error}: check the path") from error
    for column in columns:
        if column not in table:
            raise InputError(
                f"expected the column {column!r} in {path}, got {', '.join(map(str, table))}: name the columns it has"
            )
    return table[list(columns)].rename(columns=named).dropna().reset_index(drop=True)


def compare_snps(
    published: pd.DataFrame, variants: pd.DataFrame, share: NDArray[np.float64], threshold: float, window: float
) -> pd.DataFrame:
    """Put the shares of SNPs beside published ones.

    Parameters
    ----------
    published
        Frame ``chrom pos ...`` of published SNPs.
    variants, share
        Frame ``chrom pos`` of the p SNPs, and their shares, shape ``(p,)``.
    threshold, window
        Share above which a SNP is found, and the largest distance in bp.

    Returns
    -------
    pandas.DataFrame
        The published SNPs with share (of the SNP itself; NaN where it is absent), largest_share (within the window),
        found and found_near (whether they exceed the threshold).
    """
    chrom, pos = variants["chrom"].to_numpy(), variants["pos"].to_numpy()
    own, near = [], []
    for row in published.itertuples():
        away = np.where((chrom == row.chrom) & (pos > 0), np.abs(pos - row.pos), np.inf)
        own.append(share[away == 0].max() if (away == 0).any() else np.nan)
        near.append(share[away <= window].max(initial=0.0))
    return published.assign(
        share=own,
        largest_share=near,
        found=np.array(own) > threshold,
        found_near=np.array(near) > threshold,
    )


def compare_counts(hits: pd.DataFrame, published: pd.DataFrame, methods: Sequence[str]) -> pd.DataFrame:
    """Put published numbers of selected SNPs and of hits beside those of a study.

    Parameters
    ----------
    hits
        Frame ``trait method ...``.
    published
        Trait, then hits and selected SNPs of one method after the other.
    methods
        These methods.

    Returns
    -------
    pandas.DataFrame
        The frame with published_selected and published_hits; missing where none is published.
    """
    parts = [
        pd.DataFrame(
            {
                "trait": published.iloc[:, 0],
                "method": method,
                "published_selected": published.iloc[:, 2 * place + 2],
                "published_hits": published.iloc[:, 2 * place + 1],
            }
        )
        for place, method in enumerate(methods)
    ]
    return hits.merge(pd.concat(parts), how="left", on=["trait", "method"])

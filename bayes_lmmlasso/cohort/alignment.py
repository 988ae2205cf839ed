"""The join of genotyped samples with tables: by id, never by row order, every loss counted.

The key is (fid, iid) where both sides have family ids, else iid. Genotypes that come without family ids take those of
the first table that has some, so that one cohort has the same samples in every format.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.ids import find_samples
from bayes_lmmlasso.cohort.tables import TableCoding, TableLike, read_table, value_columns
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.remarks import Remark

__all__ = ["Alignment", "align"]


@dataclass(frozen=True)
class Alignment:
    """Which genotyped samples are in every table, and what the tables say of them.

    Attributes
    ----------
    rows
        ``(n,)`` positions of the samples kept, in the order of the genotypes.
    samples
        ``(n, 2)`` frame ``fid iid`` of the samples kept; a fid that no file tells is the iid.
    columns
        Traits and covariates by name, each ``(n,)`` with dim ``samples``.
    covariates
        Names of the columns that come from the covariate table.
    dropped
        Samples left out, per cause. "no genotype" refers to the phenotype table (the covariate table if
        that is the only one); a sample that the covariate table lacks counts as "covariate missing".
    """

    rows: NDArray[np.intp]
    samples: pd.DataFrame
    columns: dict[str, xr.DataArray]
    covariates: list[str]
    dropped: dict[str, int]
    remarks: tuple[Remark, ...] = ()


def align(
    samples: pd.DataFrame,
    phenotypes: TableLike | None = None,
    trait: str | None = None,
    covariates: TableLike | None = None,
    *,
    source: str = "the genotypes",
    **coding: Unpack[TableCoding],
) -> Alignment:
    """Inner join of genotyped samples with the tables.

    Parameters
    ----------
    samples
        Frame with ``iid`` of the n genotyped samples, and ``fid`` if their format has it.
    phenotypes, covariates
        Tables for `read_table`.
    trait
        A column that the phenotype table must have.
    source
        Origin of ``samples``, for messages.
    **coding
        See `TableCoding`.

    Raises
    ------
    InputError
        A bad table, an unknown trait, no shared sample, an ambiguous iid, or two tables that disagree.
    """
    if trait is not None and phenotypes is None:
        raise InputError(f"expected a phenotype table for trait {trait!r}, got none; give `phenotypes`")
    keep = np.ones(len(samples), dtype=bool)
    dropped = {"no genotype": 0, "not in phenotype table": 0, "covariate missing": 0}
    joined: list[tuple[pd.DataFrame, NDArray[np.intp]]] = []
    for given, what, cause in (
        (phenotypes, "phenotypes", "not in phenotype table"),
        (covariates, "covariates", "covariate missing"),
    ):
        if given is None:
            continue
        table = read_table(
            given, what, categorical=coding.get("categorical", ()), missing_code=coding.get("missing_code", ())
        )
        if what == "phenotypes" and trait is not None:
            _require_trait(table, trait)
        rows = find_samples(samples, table, source, table.attrs["source"])
        if not joined:
            dropped["no genotype"] = len(table) - int((rows >= 0).sum())
        dropped[cause] = int((keep & (rows < 0)).sum())
        keep &= rows >= 0
        if "fid" in table and "fid" not in samples:
            samples = samples.assign(fid=table["fid"].to_numpy()[rows])
        joined.append((table, rows))
    if not keep.any():
        origins = ", ".join([source, *(table.attrs["source"] for table, _ in joined)])
        raise InputError(f"expected samples that occur in all of {origins}, got none; check the sample ids")
    columns: dict[str, xr.DataArray] = {}
    for table, rows in joined:
        for name in value_columns(table):
            attrs = {"source": table.attrs["source"]}
            column = xr.DataArray(table[name].to_numpy()[rows[keep]], dims="samples", attrs=attrs)
            if name in columns and not column.equals(columns[name]):
                raise InputError(
                    f"expected equal values where two tables share a column, got different {name!r} in "
                    f"{columns[name].attrs['source']} and {attrs['source']}; rename one of them"
                )
            columns[name] = column
    names = [] if covariates is None else value_columns(joined[-1][0])
    kept = samples[keep].reset_index(drop=True)
    ids = pd.DataFrame({"fid": kept.get("fid", kept["iid"]), "iid": kept["iid"]})
    return Alignment(np.flatnonzero(keep), ids, columns, names, dropped)


def _require_trait(table: pd.DataFrame, trait: str) -> None:
    names = value_columns(table)
    if trait not in names:
        raise InputError(
            f"expected a trait of {table.attrs['source']}, got {trait!r}; choose one of {', '.join(names)}"
        )

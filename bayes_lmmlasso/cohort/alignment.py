"""The join of genotyped samples with tables: by id, never by row order, every loss counted and told.

Who is who is decided by `bayes_lmmlasso.cohort.ids`. Genotypes that come without family ids take those of the first
table that has some, so that one cohort has the same samples in every format.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Unpack

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.ids import find_samples, likely_reason, tells_families
from bayes_lmmlasso.cohort.tables import TableCoding, TableLike, id_columns, read_table, use_columns, value_columns
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.remarks import Remark, examples

__all__ = ["Alignment", "align"]

_MANY = 0.1  # share of either side without a partner from which the join calls for caution


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
        Names of the covariates used.
    dropped
        Ids of the samples left out, per cause. "no genotype" refers to the phenotype table (the covariate table if
        that is the only one); a sample that the covariate table lacks counts as "covariate missing".
    remarks
        What is told about the tables and the join.
    """

    rows: NDArray[np.intp]
    samples: pd.DataFrame
    columns: dict[str, xr.DataArray]
    covariates: list[str]
    dropped: dict[str, list[str]]
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
        A bad table, an unknown trait or covariate, no shared sample, an ambiguous iid, or two tables that disagree.
    """
    if trait is not None and phenotypes is None:
        raise InputError(
            f"expected a table with trait {trait!r}, got none, and {source} brings no traits: give a phenotype table"
        )
    keep = np.ones(len(samples), dtype=bool)
    dropped: dict[str, list[str]] = {"no genotype": [], "not in phenotype table": [], "covariate missing": []}
    joined: list[tuple[pd.DataFrame, NDArray[np.intp]]] = []
    names: list[str] = []
    remarks: list[Remark] = []
    for given, what, cause in (
        (phenotypes, "phenotypes", "not in phenotype table"),
        (covariates, "covariates", "covariate missing"),
    ):
        if given is None:
            continue
        table = _read(given, what, coding)
        if what == "covariates":
            names = _used_covariates(table, coding.get("covariate_names", ()), trait)
            table = table[[*id_columns(table), *names]]
        elif trait is not None:
            _require_column(table, trait, "trait")
        used = names if what == "covariates" else [trait] if trait is not None else []
        of_columns = [remark for each in table.attrs["column_remarks"].values() for remark in each]
        remarks += [remark for remark in use_columns(table, used) if remark not in of_columns]
        rows = find_samples(samples, table, source, table.attrs["source"])
        if not joined:
            dropped["no genotype"] = _without_genotypes(table, rows)
        dropped[cause] = samples["iid"][keep & (rows < 0)].tolist()
        remarks += _remarks_on_join(samples, table, rows, source)
        keep &= rows >= 0
        if tells_families(table) and not tells_families(samples):
            samples = samples.assign(fid=np.where(rows >= 0, table["fid"].to_numpy()[rows], samples["iid"]))
        joined.append((table, rows))
    if not keep.any():
        origins = ", ".join([source, *(table.attrs["source"] for table, _ in joined)])
        raise InputError(f"expected samples that occur in all of {origins}, got none; check the sample ids")
    columns = _columns(joined, keep)
    _check_categorical(coding.get("categorical", ()), columns)
    kept = samples[keep].reset_index(drop=True)
    ids = pd.DataFrame({"fid": kept["fid"] if "fid" in kept else kept["iid"], "iid": kept["iid"]})
    return Alignment(np.flatnonzero(keep), ids, columns, names, dropped, tuple(remarks))


def _read(given: TableLike, what: str, coding: TableCoding) -> pd.DataFrame:
    return read_table(
        given, what, categorical=coding.get("categorical", ()), missing_code=coding.get("missing_code", ())
    )


def _used_covariates(table: pd.DataFrame, wanted: Sequence[str], trait: str | None) -> list[str]:
    """Names of the covariates to use: all, or those wanted."""
    for name in wanted:
        _require_column(table, name, "covariate")
    names = list(dict.fromkeys(wanted)) or value_columns(table)
    if empty := [name for name in names if table[name].isna().all()]:
        rest = ",".join(name for name in names if name not in empty)
        raise InputError(
            f"expected values of covariate {empty[0]!r} in {table.attrs['source']}, got none: fill it in"
            + ("" if wanted else f", or leave it out{f' (--covar-names {rest})' if rest else ''}")
        )
    if trait in names:
        others = [name for name in names if name != trait]
        raise InputError(
            f"expected covariates other than the trait, got {trait!r} among those of {table.attrs['source']}: "
            + (f"use the others (--covar-names {','.join(others)})" if others else "leave the table out")
        )
    return names


def _columns(
    joined: Sequence[tuple[pd.DataFrame, NDArray[np.intp]]], keep: NDArray[np.bool_]
) -> dict[str, xr.DataArray]:
    """Traits and covariates of the samples kept."""
    columns: dict[str, xr.DataArray] = {}
    for table, rows in joined:
        for name in value_columns(table):
            told = json.dumps([asdict(remark) for remark in table.attrs["column_remarks"][name]])
            attrs = {
                "source": table.attrs["source"],
                "refusal": table.attrs["refusals"].get(name, ""),
                "remarks": told,
            }
            column = xr.DataArray(table[name].to_numpy()[rows[keep]], dims="samples", attrs=attrs)
            if name in columns and not column.equals(columns[name]):
                raise InputError(
                    f"expected equal values where two tables share a column, got different {name!r} in "
                    f"{columns[name].attrs['source']} and {attrs['source']}; rename one of them"
                )
            columns[name] = column
    return columns


def _without_genotypes(table: pd.DataFrame, rows: NDArray[np.intp]) -> list[str]:
    """Ids of the rows of a table that no genotyped sample has."""
    found = np.zeros(len(table), dtype=bool)
    found[rows[rows >= 0]] = True
    ids: list[str] = table["iid"][~found].tolist()
    return ids


def _remarks_on_join(samples: pd.DataFrame, table: pd.DataFrame, rows: NDArray[np.intp], source: str) -> list[Remark]:
    """Tell, with caution, when more than a tenth of either side has no partner, or ids look spoilt."""
    left, right = samples["iid"][rows < 0].astype(str).tolist(), _without_genotypes(table, rows)
    reason = likely_reason(left, right) if left and right else ""
    if not reason and len(left) <= _MANY * len(samples) and len(right) <= _MANY * len(table):
        return []
    origin, sides = table.attrs["source"], []
    if right:
        sides.append(f"{len(right):,} of {len(table):,} rows of {origin} have no genotypes ({examples(right)})")
    if left:
        sides.append(f"{len(left):,} of {len(samples):,} samples of {source} are not in {origin} ({examples(left)})")
    return [Remark(f"{'; '.join(sides)}{f': {reason}' if reason else ''}", caution=True)]


def _require_column(table: pd.DataFrame, name: str, role: str) -> None:
    names = value_columns(table)
    if name in names:
        return
    alike = [known for known in names if known.casefold() == name.casefold()]
    offer = f"did you mean {alike[0]!r}?" if alike else f"choose one of {', '.join(names) or 'none, it has ids alone'}"
    raise InputError(f"expected {role} {name!r} in {table.attrs['source']}, got no such column; {offer}")


def _check_categorical(names: Sequence[str], columns: dict[str, xr.DataArray]) -> None:
    for name in names:
        if name not in columns:
            raise InputError(
                f"expected columns of the tables to be taken as groups, got {name!r}; choose among "
                f"{', '.join(columns) or 'none'}"
            )

"""The fixed-effect design Z = [1, z_1, ..., z_q]: an intercept and standardised covariates.

A numeric covariate is one column; a text covariate with L levels is L - 1 indicator columns
``name[level]``, the first level in sorted order being the reference. Every column but the intercept has
mean 0 and variance 1 (ddof 0) over the analysed samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.dataset import Cohort, column_names, sample_frame, source_of
from bayes_lmmlasso.errors import InputError

__all__ = ["Design", "covariate_design", "finite_or_missing", "has_covariates"]

_RANK_TOLERANCE = 1e-8


@dataclass(frozen=True)
class Design:
    """The design matrix ``matrix`` (n, q) and its column ``names`` (q,)."""

    matrix: NDArray[np.float64]
    names: tuple[str, ...]


def has_covariates(cohort: Cohort, names: Sequence[str]) -> NDArray[np.bool_]:
    """``(n,)`` whether a sample has a value in every covariate; raises InputError as `covariate_design`."""
    present = np.ones(cohort.sizes["samples"], dtype=bool)
    for name in names:
        present &= ~pd.isna(finite_or_missing(cohort, name, "covariate"))
    return present


def covariate_design(cohort: Cohort, names: Sequence[str], rows: NDArray[np.intp]) -> Design:
    """Design matrix of the analysed samples.

    Parameters
    ----------
    cohort
        Holds the covariates by name.
    names
        Covariates; none gives the intercept alone.
    rows
        ``(n,)`` positions of samples that have every covariate.

    Raises
    ------
    InputError
        Unknown covariate, Inf, or a column that depends linearly on those before it.
    """
    columns: dict[str, NDArray[np.float64]] = {"intercept": np.ones(len(rows))}
    for name in names:
        values = finite_or_missing(cohort, name, "covariate")[rows]
        if values.dtype != object:
            columns[name] = values
        else:
            levels = sorted(set(values))
            if len(levels) == 1:  # a zero column, reported below as constant
                columns[name] = np.zeros(len(rows))
            columns |= {f"{name}[{level}]": np.asarray(values == level, float) for level in levels[1:]}
    matrix = np.column_stack(list(columns.values()))
    varies = np.ptp(matrix, axis=0) > 0  # exact, where a standard deviation is rounded
    matrix[:, 1:] -= matrix[:, 1:].mean(axis=0)
    matrix[:, varies] /= matrix[:, varies].std(axis=0)
    matrix[:, 1:] *= varies[1:]
    _require_full_rank(matrix, tuple(columns))
    return Design(matrix, tuple(columns))


def finite_or_missing(cohort: Cohort, name: str, role: str) -> NDArray[Any]:
    """``(n,)`` values of a trait or covariate, text as object; InputError if it is unknown or holds Inf."""
    known = column_names(cohort)
    if name not in known:
        choices = ", ".join(known) or "none, as the cohort was read without tables"
        raise InputError(f"expected a known {role}, got {name!r}; choose among: {choices}")
    values: NDArray[Any] = cohort[name].values
    if values.dtype.kind not in "biuf":
        return values.astype(object)
    if np.isinf(values).any():
        i = int(np.argmax(np.isinf(values)))
        fid, iid = sample_frame(cohort).iloc[i]
        raise InputError(
            f"expected finite values of {role} {name!r} in {source_of(cohort, name)}, got {values[i]} for "
            f"sample {fid} {iid}; write NA where the value is unknown"
        )
    return values.astype(np.float64)


def _require_full_rank(matrix: NDArray[np.float64], names: tuple[str, ...]) -> None:
    """Raise InputError for the first column that the columns before it determine (R_jj = 0 in Z = QR)."""
    n, q = matrix.shape
    if q >= n:
        raise InputError(
            f"expected fewer covariate columns than samples, got {q} (with the intercept) for {n} samples; "
            "leave covariates out or merge the levels of text columns"
        )
    diagonal = np.abs(np.linalg.qr(matrix, mode="r").diagonal())
    dependent = np.flatnonzero(diagonal < _RANK_TOLERANCE * np.sqrt(n))
    if dependent.size:
        name = names[dependent[0]]
        constant = not matrix[:, dependent[0]].any()
        raise InputError(
            f"expected linearly independent covariates, got {name!r}, which is "
            f"{'constant' if constant else 'determined by the columns before it'} over the {n} analysed "
            "samples; leave it out"
        )

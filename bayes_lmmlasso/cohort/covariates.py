"""The fixed-effect design Z = [1, z_1, ..., z_q]: an intercept and standardised covariates.

A numeric covariate is one column; a text covariate with L levels is L - 1 indicator columns
``name[level]``, the first level in sorted order being the reference. Every column but the intercept has
mean 0 and variance 1 (ddof 0) over the analysed samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.dataset import Cohort, column_names, sample_frame, source_of
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.remarks import examples

__all__ = ["CovariateCoding", "Design", "code_covariates", "column_values", "covariate_design", "has_covariates"]

_RANK_TOLERANCE = 1e-8


@dataclass(frozen=True)
class CovariateCoding:
    """How a covariate becomes columns of the design, so that new samples can be coded alike.

    Attributes
    ----------
    covariate
        Its name.
    levels
        Levels of a text covariate in sorted order; empty for numbers.
    mean, sd
        Of each of its columns over the analysed samples, before standardising.
    """

    covariate: str
    levels: tuple[str, ...]
    mean: tuple[float, ...]
    sd: tuple[float, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its columns."""
        if len(self.levels) <= 1:  # a single level is a zero column, reported as constant
            return (self.covariate,)
        return tuple(f"{self.covariate}[{level}]" for level in self.levels[1:])

    def matrix(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """``(n, columns)`` standardised columns of values without gaps."""
        return np.asarray((_raw_columns(values, self.levels) - self.mean) / self.sd)


@dataclass(frozen=True)
class Design:
    """The design matrix ``matrix`` (n, q), its column ``names`` (q,) and the ``coding`` of each covariate.

    ``taken`` says how each covariate was taken, such as "age: number, 61 values".
    """

    matrix: NDArray[np.float64]
    names: tuple[str, ...]
    coding: tuple[CovariateCoding, ...]
    taken: tuple[str, ...]


def has_covariates(cohort: Cohort, names: Sequence[str]) -> NDArray[np.bool_]:
    """``(n,)`` whether a sample has a value in every covariate; raises InputError as `covariate_design`."""
    present = np.ones(cohort.sizes["samples"], dtype=bool)
    for name in names:
        present &= ~pd.isna(column_values(cohort, name, "covariate"))
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
    values = {name: column_values(cohort, name, "covariate")[rows] for name in names}
    coding = tuple(_fit_coding(name, values[name]) for name in names)
    columns = ("intercept", *(column for code in coding for column in code.columns))
    matrix = _design(len(rows), coding, values)
    _require_full_rank(matrix, columns)
    return Design(matrix, columns, coding, tuple(_taken(code, values[code.covariate]) for code in coding))


def code_covariates(cohort: Cohort, coding: Sequence[CovariateCoding], rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Design matrix of other samples, by the coding of the analysed ones.

    Parameters
    ----------
    cohort
        Holds the covariates by name.
    coding
        What `covariate_design` returned.
    rows
        ``(n,)`` positions of samples that have every covariate.

    Raises
    ------
    InputError
        An absent covariate, Inf, numbers where there was text or text where there were numbers, an unknown level.
    """
    values = {}
    for code in coding:
        values[code.covariate] = column_values(cohort, code.covariate, "covariate")[rows]
        _check_coding(code, values[code.covariate], source_of(cohort, code.covariate))
    return _design(len(rows), coding, values)


def _taken(code: CovariateCoding, values: NDArray[Any]) -> str:
    """Say how a covariate was taken."""
    if not code.levels:
        return f"{code.covariate}: number, {len(np.unique(values)):,} values"
    return f"{code.covariate}: {len(code.levels):,} levels ({examples(code.levels)})"


def _fit_coding(name: str, values: NDArray[Any]) -> CovariateCoding:
    levels = tuple(sorted(set(values))) if values.dtype == object else ()
    columns = _raw_columns(values, levels)
    varies = np.ptp(columns, axis=0) > 0  # exact, where a standard deviation is rounded
    mean = np.where(varies, columns.mean(axis=0), columns[0])
    sd = np.where(varies, columns.std(axis=0), 1.0)
    return CovariateCoding(name, levels, tuple(mean.tolist()), tuple(sd.tolist()))


def _raw_columns(values: NDArray[Any], levels: Sequence[str]) -> NDArray[np.float64]:
    """``(n, columns)`` numbers as they are, indicators of all levels but the first."""
    if not levels:
        return values.astype(np.float64)[:, None]
    if len(levels) == 1:
        return np.zeros((len(values), 1))
    return np.column_stack([values == level for level in levels[1:]]).astype(np.float64)


def _design(n: int, coding: Sequence[CovariateCoding], values: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    """``(n, q)`` the intercept and the columns of every covariate."""
    return np.hstack([np.ones((n, 1)), *(code.matrix(values[code.covariate]) for code in coding)])


def _check_coding(code: CovariateCoding, values: NDArray[Any], source: str) -> None:
    """Raise InputError if new values are not of the kind that was analysed."""
    is_text, was_text = values.dtype == object, bool(code.levels)
    if is_text != was_text:
        kinds = ("numbers", "text")
        raise InputError(
            f"expected {kinds[was_text]} in covariate {code.covariate!r} of {source} as in the analysed samples, got "
            f"{kinds[is_text]}: code it as there"
        )
    unknown = sorted(set(values) - set(code.levels)) if is_text else []
    if unknown:
        raise InputError(
            f"expected levels {', '.join(code.levels)} in covariate {code.covariate!r} of {source}, got "
            f"{unknown[0]!r}, which no analysed sample has: leave these samples out or merge the level with another"
        )


def column_values(cohort: Cohort, name: str, role: str) -> NDArray[Any]:
    """``(n,)`` values of a trait or covariate, text as object; InputError if it is unknown or holds Inf."""
    known = column_names(cohort)
    if name not in known:
        choices = ", ".join(known) or "none, as the cohort was read without tables"
        raise InputError(f"expected a known {role}, got {name!r}; choose among: {choices}")
    if refusal := cohort[name].attrs.get("refusal"):
        raise InputError(refusal)
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

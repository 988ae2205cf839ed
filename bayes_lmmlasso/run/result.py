"""What a run returns, besides what it writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes_lmmlasso.display import Display

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RunResult", "SamplingResult"]


@dataclass(frozen=True, eq=False, repr=False)
class SamplingResult(Display):
    """A finished posterior.

    Attributes
    ----------
    folder
        Where its files are.
    record
        What ``run.json`` says.
    hyper
        Summary of the hyper-parameters, one row each.
    shares
        Shares of variance: median and 95% interval.
    """

    folder: Path
    record: dict[str, Any]
    hyper: pd.DataFrame
    shares: pd.DataFrame


@dataclass(frozen=True, eq=False, repr=False)
class RunResult(SamplingResult):
    """A finished run.

    Attributes
    ----------
    inclusion, windows
        One row a SNP, one row a window.
    """

    inclusion: pd.DataFrame
    windows: pd.DataFrame

"""The Lasso in the metric of the mixed model: path and stability selection."""

from __future__ import annotations

from bayes_lmmlasso.lasso.error_bounds import ErrorBound, error_bound
from bayes_lmmlasso.lasso.path import LassoPath, lasso_path
from bayes_lmmlasso.lasso.stability import StabilitySelection, stability_selection

__all__ = [
    "ErrorBound",
    "LassoPath",
    "StabilitySelection",
    "error_bound",
    "lasso_path",
    "stability_selection",
]

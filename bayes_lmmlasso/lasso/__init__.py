"""The Lasso in the metric of the mixed model: path, stability selection, cross-validation, estimator."""

from __future__ import annotations

from bayes_lmmlasso.lasso.cross_validation import CrossValidation, cross_validate
from bayes_lmmlasso.lasso.error_bounds import ErrorBound, error_bound
from bayes_lmmlasso.lasso.estimator import LMMLasso
from bayes_lmmlasso.lasso.genotypes import Genotypes
from bayes_lmmlasso.lasso.joint import JointMap, joint_map
from bayes_lmmlasso.lasso.path import LassoPath, lasso_path, lasso_paths
from bayes_lmmlasso.lasso.permutation import PermutationNull, permutation_null
from bayes_lmmlasso.lasso.stability import StabilitySelection, stability_selection, stability_selections

__all__ = [
    "CrossValidation",
    "ErrorBound",
    "Genotypes",
    "JointMap",
    "LMMLasso",
    "LassoPath",
    "PermutationNull",
    "StabilitySelection",
    "cross_validate",
    "error_bound",
    "joint_map",
    "lasso_path",
    "lasso_paths",
    "permutation_null",
    "stability_selection",
    "stability_selections",
]

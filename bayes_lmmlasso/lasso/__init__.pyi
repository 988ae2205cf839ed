from .cross_validation import CrossValidation, cross_validate
from .error_bounds import ErrorBound, error_bound
from .estimator import LMMLasso
from .genotypes import Genotypes
from .joint import JointMap, joint_map
from .path import LassoPath, lasso_path, lasso_paths
from .permutation import PermutationNull, permutation_null
from .selector import Selector
from .stability import StabilitySelection, stability_selection, stability_selections
from .status import PathStatus
from .subsamples import Subsampling

__all__ = [
    "CrossValidation",
    "ErrorBound",
    "Genotypes",
    "JointMap",
    "LMMLasso",
    "LassoPath",
    "PathStatus",
    "PermutationNull",
    "Selector",
    "StabilitySelection",
    "Subsampling",
    "cross_validate",
    "error_bound",
    "joint_map",
    "lasso_path",
    "lasso_paths",
    "permutation_null",
    "stability_selection",
    "stability_selections",
]

"""Bayesian LMM-Lasso: multi-locus association mapping with posterior uncertainty and correction for relatedness.

>>> import bayes_lmmlasso as bl
>>> cohort = bl.read_plink("mice", phenotypes="traits.tsv")  # doctest: +SKIP
>>> analysis = bl.prepare(cohort, "cd8")  # doctest: +SKIP
"""

from __future__ import annotations

from importlib.metadata import version

from bayes_lmmlasso.cohort import (
    AnalysisSet,
    Cohort,
    cohort_from_arrays,
    prepare,
    read_plink,
    read_table,
    simulate_cohort,
    simulate_trait,
    standardise,
    write_plink,
    write_table,
)
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso import (
    CrossValidation,
    Genotypes,
    JointMap,
    LassoPath,
    LMMLasso,
    PermutationNull,
    StabilitySelection,
    cross_validate,
    joint_map,
    lasso_path,
    lasso_paths,
    permutation_null,
    stability_selection,
    stability_selections,
)
from bayes_lmmlasso.lmm import (
    Eigenbasis,
    NullModel,
    blup,
    fit_null_model,
    gower_scale,
    kinship,
    null_deltas,
    read_kinship,
    rotate,
    validate_kinship,
)
from bayes_lmmlasso.models import MODELS, ModelSpec, RotatedData
from bayes_lmmlasso.posterior import (
    add_point_estimate,
    add_stability,
    hyper_table,
    inclusion_table,
    loo_log_likelihood,
    read_tree,
    sample_posterior,
    window_table,
    write_tree,
)

__version__ = version("bayes-lmmlasso")

__all__ = [
    "MODELS",
    "AnalysisSet",
    "Cohort",
    "CrossValidation",
    "Eigenbasis",
    "Genotypes",
    "InputError",
    "JointMap",
    "LMMLasso",
    "LassoPath",
    "ModelSpec",
    "NullModel",
    "PermutationNull",
    "RotatedData",
    "StabilitySelection",
    "add_point_estimate",
    "add_stability",
    "blup",
    "cohort_from_arrays",
    "cross_validate",
    "fit_null_model",
    "gower_scale",
    "hyper_table",
    "inclusion_table",
    "joint_map",
    "kinship",
    "lasso_path",
    "lasso_paths",
    "loo_log_likelihood",
    "null_deltas",
    "permutation_null",
    "prepare",
    "read_kinship",
    "read_plink",
    "read_table",
    "read_tree",
    "rotate",
    "sample_posterior",
    "simulate_cohort",
    "simulate_trait",
    "stability_selection",
    "stability_selections",
    "standardise",
    "validate_kinship",
    "window_table",
    "write_plink",
    "write_table",
    "write_tree",
]

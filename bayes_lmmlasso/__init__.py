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
from bayes_lmmlasso.compare import BASELINES, MLMM, MLMMStep, Scan, mlmm, scan, scan_by_chromosome
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
    leave_one_chromosome_out,
    null_deltas,
    read_kinship,
    rotate,
    validate_kinship,
)
from bayes_lmmlasso.models import MODELS, ModelSpec, RotatedData
from bayes_lmmlasso.posterior import (
    EffectDraws,
    Until,
    add_point_estimate,
    add_stability,
    compact,
    effect_draws,
    hyper_table,
    inclusion_table,
    loo_log_likelihood,
    read_tree,
    sample_posterior,
    shard,
    window_table,
    write_tree,
)

__version__ = version("bayes-lmmlasso")

__all__ = [
    "BASELINES",
    "MLMM",
    "MODELS",
    "AnalysisSet",
    "Cohort",
    "CrossValidation",
    "EffectDraws",
    "Eigenbasis",
    "Genotypes",
    "InputError",
    "JointMap",
    "LMMLasso",
    "LassoPath",
    "MLMMStep",
    "ModelSpec",
    "NullModel",
    "PermutationNull",
    "RotatedData",
    "Scan",
    "StabilitySelection",
    "Until",
    "add_point_estimate",
    "add_stability",
    "blup",
    "cohort_from_arrays",
    "compact",
    "cross_validate",
    "effect_draws",
    "fit_null_model",
    "gower_scale",
    "hyper_table",
    "inclusion_table",
    "joint_map",
    "kinship",
    "lasso_path",
    "leave_one_chromosome_out",
    "loo_log_likelihood",
    "mlmm",
    "null_deltas",
    "permutation_null",
    "prepare",
    "read_kinship",
    "read_plink",
    "read_table",
    "read_tree",
    "rotate",
    "sample_posterior",
    "scan",
    "scan_by_chromosome",
    "shard",
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

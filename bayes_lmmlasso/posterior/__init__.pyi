from .compact import compact
from .credible_sets import credible_sets
from .devices import shard
from .effects import EffectDraws, effect_draws
from .fdr import BayesianFdr, bayesian_fdr
from .inclusion import inclusion_table
from .loo import loo_log_likelihood
from .prediction import Prediction, predict_cohort, predict_posterior
from .projection import Projection, project_posterior
from .sampling import sample_posterior
from .shares import share_draws, share_table
from .stopping import Until
from .store import (
    add_point_estimate,
    add_stability,
    hyper_table,
    read_tree,
    write_tree,
)
from .training import TrainingSet, add_training, read_training
from .windows import window_table

__all__ = [
    "BayesianFdr",
    "EffectDraws",
    "Prediction",
    "Projection",
    "TrainingSet",
    "Until",
    "add_point_estimate",
    "add_stability",
    "add_training",
    "bayesian_fdr",
    "compact",
    "credible_sets",
    "effect_draws",
    "hyper_table",
    "inclusion_table",
    "loo_log_likelihood",
    "predict_cohort",
    "predict_posterior",
    "project_posterior",
    "read_training",
    "read_tree",
    "sample_posterior",
    "shard",
    "share_draws",
    "share_table",
    "window_table",
    "write_tree",
]

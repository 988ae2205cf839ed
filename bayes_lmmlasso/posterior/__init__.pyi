from .prediction import Prediction, predict_cohort, predict_posterior
from .sampler.devices import shard
from .sampler.plan import SamplingPlan
from .sampler.registry import SAMPLERS, default_lengths, samplers_of
from .sampler.stopping import Stopped, Until
from .sampling import sample_posterior
from .summaries.credible_sets import credible_sets
from .summaries.fdr import BayesianFdr, bayesian_fdr
from .summaries.inclusion import inclusion_table
from .summaries.prior_predictive import add_prior, predictive_table, prior_predictive
from .summaries.projection import Projection, project_posterior
from .summaries.sensitivity import PriorSensitivity, prior_sensitivity
from .summaries.shares import share_draws, share_table
from .summaries.windows import window_table
from .tree.compact import compact
from .tree.effects import EffectDraws, effect_draws
from .tree.file import add_point_estimate, add_stability, hyper_table, read_tree, write_tree
from .tree.loo import loo_log_likelihood
from .tree.selection import PointEstimate, read_point_estimate, read_stability
from .tree.training import TrainingSet, add_training, read_training

__all__ = [
    "SAMPLERS",
    "BayesianFdr",
    "EffectDraws",
    "PointEstimate",
    "Prediction",
    "PriorSensitivity",
    "Projection",
    "SamplingPlan",
    "Stopped",
    "TrainingSet",
    "Until",
    "add_point_estimate",
    "add_prior",
    "add_stability",
    "add_training",
    "bayesian_fdr",
    "compact",
    "credible_sets",
    "default_lengths",
    "effect_draws",
    "hyper_table",
    "inclusion_table",
    "loo_log_likelihood",
    "predict_cohort",
    "predict_posterior",
    "predictive_table",
    "prior_predictive",
    "prior_sensitivity",
    "project_posterior",
    "read_point_estimate",
    "read_stability",
    "read_training",
    "read_tree",
    "sample_posterior",
    "samplers_of",
    "shard",
    "share_draws",
    "share_table",
    "window_table",
    "write_tree",
]

"""The posterior: sampling, diagnostics, inclusion, windows and the tree that holds it all."""

from __future__ import annotations

from bayes_lmmlasso.posterior.compact import compact
from bayes_lmmlasso.posterior.credible_sets import credible_sets
from bayes_lmmlasso.posterior.devices import shard
from bayes_lmmlasso.posterior.effects import EffectDraws, effect_draws
from bayes_lmmlasso.posterior.fdr import BayesianFdr, bayesian_fdr
from bayes_lmmlasso.posterior.inclusion import inclusion_table
from bayes_lmmlasso.posterior.loo import loo_log_likelihood
from bayes_lmmlasso.posterior.prediction import Prediction, predict_cohort, predict_posterior
from bayes_lmmlasso.posterior.projection import Projection, project_posterior
from bayes_lmmlasso.posterior.sampling import chain_lengths, sample_posterior
from bayes_lmmlasso.posterior.shares import share_draws, share_table
from bayes_lmmlasso.posterior.stopping import Until
from bayes_lmmlasso.posterior.store import (
    add_point_estimate,
    add_stability,
    hyper_table,
    read_tree,
    write_tree,
)
from bayes_lmmlasso.posterior.training import TrainingSet, add_training, read_training
from bayes_lmmlasso.posterior.windows import window_table

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
    "chain_lengths",
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

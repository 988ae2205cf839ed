"""The posterior: sampling, diagnostics, inclusion, windows and the tree that holds it all."""

from __future__ import annotations

from bayes_lmmlasso.posterior.compact import compact
from bayes_lmmlasso.posterior.devices import shard
from bayes_lmmlasso.posterior.effects import EffectDraws, effect_draws
from bayes_lmmlasso.posterior.inclusion import inclusion_table
from bayes_lmmlasso.posterior.loo import loo_log_likelihood
from bayes_lmmlasso.posterior.sampling import chain_lengths, sample_posterior
from bayes_lmmlasso.posterior.stopping import Until
from bayes_lmmlasso.posterior.store import (
    add_point_estimate,
    add_stability,
    hyper_table,
    read_tree,
    write_tree,
)
from bayes_lmmlasso.posterior.windows import window_table

__all__ = [
    "EffectDraws",
    "Until",
    "add_point_estimate",
    "add_stability",
    "chain_lengths",
    "compact",
    "effect_draws",
    "hyper_table",
    "inclusion_table",
    "loo_log_likelihood",
    "read_tree",
    "sample_posterior",
    "shard",
    "window_table",
    "write_tree",
]

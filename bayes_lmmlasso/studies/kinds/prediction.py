"""Studies of prediction: traits x methods x folds, everything learnt within the fold (`prepare_fold`).

All methods see the same folds; intervals and paired differences are bootstrapped over traits. LMM-Lasso against Lasso
and BLUP, posteriors against LMM-Lasso, and two sparse ones against each other are also compared trait by trait
(`bayes_lmmlasso.compare.win_rates`).
"""

from __future__ import annotations

import pandas as pd

from bayes_lmmlasso.compare.bootstrap import method_means, paired_differences
from bayes_lmmlasso.compare.cross_prediction import prediction_scores
from bayes_lmmlasso.compare.predictors import PREDICTORS
from bayes_lmmlasso.compare.win_rates import trait_differences, win_rates
from bayes_lmmlasso.models import MODELS
from bayes_lmmlasso.settings import Settings, knob
from bayes_lmmlasso.studies.cells.prediction import PredictionCell
from bayes_lmmlasso.studies.study import Cell, Kind, Results, Study, derived_seed

__all__ = ["LENGTHS", "PREDICTION", "PredictionSettings"]

_METRICS = ("r", "r2", "mse", "coverage", "size", "mc_loss")
_COMPARED = ("r", "r2", "mse")
_PAIRS = [
    ("lmm-lasso", "lasso"),
    ("lmm-lasso", "blup"),
    *((posterior, "lmm-lasso") for posterior in (*MODELS, "bslmm")),
    ("spike_slab", "bslmm"),
]
LENGTHS = {"chains": 4, "warmup": None, "draws": None}
"""Settings of Markov chains, with their defaults."""


class PredictionSettings(Settings):
    """How samples are predicted."""

    folds: int = knob(10, "Number of folds of equal size.", at_least=2, at_most=100_000, remedy="10 is usual")
    published_share: float | None = knob(
        None, "Published share of traits in which lmm-lasso predicts better than lasso.", at_least=0, at_most=1
    )


def _cells(study: Study) -> list[Cell]:
    n_folds = study.settings.folds
    return [
        PredictionCell(study.data, trait, n_folds, fold, derived_seed(study.seed, trait), method)
        for trait in study.traits
        for fold in range(n_folds)
        for method in study.methods
    ]


def _tables(study: Study, results: Results) -> dict[str, pd.DataFrame]:
    """Return predictions, their accuracy by trait and method over the folds at hand, and comparisons of methods."""
    rows = [pd.DataFrame(result["rows"]).assign(trait=labels["trait"]) for labels, result in results]
    predictions = pd.concat(rows, ignore_index=True)
    predictions = predictions[["trait", *predictions.columns.drop("trait")]]
    accuracy = prediction_scores(predictions, ("trait", "method"))
    means, differences = [], []
    for metric in _METRICS:
        values = accuracy.pivot_table(index="trait", columns="method", values=metric, sort=False)
        values.columns.name = None
        if values.shape[1]:
            means.append(method_means(values, seed=study.seed).assign(metric=metric))
        if metric in _COMPARED:
            differences.append(paired_differences(values, seed=study.seed).assign(metric=metric))
    summary, paired = pd.concat(means), pd.concat(differences)
    names = [method.name for method in study.methods]
    pairs = [pair for pair in _PAIRS if {*pair} <= {*names}]
    by_trait = trait_differences(predictions, pairs, seed=study.seed)
    compared = {}
    if len(by_trait):
        compared = {"wins": win_rates(by_trait, study.settings.published_share, seed=study.seed), "traits": by_trait}
    return compared | {
        "accuracy": accuracy,
        "summary": summary[["metric", *summary.columns.drop("metric")]],
        "differences": paired[["metric", *paired.columns.drop("metric")]],
        "predictions": predictions,
    }


_METHODS = {name: LENGTHS if name in MODELS else {} for name in (*PREDICTORS, *MODELS)}
PREDICTION = Kind(PredictionSettings, _METHODS, _cells, _tables)

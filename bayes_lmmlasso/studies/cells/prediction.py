"""One fold of a trait predicted by one method."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bayes_lmmlasso.compare.cross_prediction import prediction_rows
from bayes_lmmlasso.compare.predictors import PREDICTORS, posterior_predictor
from bayes_lmmlasso.models import MODELS
from bayes_lmmlasso.run.settings import CohortSettings
from bayes_lmmlasso.studies.data import load_fold
from bayes_lmmlasso.studies.study import MethodCall

__all__ = ["PredictionCell"]


@dataclass(frozen=True)
class PredictionCell:
    """One fold of a trait predicted by one method; ``seed`` assigns the folds of the trait."""

    data: CohortSettings
    trait: str
    n_folds: int
    fold: int
    seed: int
    method: MethodCall

    def labels(self) -> dict[str, Any]:
        """Return trait, fold and method."""
        return {"trait": self.trait, "fold": self.fold, "method": self.method.name}

    def content(self) -> dict[str, Any]:
        """Return everything but the data."""
        return {"kind": "prediction"} | {name: value for name, value in asdict(self).items() if name != "data"}

    def run(self) -> dict[str, Any]:
        """Train, predict, and return the rows of `cross_predict`."""
        fold = load_fold(self.data, self.trait, self.n_folds, self.fold, self.seed)
        name, settings = self.method.name, dict(self.method.settings)
        predictor = posterior_predictor(name, **settings) if name in MODELS else PREDICTORS[name]
        rows = prediction_rows(name, self.fold, fold, predictor(fold, self.seed + self.fold))
        return {"rows": rows.to_dict("list")}

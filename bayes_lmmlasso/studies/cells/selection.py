"""The shares of all SNPs for one trait by one method."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bayes_lmmlasso.compare.baselines import BASELINES
from bayes_lmmlasso.run.settings import CohortSettings
from bayes_lmmlasso.studies.data import load
from bayes_lmmlasso.studies.study import MethodCall

__all__ = ["SelectionCell"]

_LEAST_SHARE = 0.01  # of what is kept


@dataclass(frozen=True)
class SelectionCell:
    """The shares of all SNPs for one trait by one method."""

    data: CohortSettings
    trait: str
    seed: int
    method: MethodCall

    def labels(self) -> dict[str, Any]:
        """Return trait and method."""
        return {"trait": self.trait, "method": self.method.name}

    def content(self) -> dict[str, Any]:
        """Return everything but the data."""
        return {"kind": "selection"} | {name: value for name, value in asdict(self).items() if name != "data"}

    def run(self) -> dict[str, Any]:
        """Score, and return the SNPs with a share worth keeping."""
        data = load(self.data, self.trait)
        method = BASELINES[self.method.name]
        settings = dict(self.method.settings) | {"seed": self.seed}
        share = method(data.analysis.X, data.analysis.y, data.basis, data.analysis.covariates, **settings)
        kept = np.flatnonzero(share >= _LEAST_SHARE)
        return {"snp": kept.tolist(), "share": share[kept].tolist()}

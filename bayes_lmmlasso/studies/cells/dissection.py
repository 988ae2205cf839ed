"""One fold of a trait dissected along the path of one method, and the posterior of the trait's shares."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bayes_lmmlasso.compare.dissection import dissect_fold
from bayes_lmmlasso.lmm import rotate
from bayes_lmmlasso.posterior import sample_posterior
from bayes_lmmlasso.posterior.summaries.shares import share_table
from bayes_lmmlasso.run.settings import CohortSettings
from bayes_lmmlasso.studies.data import load, load_fold
from bayes_lmmlasso.studies.study import MethodCall

__all__ = ["HAS_STRUCTURE", "FoldCell", "PosteriorCell"]

HAS_STRUCTURE = {"lasso": False, "lmm-lasso": True}
"""Name of a path -> whether its model has the polygenic effect."""


@dataclass(frozen=True)
class FoldCell:
    """One fold of a trait dissected along the path of one method; ``seed`` assigns the folds of the trait."""

    data: CohortSettings
    trait: str
    n_folds: int
    fold: int
    seed: int
    n_active: int
    method: MethodCall

    def labels(self) -> dict[str, Any]:
        """Return trait, fold and method."""
        return {"trait": self.trait, "fold": self.fold, "method": self.method.name}

    def content(self) -> dict[str, Any]:
        """Return everything but the data."""
        return {"kind": "dissection"} | {name: value for name, value in asdict(self).items() if name != "data"}

    def run(self) -> dict[str, Any]:
        """Train, and return the sums of each `Dissection`."""
        fold = load_fold(self.data, self.trait, self.n_folds, self.fold, self.seed)
        found = dissect_fold(fold, self.n_active, structure=HAS_STRUCTURE[self.method.name])
        return {"sums": {samples: {"parts": one.parts.tolist(), "total": one.total} for samples, one in found.items()}}


@dataclass(frozen=True)
class PosteriorCell:
    """The posterior of a trait's shares by one model."""

    data: CohortSettings
    trait: str
    seed: int
    method: MethodCall

    def labels(self) -> dict[str, Any]:
        """Return trait, all folds and method."""
        return {"trait": self.trait, "fold": "all", "method": self.method.name}

    def content(self) -> dict[str, Any]:
        """Return everything but the data."""
        return {"kind": "shares"} | {name: value for name, value in asdict(self).items() if name != "data"}

    def run(self) -> dict[str, Any]:
        """Sample, and return the rows of `share_table`."""
        data = load(self.data, self.trait)
        settings: dict[str, Any] = dict(self.method.settings)
        tree = sample_posterior(rotate(data.analysis, data.basis), self.method.name, seed=self.seed, **settings)
        return {"shares": share_table(tree).rename_axis("part").reset_index().to_dict("list")}

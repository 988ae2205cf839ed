"""One simulated trait ranked by one method, and scored by causal loci."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bayes_lmmlasso.cohort import TraitDesign, semi_empirical_trait
from bayes_lmmlasso.compare.baselines import BASELINES
from bayes_lmmlasso.compare.loci import causal_loci
from bayes_lmmlasso.compare.ranking import ranking_curves
from bayes_lmmlasso.lmm import polygenic_effect
from bayes_lmmlasso.run.settings import CohortSettings
from bayes_lmmlasso.studies.data import StudyData, load
from bayes_lmmlasso.studies.study import MethodCall

__all__ = ["FALSE_RATES", "LEAST_SHARE", "RECALLS", "SimulationCell"]

RECALLS = np.linspace(0, 1, 21)
FALSE_RATES = np.concatenate([[0.0], np.logspace(-5, 0, 41)])
LEAST_SHARE = 0.01
"""Claims below this are not kept."""


@dataclass(frozen=True)
class SimulationCell:
    """One simulated trait ranked by one method."""

    data: CohortSettings
    trait: str
    setting: str
    design: TraitDesign
    replicate: int
    seed: int
    background: str
    window_kb: float | None
    r2: float | None
    method: MethodCall

    def labels(self) -> dict[str, Any]:
        """Return setting, background trait, replicate and method."""
        return {
            "setting": self.setting,
            "trait": self.trait,
            "replicate": self.replicate,
            "method": self.method.name,
        }

    def content(self) -> dict[str, Any]:
        """Return everything but the name of the setting."""
        content = asdict(self)
        return {"kind": "simulation"} | {key: content[key] for key in content if key not in ("data", "setting")}

    def run(self) -> dict[str, Any]:
        """Simulate, score and evaluate."""
        data = load(self.data, self.trait)
        X, variants = data.analysis.X, data.analysis.variants
        simulated = semi_empirical_trait(
            X, self._background(data), design=self.design, variants=variants, seed=self.seed
        )
        y = (simulated.y - simulated.y.mean()) / simulated.y.std()
        method = BASELINES[self.method.name]
        settings = dict(self.method.settings) | ({"seed": self.seed} if "seed" in method.settings else {})
        scores = method(X, y, data.basis, data.analysis.covariates, **settings)
        loci = causal_loci(
            simulated.causal,
            X.shape[1],
            variants=variants,
            window_kb=self.window_kb,
            X=X if self.r2 else None,
            r2=self.r2,
        )
        items = loci.items(scores)
        curves = ranking_curves(items.score, items.positive)
        result = {
            "average_precision": curves.average_precision,
            "roc_area": curves.roc_area,
            "power_at_fdp_0.1": curves.power_at_fdp(0.1),
            "precision": curves.precision_at(RECALLS).tolist(),
            "true_positive_rate": curves.true_positive_rate_at(FALSE_RATES).tolist(),
        }
        if method.is_share:
            causal = np.isin(np.arange(X.shape[1]), simulated.causal)
            kept = (scores >= LEAST_SHARE) | causal
            result["share"] = scores[kept].tolist()
            result["causal"] = causal[kept].tolist()
            result["tagging"] = loci.tagging[kept].tolist()
        return result

    def _background(self, data: StudyData) -> Any:
        if self.background == "drawn":
            return None
        y = data.analysis.y
        return y if self.background == "trait" else polygenic_effect(y, data.basis, data.analysis.covariates)

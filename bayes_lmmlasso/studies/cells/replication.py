"""The pips of all SNPs for one trait by one method, given a random part of the samples or all of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bayes_lmmlasso.compare.baselines import BASELINES
from bayes_lmmlasso.lmm import Eigenbasis, gower_scale
from bayes_lmmlasso.run.settings import CohortSettings
from bayes_lmmlasso.studies.data import StudyData, load
from bayes_lmmlasso.studies.study import MethodCall

__all__ = ["LEAST_PIP", "ReplicationCell", "part_of"]

LEAST_PIP = 0.01
"""A pip below this is not kept."""

_CONSTANT = 1e-6  # standard deviation, in the samples of a part, of a SNP that does not vary there


@dataclass(frozen=True)
class ReplicationCell:
    """One trait by one method, given a ``fraction`` of the samples that ``seed`` draws; of 1, all of them."""

    data: CohortSettings
    trait: str
    split: str
    fraction: float
    seed: int
    method: MethodCall

    def labels(self) -> dict[str, Any]:
        """Return trait, split and method."""
        return {"trait": self.trait, "split": self.split, "method": self.method.name}

    def content(self) -> dict[str, Any]:
        """Return everything but the data and the name of the split."""
        content = asdict(self)
        return {"kind": "replication"} | {key: content[key] for key in content if key not in ("data", "split")}

    def run(self) -> dict[str, Any]:
        """Compute the pips, and return those worth keeping."""
        data = load(self.data, self.trait)
        X, y, Z, basis = data.analysis.X, data.analysis.y, data.analysis.covariates, data.basis
        varies = np.arange(X.shape[1])
        if self.fraction < 1:
            varies, (X, y, Z, basis) = part_of(data, self.fraction, self.seed)
        method = BASELINES[self.method.name]
        settings = dict(self.method.settings) | ({"seed": self.seed} if "seed" in method.settings else {})
        pip = method(X, y, basis, Z, **settings)
        kept = np.flatnonzero(pip >= LEAST_PIP)
        return {"snp": varies[kept].tolist(), "pip": pip[kept].tolist()}


def part_of(data: StudyData, fraction: float, seed: int) -> tuple[Any, tuple[Any, Any, Any, Eigenbasis]]:
    """Return the SNPs that vary in a random part of the samples, and X, y, Z and the kinship's basis of these.

    SNPs and trait are standardised anew, and the kinship is scaled anew.
    """
    n = len(data.analysis.y)
    rows = np.sort(np.random.default_rng(seed).permutation(n)[: round(fraction * n)])
    X, y = data.analysis.X[rows], data.analysis.y[rows]
    mean, sd = X.mean(axis=0, dtype=np.float64), X.std(axis=0, dtype=np.float64)
    varies = np.flatnonzero(sd > _CONSTANT)
    X = ((X[:, varies] - mean[varies]) / sd[varies]).astype(X.dtype)
    basis = Eigenbasis.from_kinship(gower_scale(data.K[np.ix_(rows, rows)]))
    return varies, (X, (y - y.mean()) / y.std(), data.analysis.covariates[rows], basis)

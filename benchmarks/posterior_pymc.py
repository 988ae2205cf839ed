"""The LMM-Lasso prior as one would first write it in PyMC, sampled by nutpie."""

from __future__ import annotations

import os
import warnings

import numpy as np
import nutpie
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from bayes_lmmlasso.models import RotatedData
from bayes_lmmlasso.models.rotated import FIXED_SD

__all__ = ["pymc_laplace"]


def pymc_laplace(
    data: RotatedData, *, chains: int, warmup: int, draws: int, seed: int
) -> dict[str, NDArray[np.float64]]:
    """The model of `posterior_peers.centred_laplace`, in float64. Returns log_v, h, rho and b."""
    y, Z, XT, S = (np.asarray(values, dtype=np.float64) for values in (data.y, data.Z, data.XT, data.S))
    X, p = np.ascontiguousarray(XT.T), len(XT)
    with pm.Model() as model:
        raw = pm.HalfFlat("raw", shape=3)
        sigma2_g, sigma2_e, effects = raw[0], raw[1], raw[2]
        v = raw.sum()
        h, rho = (sigma2_g + effects) / v, effects / (sigma2_g + effects)
        pm.Potential("prior", -2 * pt.log(v) ** 2 - 3 * pt.log(v) - pt.log(h))
        for name, value in (("log_v", pt.log(v)), ("h", h), ("rho", rho)):
            pm.Deterministic(name, value)
        a = pm.Normal("a", 0.0, FIXED_SD, shape=Z.shape[1])
        b = pm.Laplace("b", 0.0, pt.sqrt(effects / (2 * p)), shape=p)
        pm.Normal("y", pt.dot(Z, a) + pt.dot(X, b), pt.sqrt(sigma2_g * S + sigma2_e), observed=y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = nutpie.compile_pymc_model(model)
        tree = nutpie.sample(
            compiled, chains=chains, tune=warmup, draws=draws, seed=seed, cores=os.cpu_count(), progress_bar=False
        )
    return {name: tree["posterior"][name].values for name in ("log_v", "h", "rho", "b")}

"""``run.json``: everything that is needed to repeat a run and to judge it.

Two runs with equal arguments on equal data and the same machine differ in ``timings`` alone.
"""

from __future__ import annotations

import hashlib
import platform
from dataclasses import fields
from importlib.metadata import version
from typing import Any

import numpy as np

from bayes_lmmlasso.cohort import AnalysisSet, Cohort
from bayes_lmmlasso.lmm import NullModel
from bayes_lmmlasso.run.publish import PACKAGE
from bayes_lmmlasso.run.settings import RunSettings
from bayes_lmmlasso.run.stages import MixedModel

__all__ = [
    "SNP_VARIANCE_SHARE",
    "WINDOW_VARIANCE_SHARE",
    "data_record",
    "fingerprint",
    "null_record",
    "starting_record",
    "versions",
]

SNP_VARIANCE_SHARE = 0.001
"""Share of phenotypic variance from which a SNP counts as included, where a prior has no exact zeros."""
WINDOW_VARIANCE_SHARE = 0.01
"""The same for a window."""

_DEPENDENCIES = (
    *("arviz-stats", "bed-reader", "jax", "jaxlib", "matplotlib", "numpy", "numpyro"),
    *("pandas", "scikit-learn", "scipy", "xarray", "zarr"),
)
_BLOCK = 1024  # SNPs copied at a time
_OF_SAMPLE = ("data", "sampling", "random")


def starting_record(command: str, settings: RunSettings, cohort: Cohort | None = None) -> dict[str, Any]:
    """Return what is known before a run starts: command, arguments, seed and versions, and a cohort in memory."""
    record = {
        "package": PACKAGE,
        "status": "running",
        "command": command,
        "arguments": settings.options() if command == "run" else settings.options(*_OF_SAMPLE),
        "given": settings.given(),
        "seed": settings.random.seed,
        "snp_variance_share": SNP_VARIANCE_SHARE,
        "window_variance_share": WINDOW_VARIANCE_SHARE,
        "versions": versions(),
    }
    if cohort is None:
        return record
    samples, variants = cohort.sizes["samples"], cohort.sizes["variants"]
    return record | {"cohort": f"in memory: {samples:,} samples, {variants:,} SNPs"}


def versions() -> dict[str, str]:
    """Versions of the package, of Python, of the libraries that compute, and the platform."""
    return {
        PACKAGE: version(PACKAGE),
        "python": platform.python_version(),
        **{name: version(name) for name in _DEPENDENCIES},
        "platform": platform.platform(),
    }


def data_record(settings: RunSettings, mixed: MixedModel) -> dict[str, Any]:
    """Describe what was analysed: fingerprint, samples and SNPs kept and dropped per cause."""
    from scipy.stats import skew  # half a second at the start of every command

    analysis = mixed.analysis
    residual = analysis.y - analysis.covariates @ mixed.null_model.fixed_effects
    return {
        "fingerprint": fingerprint(analysis, mixed.K if settings.data.has_given_kinship else None),
        **mixed.intake.record(),
        "trait_mean": analysis.trait.mean,
        "trait_sd": analysis.trait.sd,
        "trait_exponent": analysis.trait.exponent,
        "trait_skewness": float(skew(residual)) if len(np.unique(analysis.y)) > 2 else None,
        "covariates": list(analysis.covariate_names),
    }


def fingerprint(analysis: AnalysisSet, K: np.ndarray[Any, np.dtype[np.float64]] | None = None) -> str:
    """SHA-256 over shapes and bytes of genotypes, trait, covariates and a kinship that was given."""
    digest = hashlib.sha256()
    for array in (analysis.X.T, analysis.y, analysis.covariates, K):
        if array is not None:
            digest.update(f"{array.dtype} {array.shape};".encode())
            for start in range(0, len(array), _BLOCK):
                digest.update(np.ascontiguousarray(array[start : start + _BLOCK]).data)
    return f"sha256:{digest.hexdigest()}"


def null_record(null_model: NullModel) -> dict[str, Any]:
    """Return the numbers of the null model."""
    values = {field.name: getattr(null_model, field.name) for field in fields(null_model)}
    values["fixed_effects"] = null_model.fixed_effects.tolist()
    return {name: value for name, value in values.items() if name not in ("grid", "profile")}

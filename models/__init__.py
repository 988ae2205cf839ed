"""The Bayesian models: one file a prior, all on one rotated likelihood.

Each model is a NumPyro function of one argument, the `RotatedData`; it reads as the model on paper.
This folder imports nothing of the package, so that it can be read, and replaced, on its own.
"""

if __name__ == "models":
    raise ImportError("import this folder as bayes_lmmlasso.models; 'models' is only its place in the repository")

from bayes_lmmlasso.models.horseshoe import horseshoe
from bayes_lmmlasso.models.laplace import laplace
from bayes_lmmlasso.models.normal import normal
from bayes_lmmlasso.models.registry import MODELS, ModelSpec, model_spec
from bayes_lmmlasso.models.rotated import (
    RotatedData,
    Variances,
    rotated_likelihood,
    sample_fixed_effects,
    sample_variances,
    standard_effects,
)
from bayes_lmmlasso.models.spike_slab import spike_slab

__all__ = [
    "MODELS",
    "ModelSpec",
    "RotatedData",
    "Variances",
    "horseshoe",
    "laplace",
    "model_spec",
    "normal",
    "rotated_likelihood",
    "sample_fixed_effects",
    "sample_variances",
    "spike_slab",
    "standard_effects",
]

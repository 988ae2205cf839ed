from .registry import MODELS, ModelSpec, model_spec
from .rotated import (
    Variances,
    rotated_likelihood,
    sample_fixed_effects,
    sample_variances,
    standard_effects,
)
from .rotated_data import RotatedData

__all__ = [
    "MODELS",
    "ModelSpec",
    "RotatedData",
    "Variances",
    "model_spec",
    "rotated_likelihood",
    "sample_fixed_effects",
    "sample_variances",
    "standard_effects",
]

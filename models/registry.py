"""The names under which models are known, and what a sampler must know of each.

A model is imported when its function is called, so that names and specifications can be had without JAX. Which samplers
suit a model, and how long they run, the samplers say: `bayes_lmmlasso.posterior.sampler.registry`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from bayes_lmmlasso.models.rotated_data import RotatedData

__all__ = ["MODELS", "ModelSpec", "model_spec"]


@dataclass(frozen=True)
class ModelSpec:
    """A model function with what a sampler needs to know of it.

    Attributes
    ----------
    name : what reports call it.
    function : NumPyro model of one argument, the `RotatedData`. It ends in `rotated_likelihood`.
    hyper : latent sites that are hyper-parameters; empty means all latent scalars.
    exact_zeros : whether effects are exactly 0 with positive probability.
    laplace_slab : whether effects that are not zero are Laplace with the scale of `slab_scale`: then the composite
        sampler knows the model.
    """

    name: str
    function: Callable[[RotatedData], None]
    hyper: tuple[str, ...] = ()
    exact_zeros: bool = False
    laplace_slab: bool = False


def _prior(name: str, *, exact_zeros: bool = False, laplace_slab: bool = False) -> ModelSpec:
    """Return the specification of the function of a name in the file of that name."""

    def function(data: RotatedData) -> None:
        getattr(import_module(f"bayes_lmmlasso.models.{name}"), name)(data)

    return ModelSpec(name, function, exact_zeros=exact_zeros, laplace_slab=laplace_slab)


MODELS = {
    spec.name: spec
    for spec in (
        _prior("laplace", laplace_slab=True),
        _prior("spike_slab", exact_zeros=True, laplace_slab=True),
        _prior("horseshoe"),
        _prior("normal"),
    )
}
"""Name -> model: the one place where a name is looked up. A new prior is a file and a line here."""


def model_spec(model: str | ModelSpec | Callable[[RotatedData], None]) -> ModelSpec:
    """Return the specification of a registered name, of a function, or the specification itself.

    Raises
    ------
    ValueError
        If the name is not registered.
    """
    if isinstance(model, ModelSpec):
        return model
    if not isinstance(model, str):
        return ModelSpec(getattr(model, "__name__", "model"), model)
    if model not in MODELS:
        raise ValueError(f"expected a model among {', '.join(MODELS)}, got '{model}': choose one of these")
    return MODELS[model]

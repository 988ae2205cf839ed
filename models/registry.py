"""The names under which models are known, and what a sampler must know of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Literal

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
    warmup, draws : default length of each of four chains.
    exact_zeros : whether effects are exactly 0 with positive probability.
    laplace_slab : whether effects that are not zero are Laplace with the scale of `slab_scale`: then the composite
        sampler knows the model.
    sampler : the default, "nuts" or "composite".
    sweeps : sweeps of the composite sampler in each draw.
    """

    name: str
    function: Callable[[RotatedData], None]
    hyper: tuple[str, ...] = ()
    warmup: int = 250
    draws: int = 500
    exact_zeros: bool = False
    laplace_slab: bool = False
    sampler: Literal["nuts", "composite"] = "nuts"
    sweeps: int = 50


def _function(name: str) -> Callable[[RotatedData], None]:
    """Return the model function of the file of the same name, which is imported when the function is called."""

    def function(data: RotatedData) -> None:
        getattr(import_module(f"{__package__}.{name}"), name)(data)

    function.__name__ = name
    return function


MODELS = {
    spec.name: spec
    for spec in (
        ModelSpec("laplace", _function("laplace"), laplace_slab=True, sweeps=5),
        ModelSpec(
            "spike_slab",
            _function("spike_slab"),
            exact_zeros=True,
            laplace_slab=True,
            sampler="composite",
            warmup=40,
            draws=200,
        ),
        ModelSpec("horseshoe", _function("horseshoe")),
        ModelSpec("normal", _function("normal")),
    )
}


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

"""The names under which models are known, and what a sampler must know of each.

A model is imported when its function is called, so that names and specifications can be had without JAX.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bayes_lmmlasso.models.rotated_data import RotatedData

__all__ = ["MODELS", "NUTS_LENGTHS", "SAMPLERS", "ModelSpec", "model_spec"]

NUTS_LENGTHS = (250, 500)
"""Warm-up and draws of each chain of NUTS."""
SAMPLERS = ("auto", "nuts", "composite")


@dataclass(frozen=True)
class ModelSpec:
    """A model function with what a sampler needs to know of it.

    Attributes
    ----------
    name : what reports call it.
    function : NumPyro model of one argument, the `RotatedData`. It ends in `rotated_likelihood`.
    hyper : latent sites that are hyper-parameters; empty means all latent scalars.
    warmup, draws : default length of each of four chains, of its default sampler; `NUTS_LENGTHS` for NUTS beside it.
    exact_zeros : whether effects are exactly 0 with positive probability.
    laplace_slab : whether effects that are not zero are Laplace with the scale of `slab_scale`: then the composite
        sampler knows the model.
    sampler : the default on a CPU, "nuts" or "composite".
    sweeps : sweeps of the composite sampler in each draw.
    """

    name: str
    function: Callable[[RotatedData], None]
    hyper: tuple[str, ...] = ()
    warmup: int = NUTS_LENGTHS[0]
    draws: int = NUTS_LENGTHS[1]
    exact_zeros: bool = False
    laplace_slab: bool = False
    sampler: Literal["nuts", "composite"] = "nuts"
    sweeps: int = 50

    @property
    def samplers(self) -> tuple[str, ...]:
        """What can be asked for: "auto" is the default, and on a GPU NUTS unless there are exact zeros."""
        return SAMPLERS if self.laplace_slab else SAMPLERS[:2]


def _laplace(data: RotatedData) -> None:
    from bayes_lmmlasso.models.laplace import laplace

    laplace(data)


def _spike_slab(data: RotatedData) -> None:
    from bayes_lmmlasso.models.spike_slab import spike_slab

    spike_slab(data)


def _horseshoe(data: RotatedData) -> None:
    from bayes_lmmlasso.models.horseshoe import horseshoe

    horseshoe(data)


def _normal(data: RotatedData) -> None:
    from bayes_lmmlasso.models.normal import normal

    normal(data)


MODELS = {
    spec.name: spec
    for spec in (
        ModelSpec("laplace", _laplace, laplace_slab=True, sampler="composite", warmup=100, sweeps=20),
        ModelSpec(
            "spike_slab",
            _spike_slab,
            exact_zeros=True,
            laplace_slab=True,
            sampler="composite",
            warmup=40,
            draws=200,
        ),
        ModelSpec("horseshoe", _horseshoe),
        ModelSpec("normal", _normal),
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

"""The samplers: what each must do, which of them suit a model, and how long their chains are by default.

A sampler is a Markov chain whose stationary distribution is the posterior of one model. It has one shape:

    state = init(key, data, warmup)      where a chain begins
    state = step(state, data)            one draw
    record(state, data)                  what is kept of it, named arrays

Nothing here needs JAX, so that names and defaults can be had without it; the classes are `Nuts` and `Composite`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from bayes_lmmlasso.models import ModelSpec, RotatedData, model_spec

if TYPE_CHECKING:
    import jax

__all__ = ["SAMPLERS", "ChainLengths", "Model", "Sampler", "SamplerName", "default_lengths", "samplers_of", "suited"]

Model = str | ModelSpec | Callable[[RotatedData], None]
"""A registered name, a specification, or a NumPyro function of the rotated data."""

SamplerName = Literal["auto", "nuts", "composite"]
SAMPLERS: tuple[SamplerName, ...] = get_args(SamplerName)


class Sampler(Protocol):
    """A Markov chain."""

    def __hash__(self) -> int:
        """Return the same for equal samplers, which share one compiled program."""

    @property
    def watched(self) -> tuple[str, ...]:
        """Recorded scalars whose R-hat tells whether the chains agree."""

    @property
    def snapshots(self) -> int:
        """How often in a draw it is looked which effects are not zero: bits of ``visits``; 1 where it has none."""

    def init(self, key: jax.Array, data: RotatedData, warmup: int) -> Any:
        """Return the state in which a chain begins that will discard ``warmup`` draws."""

    def step(self, state: Any, data: RotatedData) -> Any:
        """Return the state at the next draw."""

    def record(self, state: Any, data: RotatedData) -> dict[str, jax.Array]:
        """Return what is kept of a draw: effects ``b``, X b as ``fitted``, hyper-parameters and statistics."""


@dataclass(frozen=True)
class ChainLengths:
    """Draws of each of four chains to discard and to keep, and the sweeps in each draw (None: there are none)."""

    warmup: int
    draws: int
    sweeps: int | None = None


def samplers_of(model: Model) -> tuple[SamplerName, ...]:
    """Return what can be asked for: "auto" is `suited`'s choice."""
    return SAMPLERS if model_spec(model).laplace_slab else SAMPLERS[:2]


def suited(model: Model, accelerator: bool = False) -> Literal["nuts", "composite"]:
    """Return the sampler that suits a model best.

    Laplace effects have a kernel of their own. It updates one SNP after another, which suits a CPU; without exact zeros
    NUTS, products with X for the most part, makes more of an accelerator.
    """
    spec = model_spec(model)
    return "composite" if spec.laplace_slab and (spec.exact_zeros or not accelerator) else "nuts"


def default_lengths(model: Model, sampler: str = "auto") -> ChainLengths:
    """Return the lengths that reach R-hat 1.01 on the mice of mouse_hs1940."""
    spec = model_spec(model)
    if (suited(spec) if sampler == "auto" else sampler) == "nuts":
        return ChainLengths(250, 500)
    return ChainLengths(40, 200, 50) if spec.exact_zeros else ChainLengths(100, 500, 20)

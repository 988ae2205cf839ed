"""The No-U-Turn sampler (Hoffman and Gelman 2014, https://jmlr.org/papers/v15/hoffman14a.html), for every model.

Hyper-parameters and fixed effects share a dense mass matrix; the whitened effects are nearly independent standard
normals, so theirs is diagonal. The first step size is near that for a p-dimensional standard normal, 1.3 p^(-1/4). The
tree depth is bounded in warm-up: with a step size still too small deeper trees cost much and teach nothing. Chains
begin at uniform(-2, 2) in their own coordinates, of which the whitened ones are shifted by what the data say, so that
effects begin near their ridge estimate and none at zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
from numpyro.infer import NUTS

from bayes_lmmlasso.models import RotatedData
from bayes_lmmlasso.models.rotated import product
from bayes_lmmlasso.posterior.sampler.sites import latent_shapes

__all__ = ["Nuts"]


@dataclass(frozen=True, eq=False)
class Nuts:
    """NUTS as a `bayes_lmmlasso.posterior.sampler.registry.Sampler`.

    Attributes
    ----------
    kernel : NumPyro's, of a model of one argument, the data.
    watched : names of the hyper-parameters.
    """

    kernel: NUTS
    watched: tuple[str, ...] = ()
    snapshots: int = 1

    @classmethod
    def of(cls, function: Callable[[RotatedData], None], hyper: tuple[str, ...], data: RotatedData) -> Nuts:
        """Return the sampler of a model function with these hyper-parameters."""
        dense = tuple(sorted({*hyper, "a"} & latent_shapes(function, data).keys()))
        kernel = NUTS(
            function,
            step_size=data.n_snps**-0.25,
            dense_mass=[dense] if dense else False,
            max_tree_depth=(5, 10),
        )
        return cls(kernel, hyper)

    def init(self, key: jax.Array, data: RotatedData, warmup: int) -> Any:
        """Start anywhere, with a step size and a mass matrix that are adapted in warm-up."""
        return self.kernel.init(key, warmup, None, (data,), {})

    def step(self, state: Any, data: RotatedData) -> Any:
        """Follow one trajectory."""
        with jax.numpy_dtype_promotion("standard"):  # NumPyro divides by counts
            return self.kernel.sample(state, (data,), {})

    def record(self, state: Any, data: RotatedData) -> dict[str, jax.Array]:
        """Return the model's sites but for ``eps``, X b, and statistics."""
        sites = dict(self.kernel.postprocess_fn((data,), {})(state.z))
        sites.pop("eps", None)
        return sites | {
            "fitted": product(data, sites["b"]),
            "acceptance_rate": state.accept_prob,
            "diverging": state.diverging,
            "energy": state.energy,
            "lp": -state.potential_energy,
            "n_steps": state.num_steps,
            "step_size": state.adapt_state.step_size,
        }

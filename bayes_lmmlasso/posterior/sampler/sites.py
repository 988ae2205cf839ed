"""What a NumPyro model says of itself when it is traced: its latent sites, and their prior densities."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.handlers import seed as seeded
from numpyro.handlers import substitute, trace

from bayes_lmmlasso.models import RotatedData

__all__ = ["hyper_log_prior", "latent_shapes"]


def latent_shapes(function: Callable[[RotatedData], None], data: RotatedData) -> dict[str, tuple[int, ...]]:
    """Return the latent sites of a model with their shapes, without computing it."""
    shapes: dict[str, tuple[int, ...]] = {}

    def visit(data: RotatedData) -> None:
        for name, site in trace(seeded(function, jax.random.key(0))).get_trace(data).items():
            if site["type"] == "sample" and not site["is_observed"]:
                shapes[name] = tuple(site["value"].shape)

    jax.eval_shape(visit, data)
    return shapes


def hyper_log_prior(
    function: Callable[[RotatedData], None], data: RotatedData, values: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the log prior density of each hyper-parameter at each draw, in the shape of the draws.

    A hyper-prior may depend on other hyper-parameters, not on the effects.
    """
    if not values:
        return {}

    def density(point: dict[str, jax.Array]) -> dict[str, jax.Array]:
        sites = trace(substitute(seeded(function, jax.random.key(0)), data=point)).get_trace(data)
        return {name: sites[name]["fn"].log_prob(point[name]) for name in point}

    # jit drops the products with X: no prior depends on them
    per_draw = jax.jit(jax.vmap(jax.vmap(density)))
    return {name: np.asarray(value) for name, value in per_draw(jax.tree.map(jnp.asarray, values)).items()}

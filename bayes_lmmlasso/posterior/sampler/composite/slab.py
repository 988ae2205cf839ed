r"""The full conditional of one effect under a Laplace slab, with or without a point mass at zero.

With w = 1/d, r = y - Z a - X b, a_j = x_j'(w x_j), c_j = x_j'(w r) + a_j b_j, sd_j = a_j^(-1/2) and
z+- = (+-c_j - 1/s) sd_j, the evidence for the slab at SNP j given everything else is

    I_j = sd_j sqrt(2 pi) / (2 s) [ M(z+) + M(z-) ],    M(z) = exp(z^2/2) Phi(z)

and the conditional probability that j is included q_j = P I_j / (P I_j + 1 - P), P its prior probability. Given
inclusion b_j is one of two truncated normals, |b_j| = sd_j (z + t) with t ~ N(0, 1) | t > -z.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.special import erfcx, ndtri

__all__ = ["Slab", "draw_effect", "evidence", "excess", "exponent", "mills"]


class Slab(NamedTuple):
    """Prior of an effect given the hyper-parameters.

    Attributes
    ----------
    scale : s of the slab.
    log_odds : log P / (1 - P), or None without a point mass.
    """

    scale: jax.Array
    log_odds: jax.Array | None = None


def evidence(c: jax.Array, curvature: jax.Array, slab: Slab, shift: jax.Array | float = 0.0) -> jax.Array:
    """Return I_j exp(-shift), infinite where it overflows."""
    same, other = _standardised(c, curvature, slab)
    return sqrt(pi / 2) * lax.rsqrt(curvature) / slab.scale * (mills(same, shift) + mills(other, shift))


def exponent(c: jax.Array, curvature: jax.Array, slab: Slab) -> jax.Array:
    """Return the shift that brings I_j to the order of the slab's density at its mode."""
    return 0.5 * jnp.square(jnp.maximum(_standardised(c, curvature, slab)[0], 0))


def _standardised(c: jax.Array, curvature: jax.Array, slab: Slab) -> tuple[jax.Array, jax.Array]:
    """Return the z of the sign that c has, the only one that can be positive, and that of the other sign."""
    sd = lax.rsqrt(curvature)
    return (jnp.abs(c) - 1 / slab.scale) * sd, (-jnp.abs(c) - 1 / slab.scale) * sd


def mills(z: jax.Array, shift: jax.Array | float) -> jax.Array:
    """Return M(z) exp(-shift) without cancellation."""
    tail = 0.5 * erfcx(jnp.abs(z) / sqrt(2)) * jnp.exp(-jnp.asarray(shift, z.dtype))
    return jnp.where(z < 0, tail, jnp.exp(0.5 * z**2 - shift) - tail)


def draw_effect(c: jax.Array, curvature: jax.Array, slab: Slab, sign: jax.Array, magnitude: jax.Array) -> jax.Array:
    """Draw an effect given that it is not zero, from two uniforms in [0, 1)."""
    same, other = _standardised(c, curvature, slab)
    shift = exponent(c, curvature, slab)
    likely, unlikely = mills(same, shift), mills(other, shift)
    as_c = sign * (likely + unlikely) < likely
    z = jnp.where(as_c, same, other)
    size = jnp.maximum(excess(z, magnitude), np.finfo(z.dtype).tiny ** 0.5)
    return jnp.where(as_c == (c >= 0), 1.0, -1.0).astype(z.dtype) * lax.rsqrt(curvature) * size


def excess(z: jax.Array, u: jax.Array) -> jax.Array:
    """Draw z + t > 0, t ~ N(0, 1) | t > -z, by inversion of the upper tail: Q(t) = (1 - u) Q(-z).

    Where -z > 3 the equation is solved for the excess itself, log Q(-z + x) - log Q(-z) = log(1 - u), by Newton
    steps from the root of its leading term: in a far tail the difference of t and -z would cancel.
    """
    tail = 1 - u
    below_one = 1 - np.finfo(z.dtype).epsneg
    central = z - ndtri(jnp.minimum(tail * 0.5 * lax.erfc(-z / sqrt(2)), below_one))
    a = jnp.maximum(-z, 3.0)
    log_tail = jnp.log(tail)
    x = -2 * log_tail / (jnp.sqrt(a**2 - 2 * log_tail) + a)
    for _ in range(3):
        ratio = erfcx((a + x) / sqrt(2))
        excess_log = -0.5 * x * (2 * a + x) + jnp.log(ratio / erfcx(a / sqrt(2))) - log_tail
        x = x + excess_log * ratio * sqrt(pi / 2)
    return jnp.where(-z > 3.0, x, central)

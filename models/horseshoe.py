r"""The regularised horseshoe: nearly all effects close to zero, a few hardly shrunk, none exactly zero.

    b_j = c t_j z_j,    t_j = tau lambda_j / sqrt(c^2 + tau^2 lambda_j^2),    z_j ~ N(0, 1),  lambda_j ~ C+(0, 1)

after Piironen and Vehtari (2017, doi:10.1214/17-EJS1337SI): the product tau lambda_j where it is small, the slab's
standard deviation c where it is large. Since E[t_j^2 | tau, c] = tau / (tau + c), their two scales follow from
the share pi of large effects, with the prior it has in the point-mass model, and from the variances:

    c = sqrt(v h rho / (p pi)),    tau / c = pi / (1 - pi),    so that  E[sum_j b_j^2] = p pi c^2 = v h rho

which is the paper's tau_0 = p_0 / (p - p_0) sigma / sqrt n for p_0 = p pi effects, in units of c. All latent variables
are standard normals, by lambda = tan(pi/2 Phi(x)): no funnel and no heavy tail for the sampler.
"""

from __future__ import annotations

from math import pi

import jax
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jax.scipy.special import ndtr

from bayes_lmmlasso.models.rotated import RotatedData, rotated_likelihood, sample_fixed_effects, sample_variances
from bayes_lmmlasso.models.spike_slab import sample_sparsity

__all__ = ["horseshoe", "shrinkage"]


def horseshoe(data: RotatedData) -> None:
    """Put a regularised horseshoe on the SNP effects."""
    variances = sample_variances(data.residual_variance)
    log_pi = sample_sparsity(data.n_snps)
    fixed = sample_fixed_effects(data)
    z, x = numpyro.sample("eps", dist.Normal(0.0, 1.0).expand([2, data.n_snps]).to_event(2))
    scale = jnp.sqrt(variances.effects / (data.n_snps * jnp.exp(log_pi)))
    local = shrinkage(x, jnp.exp(log_pi) / -jnp.expm1(log_pi))
    rotated_likelihood(data, fixed, scale * local * z, variances)


def shrinkage(x: jax.Array, ratio: jax.Array) -> jax.Array:
    """Turn standard normals x into t, for ratio = tau / c: lambda is sin / cos of pi/2 Phi(x), exact in both tails."""
    sine, cosine = ratio * jnp.sin(pi / 2 * ndtr(x)), jnp.sin(pi / 2 * ndtr(-x))
    return sine / jnp.sqrt(jnp.square(cosine) + jnp.square(sine))

r"""The hyper-parameters given the effects, under a Laplace slab with or without a point mass at zero.

What the composite sampler alternates with a sweep over the effects. With k of the p effects in,

    p(b | s, pi) = pi^k (1 - pi)^(p - k) (2 s)^(-k) exp(-sum_j |b_j| / s),    s = sqrt(v h rho / (2 p pi))

(pi = 1 without a point mass) the likelihood costs O(n) through f = X b. The fixed effects a ~ N(0, t^2 I) are
integrated out, and drawn afterwards from

    a | y, b, d ~ N(a^, A^-1),    a^ = A^-1 Z' diag(1 / d) (y - f),    A = Z' diag(1 / d) Z + I / t^2

Sampled along with the variances they would be a funnel: as h tends to 1 the intercept is known ever better. The density
of y ~ N(f, diag(d) + t^2 Z Z') is what p(y | a) p(a) / p(a | y) is at every a, taken at a^:

    p(y | f, d) = N(y; f + Z a^, diag(d)) N(a^; 0, t^2 I) / N(a^; a^, A^-1)

No two large numbers are subtracted, since the penalised fit Z a^ is taken off before anything is squared, and an error
of a^, where the density is greatest in a, counts by its square alone. (In float32, by the inverse of diag(d) + t^2 Z Z'
as a difference, errors grow as 1 / se2, and points where h is next to 1 look better than they are.)
"""

from __future__ import annotations

from math import log, pi
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jax import random
from jax.scipy.linalg import cho_solve, solve_triangular

from bayes_lmmlasso.models.rotated import FIXED_SD, RotatedData, Variances, sample_variances
from bayes_lmmlasso.models.spike_slab import sample_sparsity, slab_scale

__all__ = ["HeldEffects", "draw_fixed_effects", "hyper_given_effects", "sample_hyper"]


class HeldEffects(NamedTuple):
    """Effects b held fixed, by what the hyper-parameters see of them.

    Attributes
    ----------
    fitted : (n,) X b.
    n_included : number of b_j that are not zero.
    total : sum of |b_j|.
    scale : the s at which they were drawn.
    """

    fitted: jax.Array
    n_included: jax.Array
    total: jax.Array
    scale: jax.Array


def sample_hyper(data: RotatedData, *, sparse: bool) -> tuple[Variances, jax.Array]:
    """Sample the variances and, where the prior has a point mass, log pi, which is 0 elsewhere."""
    variances = sample_variances(data.residual_variance)
    return variances, sample_sparsity(data.n_snps) if sparse else jnp.zeros(())


def hyper_given_effects(
    data: RotatedData, held: HeldEffects, scaled: jax.Array, *, sparse: bool, fixed_sd: float = FIXED_SD
) -> None:
    """Model the hyper-parameters given the effects; ``sparse`` says whether the prior has a point mass at zero.

    ``scaled`` False holds b itself; True holds b / s, so that the effects follow a change of s: both leave the
    posterior as it is, and in turn they mix where one alone would not (Yu and Meng 2011,
    doi:10.1198/jcgs.2011.203main).
    """
    variances, log_pi = sample_hyper(data, sparse=sparse)
    s = slab_scale(variances, log_pi, data.n_snps)
    if sparse:
        out = data.n_snps - held.n_included
        numpyro.factor("inclusion", held.n_included * log_pi + out * jnp.log1p(-jnp.exp(log_pi)))
    fitted = held.fitted * jnp.where(scaled, s / held.scale, 1)
    slab = -held.n_included * jnp.log(s / held.scale) - held.total / s
    numpyro.factor("effects", jnp.where(scaled, 0, slab))
    d = variances.diagonal(data.S)
    if data.Z.shape[1]:
        fixed, root = _penalised_fit(data, fitted, d, fixed_sd)
        fitted = fitted + data.Z @ fixed
        log_prior = dist.Normal(0.0, fixed_sd).log_prob(fixed)
        # N(a^; a^, A^-1) = sqrt(det A / (2 pi)^q)
        log_conditional = jnp.log(jnp.diag(root)) - 0.5 * log(2 * pi)
        numpyro.factor("fixed", jnp.sum(log_prior - log_conditional))
    numpyro.sample("y", dist.Normal(fitted, jnp.sqrt(d)).to_event(1), obs=data.y)


def draw_fixed_effects(
    data: RotatedData, fitted: jax.Array, variances: Variances, key: jax.Array, fixed_sd: float = FIXED_SD
) -> jax.Array:
    """Draw a from its full conditional, shape (q,)."""
    if data.Z.shape[1] == 0:
        return jnp.zeros(0, data.y.dtype)
    mean, root = _penalised_fit(data, fitted, variances.diagonal(data.S), fixed_sd)
    return mean + solve_triangular(root, random.normal(key, mean.shape, mean.dtype), lower=True, trans="T")


def _penalised_fit(data: RotatedData, fitted: jax.Array, d: jax.Array, fixed_sd: float) -> tuple[jax.Array, jax.Array]:
    """Return a^, shape (q,), and the lower Cholesky factor of A."""
    weighted = data.Z / d[:, None]
    root = jnp.linalg.cholesky(weighted.T @ data.Z + jnp.eye(data.Z.shape[1], dtype=data.Z.dtype) / fixed_sd**2)
    return cho_solve((root, True), weighted.T @ (data.y - fitted)), root

r"""The hyper-parameters given the effects, under a Laplace slab with or without a point mass at zero.

What the composite sampler alternates with a sweep over the effects. With k of the p effects in,

    p(b | s, pi) = pi^k (1 - pi)^(p - k) (2 s)^(-k) exp(-sum_j |b_j| / s),    s = sqrt(v h rho / (2 p pi))

(pi = 1 without a point mass) the likelihood costs O(n) through f = X b. The fixed effects a ~ N(0, t^2 I) are
integrated out, and drawn afterwards. Covariates may nearly coincide: so all is done with Z = B R, B'B = I, made in
double precision (`bayes_lmmlasso.lmm.rotation`), and coordinates c = R a, from which a = R^-1 c comes back:

    c | y, b, d ~ N(c^, A^-1),    c^ = A^-1 B' diag(1 / d) (y - f),    A = B' diag(1 / d) B + R^-T R^-1 / t^2

Sampled along with the variances they would be a funnel: as h tends to 1 the intercept is known ever better. The density
of y ~ N(f, diag(d) + t^2 Z Z') is what p(y | c) p(c) / p(c | y) is at every c, taken at c^:

    p(y | f, d) = N(y; f + B c^, diag(d)) N(R^-1 c^; 0, t^2 I) / N(c^; c^, A^-1)

but for the constant |R|. No two large numbers are subtracted, since the penalised fit B c^ is taken off before anything
is squared, and an error of c^, where the density is greatest in c, counts by its square alone. (In float32, by the
inverse of diag(d) + t^2 Z Z' as a difference, errors grow as 1 / se2, and points where h is next to 1 look better than
they are; and Z' diag(1 / d) Z of covariates that correlate 0.9999995 is singular.)
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

__all__ = ["FixedEffects", "HeldEffects", "draw_fixed_effects", "hyper_given_effects", "sample_hyper"]


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


class FixedEffects(NamedTuple):
    """Fixed effects: ``effects``, (q,) a of the covariates as they are, and ``fitted``, (n,) Z a."""

    effects: jax.Array
    fitted: jax.Array


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
        fit = _penalised_fit(data, fitted, d, fixed_sd)
        fitted = fitted + fit.basis @ fit.mean
        log_prior = dist.Normal(0.0, fixed_sd).log_prob(fit.to_effects @ fit.mean)
        # N(c^; c^, A^-1) = sqrt(det A / (2 pi)^q)
        log_conditional = jnp.log(jnp.diag(fit.root)) - 0.5 * log(2 * pi)
        numpyro.factor("fixed", jnp.sum(log_prior - log_conditional))
    numpyro.sample("y", dist.Normal(fitted, jnp.sqrt(d)).to_event(1), obs=data.y)


def draw_fixed_effects(
    data: RotatedData, fitted: jax.Array, variances: Variances, key: jax.Array, fixed_sd: float = FIXED_SD
) -> FixedEffects:
    """Draw a from its full conditional."""
    if data.Z.shape[1] == 0:
        return FixedEffects(jnp.zeros(0, data.y.dtype), jnp.zeros_like(data.y))
    fit = _penalised_fit(data, fitted, variances.diagonal(data.S), fixed_sd)
    noise = random.normal(key, fit.mean.shape, fit.mean.dtype)
    place = fit.mean + solve_triangular(fit.root, noise, lower=True, trans="T")
    return FixedEffects(fit.to_effects @ place, fit.basis @ place)


class _PenalisedFit(NamedTuple):
    """B, R^-1, c^ of shape (q,), and the lower Cholesky factor of A."""

    basis: jax.Array
    to_effects: jax.Array
    mean: jax.Array
    root: jax.Array


def _penalised_fit(data: RotatedData, fitted: jax.Array, d: jax.Array, fixed_sd: float) -> _PenalisedFit:
    """Return the mode of the fixed effects and their precision there."""
    B, to_effects = data.orthonormal, data.to_effects
    if B is None or to_effects is None:
        B, to_effects = data.Z, jnp.eye(data.Z.shape[1], dtype=data.Z.dtype)
    weighted, scaled = B / d[:, None], to_effects / fixed_sd
    root = jnp.linalg.cholesky(weighted.T @ B + scaled.T @ scaled)
    return _PenalisedFit(B, to_effects, cho_solve((root, True), weighted.T @ (data.y - fitted)), root)

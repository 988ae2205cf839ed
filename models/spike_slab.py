r"""Point mass at zero plus Laplace slab: sparse effects with posterior inclusion probabilities.

    b_j ~ (1 - pi) delta_0 + pi Laplace(0, s) iid,    s = sqrt(v h rho / (2 p pi))
    log pi ~ U(log 1/p, log min(0.3, 300 / p))

The prior of pi is the BSLMM's (Zhou, Carbonetto, Stephens 2013, doi:10.1371/journal.pgen.1003264). Soft-thresholding
makes it a continuous model: if x ~ Laplace(0, 1) then sign(x) max(|x| + log pi, 0) is 0 with probability 1 - pi and
Laplace(0, 1) otherwise, because an exponential has no memory (compare the l1-ball prior of Xu and Duan 2023).

`hyper_given_effects` is the same model with the effects held fixed; the composite sampler alternates it with a sweep
over the effects.
"""

from __future__ import annotations

from math import log
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist

from bayes_lmmlasso.models.laplace import laplace_quantile
from bayes_lmmlasso.models.rotated import (
    RotatedData,
    Variances,
    observe,
    rotated_likelihood,
    sample_fixed_effects,
    sample_variances,
)

__all__ = ["FixedEffects", "hyper_given_effects", "slab_scale", "spike_slab"]


def spike_slab(data: RotatedData) -> None:
    """Put a point mass at zero and a Laplace slab on the SNP effects."""
    variances = sample_variances()
    log_pi = _sample_sparsity(data.n_snps)
    fixed = sample_fixed_effects(data)
    x = laplace_quantile(numpyro.sample("eps", dist.Normal(0.0, 1.0).expand([data.n_snps]).to_event(1)))
    effects = slab_scale(variances, log_pi, data.n_snps) * jnp.sign(x) * jnp.maximum(jnp.abs(x) + log_pi, 0.0)
    rotated_likelihood(data, fixed, effects, variances)


def slab_scale(variances: Variances, log_pi: jax.Array, n_snps: int) -> jax.Array:
    """Return s, so that E[sum_j b_j^2] = 2 p pi s^2 = v h rho."""
    return jnp.sqrt(variances.effects / (2 * n_snps * jnp.exp(log_pi)))


class FixedEffects(NamedTuple):
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


def hyper_given_effects(data: RotatedData, held: FixedEffects, *, scaled: bool) -> None:
    """Model the hyper-parameters and fixed effects, given which SNPs are in.

    ``scaled`` False holds b itself; True holds b / s, so that the effects follow a change of s: both leave the
    posterior as it is, and in turn they mix where one alone would not (Yu and Meng 2011,
    doi:10.1198/jcgs.2011.203main).
    """
    variances = sample_variances()
    log_pi = _sample_sparsity(data.n_snps)
    fixed = sample_fixed_effects(data)
    s = slab_scale(variances, log_pi, data.n_snps)
    numpyro.factor(
        "inclusion", held.n_included * log_pi + (data.n_snps - held.n_included) * jnp.log1p(-jnp.exp(log_pi))
    )
    if scaled:
        fitted = held.fitted * (s / held.scale)
    else:
        fitted = held.fitted
        numpyro.factor("effects", -held.n_included * jnp.log(2 * s) - held.total / s)
    observe(data, fixed, fitted, variances)


def _sample_sparsity(n_snps: int) -> jax.Array:
    """Sample log pi, the log of the share of SNPs with an effect."""
    upper = log(min(0.3, 300 / n_snps))
    lower = log(1 / n_snps) if n_snps > 3 else upper - 1  # the range would be empty
    log_pi: jax.Array = numpyro.sample("log_pi", dist.Uniform(lower, upper))
    return log_pi

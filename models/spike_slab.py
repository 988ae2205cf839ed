r"""Point mass at zero plus Laplace slab: sparse effects with posterior inclusion probabilities.

    b_j ~ (1 - pi) delta_0 + pi Laplace(0, s) iid,    s = sqrt(v h rho / (2 p pi))
    log pi ~ U(log 1/p, log min(0.3, 300 / p))

The prior of pi is the BSLMM's (Zhou, Carbonetto, Stephens 2013, doi:10.1371/journal.pgen.1003264). Soft-thresholding
makes it a continuous model: if x ~ Laplace(0, 1) then sign(x) max(|x| + log pi, 0) is 0 with probability 1 - pi and
Laplace(0, 1) otherwise, because an exponential has no memory (compare the l1-ball prior of Xu and Duan 2023).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist

from bayes_lmmlasso.models.laplace import laplace_quantile
from bayes_lmmlasso.models.rotated import (
    RotatedData,
    Variances,
    rotated_likelihood,
    sample_fixed_effects,
    sample_variances,
)
from bayes_lmmlasso.models.sparsity import sparsity_range

__all__ = ["sample_sparsity", "slab_scale", "spike_slab"]


def spike_slab(data: RotatedData) -> None:
    """Put a point mass at zero and a Laplace slab on the SNP effects."""
    variances = sample_variances(data.residual_variance)
    log_pi = sample_sparsity(data.n_snps)
    fixed = sample_fixed_effects(data)
    x = laplace_quantile(numpyro.sample("eps", dist.Normal(0.0, 1.0).expand([data.n_snps]).to_event(1)))
    effects = slab_scale(variances, log_pi, data.n_snps) * jnp.sign(x) * jnp.maximum(jnp.abs(x) + log_pi, 0.0)
    rotated_likelihood(data, fixed, effects, variances)


def slab_scale(variances: Variances, log_pi: jax.Array, n_snps: int) -> jax.Array:
    """Return s, so that E[sum_j b_j^2] = 2 p pi s^2 = v h rho."""
    return jnp.sqrt(variances.effects / (2 * n_snps * jnp.exp(log_pi)))


def sample_sparsity(n_snps: int) -> jax.Array:
    """Sample log pi, the log of the share of SNPs with an effect."""
    log_pi: jax.Array = numpyro.sample("log_pi", dist.Uniform(*sparsity_range(n_snps)))
    return log_pi

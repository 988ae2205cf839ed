r"""The model of the project's name: the LMM-Lasso with its Laplace prior made a posterior.

    b_j ~ Laplace(0, s) iid,    s = sqrt(v h rho / (2 p))

Its mode in b is the LMM-Lasso of Rakitsch et al. (2013, doi:10.1093/bioinformatics/bts669). A Laplace
variable is b = s g(z), z ~ N(0, 1), with the quantile transform

    g(z) = -sign(z) log erfc(|z| / sqrt 2),    g'(z) = sqrt(2 / pi) exp(-z^2 / 2) / erfc(|z| / sqrt 2)

computed through erfcx(x) = exp(x^2) erfc(x), which neither underflows nor cancels in the tails.
"""

from __future__ import annotations

from math import pi, sqrt

import jax
import jax.numpy as jnp
from jax.scipy.special import erfcx

from bayes_lmmlasso.models.rotated import (
    RotatedData,
    StandardPrior,
    rotated_likelihood,
    sample_fixed_effects,
    sample_variances,
    standard_effects,
)

__all__ = ["laplace", "laplace_quantile"]


def laplace(data: RotatedData, *, whiten: bool = True) -> None:
    """Put a Laplace prior on the SNP effects. ``whiten=False`` samples z itself (slower, same posterior)."""
    variances = sample_variances(data.residual_variance)
    fixed = sample_fixed_effects(data)
    s = jnp.sqrt(variances.effects / (2 * data.n_snps))
    effects = standard_effects(data, _LAPLACE, s, variances, fixed, whiten=whiten)
    rotated_likelihood(data, fixed, effects, variances)


@jax.custom_jvp
def laplace_quantile(z: jax.Array) -> jax.Array:
    """g(z): turns a standard normal into a standard Laplace variable."""
    x = jnp.abs(z) / sqrt(2)
    return jnp.sign(z) * (x**2 - jnp.log(erfcx(x)))


@laplace_quantile.defjvp
def _laplace_quantile_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    """Give g its own derivative: autodiff would return 0 at z = 0, where it is sqrt(2 / pi)."""
    (z,), (dz,) = primals, tangents
    return laplace_quantile(z), sqrt(2 / pi) / erfcx(jnp.abs(z) / sqrt(2)) * dz


# slope E[z g(z)] = E[g'(z)] by quadrature; the variance of a standard Laplace variable is 2
_LAPLACE = StandardPrior(laplace_quantile, slope=1.3878301096020806, variance=2.0)

r"""What all models share: the data in the eigenbasis, the hyper-parameters and the likelihood.

    y = Z a + X b + u + e,    u ~ N(0, sg2 K),    e ~ N(0, se2 I),    K = U S U'

Premultiplied by U' and with u integrated out:

    y | a, b ~ N(Z a + X b, diag(d)),    d_i = sg2 S_i + se2        (y, Z, X rotated)

Hyper-parameters after the BSLMM (Zhou, Carbonetto, Stephens 2013, doi:10.1371/journal.pgen.1003264): the
total variance v, the share h of it that is genetic and the share rho of the genetic part that is
in the SNP effects:

    sg2 = v h (1 - rho),    se2 = v (1 - h),    E[sum_j b_j^2] = v h rho
    log v ~ N(log s2, 0.5),    h, rho ~ U(0, 1)

with s2 the variance of the trait that the covariates leave by least squares (`RotatedData.residual_variance`): 1 for a
standardised trait without covariates. A prior centred on 1 whatever they leave would make v 1.4 times too large where
covariates explain 95% of the trait of 84 samples.

but se2 is at least 10^-4, a standard deviation of a hundredth of the trait's: a trait that SNPs explain exactly would
draw it to zero, where single precision knows nothing of residuals and no chain moves. E[sum_j b_j^2] is at least
10^-20: a chain that starts far off can pass through an h so small that single precision rounds it to zero, and with a
scale of zero all effects would stay there.

**Whitening.** Let b_j = s g(z_j) with z_j ~ N(0, 1) and X = Q diag(sigma) W' (thin SVD). With
slope = E[z g(z)], the part of X b that is linear in z is Q diag(sqrt(lin)) W'z, lin = (s slope sigma)^2;
what remains of its variance counts as noise, D = diag(Q' diag(d) Q) + s^2 (E[g^2] - slope^2) sigma^2. The
posterior of z in this linear Gaussian model differs from N(0, I) only within the span of W, so
sampling eps ~ N(0, I) and setting (kappa = lin / D)

    a0 = W'eps,   a1 = a0 / sqrt(1 + kappa) + sqrt(lin) / D / (1 + kappa) * Q'(y - Z a),   z = eps + W (a1 - a0)

with the change of log-density  -0.5 sum log(1 + kappa) - 0.5 (|a1|^2 - |a0|^2)  is the same model, exactly, in
coordinates that are nearly independent standard normals and nearly independent of h and rho.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist

from bayes_lmmlasso.models.rotated_data import RotatedData

__all__ = [
    "FIXED_SD",
    "RotatedData",
    "StandardPrior",
    "Variances",
    "default_float",
    "on_device",
    "rotated_likelihood",
    "sample_fixed_effects",
    "sample_variances",
    "standard_effects",
]

_LEAST_NOISE = 1e-4  # se2, of a trait of variance 1
_LEAST_EFFECTS = 1e-20  # E[sum_j b_j^2]
FIXED_SD = 10.0  # prior standard deviation of intercept and covariates

jax.tree_util.register_dataclass(
    RotatedData,
    data_fields=["y", "Z", "XT", "S", "U", "sigma", "Q", "residual_variance", "orthonormal", "to_effects"],
    meta_fields=["padding"],
)


class Variances(NamedTuple):
    """Variance components implied by (v, h, rho): ``effects`` is E[sum_j b_j^2]."""

    sigma2_g: jax.Array
    sigma2_e: jax.Array
    effects: jax.Array

    @classmethod
    def of(cls, log_v: jax.Array, h: jax.Array, rho: jax.Array) -> Variances:
        """Return v h (1 - rho), v (1 - h) or the least noise, and v h rho or the least effects."""
        v = jnp.exp(log_v)
        return cls(v * h * (1 - rho), jnp.maximum(v * (1 - h), _LEAST_NOISE), jnp.maximum(v * h * rho, _LEAST_EFFECTS))

    def diagonal(self, S: jax.Array) -> jax.Array:
        """Return d = sg2 S + se2, shape (n,)."""
        return self.sigma2_g * S + self.sigma2_e


class StandardPrior(NamedTuple):
    """A prior b = s g(z) of a standard normal z: the function g, E[z g(z)] and E[g(z)^2]."""

    g: Callable[[jax.Array], jax.Array]
    slope: float
    variance: float


def sample_variances(residual_variance: jax.Array | float = 1.0) -> Variances:
    """Sample log v ~ N(log s2, 0.5), h ~ U(0, 1), rho ~ U(0, 1), given the s2 of the data."""
    log_v = numpyro.sample("log_v", dist.Normal(jnp.log(residual_variance), 0.5))
    h = numpyro.sample("h", dist.Uniform(0.0, 1.0))
    rho = numpyro.sample("rho", dist.Uniform(0.0, 1.0))
    return Variances.of(log_v, h, rho)


def sample_fixed_effects(data: RotatedData) -> jax.Array:
    """Sample a ~ N(0, 100 I), of shape (q,), for covariates of mean square 1."""
    if data.Z.shape[1] == 0:
        return jnp.zeros(0, data.y.dtype)
    fixed: jax.Array = numpyro.sample("a", dist.Normal(0.0, FIXED_SD).expand([data.Z.shape[1]]).to_event(1))
    return fixed


def standard_effects(
    data: RotatedData,
    prior: StandardPrior,
    s: jax.Array,
    variances: Variances,
    fixed: jax.Array,
    *,
    whiten: bool,
) -> jax.Array:
    """Sample the (p,) effects b = s g(z), z ~ N(0, I), through the latent site ``eps``.

    With ``whiten`` eps is the whitened z of the module docstring; without it, eps is z itself.
    """
    eps = numpyro.sample("eps", dist.Normal(0.0, 1.0).expand([data.n_snps]).to_event(1))
    if not whiten:
        return s * prior.g(eps)
    d = variances.diagonal(data.S)
    d_q = d[: data.sigma.shape[0]] if data.Q is None else jnp.square(data.Q).T @ d
    linear = (s * prior.slope * data.sigma) ** 2
    noise = d_q + (prior.variance - prior.slope**2) * (s * data.sigma) ** 2
    kappa = linear / noise
    residual = _to_singular(data, data.y - data.Z @ fixed)
    a0 = _to_singular(data, product(data, eps)) / data.sigma
    a1 = a0 / jnp.sqrt(1 + kappa) + jnp.sqrt(linear) / noise / (1 + kappa) * residual
    # |a1|^2 - |a0|^2 as a product: no cancellation in float32
    log_density = -0.5 * jnp.sum(jnp.log1p(kappa) + (a1 - a0) * (a1 + a0))
    numpyro.factor("whitening", log_density)
    return s * prior.g(eps + product_t(data, _from_singular(data, (a1 - a0) / data.sigma)))


def rotated_likelihood(data: RotatedData, fixed: jax.Array, effects: jax.Array, variances: Variances) -> None:
    """Observe y ~ N(Z a + X b, diag(sg2 S + se2)), and record b, sigma2_g and sigma2_e."""
    numpyro.deterministic("b", effects)
    numpyro.deterministic("sigma2_g", variances.sigma2_g)
    numpyro.deterministic("sigma2_e", variances.sigma2_e)
    mean = data.Z @ fixed + product(data, effects)
    numpyro.sample("y", dist.Normal(mean, jnp.sqrt(variances.diagonal(data.S))).to_event(1), obs=data.y)


def default_float() -> np.dtype[Any]:
    """Return JAX's floating-point type: float32 unless x64 is enabled."""
    return np.dtype(jnp.result_type(float))


def on_device(data: RotatedData) -> RotatedData:
    """Return data of NumPy as arrays of JAX."""
    moved: RotatedData = jax.tree.map(jnp.asarray, data)
    return moved


def product(data: RotatedData, b: jax.Array) -> jax.Array:
    """X b."""
    return _product(data.XT, jnp.pad(b, (0, data.padding)))


def product_t(data: RotatedData, r: jax.Array) -> jax.Array:
    """X'r."""
    return _product_t(data.XT, r)[: data.n_snps]


@jax.custom_vjp
def _product(XT: jax.Array, b: jax.Array) -> jax.Array:
    """X b, written as a matrix product with one row: XLA on the CPU can be ten times slower at ``XT.T @ b``.

    X is data: no gradient flows to it, and that to b is computed in the fast layout of `_product_t`.
    """
    return jnp.einsum("pn,cp->cn", XT, b[None])[0]


@jax.custom_vjp
def _product_t(XT: jax.Array, r: jax.Array) -> jax.Array:
    return jnp.einsum("pn,n->p", XT, r)


_product.defvjp(lambda XT, b: (_product(XT, b), XT), lambda XT, ct: (None, _product_t(XT, ct)))
_product_t.defvjp(lambda XT, r: (_product_t(XT, r), XT), lambda XT, ct: (None, _product(XT, ct)))


def _to_singular(data: RotatedData, r: jax.Array) -> jax.Array:
    """Q'r: from n rows to the r singular directions."""
    return r[: data.sigma.shape[0]] if data.Q is None else data.Q.T @ r


def _from_singular(data: RotatedData, a: jax.Array) -> jax.Array:
    """Q a: from the r singular directions to n rows."""
    if data.Q is None:
        return jnp.pad(a, (0, data.y.shape[0] - a.shape[0]))
    return data.Q @ a

r"""The normal prior: GBLUP, or ridge regression.

    b_j ~ N(0, s^2) iid,    s = sqrt(v h rho / p)

Given the hyper-parameters its posterior is normal with known mean and covariance, so it tests every
other part. With K = XX'/p the marginal covariance of y is v h K + v (1 - h) I: rho drops out of the
likelihood and its posterior is its prior.
"""

from __future__ import annotations

import jax.numpy as jnp

from bayes_lmmlasso.models.rotated import (
    RotatedData,
    StandardPrior,
    rotated_likelihood,
    sample_fixed_effects,
    sample_variances,
    standard_effects,
)

__all__ = ["normal"]


def normal(data: RotatedData, *, whiten: bool = True) -> None:
    """Put a normal prior on the SNP effects. ``whiten=False`` samples z itself (slower, same posterior)."""
    variances = sample_variances(data.residual_variance)
    fixed = sample_fixed_effects(data)
    s = jnp.sqrt(variances.effects / data.n_snps)
    effects = standard_effects(data, _NORMAL, s, variances, fixed, whiten=whiten)
    rotated_likelihood(data, fixed, effects, variances)


_NORMAL = StandardPrior(lambda z: z, slope=1.0, variance=1.0)

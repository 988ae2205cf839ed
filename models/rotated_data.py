"""What a model function is given. Knows nothing of JAX, so that data can be made, and draws read, without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jax

__all__ = ["RotatedData"]


@dataclass(frozen=True, repr=False)
class RotatedData:
    """Trait, covariates and SNPs premultiplied by U', with the SVD that whitens the effects.

    Attributes
    ----------
    y : (n,) trait.
    Z : (n, q) intercept and covariates; q may be 0.
    XT : (p + padding, n) SNPs, one a row: the layout in which products and coordinate-wise updates read them fastest.
    S : (n,) eigenvalues of the kinship.
    U : (n, n) its eigenvectors, the way back to the samples (no model needs it, leave-one-out does).
    sigma : (r,) positive singular values of X.
    Q : (n, r) left singular vectors of X, or None where they are the first r unit vectors (K proportional to XX').
    padding : rows of zeros below the SNPs, so that XT can be split evenly over devices.
    residual_variance : () variance of the trait that covariates leave, on which the prior of v is centred.
    orthonormal : (n, q) B of Z = B R, B'B = I, or None where Z itself is well conditioned.
    to_effects : (q, q) inverse of R, which makes coordinates c = R a effects a of the covariates again, or None.
    """

    y: jax.Array
    Z: jax.Array
    XT: jax.Array
    S: jax.Array
    U: jax.Array
    sigma: jax.Array
    Q: jax.Array | None = None
    padding: int = 0
    residual_variance: jax.Array | float = 1.0
    orthonormal: jax.Array | None = None
    to_effects: jax.Array | None = None

    @property
    def n_snps(self) -> int:
        """Number of SNPs p."""
        return int(self.XT.shape[0]) - self.padding

    def __repr__(self) -> str:
        (n, q), p = self.Z.shape, self.n_snps
        whitened = "unit vectors" if self.Q is None else f"{self.Q.shape}"
        return (
            f"RotatedData\n  samples     {n:,}\n  SNPs        {p:,} {self.XT.dtype}, padding {self.padding}\n"
            f"  covariates  {q}\n  sigma       {self.sigma.shape} singular values of X, Q {whitened}"
        )

"""What the posterior sampler is measured against, each on the same rotated data and with the same prior."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpy.typing import NDArray
from numpyro.infer import MCMC, NUTS

from bayes_lmmlasso.models import RotatedData

__all__ = ["centred_laplace"]


def centred_laplace(
    data: RotatedData, *, chains: int, warmup: int, draws: int, seed: int
) -> dict[str, NDArray[np.floating]]:
    """The LMM-Lasso prior as one would first write it in NumPyro: raw variances, b itself, X @ b, default NUTS.

    The prior of (v, h, rho) is carried over to (sg2, se2, E sum b^2) with the Jacobian v^2 h, so that the posterior is
    that of the model ``laplace``. Returns log_v, h, rho and b, each of shape (chains, draws, ...).
    """
    X, n_snps = jnp.asarray(data.XT.T), data.n_snps

    def model() -> None:
        raw = numpyro.sample("raw", dist.ImproperUniform(dist.constraints.positive, (), (3,)))
        sigma2_g, sigma2_e, effects = raw
        v = raw.sum()
        h, rho = (sigma2_g + effects) / v, effects / (sigma2_g + effects)
        numpyro.factor("prior", -2 * jnp.square(jnp.log(v)) - 3 * jnp.log(v) - jnp.log(h))
        for name, value in (("log_v", jnp.log(v)), ("h", h), ("rho", rho)):
            numpyro.deterministic(name, value)
        a = numpyro.sample("a", dist.Normal(0.0, 10.0).expand([data.Z.shape[1]]).to_event(1))
        b = numpyro.sample("b", dist.Laplace(0.0, jnp.sqrt(effects / (2 * n_snps))).expand([n_snps]).to_event(1))
        sd = jnp.sqrt(sigma2_g * data.S + sigma2_e)
        numpyro.sample("y", dist.Normal(data.Z @ a + X @ b, sd).to_event(1), obs=data.y)

    mcmc = MCMC(
        NUTS(model),
        num_warmup=warmup,
        num_samples=draws,
        num_chains=chains,
        chain_method="sequential",
        progress_bar=False,
    )
    mcmc.run(jax.random.key(seed))
    kept = mcmc.get_samples(group_by_chain=True)
    return {name: np.asarray(kept[name]) for name in ("log_v", "h", "rho", "b")}

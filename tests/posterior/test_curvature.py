"""Curvatures of all SNPs: the series beside its definition, near its centre and far from it."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bayes_lmmlasso.models import Variances
from bayes_lmmlasso.posterior.sampler.composite.curvature import Curvatures, curvatures


def variances(sigma2_g, sigma2_e):
    return Variances(jnp.asarray(sigma2_g), jnp.asarray(sigma2_e), jnp.asarray(0.1))


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 1e-6), (np.float64, 1e-14)])
@pytest.mark.parametrize("centre", [(0.3, 0.4), (1e-7, 1.0), (0.9, 1e-4)])
def test_the_series_and_what_is_far_from_its_centre_are_the_curvatures(rng, dtype, rtol, centre):
    """Eigenvalues from 0 to 900, ratios of variances e^-6 to e^6 times that of the centre, 150 SNPs and padding."""
    n, p = 40, 150
    X, S = rng.normal(size=(n, p + 10)), np.concatenate([[0.0], np.geomspace(1e-6, 900, n - 1)])
    with jax.enable_x64(dtype == np.float64):
        XT, eigenvalues = jnp.asarray(X.T, dtype), jnp.asarray(S, dtype)
        series = Curvatures.around(XT, eigenvalues, variances(*centre), p)
        for factor in np.exp([-6, -2.99, -2.49, -1.7, 0, 0.3, 2.49, 2.99, 6]):
            now = variances(dtype(centre[0] * factor), dtype(2 * centre[1]))
            d = centre[0] * factor * S + 2 * centre[1]
            exact = (np.asarray(XT[:p], np.float64) ** 2 / d).sum(axis=1)
            for found in (series.at(XT, eigenvalues, now), curvatures(XT, eigenvalues, now, p)):
                assert found.dtype == dtype
                np.testing.assert_allclose(found, exact, rtol=rtol)


def test_no_background_is_far_from_every_centre(rng):
    XT, S = jnp.asarray(rng.normal(size=(5, 8)), jnp.float32), jnp.asarray(np.arange(8), jnp.float32)
    for centre in (variances(0.0, 1.0), variances(0.5, 0.5)):
        found = Curvatures.around(XT, S, centre, 5).at(XT, S, variances(0.0, 0.5))
        np.testing.assert_allclose(found, 2 * np.square(XT).sum(axis=1), rtol=1e-6)

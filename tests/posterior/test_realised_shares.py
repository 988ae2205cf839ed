"""The realised shares of variance of each draw, from given hyper-parameters and effects."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import bayes_lmmlasso as bl
from bayes_lmmlasso.models import RotatedData
from bayes_lmmlasso.posterior.tree.build import _derive, _log_slope


@pytest.mark.parametrize(("sigma2_g", "sigma2_e"), [(2.0, 0.3), (0.3, 2.0)])
def test_the_background_is_drawn_from_its_full_conditional(rng, sigma2_g, sigma2_e):
    """u | y, a, b ~ N(K C^-1 r sg2, sg2 K - sg2^2 K C^-1 K), C = sg2 K + se2 I, dense.

    pve = g / (g + se2) and pge = f / g give back g = var(Xb + u) of each draw.
    """
    n, draws = 30, 4000
    factor = rng.normal(size=(n, 40))
    K = factor @ factor.T / 40
    values, U = np.linalg.eigh(K)
    y, snps = rng.normal(size=n), rng.normal(size=n)
    data = RotatedData(y=U.T @ y, Z=np.zeros((n, 0)), XT=np.zeros((0, n)), S=values, U=U, sigma=np.zeros(0))
    scalars = {"sigma2_g": np.full((1, draws), sigma2_g), "sigma2_e": np.full((1, draws), sigma2_e)}
    sites = xr.Dataset({name: (("chain", "draw"), drawn) for name, drawn in scalars.items()})
    sites["fitted"] = (("chain", "draw", "sample"), np.tile(U.T @ snps, (1, draws, 1)))
    derived, _ = _derive(data, sites, rng)

    C = sigma2_g * K + sigma2_e * np.eye(n)
    mean = snps + sigma2_g * K @ np.linalg.solve(C, y - snps)
    covariance = sigma2_g * K - sigma2_g**2 * K @ np.linalg.solve(C, K)
    centring = np.eye(n) - 1 / n
    expected = (mean @ centring @ mean + np.trace(centring @ covariance)) / n
    genetic = derived["pve"] * sigma2_e / (1 - derived["pve"])
    assert abs(genetic.mean() - expected) < 4 * genetic.std() / np.sqrt(draws)
    np.testing.assert_allclose(derived["pge"] * genetic, snps.var(), rtol=1e-9)


def test_densities_of_a_transformed_trait_are_those_of_the_trait(rng):
    """log p(t) = log p(y) + log dy/dt: the slope at each sample's own trait; ranks have none."""
    cohort = bl.simulate_cohort(n_samples=40, n_variants=20, seed=1)
    trait = rng.gamma(2.0, 3.0, size=40) + 0.1
    cohort = cohort.assign(y=("samples", trait))
    for transform in ("none", "box-cox"):
        analysis = bl.prepare(cohort, "y", transform=transform)
        np.testing.assert_allclose(_log_slope(analysis), analysis.trait.log_slope(trait), rtol=1e-9)
    assert _log_slope(bl.prepare(cohort, "y", transform="rank-normal")) == _log_slope(None) == 0

"""The realised shares of variance of each draw, from given hyper-parameters and effects."""

from __future__ import annotations

import arviz as az
import numpy as np
import pytest
import xarray as xr

import bayes_lmmlasso as bl
from bayes_lmmlasso.lmm.rotation import rotate_arrays
from bayes_lmmlasso.models import RotatedData
from bayes_lmmlasso.posterior.sampler.record import SamplingRecord
from bayes_lmmlasso.posterior.tree.build import _derive, _log_slope, build_tree
from bayes_lmmlasso.posterior.tree.loo import with_log_likelihood


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
    derived, *_ = _derive(data, sites, 5)

    C = sigma2_g * K + sigma2_e * np.eye(n)
    mean = snps + sigma2_g * K @ np.linalg.solve(C, y - snps)
    covariance = sigma2_g * K - sigma2_g**2 * K @ np.linalg.solve(C, K)
    centring = np.eye(n) - 1 / n
    expected = (mean @ centring @ mean + np.trace(centring @ covariance)) / n
    genetic = derived["pve"] * sigma2_e / (1 - derived["pve"])
    assert abs(genetic.mean() - expected) < 4 * genetic.std() / np.sqrt(draws)
    np.testing.assert_allclose(derived["pge"] * genetic, snps.var(), rtol=1e-9)
    # var(u) has its expectation too; unlike pge the share of SNP effects stays below 1 where the two oppose each other
    background = derived["pge"] * genetic * (1 / derived["snp_share"] - 1)
    centre = mean - snps
    expected = (centre @ centring @ centre + np.trace(centring @ covariance)) / n
    assert abs(background.mean() - expected) < 4 * background.std() / np.sqrt(draws)
    assert derived["snp_share"].max() < 1 < derived["pge"].max()


def test_densities_of_a_transformed_trait_are_those_of_the_trait(rng):
    """log p(t) = log p(y) + log dy/dt: the slope at each sample's own trait; ranks have none."""
    cohort = bl.simulate_cohort(n_samples=40, n_variants=20, seed=1)
    trait = rng.gamma(2.0, 3.0, size=40) + 0.1
    cohort = cohort.assign(y=("samples", trait))
    for transform in ("none", "box-cox"):
        analysis = bl.prepare(cohort, "y", transform=transform)
        np.testing.assert_allclose(_log_slope(analysis), analysis.trait.log_slope(trait), rtol=1e-9)
    assert _log_slope(bl.prepare(cohort, "y", transform="rank-normal")) is None
    assert _log_slope(None) == 0


def small_tree(cohort, transform, rng):
    """A tree of draws that no sampler made, of a trait under a transform."""
    analysis = bl.prepare(cohort, "y", transform=transform)
    n = len(analysis.y)
    data = rotate_arrays(analysis, bl.Eigenbasis(np.ones(n), np.eye(n)), dtype=np.float64)
    sites = xr.Dataset({name: (("chain", "draw"), rng.uniform(0.4, 0.6, (2, 50))) for name in ("sigma2_g", "sigma2_e")})
    sites["fitted"] = (("chain", "draw", "sample"), 0.1 * rng.normal(size=(2, 50, n)))
    return build_tree(SamplingRecord(data, {}, {"seed": 1}), sites, analysis.X.T, analysis)


@pytest.mark.filterwarnings("ignore:Estimated shape parameter of Pareto")  # of draws that no sampler made
def test_arviz_compares_transforms_but_no_ranks_with_anything_else(rng):
    cohort = bl.simulate_cohort(n_samples=30, n_variants=20, seed=1).assign(y=("samples", rng.gamma(2.0, 3.0, size=30)))
    trees = {name: small_tree(cohort, name, rng) for name in ("none", "box-cox", "rank-normal")}
    ranks = trees.pop("rank-normal")
    assert set(az.compare(trees).index) == set(trees)
    with pytest.raises((TypeError, ValueError), match="ELPD from model ranks"):
        az.compare(trees | {"ranks": ranks})
    with pytest.raises(TypeError, match="log likelihood not found"):
        az.loo(ranks)
    # by themselves they can be looked at
    assert np.isfinite(az.loo(with_log_likelihood(ranks), pointwise=True).pareto_k).all()
    assert with_log_likelihood(trees["none"]) is trees["none"]

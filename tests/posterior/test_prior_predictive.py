"""The prior predictive against its closed forms: variance and covariance of y, number included, shares."""

from __future__ import annotations

import numpy as np
import pytest
from draw_trees import tree_of
from scipy.integrate import quad

import bayes_lmmlasso as bl
from bayes_lmmlasso.models.sparsity import sparsity_range
from bayes_lmmlasso.posterior import add_prior, predictive_table

MODELS = ("spike_slab", "laplace", "horseshoe", "normal")
MEAN_V = np.exp(0.5**2 / 2)  # of a log-normal variable with sigma 1/2


def _tree(rng, model, n=12, p=40, Z=None, y=None):
    """A tree with the posterior of nothing, standardised SNPs and a kinship of mean diagonal 1."""
    X = rng.standard_normal((n, p))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    A = rng.standard_normal((n, 4))
    K = A @ A.T
    y = rng.standard_normal(n) if y is None else y
    y = (y - y.mean()) / y.std()
    draws = {"pve": np.full((1, 5), 0.5), "pge": np.full((1, 5), 0.5), "n_included": np.full((1, 5), 3.0)}
    tree = tree_of(X, np.zeros((1, 5, p)), K=K * n / np.trace(K), y=y, Z=Z, **draws)
    tree.attrs.update(model=model, seed=4)
    return tree, X, K * n / np.trace(K)


@pytest.mark.parametrize("model", MODELS)
def test_the_covariance_of_traits_is_that_of_the_model(model, rng):
    """E[yy'] = E[v] (E[h rho] XX'/p + E[h (1 - rho)] K + E[1 - h] I), whatever the law of the effects."""
    tree, X, K = _tree(rng, model)
    y = bl.prior_predictive(tree, draws=20_000)["prior_predictive"]["y"].values[0]
    wanted = MEAN_V * (0.25 * X @ X.T / X.shape[1] + 0.25 * K + 0.5 * np.eye(len(X)))
    products = y[:, :, None] * y[:, None, :]
    error = products.std(axis=0) / np.sqrt(len(y))
    assert (abs(products.mean(axis=0) - wanted) < 4.5 * error).all()
    assert (abs(y.mean(axis=0)) < 4.5 * y.std(axis=0) / np.sqrt(len(y))).all()


def test_the_number_included_and_the_shares_are_those_of_the_prior(rng):
    tree, *_ = _tree(rng, "spike_slab")
    prior = bl.prior_predictive(tree, draws=20_000)["prior"].dataset
    lower, upper = sparsity_range(40)
    mean = 40 * quad(np.exp, lower, upper)[0] / (upper - lower)
    count = prior["n_included"].values
    assert abs(count.mean() - mean) < 4.5 * count.std() / np.sqrt(count.size)
    v, h, rho = np.exp(prior["log_v"]), prior["h"], prior["rho"]
    np.testing.assert_allclose(prior["sigma2_g"], v * h * (1 - rho))
    np.testing.assert_allclose(prior["sigma2_e"], np.maximum(v * (1 - h), 1e-4))
    assert abs(prior["log_v"].values.std() - 0.5) < 0.01
    none = count == 0
    assert none.any()
    np.testing.assert_array_equal(prior["pge"].values[none], 0)  # no SNP, no share of SNPs
    assert ((prior["pve"].values >= 0) & (prior["pve"].values <= 1)).all()


def test_traits_stand_on_the_fit_of_the_covariates_and_their_variance(rng):
    """A covariate with 96% of the trait: traits vary by what it leaves."""
    z = rng.standard_normal(12)
    Z = np.column_stack([np.ones(12), z])
    tree, *_ = _tree(rng, "normal", Z=Z, y=5 * z + rng.standard_normal(12))
    y = tree["observed_data"]["y"].values
    fitted = Z @ np.linalg.lstsq(Z, y)[0]
    left = np.square(y - fitted).sum() / (12 - 1)
    drawn = bl.prior_predictive(tree, draws=20_000)["prior_predictive"]["y"].values[0]
    assert left < 0.2
    np.testing.assert_allclose(drawn.mean(axis=0), fitted, atol=4.5 * drawn.std() / np.sqrt(len(drawn)))
    variance = np.square(drawn - fitted).mean(axis=1)
    assert abs(variance.mean() - MEAN_V * left) < 4.5 * variance.std() / np.sqrt(variance.size)


def test_the_table_sets_prior_beside_what_was_found(rng):
    tree, *_ = _tree(rng, "spike_slab", n=200, y=np.r_[rng.standard_normal(199), 400.0])
    drawn = bl.prior_predictive(tree)
    table = predictive_table(tree)
    prior = drawn["prior"].dataset
    share = (prior["pve"] * prior["pge"]).values.ravel()
    row = table.loc["share of SNP effects"]
    np.testing.assert_allclose(row[["prior_median", "prior_lo", "prior_hi"]], np.quantile(share, [0.5, 0.025, 0.975]))
    assert row["found"] == 0.25
    assert row["position"] == pytest.approx(np.mean(share < 0.25))
    assert table.loc["n_included", "found"] == 3
    assert table.loc["range of y", "position"] == 1  # one sample is nearly all of the variance
    assert 0.3 < table.loc["sd of y", "position"] < 0.7  # the prior of v is centred there


def test_groups_are_added_once_and_the_same_seed_gives_the_same_bytes(rng):
    tree, *_ = _tree(rng, "spike_slab")
    tree["observed_data"] = tree["observed_data"].to_dataset().astype(np.float32)
    tree["observed_data"] = tree["observed_data"].to_dataset().assign_coords(individual=[f"f:i{i}" for i in range(12)])
    first, second = (bl.prior_predictive(tree, draws=30) for _ in range(2))
    assert first.identical(second)
    assert not first.equals(bl.prior_predictive(tree, draws=30, seed=5))
    predicted = first["prior_predictive"]["y"]
    assert predicted.dtype == np.float32
    assert predicted["individual"].values.tolist() == tree["observed_data"]["individual"].values.tolist()
    add_prior(tree)
    assert {"prior", "prior_predictive"} <= tree.children.keys()
    assert tree["prior"].dataset.identical(bl.prior_predictive(tree)["prior"].dataset)


def test_own_models_and_no_draws_are_refused(rng):
    tree, *_ = _tree(rng, "mine")
    with pytest.raises(bl.InputError, match="expected a model among spike_slab, laplace, normal, horseshoe"):
        bl.prior_predictive(tree)
    add_prior(tree)
    assert "prior" not in tree.children
    with pytest.raises(bl.InputError, match="expected draws >= 1, got 0"):
        bl.prior_predictive(_tree(rng, "normal")[0], draws=0)

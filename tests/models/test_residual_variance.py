"""The total variance v is that of what the covariates leave of the trait."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from numpyro.handlers import seed, trace

import bayes_lmmlasso as bl
from bayes_lmmlasso.models import MODELS
from bayes_lmmlasso.models.given_effects import sample_hyper


def problem(rng, n, p=20):
    X = rng.normal(size=(n, p))
    X = (X - X.mean(0)) / X.std(0)
    return X, bl.Eigenbasis.from_kinship(bl.gower_scale(bl.kinship(X)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_data_tell_what_variance_the_covariates_leave(rng, dtype):
    n = 60
    X, basis = problem(rng, n)
    noise = rng.normal(size=n)
    noise = (noise - noise.mean()) / noise.std()
    covariate = rng.normal(size=n)
    covariate -= covariate.mean() + noise * (noise @ covariate) / n  # of no help with the noise

    def left(y, Z):
        return float(bl.rotate(X, basis, y=y, covariates=Z, dtype=dtype).residual_variance)

    ones = np.ones((n, 1))
    assert left(noise, None) == left(noise, ones) == left(noise + 5, 0.1 * ones) == 1
    assert left(noise, covariate[:, None]) == 1
    # a degree of freedom for the covariate beside the intercept
    np.testing.assert_allclose(left(noise - 4 * covariate + 3, np.c_[ones, 1e5 * covariate]), n / (n - 1), rtol=1e-5)
    np.testing.assert_allclose(left(30 * noise, ones), 900, rtol=1e-5)
    assert left(covariate, covariate[:, None]) > 0  # nothing is left
    assert left(noise, np.c_[ones, rng.normal(size=(n, n - 1))]) > 0


@pytest.mark.parametrize("name", MODELS)
def test_the_prior_of_every_model_is_centred_on_it(rng, name):
    X, basis = problem(rng, 30)
    data = bl.rotate(X, basis, y=7 * rng.normal(size=30), covariates=np.c_[np.ones(30), rng.normal(size=30)])
    hyper = partial(sample_hyper, sparse=name == "spike_slab")
    for model in (MODELS[name].function, hyper):
        prior = trace(seed(model, 0)).get_trace(data)["log_v"]["fn"]
        np.testing.assert_allclose(prior.mean, np.log(data.residual_variance), rtol=1e-6)
        np.testing.assert_allclose(prior.variance, 0.25, rtol=1e-6)


def test_v_is_as_large_as_without_covariates_where_they_explain_most_of_the_trait(rng):
    """Covariate R2 = 0.95, 84 samples: relative to what is left v is that of a trait that is the rest alone."""
    n = 84
    X, basis = problem(rng, n)
    rest = rng.normal(size=n)
    covariate = rng.normal(size=n)
    covariate -= covariate.mean() + (rest - rest.mean()) * ((rest - rest.mean()) @ covariate) / (n * rest.var())
    rest, covariate = (rest - rest.mean()) / rest.std(), covariate / covariate.std()
    traits = ((np.sqrt(0.05) * rest + np.sqrt(0.95) * covariate, np.c_[np.ones(n), covariate]), (rest, np.ones((n, 1))))
    options = {"chains": 2, "warmup": 100, "draws": 600, "sweeps": 3}
    explained, alone = (
        bl.sample_posterior(bl.rotate(X, basis, y=y, covariates=Z), "laplace", **options)["posterior"]["log_v"].values
        for y, Z in traits
    )
    assert abs(explained.mean() - np.log(0.05) - alone.mean()) < 0.05

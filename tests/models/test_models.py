"""The models as densities: transforms, products with X, and the whitened against the plain parametrisation."""

from __future__ import annotations

import importlib
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
from numpyro.handlers import seed, substitute, trace
from numpyro.infer.util import log_density
from scipy.integrate import quad
from scipy.stats import norm

import bayes_lmmlasso as bl
from bayes_lmmlasso.models import MODELS, model_spec
from bayes_lmmlasso.models.horseshoe import horseshoe
from bayes_lmmlasso.models.laplace import _LAPLACE, laplace, laplace_quantile
from bayes_lmmlasso.models.normal import normal
from bayes_lmmlasso.models.rotated import RotatedData, product, product_t
from bayes_lmmlasso.models.spike_slab import spike_slab

HYPER = {"log_v": 0.2, "h": 0.55, "rho": 0.7}


def small_data(rng, kinship, n=30, p=45, dtype=None):
    dosage = rng.binomial(2, rng.uniform(0.1, 0.9, p), size=(n, p)).astype(float)
    X = (dosage - dosage.mean(0)) / dosage.std(0)
    if kinship == "arbitrary":
        factor = rng.normal(size=(n, n))
        K = factor @ factor.T
    else:
        K = bl.kinship(X if kinship == "rrm" else dosage, kinship)
    y = X[:, 0] + rng.normal(size=n)
    covariates = np.c_[np.ones(n), rng.normal(size=n)]
    return bl.rotate(X, bl.Eigenbasis.from_kinship(K), y=y, covariates=covariates, dtype=dtype)


def normal_scores(model, data, params):
    """The (p,) standard normals z behind the effects b = s g(z) of a model."""
    values = trace(substitute(model, data=params)).get_trace(data)
    v, h, rho = jnp.exp(params["log_v"]), params["h"], params["rho"]
    effects, p = values["b"]["value"], data.n_snps
    if model is normal:
        return effects / jnp.sqrt(v * h * rho / p)
    x = effects / jnp.sqrt(v * h * rho / (2 * p))
    return -jnp.sign(x) * jax.scipy.special.ndtri(jnp.exp(-jnp.abs(x)) / 2)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("model", [laplace, normal])
@pytest.mark.parametrize("kinship", ["rrm", "ibs", "centred", "arbitrary"])
def test_whitened_density_is_the_plain_density_times_the_jacobian(rng, model, kinship):
    data = small_data(rng, kinship)
    assert (data.Q is None) == (kinship == "rrm")
    params = HYPER | {"a": jnp.array([0.3, -0.2]), "eps": jnp.asarray(rng.normal(size=data.n_snps))}
    whitened, _ = log_density(model, (data,), {}, params)

    def to_z(eps):
        return normal_scores(model, data, params | {"eps": eps})

    log_det = np.linalg.slogdet(jax.jacrev(to_z)(params["eps"]))[1]
    plain, _ = log_density(model, (data,), {"whiten": False}, params | {"eps": to_z(params["eps"])})
    np.testing.assert_allclose(whitened, plain + log_det, rtol=1e-10, atol=1e-10)
    assert abs(log_det) > 1  # the coordinates do differ


@pytest.mark.usefixtures("x64")
def test_whitened_normal_effects_are_standard_normal_given_hyperparameters(rng):
    """With K = XX'/p and the normal prior the log-density is -|eps|^2 / 2 plus a constant."""
    data = small_data(rng, "rrm")
    rest = HYPER | {"a": jnp.array([0.3, -0.2])}

    def excess(eps):
        return log_density(normal, (data,), {}, rest | {"eps": jnp.asarray(eps)})[0] + 0.5 * np.sum(eps**2)

    values = [excess(scale * rng.normal(size=data.n_snps)) for scale in (0.0, 1.0, 3.0)]
    np.testing.assert_allclose(values, values[0], rtol=1e-10)


@pytest.mark.parametrize("model", [laplace, normal])
def test_float32_density_agrees_with_float64(rng, model):
    eps = rng.normal(size=45)
    a = np.array([0.3, -0.2])
    state = rng.bit_generator.state
    with jax.enable_x64(True):
        exact = log_density(model, (small_data(rng, "rrm"),), {}, HYPER | {"a": a, "eps": jnp.asarray(eps)})[0]
    rng.bit_generator.state = state
    data = small_data(rng, "rrm")
    assert data.XT.dtype == jnp.float32
    single = log_density(model, (data,), {}, HYPER | {"a": jnp.asarray(a), "eps": jnp.asarray(eps)})[0]
    np.testing.assert_allclose(single, exact, rtol=2e-5)


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 1e-6), (np.float64, 1e-13)])
def test_laplace_quantile_and_slope_reach_into_the_tails(dtype, rtol):
    z = np.concatenate([-np.geomspace(1e-3, 1e3, 60), [0.0], np.geomspace(1e-3, 1e3, 60)]).astype(dtype)
    exact = z.astype(np.float64)
    log_tail = scipy.special.log_ndtr(-np.abs(exact))
    with jax.enable_x64(dtype == np.float64):
        value, slope = jax.vmap(jax.value_and_grad(laplace_quantile))(jnp.asarray(z))
    np.testing.assert_allclose(value, -np.sign(exact) * (log_tail + np.log(2)), rtol=rtol, atol=rtol)
    mills = np.sqrt(2 / np.pi) / scipy.special.erfcx(np.abs(exact) / np.sqrt(2))
    np.testing.assert_allclose(slope, mills, rtol=rtol)


def test_laplace_slope_is_its_mean_derivative():
    mean = quad(lambda z: 2 * norm.pdf(z) / scipy.special.erfcx(abs(z) / 2**0.5) * (2 / np.pi) ** 0.5, 0, 40)[0]
    np.testing.assert_allclose(_LAPLACE.slope, mean, rtol=1e-10)


@pytest.mark.usefixtures("x64")
def test_laplace_quantile_has_the_laplace_distribution():
    u = np.linspace(0.001, 0.999, 501)
    laplace_q = -np.sign(u - 0.5) * np.log1p(-2 * np.abs(u - 0.5))
    np.testing.assert_allclose(laplace_quantile(jnp.asarray(scipy.special.ndtri(u))), laplace_q, atol=1e-12)


@pytest.mark.usefixtures("x64")
def test_products_and_their_gradients_are_those_of_the_matrix(rng):
    X = jnp.asarray(rng.normal(size=(7, 11)))
    none = jnp.zeros(0)
    data = RotatedData(none, none, jnp.vstack([X.T, jnp.zeros((2, 7))]), none, none, none, padding=2)
    b, r = jnp.asarray(rng.normal(size=11)), jnp.asarray(rng.normal(size=7))
    np.testing.assert_allclose(product(data, b), X @ b)
    np.testing.assert_allclose(product_t(data, r), X.T @ r)
    np.testing.assert_allclose(jax.grad(lambda b: jnp.sum(jnp.sin(product(data, b))))(b), X.T @ jnp.cos(X @ b))
    np.testing.assert_allclose(jax.grad(lambda r: jnp.sum(jnp.sin(product_t(data, r))))(r), X @ jnp.cos(X.T @ r))


@pytest.mark.usefixtures("x64")
def test_likelihood_is_the_dense_one(rng):
    data = small_data(rng, "arbitrary")
    a, b_scale = np.array([0.3, -0.2]), np.sqrt(np.exp(0.2) * 0.55 * 0.7 / data.n_snps)
    z = rng.normal(size=data.n_snps)
    site = trace(
        substitute(lambda d: normal(d, whiten=False), data=HYPER | {"a": jnp.asarray(a), "eps": jnp.asarray(z)})
    ).get_trace(data)["y"]
    log_likelihood = site["fn"].log_prob(site["value"])
    U, S = np.asarray(data.U), np.asarray(data.S)
    K = U @ np.diag(S) @ U.T
    v, h, rho = np.exp(0.2), 0.55, 0.7
    V = v * h * (1 - rho) * K + v * (1 - h) * np.eye(len(K))
    residual = U @ np.asarray(data.y - data.Z @ a - (b_scale * z) @ data.XT)
    dense = -0.5 * (residual @ np.linalg.solve(V, residual) + np.linalg.slogdet(V)[1] + len(K) * np.log(2 * np.pi))
    np.testing.assert_allclose(log_likelihood, dense, rtol=1e-10)


def test_registry_names_what_it_knows(rng):
    data = small_data(rng, "rrm")
    for model in (laplace, spike_slab, horseshoe, normal):
        known = log_density(seed(MODELS[model.__name__].function, 0), (data,), {}, {})
        assert known[0] == log_density(seed(model, 0), (data,), {}, {})[0]
        assert model_spec(model.__name__) is MODELS[model.__name__]
    assert model_spec(normal).function is normal
    assert [*MODELS][:4] == ["laplace", "spike_slab", "horseshoe", "normal"]
    with pytest.raises(ValueError, match=f"expected a model among {', '.join(MODELS)}, got 'lapalce'"):
        model_spec("lapalce")


def test_the_folder_refuses_to_be_imported_by_its_place_in_the_repository(monkeypatch):
    monkeypatch.delitem(sys.modules, "models", raising=False)
    with pytest.raises(ImportError, match=r"bayes_lmmlasso\.models"):
        importlib.import_module("models")

"""The sampler against exact posteriors: closed form, numerical integration, a Gibbs sampler; and its determinism."""

from __future__ import annotations

from functools import partial
from itertools import combinations

import arviz as az
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpyro.handlers import condition
from posterior_reference import dense_problem, laplace_gibbs, normal_grid_posterior, normal_posterior
from scipy.stats import norm

import bayes_lmmlasso as bl
from bayes_lmmlasso.models import MODELS, ModelSpec
from bayes_lmmlasso.models.laplace import laplace
from bayes_lmmlasso.models.normal import normal
from bayes_lmmlasso.posterior.sampler.chains import _key
from bayes_lmmlasso.posterior.sampler.draw import draw_posterior
from bayes_lmmlasso.posterior.sampler.plan import Execution, SamplingOptions, SamplingPlan
from bayes_lmmlasso.posterior.sampler.registry import ChainLengths, default_lengths, samplers_of
from bayes_lmmlasso.posterior.sampler.stopping import Until
from bayes_lmmlasso.posterior.summaries.diagnostics import convergence, effective_sample_size
from bayes_lmmlasso.posterior.tree.build import build_tree

pytestmark = pytest.mark.usefixtures("x64")

# largest |z| allowed among about 100 correlated comparisons: P(max > 4.5) is below 1e-3
MAX_Z = 4.5


def z_scores(draws, exact):
    """(estimate - exact) / Monte Carlo error of means of draws (chains, draws, m)."""
    by_quantity = np.moveaxis(draws, 2, 0)
    error = draws.std(axis=(0, 1)) / np.sqrt(effective_sample_size(by_quantity))
    return (draws.mean(axis=(0, 1)) - exact) / error


def rotated(X, y, Z, K):
    return bl.rotate(X, bl.Eigenbasis.from_kinship(K), y=y, covariates=Z)


@pytest.mark.parametrize("kinship", ["rrm", "arbitrary"])
def test_normal_effects_given_hyperparameters_have_the_closed_form(rng, kinship):
    """Also the test of a user's own model: `condition` returns a function that no registry knows."""
    X, y, Z, K = dense_problem(rng, kinship=kinship)
    hyper = {"log_v": 0.1, "h": 0.5, "rho": 0.6}
    mean, covariance = normal_posterior(X, y, Z, K, **hyper)
    tree = bl.sample_posterior(
        rotated(X, y, Z, K), condition(normal, data=hyper), chains=2, warmup=400, draws=4000, seed=1
    )
    assert tree.attrs["hyper"] == []
    draws = np.concatenate([tree["posterior"]["a"].values, tree["posterior"]["b"].values], axis=2)
    assert np.abs(z_scores(draws, mean)).max() < MAX_Z
    centred = draws - mean
    products = np.stack(
        [centred[..., i] * centred[..., j] for i, j in zip(*np.triu_indices(len(mean)), strict=True)], -1
    )
    assert np.abs(z_scores(products, covariance[np.triu_indices(len(mean))])).max() < MAX_Z


def test_normal_hyperparameters_match_numerical_integration_and_rho_keeps_its_prior(rng):
    X, y, Z, K = dense_problem(rng)
    tree = bl.sample_posterior(rotated(X, y, Z, K), "normal", chains=4, warmup=500, draws=2500, seed=2)
    log_v, h = np.linspace(-2.2, 2.2, 241), (np.arange(200) + 0.5) / 200
    weight = normal_grid_posterior(y, Z, K, log_v, h)
    posterior = tree["posterior"]
    exact, draws = [], []
    for values, grid, marginal in (
        (posterior["log_v"].values, log_v, weight.sum(1)),
        (posterior["h"].values, h, weight.sum(0)),
        (posterior["rho"].values, h, np.full(200, 1 / 200)),
    ):
        mean = marginal @ grid
        exact += [mean, marginal @ (grid - mean) ** 2]
        draws += [values, (values - mean) ** 2]
        for k in np.searchsorted(np.cumsum(marginal), [0.1, 0.5, 0.9]):
            edge = (grid[k] + grid[k + 1]) / 2
            exact.append(marginal[: k + 1].sum())
            draws.append(values < edge)
    exact += [weight.ravel() @ np.multiply.outer(log_v, h).ravel()]
    draws += [posterior["log_v"].values * posterior["h"].values]
    assert np.abs(z_scores(np.stack(draws, -1).astype(float), np.array(exact))).max() < MAX_Z
    assert tree["sample_stats"]["diverging"].values.sum() == 0


def test_laplace_whitened_plain_composite_and_gibbs_agree(rng):
    X, y, Z, K = dense_problem(rng, n=30, p=8, kinship="arbitrary")
    gibbs_b, gibbs_u = laplace_gibbs(X, y, Z, K, 12_000, rng)
    samples = {"gibbs": np.concatenate([gibbs_u, gibbs_b], axis=1)[2000:].reshape(4, 2500, -1)}
    for name, model, sampler in (
        ("whitened", laplace, "nuts"),
        ("plain", partial(laplace, whiten=False), "nuts"),
        ("composite", "laplace", "composite"),
    ):
        tree = bl.sample_posterior(
            rotated(X, y, Z, K), model, sampler=sampler, chains=4, warmup=600, draws=2500, seed=3
        )
        if sampler == "nuts":
            assert tree["sample_stats"]["diverging"].values.sum() <= 5
        posterior = tree["posterior"]
        hyper = np.stack([posterior[k].values for k in ("log_v", "h", "rho")], axis=-1)
        samples[name] = np.concatenate([hyper, posterior["b"].values], axis=2)
    moments = {}
    for name, draws in samples.items():
        both = np.moveaxis(np.concatenate([draws, draws**2, draws > 0.1], axis=2), 2, 0)
        error = both.std(axis=(1, 2)) / np.sqrt(effective_sample_size(both))
        moments[name] = both.mean(axis=(1, 2)), error
        assert convergence(both[: draws.shape[2]]).r_hat.max() < 1.02
    for one, other in combinations(samples, 2):
        (m1, e1), (m2, e2) = moments[one], moments[other]
        z = (m1 - m2) / np.hypot(e1, e2)
        assert np.abs(z).max() < MAX_Z, (one, other, z.round(2))


@pytest.fixture(scope="module")
def tiny():
    rng = np.random.default_rng(7)
    return dense_problem(rng, n=20, p=6)


def test_all_bits_of_a_seed_count(tiny):
    for seed in (0, 5, 2**31 + 7, 2**32 - 1):
        np.testing.assert_array_equal(jax.random.key_data(_key(seed)), jax.random.key_data(jax.random.key(seed)))

    def draws(seed):
        plan = SamplingPlan(sampler="composite", chains=1, warmup=2, draws=4, seed=seed)
        return draw_posterior(rotated(*tiny), "laplace", plan).store.read("b")

    assert not np.array_equal(draws(5), draws(2**32 + 5))
    assert np.isfinite(draws(2**63 - 1)).all()


@pytest.mark.parametrize("sampler", ["nuts", "composite"])
def test_same_seed_same_draws_whatever_the_block_and_the_threads(tiny, sampler):
    data = rotated(*tiny)
    other_way = Execution(threads=1, block=7)

    def run(seed, execution):
        plan = SamplingPlan(sampler=sampler, chains=3, warmup=30, draws=40, seed=seed)
        draws = draw_posterior(data, "laplace", plan, execution=execution)
        return build_tree(draws.record, draws.store.sites(), tiny[0].T)

    first, again, other = run(5, Execution()), run(5, other_way), run(6, other_way)
    for group in ("posterior", "sample_stats", "log_likelihood", "log_prior"):
        for name, values in first[group].data_vars.items():
            np.testing.assert_array_equal(values, again[group][name], err_msg=f"{group}/{name}")
    assert not np.array_equal(first["posterior"]["b"], other["posterior"]["b"])
    chains = first["posterior"]["b"].values
    assert not np.array_equal(chains[0], chains[1])


def test_point_mass_by_the_composite_kernel_and_by_nuts_agree(rng):
    """Two samplers that share only the model: a Gibbs sweep over exact zeros, and NUTS through soft-thresholding."""
    X, y, Z, K = dense_problem(rng, n=50, p=20)
    data, spec = rotated(X, y, Z, K), MODELS["spike_slab"]
    composite = bl.sample_posterior(data, spec, sweeps=5, warmup=200, draws=1000, seed=4)
    nuts = bl.sample_posterior(data, spec, sampler="nuts", warmup=800, draws=3000, seed=5)
    assert composite.attrs["sampler"] == "composite"
    assert composite.attrs["hyper"] == nuts.attrs["hyper"] == ["log_v", "h", "rho", "log_pi"]
    moments = []
    for tree in (composite, nuts):
        posterior = tree["posterior"]
        hyper = np.stack([posterior[k].values for k in tree.attrs["hyper"]], axis=-1)
        b = posterior["b"].values
        included = posterior["inclusion"].values if "inclusion" in posterior else (b != 0).astype(float)
        n_included = (b != 0).sum(axis=2, keepdims=True)
        series = np.concatenate([hyper, hyper**2, n_included, b, included], axis=2)
        by_quantity = np.moveaxis(series.astype(float), 2, 0)
        assert convergence(by_quantity).r_hat.max() < 1.02
        error = by_quantity.std(axis=(1, 2)) / np.sqrt(effective_sample_size(by_quantity))
        moments.append((by_quantity.mean(axis=(1, 2)), error))
    (m1, e1), (m2, e2) = moments
    assert np.abs((m1 - m2) / np.hypot(e1, e2)).max() < MAX_Z
    np.testing.assert_array_equal(
        composite["posterior"]["n_included"], (composite["posterior"]["b"] != 0).sum("variant")
    )
    table, indicator = bl.inclusion_table(composite), bl.inclusion_table(nuts)
    np.testing.assert_allclose(table["pip"], composite["posterior"]["inclusion"].mean(("chain", "draw")), rtol=1e-12)
    np.testing.assert_allclose(indicator["pip"], (nuts["posterior"]["b"] != 0).mean(("chain", "draw")), rtol=1e-6)
    windows = bl.window_table(composite, "10snps")
    visits = composite["posterior"]["visits"].values
    last = composite.attrs["snapshots"] - 1
    assert last + 1 == 5  # one of each sweep
    np.testing.assert_array_equal(visits >> last, composite["posterior"]["b"] != 0)  # the last snapshot is the draw
    snapshots = (visits[..., :10, None] >> np.arange(last + 1)) & 1
    np.testing.assert_allclose(windows["window_pip"][0], snapshots.any(axis=2).mean(), rtol=1e-12)
    drawn = bl.window_table(nuts, "10snps")  # a sampler without snapshots: the indicator of each draw
    np.testing.assert_allclose(drawn["window_pip"][0], (nuts["posterior"]["b"][..., :10] != 0).any("variant").mean())
    error = np.hypot(windows["window_pip_mcse"], drawn["window_pip_mcse"])
    assert (np.abs(windows["window_pip"] - drawn["window_pip"]) < MAX_Z * error).all()
    assert (windows["window_pip_mcse"] < drawn["window_pip_mcse"]).all()


def test_lengths_are_those_of_the_sampler_for_the_model_unless_they_are_given():
    spec = MODELS["laplace"]
    assert SamplingPlan().lengths(spec, "composite") == default_lengths("laplace") == ChainLengths(100, 500, 20)
    assert SamplingPlan(until=Until(rhat=1.01)).lengths(spec, "composite") == ChainLengths(100, 10_000, 20)
    assert SamplingPlan().lengths(spec, "nuts") == default_lengths(spec, "nuts") == ChainLengths(250, 500)
    assert SamplingPlan(warmup=3, draws=4, until=Until(rhat=1.01)).lengths(spec, "nuts") == ChainLengths(3, 4)
    assert SamplingPlan(sweeps=7).lengths(MODELS["spike_slab"], "composite") == ChainLengths(40, 200, 7)
    assert default_lengths("horseshoe") == default_lengths(ModelSpec("mine", laplace)) == ChainLengths(250, 500)


def test_a_model_with_a_laplace_slab_has_two_samplers():
    assert samplers_of("spike_slab") == samplers_of("laplace") == ("auto", "nuts", "composite")
    assert samplers_of("horseshoe") == samplers_of(normal) == ("auto", "nuts")


def test_the_keywords_of_sampling_are_the_fields_of_a_plan():
    given, fields = SamplingOptions.__annotations__, SamplingPlan.__annotations__
    assert {name: kind.__forward_arg__ for name, kind in given.items()} == fields


def test_an_error_in_one_chain_ends_the_others_after_their_block(tiny):
    """Ctrl-C reaches the main thread alone: without the stop signal it would wait for every draw of every chain."""
    blocks = []

    def fail_at_third(stage, done, total, remark=""):
        blocks.append(done)
        if len(blocks) == 3:
            raise RuntimeError("stopped here")

    with pytest.raises(RuntimeError, match="stopped here"):
        bl.sample_posterior(rotated(*tiny), chains=4, warmup=25, draws=100_000, seed=0, progress=fail_at_third)
    assert len(blocks) < 1000  # of 16,004


def test_tree_has_the_groups_of_the_contract_and_arviz_reads_it(tiny):
    X, y, Z, _ = tiny
    reported = []
    tree = bl.sample_posterior(
        rotated(*tiny), chains=2, warmup=60, draws=80, seed=1, progress=lambda *given: reported.append(given)
    )
    assert {
        "posterior",
        "sample_stats",
        "log_likelihood",
        "posterior_predictive",
        "log_prior",
        "observed_data",
        "constant_data",
    } <= set(tree.children)
    assert reported[-1][:3] == ("sampling", 280, 280)
    assert [given[1] for given in reported] == sorted(given[1] for given in reported)
    posterior = tree["posterior"]
    assert posterior["b"].dims == ("chain", "draw", "variant")
    assert posterior["b"].shape == (2, 80, 6)
    np.testing.assert_allclose(tree["observed_data"]["y"], y, atol=1e-12)
    np.testing.assert_allclose(tree["constant_data"]["X"].values.T, X, atol=1e-12)
    np.testing.assert_allclose(tree["constant_data"]["covariates"], Z, atol=1e-12)
    prior = tree["log_prior"]
    assert set(prior.data_vars) == {"log_v", "h", "rho"}
    np.testing.assert_allclose(prior["log_v"], norm.logpdf(posterior["log_v"], 0, 0.5), atol=1e-12)
    np.testing.assert_array_equal(prior["h"], np.zeros((2, 80)))
    summary = az.summary(tree, var_names=["h", "rho", "a"], round_to="none")
    assert list(summary.index) == ["h", "rho", "a[covariate_0]"]
    assert set(az.psense_summary(tree, var_names=["h", "rho"]).columns) >= {"prior", "likelihood"}


def test_variance_shares_of_a_draw_follow_their_definition(tiny):
    """Without a random effect (rho = 1) pge is 1 and pve is var(Xb) / (var(Xb) + se2)."""
    data = rotated(*tiny)
    fixed = condition(laplace, data={"rho": jnp.array(1.0)})
    posterior = bl.sample_posterior(data, fixed, chains=1, warmup=50, draws=20, seed=0)["posterior"]
    explained = (posterior["b"].values @ tiny[0].T).var(axis=2)
    np.testing.assert_allclose(posterior["pge"], 1.0)
    np.testing.assert_allclose(posterior["pve"], explained / (explained + posterior["sigma2_e"]), rtol=1e-10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chains": 0}, "expected chains >= 1, got 0"),
        ({"draws": 3}, "expected draws >= 4, got 3"),
        ({"warmup": 0}, "expected warmup >= 1, got 0"),
        ({"model": "spike_slab", "sweeps": 0}, "expected sweeps >= 1, got 0"),
        ({"model": "normal", "sweeps": 9}, "expected sweeps with the composite sampler alone, got 9 with 'nuts'"),
        ({"sampler": "hmc"}, "expected sampler auto or nuts or composite for the model laplace, got 'hmc'"),
        (
            {"model": "normal", "sampler": "composite"},
            "expected sampler auto or nuts for the model normal, got 'composite'",
        ),
    ],
)
def test_counts_out_of_range_are_told(tiny, options, message):
    with pytest.raises(bl.InputError, match=message):
        bl.sample_posterior(rotated(*tiny), **options)

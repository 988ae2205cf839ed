"""Sensitivity to the prior: reweighted draws say what exact posteriors under other priors do; conflicts are found."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
import xarray as xr
from draw_trees import tree_of
from scipy.integrate import quad
from scipy.stats import beta, norm
from slab_reference import _orthant

import bayes_lmmlasso as bl
from bayes_lmmlasso.models import rotated_likelihood
from bayes_lmmlasso.models.rotated import Variances, sample_fixed_effects
from bayes_lmmlasso.models.sparsity import sparsity_range

DRAWS = 4000


def _tree(X, b, log_prior=None, log_likelihood=None, **hyper):
    """A tree of independent draws (draws, p), of one chain, with what sensitivity needs."""
    n_draws = len(b)
    flat = {"log_v": np.zeros(n_draws), "h": np.full(n_draws, 0.5), "rho": np.full(n_draws, 0.5)} | hyper
    shares = {"pve": np.linspace(0, 1, n_draws), "pge": np.full(n_draws, 0.5)}
    tree = tree_of(X, b[None], **{name: values[None] for name, values in (flat | shares).items()})
    lower, upper = sparsity_range(X.shape[1])
    prior = {name: np.zeros(n_draws) for name in flat}
    prior["log_v"] = norm.logpdf(flat["log_v"], 0, 0.5)
    if "log_pi" in flat:
        prior["log_pi"] = np.full(n_draws, -np.log(upper - lower))
    for group, values in (
        ("log_prior", prior | (log_prior or {})),
        ("sample_stats", {"joint_log_likelihood": np.zeros(n_draws) if log_likelihood is None else log_likelihood}),
    ):
        data = {name: (("chain", "draw"), given[None]) for name, given in values.items()}
        tree[group] = xr.DataTree(xr.Dataset(data))
    tree.attrs.update(hyper=list(flat), model="spike_slab" if "log_pi" in flat else "mine")
    return tree


def _row(found, alternative, quantity):
    table = found.alternatives.set_index(["alternative", "quantity"])
    return table.loc[(alternative, quantity)]


def _within(row, exact, sd):
    """Whether a reweighted mean is the exact one, but for four standard errors."""
    assert row["reliable"]
    assert abs(row["other_value"] - exact) < 4 * sd / np.sqrt(row["ess"])
    assert row["difference"] == row["other_value"] - row["value"]


def test_draws_of_the_prior_become_those_of_another_prior(rng):
    """Without data n_included given pi is binomial, whatever the prior of pi."""
    p = 50
    X = rng.standard_normal((20, p))
    lower, upper = sparsity_range(p)
    log_pi = rng.uniform(lower, upper, DRAWS)
    b = (rng.random((DRAWS, p)) < np.exp(log_pi)[:, None]).astype(float)
    found = bl.prior_sensitivity(_tree(X, b, log_pi=log_pi), "10snps")
    for name, shape in (("fewer causal SNPs", (1, 4)), ("more causal SNPs", (4, 1))):
        law = beta(*shape, loc=lower, scale=upper - lower)
        mean = p * quad(lambda x, law=law: np.exp(x) * law.pdf(x), lower, upper)[0]
        row = _row(found, name, "n_included")
        assert abs(row["shift"]) > 0.3
        _within(row, mean, b.sum(axis=1).std())
        assert row["shift"] == pytest.approx(row["difference"] / b.sum(axis=1).std())
    assert _row(found, "lower h", "n_included")["difference"] == pytest.approx(0)  # h is the same in all


def test_an_enumerated_posterior_under_another_prior_of_pi(rng):
    """Three SNPs, all else fixed: the posterior of pi and of the subset is exact, under either prior."""
    n, p, s, d = 25, 3, 0.4, np.ones(25)
    X = rng.standard_normal((n, p))
    y = 0.45 * X[:, 0] + rng.standard_normal(n)
    lower, upper = sparsity_range(p)
    grid = np.linspace(lower, upper, 202)[1:-1]
    subsets = [subset for size in range(p + 1) for subset in combinations(range(p), size)]
    evidence = [
        sum(_orthant(X[:, subset] * signs, y, d, s) for signs in product((-1.0, 1.0), repeat=len(subset)))
        for subset in subsets
    ]
    sizes = np.array([len(subset) for subset in subsets])
    joint = np.exp(np.outer(grid, sizes)) * (1 - np.exp(grid))[:, None] ** (p - sizes) * evidence
    member = np.array([[j in subset for j in range(p)] for subset in subsets], dtype=float)
    base = joint / joint.sum()
    drawn = rng.choice(base.size, DRAWS, p=base.ravel())
    which, subset = np.unravel_index(drawn, base.shape)
    found = bl.prior_sensitivity(_tree(X, member[subset], log_pi=grid[which]), "10snps")
    for name, shape in (("fewer causal SNPs", (1, 4)), ("more causal SNPs", (4, 1))):
        other = joint * beta.pdf(grid, *shape, loc=lower, scale=upper - lower)[:, None]
        pips = other.sum(axis=0) @ member / other.sum()
        for j in range(p):
            _within(_row(found, name, f"pip of s{j}"), pips[j], 0.5)
        anywhere = other[:, 1:].sum() / other.sum()
        _within(_row(found, name, "window_pip of 1:1-3"), anywhere, 0.5)
    own = {"as a function": {"log_pi": lambda x: np.log(beta.pdf(x, 1, 4, loc=lower, scale=upper - lower))}}
    again = bl.prior_sensitivity(_tree(X, member[subset], log_pi=grid[which]), "10snps", alternatives=own)
    assert set(again.alternatives["alternative"]) == {"as a function"}
    first, second = _row(found, "fewer causal SNPs", "pip of s0"), _row(again, "as a function", "pip of s0")
    assert first["other_value"] == pytest.approx(second["other_value"], rel=1e-12)


def test_another_slab_is_that_of_the_exact_posterior(rng):
    """One SNP, all hyper-parameters fixed: its pip under slabs of other widths, by cumulative normals."""
    n, prior, many = 30, 0.2, 60_000
    X = rng.standard_normal((n, 1))
    y = 0.35 * X[:, 0] + rng.standard_normal(n)
    s = np.sqrt(0.25 / (2 * 1 * prior))  # v h rho / (2 p pi) at v = 1, h = rho = 0.5

    def inclusion(scale):
        slab = prior * sum(_orthant(sign * X, y, np.ones(n), scale) for sign in (-1.0, 1.0))
        return slab / (slab + 1 - prior)

    grid = np.linspace(-6, 6, 200_001)
    density = X[:, 0] @ y * grid - 0.5 * (X[:, 0] @ X[:, 0]) * grid**2 - abs(grid) / s
    mass = np.cumsum(np.exp(density - density.max()))
    effects = np.interp(rng.random(many), mass / mass[-1], grid)
    b = np.where(rng.random(many) < inclusion(s), effects, 0.0)[:, None]
    found = bl.prior_sensitivity(_tree(X, b, log_pi=np.full(many, np.log(prior))), "10snps")
    assert _row(found, "narrower slab", "pip of s0")["value"] == pytest.approx(inclusion(s), abs=0.03)
    for name, factor in (("narrower slab", 0.8), ("wider slab", 1.25)):
        _within(_row(found, name, "pip of s0"), inclusion(factor * s), 0.5)
    assert abs(inclusion(1.25 * s) - inclusion(s)) > 4 * 0.5 / np.sqrt(many)  # the test could fail


def test_nothing_is_said_where_draws_cannot_tell(rng):
    p = 50
    X, lower, upper = rng.standard_normal((20, p)), *sparsity_range(p)
    log_pi = rng.uniform(lower, upper, DRAWS)
    b = (rng.random((DRAWS, p)) < np.exp(log_pi)[:, None]).astype(float)
    h = rng.standard_normal(DRAWS)
    others = {"a prior far away": {"h": lambda x: norm.logpdf(x, 8.0, 0.5) - norm.logpdf(x)}}
    found = bl.prior_sensitivity(_tree(X, b, log_pi=log_pi, h=h), "10snps", alternatives=others)
    assert (found.alternatives["pareto_k"] > 0.7).all()
    assert not found.alternatives["reliable"].any()
    assert found.alternatives[["other_value", "difference", "shift"]].isna().all(axis=None)
    assert "The draws cannot tell of: a prior far away." in found.verdict
    with pytest.raises(bl.InputError, match="expected a prior of log_v, h, rho, log_pi, got one of 'pi'"):
        bl.prior_sensitivity(_tree(X, b, log_pi=log_pi), alternatives={"few": {"pi": norm.logpdf}})


CASES = {  # sd of the prior around 0, value and sd of the data: the posterior of a normal mean
    "conflict": (1.0, 4.0, 1.0, "prior and data may conflict"),
    "weak data": (0.1, 1.0, 100.0, "the prior says more than the data"),
    "agreement": (10.0, 0.0, 1.0, ""),
}


@pytest.mark.parametrize("case", CASES)
def test_power_scaling_finds_what_was_planted(case, rng):
    tau, seen, sigma, diagnosis = CASES[case]
    variance = 1 / (tau**-2 + sigma**-2)
    h = rng.normal(variance * seen / sigma**2, np.sqrt(variance), DRAWS)
    log_prior = {"h": norm.logpdf(h, 0, tau), "log_v": np.zeros(DRAWS)}
    tree = _tree(rng.standard_normal((20, 5)), np.zeros((DRAWS, 5)), log_prior, norm.logpdf(h, seen, sigma), h=h)
    found = bl.prior_sensitivity(tree, "10snps")
    assert found.power.loc["h", "diagnosis"] == diagnosis
    assert found.conflicts == ([f"{diagnosis} for h"] if diagnosis else [])
    assert ("By power-scaling" in found.verdict) == bool(diagnosis)
    assert found.power.loc["pve", "diagnosis"] == ""  # it has nothing to do with h here


def test_the_strong_prior_of_an_own_model_is_found_in_a_run(rng):
    """Thirty samples and a prior that is sure of a variance nine times theirs."""
    X = rng.standard_normal((30, 6))
    y = rng.standard_normal(30)
    basis = bl.Eigenbasis.from_kinship(np.eye(30))
    X, y = (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std()
    data = bl.rotate(X, basis, y=y, covariates=np.ones((30, 1)))

    def sure(data):
        log_v = numpyro.sample("log_v", dist.Normal(np.float32(np.log(9)), 0.1))
        h, rho = (numpyro.sample(name, dist.Uniform(0.0, 1.0)) for name in ("h", "rho"))
        fixed, variances = sample_fixed_effects(data), Variances.of(log_v, h, rho)
        effects = numpyro.sample("b_unit", dist.Normal(0.0, 1.0).expand([data.n_snps]).to_event(1))
        rotated_likelihood(data, fixed, (variances.effects / data.n_snps) ** 0.5 * effects, variances)

    tree = bl.sample_posterior(data, sure, chains=2, warmup=150, draws=250, seed=3)
    found = bl.prior_sensitivity(tree)
    assert found.power.loc["log_v", "prior"] > 0.1
    assert any("log_v" in text for text in found.conflicts)
    joint = tree["sample_stats"]["joint_log_likelihood"]
    draw = tree["posterior"].isel(chain=1, draw=7)
    residual = np.asarray(data.y) - np.asarray(data.Z) @ draw["a"].values - draw["b"].values @ np.asarray(data.XT)
    d = draw["sigma2_g"].item() * np.asarray(data.S) + draw["sigma2_e"].item()
    assert joint[1, 7].item() == pytest.approx(norm.logpdf(residual, 0, np.sqrt(d)).sum(), rel=1e-5)


def test_what_has_no_prior_densities_is_refused(rng):
    tree = tree_of(rng.standard_normal((20, 5)), np.zeros((1, 10, 5)))
    with pytest.raises(bl.InputError, match="sample again"):
        bl.prior_sensitivity(tree)
    with pytest.raises(bl.InputError, match="expected the tree of a posterior, got"):
        bl.prior_sensitivity("results")

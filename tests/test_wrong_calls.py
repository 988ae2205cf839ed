"""A wrong call of any name of `bl` ends in a sentence, not in a traceback from within."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace

import pandas as pd
import pytest
from small_run import finished_run

import bayes_lmmlasso as bl


@cache
def right() -> SimpleNamespace:
    """What right calls would be given."""
    cohort = bl.simulate_cohort(n_samples=30, n_variants=40, seed=1)
    cohort = cohort.assign(height=("samples", bl.simulate_trait(cohort, n_causal=2, seed=1).y))
    analysis = bl.prepare(cohort, "height")
    K = bl.gower_scale(bl.kinship(analysis.X))
    basis = bl.Eigenbasis.from_kinship(K)
    tree = bl.open_run(finished_run().folder).tree
    return SimpleNamespace(cohort=cohort, X=analysis.X, y=analysis.y, analysis=analysis, K=K, basis=basis, tree=tree)


READERS = ("read_bimbam", "read_matrix", "read_pgen", "read_plink", "read_vcf", "read_vcf_zarr")
TEXT = [["a", "b"], ["c", "d"]]

WRONG = {
    "Analysis": [lambda r: bl.Analysis(3), lambda r: bl.Analysis("nowhere").inclusion],
    "Eigenbasis": [
        lambda r: bl.Eigenbasis.from_kinship(None),
        lambda r: bl.Eigenbasis.from_kinship("K.txt"),
        lambda r: bl.Eigenbasis.from_kinship(r.cohort),
        lambda r: bl.Eigenbasis.from_kinship(TEXT),
        lambda r: r.basis.rotate("x"),
        lambda r: r.basis.rotate(TEXT * 15),
    ],
    "LMMLasso": [
        lambda r: bl.LMMLasso().fit(r.X, r.y, kinship="K"),
        lambda r: bl.LMMLasso("many").fit(r.X, r.y),
        lambda r: bl.LMMLasso().fit(r.X, r.y, covariates="age"),
        lambda r: bl.LMMLasso().fit(r.X, r.y, kinship=r.K).predict(r.X),
        lambda r: bl.LMMLasso().fit(r.X, r.y, kinship=r.K).predict(r.X, "K"),
    ],
    "analyse": [
        lambda r: bl.analyse(None, "height"),
        lambda r: bl.analyse(3, "height"),
        lambda r: bl.analyse(r.X, "height"),
        lambda r: bl.analyse(r.analysis, "height"),
        lambda r: bl.analyse("nowhere", "height", phenotypes="none.tsv"),
        lambda r: bl.analyse("nowhere", "height"),
        lambda r: bl.analyse(r.cohort, None),
        lambda r: bl.analyse(r.cohort, "weight"),
        lambda r: bl.analyse(r.cohort, "height", phenotypes="traits.tsv"),
        lambda r: bl.analyse(r.cohort, "height", covariates="age"),
        lambda r: bl.analyse(r.cohort, "height", covariates=3),
        lambda r: bl.analyse(r.cohort, "height", out=3),
        lambda r: bl.analyse(r.cohort, "height", model="bayes"),
        lambda r: bl.analyse(r.cohort, "height", model=3),
        lambda r: bl.analyse(r.cohort, "height", maf="many"),
        lambda r: bl.analyse(r.cohort, "height", chains=2.5),
        lambda r: bl.analyse(r.cohort, "height", number_of_chains=2),
    ],
    "blup": [
        lambda r: bl.blup("x", r.K, 1.0, r.y),
        lambda r: bl.blup(r.K, "x", 1.0, r.y),
        lambda r: bl.blup(r.K, r.K, "x", r.y),
        lambda r: bl.blup(r.K, r.K, 1.0, "x"),
        lambda r: bl.blup(r.K, r.basis, 1.0, r.y),
    ],
    "cohort_from_arrays": [
        lambda r: bl.cohort_from_arrays(None),
        lambda r: bl.cohort_from_arrays("x"),
        lambda r: bl.cohort_from_arrays(TEXT),
        lambda r: bl.cohort_from_arrays(r.cohort),
        lambda r: bl.cohort_from_arrays([[0, 1], [2, 1]], sample_id=3),
        lambda r: bl.cohort_from_arrays([[0, 1], [2, 1]], variants="v.tsv"),
        lambda r: bl.cohort_from_arrays([[0, 1], [2, 1]], sample_id=["a", "b"], phenotypes=3),
    ],
    "credible_sets": [lambda r: bl.credible_sets(42), lambda r: bl.credible_sets(r.cohort)],
    "fetch": [
        lambda r: bl.fetch(3),
        lambda r: bl.fetch(None),
        lambda r: bl.fetch("mouse_hs1940", 3),
        lambda r: bl.fetch("mouse_hs1940", registry=3),
    ],
    "fit_null_model": [
        lambda r: bl.fit_null_model("x", r.basis),
        lambda r: bl.fit_null_model(None, r.basis),
        lambda r: bl.fit_null_model(r.y, r.K),
        lambda r: bl.fit_null_model(r.y, None),
        lambda r: bl.fit_null_model(r.y, r.basis, "age"),
        lambda r: bl.fit_null_model(r.y, r.basis, None, 3),
        lambda r: bl.fit_null_model(r.y, r.basis, bounds="wide"),
        lambda r: bl.fit_null_model(r.y, r.basis, n_grid="many"),
    ],
    "gower_scale": [lambda r: bl.gower_scale("x"), lambda r: bl.gower_scale(None), lambda r: bl.gower_scale(r.basis)],
    "inclusion_table": [
        lambda r: bl.inclusion_table(42),
        lambda r: bl.inclusion_table(None),
        lambda r: bl.inclusion_table(r.cohort),
        lambda r: bl.inclusion_table("posterior.zarr"),
    ],
    "kinship": [
        lambda r: bl.kinship("x"),
        lambda r: bl.kinship(None),
        lambda r: bl.kinship(r.cohort),
        lambda r: bl.kinship(r.analysis),
        lambda r: bl.kinship(TEXT),
        lambda r: bl.kinship(r.X, 3),
    ],
    "lasso_path": [
        lambda r: bl.lasso_path(["a", "b"], r.y, r.basis, 1.0, n_active=3),
        lambda r: bl.lasso_path(None, r.y, r.basis, 1.0, n_active=3),
        lambda r: bl.lasso_path(r.analysis, r.y, r.basis, 1.0, n_active=3),
        lambda r: bl.lasso_path(r.X, "y", r.basis, 1.0, n_active=3),
        lambda r: bl.lasso_path(r.X, 3, r.basis, 1.0, n_active=3),
        lambda r: bl.lasso_path(r.X, r.y, "K", 1.0, n_active=3),
        lambda r: bl.lasso_path(r.X, r.y, None, 1.0, n_active=3),
        lambda r: bl.lasso_path(r.X, r.y, r.basis, "delta", n_active=3),
        lambda r: bl.lasso_path(r.X, r.y, r.basis, None, n_active=3),
        lambda r: bl.lasso_path(r.X, r.y, r.basis, 1.0, n_active="three"),
        lambda r: bl.lasso_path(r.X, r.y, r.basis, 1.0, mu="mu"),
        lambda r: bl.lasso_path(r.X, r.y, r.basis, 1.0, n_active=3, covariates="age"),
        lambda r: bl.lasso_path(r.X, r.y, r.basis, 1.0, n_active=3, weights="w"),
    ],
    "open_run": [lambda r: bl.open_run(3), lambda r: bl.open_run(None), lambda r: bl.open_run("nowhere")],
    "predict_cohort": [
        lambda r: bl.predict_cohort(42, r.cohort),
        lambda r: bl.predict_cohort(r.cohort, r.cohort),
    ],
    "prepare": [
        lambda r: bl.prepare(pd.DataFrame({"height": [1.0]}), "height"),
        lambda r: bl.prepare("mice", "height"),
        lambda r: bl.prepare(r.cohort, 3),
        lambda r: bl.prepare(r.cohort, ["height"]),
        lambda r: bl.prepare(r.cohort, "height", covariates=3),
        lambda r: bl.prepare(r.cohort, "height", covariates=[3]),
        lambda r: bl.prepare(r.cohort, "height", maf="x"),
        lambda r: bl.prepare(r.cohort, "height", missing=None),
        lambda r: bl.prepare(r.cohort, "height", transform=3),
        lambda r: bl.prepare(r.cohort, "sample_id"),
    ],
    **{
        name: [
            lambda r, name=name: getattr(bl, name)(3),
            lambda r, name=name: getattr(bl, name)(None),
            lambda r, name=name: getattr(bl, name)("nowhere"),
            lambda r, name=name: getattr(bl, name)(r.cohort),
        ]
        for name in READERS
    },
    "read_genotypes": [
        lambda r: bl.read_genotypes(3, "vcf"),
        lambda r: bl.read_genotypes("nowhere", 3),
        lambda r: bl.read_genotypes("nowhere", ["vcf"]),
        lambda r: bl.read_genotypes("nowhere", "bfile"),
    ],
    "read_tree": [lambda r: bl.read_tree(3), lambda r: bl.read_tree(None), lambda r: bl.read_tree("nowhere")],
    "rotate": [
        lambda r: bl.rotate("x", r.basis, y=r.y),
        lambda r: bl.rotate(None, r.basis, y=r.y),
        lambda r: bl.rotate(r.cohort, r.basis, y=r.y),
        lambda r: bl.rotate(r.analysis, r.K),
        lambda r: bl.rotate(r.analysis, None),
        lambda r: bl.rotate(r.X, r.basis, y="y"),
        lambda r: bl.rotate(r.analysis, r.basis, dtype="int32"),
        lambda r: bl.rotate(r.analysis, r.basis, dtype="x"),
    ],
    "sample_posterior": [
        lambda r: bl.sample_posterior(r.cohort),
        lambda r: bl.sample_posterior(r.analysis),
        lambda r: bl.sample_posterior(None),
        lambda r: bl.sample_posterior(bl.rotate(r.analysis, r.basis), "bayes"),
        lambda r: bl.sample_posterior(bl.rotate(r.analysis, r.basis), 3),
        lambda r: bl.sample_posterior(bl.rotate(r.analysis, r.basis), chains="two"),
        lambda r: bl.sample_posterior(bl.rotate(r.analysis, r.basis), draws=2.5),
        lambda r: bl.sample_posterior(bl.rotate(r.analysis, r.basis), seed="x"),
        lambda r: bl.sample_posterior(bl.rotate(r.analysis, r.basis), until="rhat=1.01"),
        lambda r: bl.sample_posterior(bl.rotate(r.analysis, r.basis), sampler=3),
        lambda r: bl.sample_posterior(bl.rotate(r.analysis, r.basis), store=3),
        lambda r: bl.sample_posterior(bl.rotate(r.analysis, r.basis), analysis=r.cohort),
    ],
    "simulate_cohort": [
        lambda r: bl.simulate_cohort(n_samples="x"),
        lambda r: bl.simulate_cohort(n_samples=0),
        lambda r: bl.simulate_cohort(n_variants=-1),
        lambda r: bl.simulate_cohort(n_populations=0),
        lambda r: bl.simulate_cohort(n_chromosomes=2.5),
        lambda r: bl.simulate_cohort(seed="x"),
    ],
    "simulate_trait": [
        lambda r: bl.simulate_trait(3),
        lambda r: bl.simulate_trait(r.y),
        lambda r: bl.simulate_trait(r.cohort, n_causal="x"),
        lambda r: bl.simulate_trait(r.cohort, n_causal=41),
        lambda r: bl.simulate_trait(r.cohort, share_snps="x"),
        lambda r: bl.simulate_trait(r.cohort, seed="x"),
    ],
    "stability_selection": [
        lambda r: bl.stability_selection("x", r.y, r.K, n_active=3),
        lambda r: bl.stability_selection(r.X, "y", r.K, n_active=3),
        lambda r: bl.stability_selection(r.X, r.y, "K", n_active=3),
        lambda r: bl.stability_selection(r.X, r.y, r.basis, n_active=3),
        lambda r: bl.stability_selection(r.X, r.y, None, n_active=3),
        lambda r: bl.stability_selection(r.X, r.y, r.K, n_active="x"),
        lambda r: bl.stability_selection(r.X, r.y, r.K, n_active=3, n_subsamples="x"),
        lambda r: bl.stability_selection(r.X, r.y, r.K, n_active=3, fraction="x"),
        lambda r: bl.stability_selection(r.X, r.y, r.K, n_active=3, threshold="x"),
        lambda r: bl.stability_selection(r.X, r.y, r.K, n_active=3, subsamples="x"),
        lambda r: bl.stability_selection(r.X, r.y, r.K, n_active=3, method=3),
        lambda r: bl.stability_selection(r.X, r.y, r.K, n_active=3, seed="x"),
    ],
    "prior_predictive": [
        lambda r: bl.prior_predictive(42),
        lambda r: bl.prior_predictive(r.tree, draws=0),
        lambda r: bl.prior_predictive(r.tree, draws="many"),
        lambda r: bl.prior_predictive(r.tree, seed="s"),
    ],
    "prior_sensitivity": [
        lambda r: bl.prior_sensitivity(42),
        lambda r: bl.prior_sensitivity(r.tree, "many"),
        lambda r: bl.prior_sensitivity(r.tree, 3),
        lambda r: bl.prior_sensitivity(r.tree, alternatives=3),
        lambda r: bl.prior_sensitivity(r.tree, alternatives={"few": 3}),
        lambda r: bl.prior_sensitivity(r.tree, alternatives={"few": {"h": 3}}),
        lambda r: bl.prior_sensitivity(r.tree, alternatives={"few": {"z": abs}}),
    ],
    "window_table": [
        lambda r: bl.window_table(42),
        lambda r: bl.window_table(r.cohort),
    ],
}
SCIKIT_LEARN = [
    lambda r: bl.LMMLasso().fit("X", r.y),
    lambda r: bl.LMMLasso().fit(r.X, "y"),
    lambda r: bl.LMMLasso().fit(r.X, None),
    lambda r: bl.LMMLasso().fit(r.X, r.y).predict("X"),
    lambda r: bl.LMMLasso().predict(r.X),
]
CALLS = [pytest.param(call, id=f"{name}-{k}") for name, calls in WRONG.items() for k, call in enumerate(calls)]


def test_every_name_has_wrong_calls():
    assert set(WRONG) == {n for n in bl.__all__ if callable(getattr(bl, n))} - {"InputError"}


@pytest.mark.parametrize("call", CALLS)
def test_a_wrong_call_ends_in_a_sentence(call):
    given = right()
    with pytest.raises(bl.InputError, match=r"expected .*, got") as error:
        call(given)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("call", SCIKIT_LEARN, ids=range(len(SCIKIT_LEARN)))
def test_the_estimator_leaves_its_arrays_to_scikit_learn(call):
    given = right()
    with pytest.raises(ValueError, match=r"convert|1d array|requires y|not fitted"):
        call(given)

"""Dissection of what SNPs and structure explain: it adds up, agrees with predictions, and is the Shapley value."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from sklearn.linear_model import lars_path

import bayes_lmmlasso as bl
from bayes_lmmlasso.errors import InputError


@pytest.fixture(scope="module")
def folds():
    cohort = bl.simulate_cohort(n_samples=80, n_variants=200, contig_length=2_000_000, seed=4)
    trait = bl.cohort.semi_empirical_trait(cohort, design=bl.cohort.TraitDesign(3, "equal", 0.5, 0.3, 0.2), seed=1)
    age = np.random.default_rng(2).normal(size=80)
    cohort = cohort.assign(y=("samples", 3 + trait.y + 0.3 * age), age=("samples", age))
    plan = bl.compare.plan_folds(cohort, "y", ["age"], n_folds=4, seed=2)
    return [bl.compare.prepare_fold(cohort, "y", plan, label, covariates=["age"]) for label in plan.labels]


def test_out_of_sample_shares_add_up_to_the_predictions(folds):
    table = bl.compare.dissect_folds(folds, n_active=12)
    assert table["n_active"].tolist() == list(range(13))
    np.testing.assert_allclose(table[["covariates", "snps", "structure", "noise"]].sum(axis=1), 1)
    assert table.loc[0, "snps"] == 0
    error = total = 0.0
    for fold in folds:
        y = fold.analysis.trait.forward(fold.y_new)
        mean = fold.analysis.trait.forward(bl.compare.PREDICTORS["blup"](fold, 0).mean)
        error, total = error + ((y - mean) ** 2).sum(), total + (y**2).sum()
    assert table.loc[0, "explained"] == pytest.approx(1 - error / total, abs=1e-6)


def test_snps_take_over_from_structure(folds):
    table = bl.compare.dissect_fit(folds[0], n_active=20)
    assert table["explained"].between(0, 1).all()
    assert table.loc[20, "snps"] > 0.3
    assert table.loc[20, "structure"] < table.loc[0, "structure"]


def test_split_is_the_shapley_value(folds):
    """Each part's gain in explained variation, averaged over all orders in which the parts can be added."""
    fold, k = folds[1], 8
    analysis = fold.analysis
    Z, n = analysis.covariates, len(analysis.y)
    path = bl.LMMLasso(n_active=k).fit(analysis.X, analysis.y, fold.K, Z[:, 1:])
    X = fold.X_new.astype(float)
    parts = [
        path.intercept_ + fold.covariates_new[:, 1:] @ path.covariate_effects_,
        X @ path.coef_,
        fold.new.cross @ path.dual_,
    ]
    y = fold.analysis.trait.forward(fold.y_new)

    def explained(members):
        return 1 - ((y - sum((parts[m] for m in members), np.zeros_like(y))) ** 2).sum() / (y**2).sum()

    orders = list(permutations(range(3)))
    gains = np.zeros(3)
    for order in orders:
        for step, part in enumerate(order):
            gains[part] += (explained(order[: step + 1]) - explained(order[:step])) / len(orders)
    row = bl.compare.dissect_folds([fold], n_active=k).iloc[k]
    np.testing.assert_allclose(row[["covariates", "snps", "structure"]].astype(float), gains, atol=1e-6)
    assert n == 60


def test_without_structure_it_is_the_lasso():
    """Against the path of scikit-learn: the model of a size is the middle of the first segment that has it."""
    cohort = bl.simulate_cohort(n_samples=80, n_variants=60, contig_length=2_000_000, seed=5)
    trait = bl.cohort.semi_empirical_trait(cohort, design=bl.cohort.TraitDesign(3, "equal", 0.6, 0.2, 0.2), seed=1)
    cohort = cohort.assign(y=("samples", trait.y))
    fold = bl.compare.prepare_fold(cohort, "y", bl.compare.plan_folds(cohort, "y", n_folds=4, seed=2), 0)
    analysis = fold.analysis
    _, _, knots = lars_path(analysis.X.astype(float), analysis.y, method="lasso")
    middle = 0.5 * (knots[:, 1:] + knots[:, :-1])
    sizes = np.maximum.accumulate(np.count_nonzero(middle, axis=0))
    unseen, training = (
        bl.compare.dissect_folds([fold], 8, structure=False),
        bl.compare.dissect_fit(fold, 8, structure=False),
    )
    for size in range(1, 8):  # the path ends in the middle of its last segment
        b = middle[:, np.argmax(sizes >= size)]
        for table, X, y in (
            (unseen, fold.X_new, analysis.trait.forward(fold.y_new)),
            (training, analysis.X, analysis.y),
        ):
            wanted = 1 - ((y - X.astype(float) @ b) ** 2).sum() / (y @ y)
            assert table.loc[size, "snps"] == pytest.approx(wanted, abs=1e-5)
            assert table.loc[size, "explained"] == pytest.approx(wanted, abs=1e-5)
            assert table.loc[size, "structure"] == 0


def test_refusals(folds):
    with pytest.raises(InputError, match="at least one fold, got none"):
        bl.compare.dissect_folds([])
    with pytest.raises(InputError, match="expected n_active from 1 to"):
        bl.compare.dissect_folds(folds, n_active=1000)

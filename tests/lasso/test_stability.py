"""Stability selection against a loop over single paths and the original program's counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from bed_reader import open_bed

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso import Selector, Subsampling, lasso_path, stability_selection, stability_selections
from bayes_lmmlasso.lmm import Eigenbasis, fit_null_model, kinship


@pytest.fixture
def cohort(rng):
    """60 samples x 150 SNPs, two causal, intercept and a rare dummy."""
    n, p = 60, 150
    X = rng.binomial(2, rng.uniform(0.2, 0.8, p), (n, p)).astype(float)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = 1.0 + X[:, :2] @ [1.0, -1.0] + rng.standard_normal(n)
    rare = (np.arange(n) < 2).astype(float)
    return X, y, kinship(X), np.column_stack([np.ones(n), rare])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("goal", [{"n_active": 7}, {"mu": 6.0}])
@pytest.mark.parametrize("method", ["ml", "reml"])
def test_equals_a_loop_over_paths(cohort, dtype, goal, method):
    X, y, K, Z = cohort
    Z = Z[:, :1]
    X = X.astype(dtype)
    result = stability_selection(X, y, K, **goal, covariates=Z, n_subsamples=12, method=method, seed=4)
    counts = np.zeros(150)
    for b, rows in enumerate(result.subsamples):
        basis = Eigenbasis.from_kinship(K[np.ix_(rows, rows)])
        null = fit_null_model(y[rows], basis, Z[rows], method)
        assert result.log_delta[b] == pytest.approx(null.log_delta, abs=1e-9)
        assert result.at_bound[b] == null.at_bound
        path = lasso_path(X[rows], y[rows], basis, null.delta, **goal, covariates=Z[rows])
        counts += path.coef[-1] != 0
        assert result.n_selected[b] == path.n_active[-1]
    np.testing.assert_array_equal(result.frequency, counts / 12)
    np.testing.assert_array_equal(result.selected, result.frequency >= 0.6)
    assert result.duality_gap.max() < 1e-12


def test_causal_snps_are_found(cohort):
    X, y, K, Z = cohort
    result = stability_selection(X, y, K, n_active=5, covariates=Z, n_subsamples=40)
    assert set(np.argsort(result.frequency)[-2:]) == {0, 1}
    assert result.selected[:2].all()


def test_draws_are_seeded_halves_without_replacement(cohort):
    X, y, K, Z = cohort
    first, again, other = (
        stability_selection(X, y, K, n_active=4, covariates=Z, n_subsamples=6, seed=s) for s in (1, 1, 2)
    )
    assert first.subsamples.shape == (6, 30)
    assert (np.diff(first.subsamples, axis=1) > 0).all()
    np.testing.assert_array_equal(first.subsamples, again.subsamples)
    np.testing.assert_array_equal(first.frequency, again.frequency)
    assert (first.subsamples != other.subsamples).any()


def test_pairs_are_disjoint_and_get_their_bounds(cohort):
    X, y, K, Z = cohort
    result = stability_selection(X, y, K, n_active=4, covariates=Z, n_subsamples=20, pairs=True, threshold=0.8)
    for one, two in zip(result.subsamples[::2], result.subsamples[1::2], strict=True):
        assert not set(one) & set(two)
    bound = result.error_bound
    assert bound.threshold == 0.8
    assert bound.n_selected == 4.0
    assert 0 < bound.r_concave < bound.unimodal < bound.meinshausen_buehlmann


def test_chunks_change_nothing(cohort):
    X, y, K, Z = cohort
    expected = stability_selection(X, y, K, n_active=4, covariates=Z, n_subsamples=7)
    told = []
    result = stability_selections(
        *(X, y[:, None], K, Selector(n_active=4, covariates=Z), Subsampling(7)),
        progress=lambda *event: told.append(event),
        chunk_bytes=1,
    )[0]
    np.testing.assert_array_equal(result.frequency, expected.frequency)
    assert told == [("stability", done, 7) for done in range(1, 8)]


def test_duplicates_are_one_variable(cohort):
    X, y, K, Z = cohort
    X = np.column_stack([X, X[:, 0], -X[:, 1]])
    result = stability_selection(X, y, K, n_active=4, covariates=Z, n_subsamples=10)
    plain = stability_selection(X[:, :150], y, K, n_active=4, covariates=Z, n_subsamples=10)
    np.testing.assert_array_equal(result.frequency[:150], plain.frequency)
    np.testing.assert_array_equal(result.frequency[[150, 151]], plain.frequency[[0, 1]])
    np.testing.assert_array_equal(result.duplicate_of[[149, 150, 151]], [149, 0, 1])
    assert result.error_bound.n_variables == 150


def test_covariates_redundant_in_a_draw_are_left_out(cohort):
    X, y, K, Z = cohort
    draws = np.array([np.arange(30, 60), np.arange(20, 50)])  # without the two samples of the dummy
    with_dummy = stability_selection(X, y, K, n_active=5, covariates=Z, subsamples=draws)
    without = stability_selection(X, y, K, n_active=5, covariates=Z[:, :1], subsamples=draws)
    np.testing.assert_array_equal(with_dummy.frequency, without.frequency)


def test_no_more_snps_are_asked_for_than_a_draw_can_have(cohort):
    X, y, K, Z = cohort
    asked = stability_selection(X, y, K, n_active=100, covariates=Z, n_subsamples=3)
    most = stability_selection(X, y, K, n_active=28, covariates=Z, n_subsamples=3)
    np.testing.assert_array_equal(asked.frequency, most.frequency)
    assert "28 SNPs in place of 100" in asked.remarks[0].text
    assert not most.remarks
    few = stability_selection(X[:, :5], y, K, n_active=20, covariates=Z, n_subsamples=3)
    assert "5 SNPs in place of 20, as there are 5 SNPs" in few.remarks[0].text


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize(("n_cases", "share"), [(4, (2, 2)), (5, (2, 3)), (2, (1, 1))])
def test_a_trait_of_two_values_is_drawn_in_strata(cohort, pairs, n_cases, share):
    X, _, K, Z = cohort
    cases = (np.arange(60) % 12 == 3) & (np.arange(60) < 12 * n_cases)
    result = stability_selection(X, 1.0 + cases, K, n_active=3, covariates=Z[:, :1], n_subsamples=20, pairs=pairs)
    held = cases[result.subsamples].sum(axis=1)
    assert share[0] <= held.min()
    assert held.max() <= share[1]
    assert (np.diff(result.subsamples, axis=1) > 0).all()
    assert (result.redrawn, result.failed) == (0, 0)
    assert len(np.unique(result.subsamples, axis=0)) == 20
    if pairs:
        for one, two in zip(result.subsamples[::2], result.subsamples[1::2], strict=True):
            assert not set(one) & set(two)


def test_the_only_sample_of_a_value_is_in_every_draw(cohort):
    X, _, K, Z = cohort
    trait = (np.arange(60) == 7).astype(float)
    result = stability_selection(X, trait, K, n_active=3, covariates=Z[:, :1], n_subsamples=5)
    assert (result.subsamples == 7).any(axis=1).all()
    with pytest.raises(InputError, match="got none in 6 of 30 of the 60 samples: raise --subsample-fraction"):
        stability_selection(X, trait, K, n_active=3, covariates=Z[:, :1], n_subsamples=6, pairs=True)


def test_a_draw_without_variation_is_drawn_again(cohort):
    """Three samples have values of their own: one half in eight holds none of them."""
    X, _, K, Z = cohort
    y = np.zeros(60)
    y[:3] = 1.0, 2.0, 3.0
    result = stability_selection(X, y, K, n_active=3, covariates=Z[:, :1], n_subsamples=50, seed=3)
    plain = Subsampling(50, seed=3).draw(60)
    constant = ~(plain < 3).any(axis=1)
    assert constant.any()
    assert (result.redrawn, result.failed) == (constant.sum(), 0)
    np.testing.assert_array_equal(result.subsamples[~constant], plain[~constant])
    assert (result.subsamples < 3).any(axis=1).all()
    assert f"of 50 subsamples {constant.sum()} were drawn again and 0 left out" in result.remarks[0].text
    with pytest.raises(InputError, match=f"got none of that in row {constant.argmax() + 1}: leave it out"):
        stability_selection(X, y, K, n_active=3, covariates=Z[:, :1], subsamples=plain)


def test_a_draw_that_fails_again_and_again_is_left_out(cohort, monkeypatch):
    X, _, K, Z = cohort
    y = np.zeros(60)
    y[:3] = 1.0, 2.0, 3.0
    monkeypatch.setattr("bayes_lmmlasso.lasso.fitting_subsamples._TRIES", 0)
    result = stability_selection(X, y, K, n_active=3, covariates=Z[:, :1], n_subsamples=50, seed=3)
    plain = Subsampling(50, seed=3).draw(60)
    fitted = plain[(plain < 3).any(axis=1)]
    np.testing.assert_array_equal(result.subsamples, fitted)
    assert result.failed == 50 - len(fitted) > 0
    same = stability_selection(X, y, K, n_active=3, covariates=Z[:, :1], subsamples=fitted)
    np.testing.assert_array_equal(result.frequency, same.frequency)
    assert result.remarks[0].caution


def test_large_penalty_selects_nothing(cohort):
    X, y, K, Z = cohort
    result = stability_selection(X, y, K, mu=1e6, covariates=Z, n_subsamples=3)
    assert not result.frequency.any()
    assert result.error_bound.meinshausen_buehlmann == 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threshold": 0.5}, "expected a threshold above 0.5 and at most 1, got 0.5"),
        ({"n_active": None}, "expected either mu or n_active, got neither"),
        ({"n_active": 0}, "expected a whole number of active SNPs of at least 1, got n_active=0"),
        ({"covariates": np.eye(60)[:, :30]}, "beyond its 30 covariates, got none in 100 of 30 of the 60 samples"),
        ({"fraction": 1.0}, "a fraction between 0 and 1 .* got 100 and 1.0"),
        ({"n_subsamples": 0}, "expected at least one subsample"),
        ({"pairs": True, "n_subsamples": 5}, "expected an even number of subsamples for pairs, got 5"),
        (
            {"pairs": True, "fraction": 0.6},
            "expected complementary pairs without a common sample, got 36 of 60",
        ),
        (
            {"subsamples": [[0, 1, 60]]},
            "expected distinct indices from 0 to 59 in each row, got others in row 1",
        ),
        ({"subsamples": [[0, 1, 2], [4, 4, 5]]}, "got others in row 2"),
        ({"subsamples": [0, 1]}, r"expected integer sample indices of shape \(B, m\)"),
        ({"K": np.eye(59)}, r"trait: expected shape \(59,\)"),
        ({"K": -np.eye(60)}, "kinship: expected a matrix with a positive eigenvalue"),
    ],
)
def test_bad_input_is_refused(cohort, change, message):
    X, y, K, Z = cohort
    with pytest.raises(InputError, match=message):
        stability_selection(**{"X": X, "y": y, "K": K, "n_active": 5, "covariates": Z} | change)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_reference_program(data_dir, dtype):
    """lmmlasso_reference: 50 stored subsamples at mu = 10; 14 null models end at the lower bound."""
    folder = data_dir / "lmmlasso_reference"
    X = np.loadtxt(folder / "genotypes.csv.gz")
    stored = np.load(folder / "stability_simulated.npz")
    simulated = np.load(folder / "reference_simulated.npz")
    result = stability_selection(
        X.astype(dtype),
        simulated["y"],
        X @ X.T / 1000,
        mu=float(stored["mu"]),
        subsamples=stored["subsample_idx"],
    )
    np.testing.assert_array_equal(result.frequency, stored["frequency_exact"])
    np.testing.assert_allclose(result.log_delta, stored["ldelta"], atol=1e-5)
    assert result.at_bound.sum() == 14
    assert set(np.flatnonzero(result.frequency >= 0.5)) == set(simulated["causal_columns"])


def test_mouse_cd8(data_dir):
    """The strong CD8 association on chromosome 17 (GEMMA's manual) is the most stable SNP."""
    folder = data_dir / "mouse_hs1940"
    cd8 = pd.read_csv(folder / "phenotypes.tsv", sep="\t", na_values="NA")["cd8"].to_numpy()
    has = np.flatnonzero(np.isfinite(cd8))
    with open_bed(folder / "mouse_hs1940.bed") as bed:
        G = bed.read(index=(has, None), dtype="float32", order="F")
        chromosome = bed.chromosome
    G -= G.mean(axis=0, dtype=float)
    deviation = G.std(axis=0, dtype=float)
    keep = deviation > 0.1
    X = (G[:, keep] / deviation[keep]).astype(np.float32, order="F")
    result = stability_selection(
        X, cd8[has], kinship(X), n_active=20, covariates=np.ones((has.size, 1)), n_subsamples=10
    )
    assert result.duality_gap.max() < 1e-10
    assert (result.n_selected == 20).all()
    assert chromosome[keep][result.frequency.argmax()] == "17"

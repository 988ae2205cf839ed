"""Semi-empirical traits: laws of effects, backgrounds, candidates, spacing, presets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayes_lmmlasso as bl
from bayes_lmmlasso.errors import InputError


class TraitDesignOfOneSign(bl.cohort.TraitDesign):
    def draw_effects(self, rng):
        return np.abs(super().draw_effects(rng))


@pytest.fixture
def X(rng):  # noqa: N802
    return bl.cohort.standardise(rng.integers(0, 3, size=(80, 400)))


def test_a_given_background_is_only_scaled(X, rng):
    trait = rng.gamma(2.0, size=80)
    design = bl.cohort.TraitDesign(n_causal=4, share_snps=0.25, share_structure=0.6, share_noise=0.15)
    made = bl.cohort.semi_empirical_trait(X, trait, design=design, seed=3)
    z = (trait - trait.mean()) / trait.std()
    np.testing.assert_allclose(made.background, np.sqrt(0.6) * z, atol=1e-12)
    np.testing.assert_allclose(np.var(X[:, made.causal].astype(float) @ made.effects), 0.25, rtol=1e-5)
    np.testing.assert_allclose(made.y, X[:, made.causal] @ made.effects + made.background + made.noise, atol=1e-5)
    assert (made.design, made.seed) == (design, 3)


def test_shares_change_neither_causal_snps_nor_the_noise(X, rng):
    trait = rng.standard_normal(80)
    weak, strong = (
        bl.cohort.semi_empirical_trait(X, trait, design=bl.cohort.TraitDesign.of_ratios(s, 0.5, n_causal=6), seed=1)
        for s in (0.1, 0.8)
    )
    np.testing.assert_array_equal(weak.causal, strong.causal)
    np.testing.assert_allclose(weak.effects / weak.effects[0], strong.effects / strong.effects[0])
    np.testing.assert_allclose(weak.noise / weak.noise.std(), strong.noise / strong.noise.std(), atol=1e-12)


def test_laws_of_effects():
    sizes = {
        law: np.abs(bl.cohort.TraitDesign(4000, law).draw_effects(np.random.default_rng(1)))
        for law in ("normal", "laplace")
    }
    # moments of |b|: half-normal sqrt(2/pi) and exponential 1, each +- 4 standard errors
    assert abs(sizes["normal"].mean() - np.sqrt(2 / np.pi)) < 4 * np.sqrt(1 - 2 / np.pi) / np.sqrt(4000)
    assert abs(sizes["laplace"].mean() - 1) < 4 / np.sqrt(4000)
    assert abs(sizes["laplace"].std() - 1) < 4 * np.sqrt(2) / np.sqrt(4000)
    equal = bl.cohort.TraitDesign(50, "equal").draw_effects(np.random.default_rng(2))
    assert set(equal) == {-1.0, 1.0}
    geometric = bl.cohort.TraitDesign(9, "geometric").draw_effects(np.random.default_rng(2))
    np.testing.assert_allclose(np.sort(np.abs(geometric))[::-1], 0.9 ** np.arange(1, 10))
    assert not (np.diff(np.abs(geometric)) < 0).all()  # not in the order of size along the genome


def test_candidates_and_distance_are_kept(X):
    variants = pd.DataFrame({"chrom": np.repeat(["1", "2"], 200), "pos": np.tile(np.arange(1, 201) * 100, 2)})
    design = bl.cohort.TraitDesign(n_causal=12, min_distance=2000)
    candidates = np.arange(0, 400, 3)
    firsts = []
    for seed in range(40):
        causal = bl.cohort.semi_empirical_trait(
            X, design=design, candidates=candidates, variants=variants, seed=seed
        ).causal
        assert np.isin(causal, candidates).all()
        place = variants.iloc[causal]
        gap = np.diff(place["pos"])[np.diff(place["chrom"].astype(int)) == 0]
        assert (gap >= 2000).all()
        firsts += causal.tolist()
    assert len(set(firsts)) > 100  # of 134 candidates: nothing is preferred
    with pytest.raises(InputError, match="room for 30 causal SNPs at least 2000 bp apart, got 1"):
        bl.cohort.semi_empirical_trait(
            X, design=bl.cohort.TraitDesign(n_causal=30, min_distance=2000), variants=variants
        )
    with pytest.raises(InputError, match="expected `variants` with chrom and pos of 400 SNPs"):
        bl.cohort.semi_empirical_trait(X, design=design)


def test_the_preset_is_the_recipe_of_the_published_program(X, rng):
    trait = rng.standard_normal(80)
    made = bl.cohort.semi_empirical_trait(X, trait, design=bl.cohort.PRESETS["rakitsch2013"], seed=7)
    z = (trait - trait.mean()) / trait.std()
    signs = np.sign(made.effects)
    s = X[:, made.causal].astype(float) @ signs
    e = made.noise / made.noise.std()
    program = 0.3 * z + 0.5 * (s - s.mean()) / s.std() + 0.2 * e
    assert len(made.causal) == 5
    np.testing.assert_allclose(made.y - made.y.mean(), program / np.sqrt(0.38), atol=1e-5)


def test_sweeps_move_one_axis_at_a_time():
    base = bl.cohort.PRESETS["rakitsch2013"]
    for axis, designs in bl.cohort.SWEEPS.items():
        for value, design in designs.items():
            signal = design.share_snps
            structure = design.share_structure / (design.share_structure + design.share_noise)
            got = {"signal": signal, "structure": structure, "n_causal": design.n_causal}
            expected = {"signal": base.share_snps, "structure": 0.09 / 0.13, "n_causal": 5, axis: value}
            assert got == pytest.approx(expected)
            assert design.effect_law == "equal"


def test_refusals(X, rng):
    with pytest.raises(InputError, match="80 finite values, one a sample, got shape \\(80,\\) with 1 others"):
        bl.cohort.semi_empirical_trait(X, np.append(np.ones(79), np.nan))
    with pytest.raises(InputError, match=r"values that vary, got 2\.0 for every sample"):
        bl.cohort.semi_empirical_trait(X, np.full(80, 2.0))
    with pytest.raises(InputError, match="1 to 3 causal SNPs, got 5"):
        bl.cohort.semi_empirical_trait(X, candidates=[1, 2, 3])
    with pytest.raises(InputError, match="columns from 0 to 399 of the genotypes"):
        bl.cohort.semi_empirical_trait(X, candidates=[1, 400])
    with pytest.raises(InputError, match="an effect law among normal, laplace, equal, geometric, got 'cauchy'"):
        bl.cohort.TraitDesign(effect_law="cauchy")
    one = TraitDesignOfOneSign(2, "equal")
    with pytest.raises(InputError, match="whose effects do not cancel"):
        bl.cohort.semi_empirical_trait(np.stack([X[:, 0], -X[:, 0]], axis=1), rng.standard_normal(80), design=one)

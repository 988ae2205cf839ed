"""Simulated cohorts and traits: shape, structure, shares of variance, determinism."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from bayes_lmmlasso.cohort import prepare, simulate_cohort, simulate_trait, standardise, variant_frame
from bayes_lmmlasso.errors import InputError


@pytest.fixture(scope="module")
def cohort():
    return simulate_cohort(n_samples=62, n_variants=401, contig_length=500_000, seed=3)


def test_cohort_is_what_was_asked_for(cohort):
    dosage, variants = cohort["call_dosage"].values, variant_frame(cohort)
    assert dosage.shape == (401, 62)
    frequency = dosage.mean(axis=1) / 2
    assert (np.minimum(frequency, 1 - frequency) >= 0.05).all()
    assert variants["chrom"].value_counts().to_dict() == {"1": 134, "2": 134, "3": 133}
    assert variants["snp"].is_unique
    assert (variants["effect_allele"] != variants["other_allele"]).all()
    assert set(variants["effect_allele"]) <= set("ACGT")
    for _, contig in variants.groupby("chrom"):
        assert contig["pos"].is_monotonic_increasing
        assert contig["pos"].between(1, 500_000).all()
    assert np.unique(cohort["sample_family_id"].values, return_counts=True)[1].tolist() == [21, 21, 20]


def test_cohort_is_structured(cohort):
    X = standardise(cohort["call_dosage"].values.T).astype(float)
    K = X @ X.T / X.shape[1]
    family = cohort["sample_family_id"].values
    same = family[:, None] == family[None, :]
    np.fill_diagonal(same, False)
    assert K[same].mean() > 0.05
    assert K[family[:, None] != family[None, :]].mean() < 0


def test_the_seed_decides(cohort):
    xr.testing.assert_identical(cohort, simulate_cohort(n_samples=62, n_variants=401, contig_length=500_000, seed=3))
    other = simulate_cohort(n_samples=62, n_variants=401, contig_length=500_000, seed=4)
    assert not np.array_equal(cohort["variant_position"], other["variant_position"])
    one, same, different = (simulate_trait(cohort, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.y, same.y)
    assert not np.array_equal(one.y, different.y)


def test_trait_is_the_sum_of_its_parts(cohort):
    X = standardise(cohort["call_dosage"].values.T)
    trait = simulate_trait(X, n_causal=4, share_snps=0.5, share_structure=0.2, share_noise=0.3, seed=5)
    np.testing.assert_array_equal(
        trait.y,
        simulate_trait(cohort, n_causal=4, share_snps=0.5, share_structure=0.2, share_noise=0.3, seed=5).y,
    )
    assert len(set(trait.causal)) == 4
    fixed = X[:, trait.causal].astype(float) @ trait.effects
    np.testing.assert_allclose(trait.y, fixed + trait.background + trait.noise, atol=1e-6)
    np.testing.assert_allclose([fixed.var(), trait.background.var(), trait.noise.var()], [0.5, 0.2, 0.3], rtol=1e-5)


def test_background_follows_the_kinship(cohort):
    X = standardise(cohort["call_dosage"].values.T)
    values, vectors = np.linalg.eigh(X.astype(float) @ X.T / X.shape[1])
    draws = np.array([simulate_trait(X, seed=s).background for s in range(200)])
    projected = (draws @ vectors).var(axis=0)  # proportional to the eigenvalues
    assert np.corrcoef(projected, values)[0, 1] > 0.95


def test_a_simulated_trait_can_be_prepared(cohort):
    trait = simulate_trait(cohort, seed=1)
    prepared = prepare(cohort.assign(y=("samples", trait.y)), "y", maf=0.05)
    assert prepared.X.shape == (62, 401)
    np.testing.assert_allclose(prepared.trait.inverse(prepared.y), trait.y, atol=1e-12)


def test_refusals(cohort):
    with pytest.raises(InputError, match=r"add up to 1, got \(0.3, 0.3, 0.5\)"):
        simulate_trait(cohort, share_noise=0.5)
    with pytest.raises(InputError, match="at least 1 causal SNP, got 0"):
        simulate_trait(cohort, n_causal=0)
    with pytest.raises(InputError, match=r"30000 common SNPs on a contig, got \d+ on 100000 bp; raise"):
        simulate_cohort(n_samples=6, n_variants=30_000, n_chromosomes=1, contig_length=100_000)

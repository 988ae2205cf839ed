"""From cohort to analysis set: filters in order, counts, standardisation, new samples, every refusal."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest

from bayes_lmmlasso.cohort import SnpFilter, cohort_from_arrays, prepare, snp_statistics, variant_frame
from bayes_lmmlasso.errors import InputError

N, P = 40, 30


@pytest.fixture
def dosage(rng):
    counts = rng.binomial(2, 0.4, (N, P)).astype(float)
    counts[1:3, 0] = np.nan  # 2 of 40 missing, the threshold itself: kept
    counts[:4, 1] = np.nan  # 10% missing: dropped
    counts[:, 2] = 1  # constant
    counts[:, 3] = 0
    counts[5, 3] = 1  # MAF 1/80
    counts[:, 4] = 2
    counts[5, 4] = 1  # MAF 1/80, the counted allele being the frequent one
    counts[:4, 5], counts[4:, 5] = np.nan, 0  # missingness comes before constant
    return counts


@pytest.fixture
def table(rng):
    return pd.DataFrame(
        {
            "iid": [f"i{k}" for k in range(N)],
            "y": rng.standard_normal(N),
            "age": rng.uniform(1, 9, N),
            "site": rng.choice(["S", "N", "W"], N),
        }
    )


@pytest.fixture
def cohort_of(dosage, table):
    def build(phenotypes=table, dosage=dosage):
        return cohort_from_arrays(dosage, sample_id=table["iid"], phenotypes=phenotypes)

    return build


def test_snps_are_dropped_by_the_first_cause(cohort_of, dosage):
    prepared = prepare(cohort_of(), "y", maf=0.02)
    assert prepared.dropped_variants == {"missingness": 2, "constant": 1, "maf": 2}
    kept = [j for j in range(P) if j not in (1, 2, 3, 4, 5)]
    assert prepared.variants["snp"].tolist() == [f"V{j}" for j in kept]
    np.testing.assert_allclose(prepared.variants["eaf"], np.nanmean(dosage[:, kept], axis=0) / 2, atol=1e-12)
    assert prepare(cohort_of(), "y", maf=0.0125).dropped_variants["maf"] == 0  # the threshold itself is kept


def test_the_filter_and_its_defaults_have_one_home(cohort_of):
    chosen, dropped = SnpFilter(maf=0.02).choose(snp_statistics(cohort_of()["call_dosage"].values))
    prepared = prepare(cohort_of(), "y", maf=0.02)
    assert prepared.variants["snp"].tolist() == [f"V{j}" for j in chosen]
    assert prepared.dropped_variants == dropped
    defaults = inspect.signature(prepare).parameters
    assert SnpFilter(defaults["maf"].default, defaults["missing"].default) == SnpFilter()
    with pytest.raises(InputError, match="missing between 0 and 1, got 2"):
        SnpFilter(missing=2)


def test_genotypes_are_standardised_over_the_analysed_samples(cohort_of, dosage, table):
    prepared = prepare(cohort_of(table.assign(y=table["y"].where(np.arange(N) >= 8))), "y", maf=0.02)
    assert prepared.X.shape == (N - 8, len(prepared.variants))
    assert prepared.X.dtype == np.float32
    assert prepared.X.T.flags.c_contiguous
    X = prepared.X.astype(np.float64)
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(X.var(axis=0), 1, atol=1e-6)
    used = dosage[8:, [int(snp[1:]) for snp in prepared.variants["snp"]]]
    np.testing.assert_allclose(X * prepared.sd + prepared.mean, used, atol=1e-6)
    assert prepared.samples["iid"].tolist() == [f"i{k}" for k in range(8, N)]


def test_missing_calls_take_the_mean(cohort_of):
    prepared = prepare(cohort_of(), "y")
    assert prepared.X[1, 0] == 0
    np.testing.assert_allclose(prepared.X[:, 0].astype(float).var(), 1, atol=1e-6)


def test_int8_gives_the_same(cohort_of, dosage):
    small = np.nan_to_num(dosage, nan=-1).astype(np.int8)
    np.testing.assert_array_equal(prepare(cohort_of(dosage=small), "y").X, prepare(cohort_of(), "y").X)


def test_shuffled_rows_give_the_same_analysis(cohort_of, table, rng):
    one = prepare(cohort_of(), "y", covariates=["age", "site"])
    other = prepare(cohort_of(table.iloc[rng.permutation(N)]), "y", covariates=["age", "site"])
    np.testing.assert_array_equal(one.y, other.y)
    np.testing.assert_array_equal(one.covariates, other.covariates)
    np.testing.assert_allclose(one.y, (table["y"] - table["y"].mean()) / table["y"].std(ddof=0), atol=1e-12)


def test_every_dropped_sample_is_counted_once(cohort_of, table):
    phenotypes = table.drop(index=[0, 1]).copy()
    phenotypes.loc[[2, 3, 4], "y"] = np.nan
    phenotypes.loc[[4, 5], "age"] = np.nan  # 4 has no trait either
    phenotypes.loc[6, "site"] = None
    phenotypes.loc[99] = {"iid": "stranger", "y": 1.0, "age": 1.0, "site": "N"}
    prepared = prepare(cohort_of(phenotypes), "y", covariates=("age", "site"))
    assert prepared.dropped_samples == {
        "no genotype": 1,
        "not in phenotype table": 2,
        "no trait": 3,
        "covariate missing": 2,
    }
    assert len(prepared.y) == N - 7
    assert prepare(cohort_of(phenotypes), "y").dropped_samples["covariate missing"] == 0


def test_covariates_are_an_intercept_and_standardised_columns(cohort_of, table):
    prepared = prepare(cohort_of(), "y", covariates=["site", "age"])
    assert prepared.covariate_names == ("intercept", "site[S]", "site[W]", "age")
    Z = prepared.covariates
    np.testing.assert_array_equal(Z[:, 0], 1)
    np.testing.assert_allclose(Z[:, 1:].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(Z[:, 1:].std(axis=0), 1, atol=1e-12)
    np.testing.assert_array_equal(Z[:, 1] > 0, table["site"] == "S")
    np.testing.assert_allclose(np.corrcoef(Z[:, 3], table["age"])[0, 1], 1)
    assert prepare(cohort_of(), "y").covariate_names == ("intercept",)


@pytest.mark.parametrize("transform", ["none", "box-cox", "rank-normal"])
def test_trait_transform_travels_with_the_analysis(cohort_of, table, transform):
    prepared = prepare(cohort_of(table.assign(y=np.exp(table["y"]))), "y", transform=transform)
    np.testing.assert_allclose([prepared.y.mean(), prepared.y.var()], [0, 1], atol=1e-12)
    np.testing.assert_allclose(prepared.trait.inverse(prepared.y), np.exp(table["y"]), rtol=1e-10)
    assert prepared.trait_name == "y"


def test_new_samples_are_standardised_with_training_statistics(cohort_of, rng):
    prepared = prepare(cohort_of(), "y", maf=0.02)
    new = rng.binomial(2, 0.4, (7, P)).astype(float)
    new[3, 0] = np.nan
    order = rng.permutation(P)
    flipped = np.isin(order, [0, 8, 11])
    variants = variant_frame(cohort_of()).iloc[order].reset_index(drop=True)
    variants.loc[flipped, ["effect_allele", "other_allele"]] = ["B", "A"]
    presented = np.where(flipped, 2 - new[:, order], new[:, order])
    X = prepared.standardise(cohort_from_arrays(presented, variants=variants))
    kept = [int(snp[1:]) for snp in prepared.variants["snp"]]
    expected = np.nan_to_num((new[:, kept] - prepared.mean) / prepared.sd)
    np.testing.assert_allclose(X, expected, atol=1e-6)
    assert X[3, 0] == 0
    np.testing.assert_array_equal(prepared.standardise(cohort_of()), prepared.X)


def test_new_samples_must_bring_every_snp(cohort_of, dosage):
    prepared = prepare(cohort_of(), "y", maf=0.02)
    variants = variant_frame(cohort_of())
    subset = cohort_from_arrays(dosage[:, :28], variants=variants.iloc[:28])
    with pytest.raises(InputError, match=r"all 25 SNPs .*got 2 absent .*first 'V28' with alleles A/B; add"):
        prepared.standardise(subset)
    variants.loc[7, "other_allele"] = "T"
    with pytest.raises(InputError, match="got 1 absent or with other alleles, the first 'V7'"):
        prepared.standardise(cohort_from_arrays(dosage, variants=variants))
    twice = cohort_from_arrays(dosage, variants=variant_frame(cohort_of()).assign(snp=["V0", *["V9"] * 29]))
    with pytest.raises(InputError, match="got 24 absent"):
        prepared.standardise(twice)


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({}, {"trait": "height"}, "known trait, got 'height'; choose among: y, age, site"),
        ({}, {"covariates": ["bmi"]}, "known covariate, got 'bmi'; choose among"),
        ({}, {"trait": "site"}, "numbers in trait 'site' of the phenotypes data frame, got '[SNW]'"),
        ({}, {"maf": 0.7}, "maf between 0 and 0.5, got 0.7"),
        ({}, {"missing": -0.1}, "missing between 0 and 1, got -0.1"),
        (
            {},
            {"maf": 0.5},
            r"at least one SNP .*got none of 30 \(left out: missingness 2, constant 1, maf 27\)",
        ),
        ({}, {"transform": "box-cox"}, "positive values for the Box-Cox transform, got -"),
        ({"y": np.nan}, {}, "values of trait 'y' in the phenotypes data frame, got none for the 40 samples"),
        ({"y": 3.0}, {}, "trait 'y' of the phenotypes .*varies, got 3 for all 40 samples"),
        ({"y": [np.inf, *range(39)]}, {}, "finite values of trait 'y' in the .*, got inf for sample i0 i0"),
        (
            {"age": [*range(39), -np.inf]},
            {"covariates": ["age"]},
            "covariate 'age' in .*got -inf for sample i39",
        ),
        ({"y": [1.0, 2.0] + [np.nan] * 38}, {}, r"at least 3 samples .*got 2 \(left out: .*no trait 38"),
        ({"age": np.nan}, {"covariates": ["age"]}, "got 0 .*covariate missing 40"),
        ({"age": 0.1}, {"covariates": ["age"]}, "got 'age', which is constant over the 40 analysed samples"),
        ({"site": "N"}, {"covariates": ["site"]}, "got 'site', which is constant"),
        (
            {"b": np.arange(40)},
            {"covariates": ["b", "age", "b2"]},
            "got 'b2', which is determined by the columns",
        ),
        ({"site": [f"s{k}" for k in range(40)]}, {"covariates": ["site"]}, "got 40 .* for 40 samples; leave"),
    ],
)
def test_refusals(cohort_of, table, change, arguments, message):
    phenotypes = table.assign(**change)
    if "b" in change:
        phenotypes["b2"] = 3 * phenotypes["b"] - 2 * phenotypes["age"]
    with pytest.raises(InputError, match=message) as error:
        prepare(cohort_of(phenotypes), arguments.pop("trait", "y"), **arguments)
    assert "\n" not in str(error.value)


def test_unknown_trait_without_tables(dosage):
    with pytest.raises(InputError, match="choose among: none, as the cohort was read without tables"):
        prepare(cohort_from_arrays(dosage), "y")

"""What looks odd about an analysis is told, and nothing about what does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayes_lmmlasso as bl
from bayes_lmmlasso.cohort.alignment import align
from bayes_lmmlasso.errors import InputError

N, P = 80, 300


@pytest.fixture
def dosage(rng):
    return rng.binomial(2, rng.uniform(0.2, 0.8, P), (N, P)).astype(float)


@pytest.fixture
def table(rng):
    noise = rng.standard_normal((3, N))
    return pd.DataFrame({"iid": [f"i{k}" for k in range(N)], "y": noise[0], "age": noise[1], "dose": noise[2]})


def told(dosage, table, covariates=(), **options):
    cohort = bl.cohort_from_arrays(dosage, sample_id=[f"i{k}" for k in range(N)], phenotypes=table)
    return bl.prepare(cohort, "y", covariates=covariates, **options).intake


def cautions(intake):
    return [remark.text for remark in intake.remarks if remark.caution]


def test_clean_data_call_for_no_caution(dosage, table):
    intake = told(dosage, table, ["age", "dose"])
    assert intake.remarks == ()
    assert intake.lines() == [
        f"y: {N} samples, {P} SNPs",
        "covariates: age: number, 80 values; dose: number, 80 values",
    ]


def test_a_trait_with_two_values(dosage, table):
    (caution,) = cautions(told(dosage, table.assign(y=np.repeat([1.0, 2.0], [20, 60]))))
    assert caution.startswith("y has two values (1 in 20, 2 in 60 samples): it is analysed as a quantitative trait")


def test_a_value_far_from_all_others_and_a_code_for_missing(dosage, table):
    (caution,) = cautions(told(dosage, table.assign(y=table["y"].where(table.index != 7, 60.0))))
    assert caution.startswith("far from all others: 1 value of y (i7: 60): correct")
    assert "--missing-code" not in caution
    (caution,) = cautions(told(dosage, table.assign(y=table["y"].where(table.index > 2, -999.0))))
    assert "3 values of y (i0: -999, i1: -999, ...)" in caution
    assert caution.endswith("-999 occurs more than once: if it means missing, give --missing-code -999")
    assert cautions(told(dosage, table.assign(y=np.exp(table["y"])))) == []  # skewed, but of one piece


def test_covariates_that_say_the_same_and_one_that_is_the_trait(dosage, table, rng):
    close = table.assign(dose=table["age"] + 0.01 * rng.standard_normal(N))
    (caution,) = cautions(told(dosage, close, ["age", "dose"]))
    assert caution.startswith("nearly determined by the others: 2 covariates (R^2 of age (0.99")
    (caution,) = cautions(told(dosage, table.assign(dose=3 - 2 * table["y"]), ["age", "dose"]))
    assert caution.startswith("nearly the trait y itself: 1 covariate (R^2 of dose (1.0000))")
    groups = table.assign(batch=np.repeat(["a", "b", "c", "d"], N // 4))
    assert cautions(told(dosage, groups, ["age", "batch"])) == []


def test_the_same_sample_twice(dosage, table):
    dosage[9], dosage[40] = dosage[3], dosage[12]
    dosage[40, :1] = 1
    (caution,) = cautions(told(dosage, table))
    assert caution.startswith("nearly the same genotypes: 2 pairs of samples (i3 = i9, i12 = i40): the same sample")


def test_a_sample_far_outside(dosage, table, rng):
    alien = np.where(dosage.mean(axis=0) > 1, 0, 2)  # the rarer allele everywhere
    dosage[5] = alien
    (caution,) = cautions(told(dosage, table))
    assert caution.startswith("far from all others by genotypes: 1 sample (i5: ")
    dosage[:20] = np.where(rng.random((20, P)) < 0.8, alien, dosage[:20])  # a population is no outlier
    assert cautions(told(dosage, table)) == []


def test_a_sample_and_snps_without_calls(dosage, table, rng):
    dosage[4, rng.random(P) < 0.7] = np.nan
    (caution,) = cautions(told(dosage, table, missing=0.2))
    assert caution.startswith("more than half of the calls missing: 1 sample (i4: ")
    dosage[10:30, : P - 110] = np.nan
    lacking = cautions(told(dosage, table))[0]
    assert lacking == "190 of 300 SNPs lack too many calls: raise --missing, or fill in the genotypes first"


def test_what_is_left_out_is_counted_with_examples(dosage, table):
    table = table.assign(y=table["y"].where(table.index > 3), age=table["age"].where(table.index != 30)).drop(
        index=[70]
    )
    dosage[:, 0] = 1
    lines = told(dosage, table, ["age"]).lines()
    assert lines[0] == "y: 74 of 80 samples, 299 of 300 SNPs"
    assert lines[1] == (
        "left out of the samples: 1 not in phenotype table (i70), 4 no trait (i0, i1, ...), 1 covariate missing (i30)"
    )
    assert lines[2] == "left out of the SNPs: 1 constant"


def test_a_join_that_loses_many_is_loud(table):
    samples = pd.DataFrame({"iid": [f"{k:03d}" for k in range(N)]})
    spoilt = table.assign(iid=[str(k) for k in range(N)])  # 100 would not have lost its zeros
    spoilt.loc[N - 1, "iid"] = "079"
    (remark,) = align(samples, spoilt).remarks
    assert remark.caution
    assert "79 of 80 rows of the phenotypes data frame have no genotypes (0, 1, ...)" in remark.text
    assert "79 of 80 samples of the genotypes are not in the phenotypes data frame (000, 001, ...)" in remark.text
    assert remark.text.endswith("79 would match without leading zeros")
    whole = table.assign(iid=samples["iid"])
    assert align(samples, whole.drop(index=range(8))).remarks == ()  # a tenth
    assert "9 of 80 samples" in align(samples, whole.drop(index=range(9))).remarks[0].text
    few = whole.assign(iid=whole["iid"].where(whole.index != 7, "7"))
    assert align(samples, few).remarks[0].text.endswith("1 would match without leading zeros")


def test_the_trait_is_no_covariate_and_names_are_offered(dosage, table):
    samples = pd.DataFrame({"iid": table["iid"]})
    with pytest.raises(
        InputError, match=r"other than the trait, got 'y' .*: use the others \(--covar-names age,dose\)"
    ):
        align(samples, table, "y", table)
    assert align(samples, table, "y", table, covariate_names=["age"]).covariates == ["age"]
    with pytest.raises(InputError, match=r"expected trait 'Y' .*; did you mean 'y'\?"):
        align(samples, table, "Y")
    with pytest.raises(InputError, match=r"expected covariate 'Age' .*; did you mean 'age'\?"):
        align(samples, table, "y", table, covariate_names=["Age"])
    with pytest.raises(InputError, match="taken as groups, got 'batch'; choose among y, age, dose"):
        align(samples, table, "y", categorical=["batch"])


def test_a_column_that_cannot_be_used_stops_only_those_who_use_it(dosage, table):
    odd = table.assign(date="2020-01-02", age=table["age"].astype(str).where(table.index != 5, "old"))
    cohort = bl.cohort_from_arrays(dosage, sample_id=table["iid"].tolist(), phenotypes=odd, trait="y")
    assert bl.prepare(cohort, "y").intake.remarks == ()
    with pytest.raises(InputError, match=r"expected numbers in column 'age' .*, got 'old'"):
        bl.prepare(cohort, "y", covariates=["age"])
    with pytest.raises(InputError, match=r"got '2020-01-02' \(a date\)"):
        bl.prepare(cohort, "date")


def test_what_is_told_of_a_column_is_told_to_those_who_use_it(dosage, table):
    coded = table.assign(dose=np.where(table.index < 3, -9, table["dose"].abs()))
    cohort = bl.cohort_from_arrays(dosage, sample_id=table["iid"].tolist(), phenotypes=coded)
    assert bl.prepare(cohort, "y").intake.remarks == ()
    (remark,) = bl.prepare(cohort, "y", covariates=["dose"]).intake.remarks
    assert remark.text.startswith("-9 is taken as missing in column 'dose'")
    assert remark.text.endswith("(3 of 80 values)")


def test_a_result_says_in_one_line_that_there_are_cautions(dosage, table):
    cohort = bl.cohort_from_arrays(dosage, sample_id=table["iid"].tolist(), phenotypes=table.assign(y=table["y"] > 0))
    analysis = bl.prepare(cohort, "y")
    assert f"y: {N} samples, {P} SNPs, 1 caution" in repr(analysis)
    assert str(analysis.intake).splitlines()[1].startswith("caution: y has two values")

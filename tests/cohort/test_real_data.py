"""Real cohorts: the counts their READMEs state."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_lmmlasso.cohort import prepare, read_plink


def test_mouse_hs1940_counts(data_dir):
    folder = data_dir / "mouse_hs1940"
    cohort = read_plink(folder / "mouse_hs1940", folder / "phenotypes.tsv", "cd8")
    fractional = np.load(folder / "dosage_noninteger.npz")
    cohort["call_dosage"].values[fractional["col"], fractional["row"]] = fractional["dosage"]
    prepared = prepare(cohort, "cd8", covariates=["sex"])
    assert prepared.X.shape == (1410, 10_768)  # GEMMA's filter, README
    assert prepared.dropped_samples["no trait"] == 1940 - 1410
    assert sum(prepared.dropped_variants.values()) == 12_226 - 10_768
    np.testing.assert_allclose(prepared.X.mean(axis=0, dtype=np.float64), 0, atol=1e-6)
    np.testing.assert_allclose(prepared.X.var(axis=0, dtype=np.float64), 1, atol=1e-6)
    assert prepared.samples.iloc[0].tolist() == ["1_3", "A048005080"]
    assert prepared.trait.inverse(prepared.y[0]) == pytest.approx(0.224991591484104, abs=1e-12)
    assert (prepared.variants["pos"] >= 0).all()  # the .bim writes -9 for unknown


def test_mouse_families_may_be_chosen_by_columns(data_dir):
    prefix = data_dir / "mouse_hs1940" / "mouse_hs1940"
    chosen = [12_000, 3, 77]
    part, whole = read_plink(prefix, variants=chosen, dtype="int8"), read_plink(prefix, dtype="int8")
    np.testing.assert_array_equal(part["call_dosage"], whole["call_dosage"].values[chosen])


def test_arabidopsis_genome_single_allele_columns(data_dir):
    folder = data_dir / "arabidopsis_genome"
    cohort = read_plink(folder / "arabidopsis_genome_84", folder / "phenotypes.tsv", "FT10", dtype="int8")
    calls = cohort["call_dosage"].values
    assert calls.shape == (216_100, 84)
    assert (calls < 0).sum() == 516
    everything = prepare(cohort, "FT10", maf=0, missing=1)
    assert everything.dropped_variants == {"missingness": 0, "constant": 35, "maf": 0}
    usual = prepare(cohort, "FT10", maf=0)
    assert usual.dropped_variants["missingness"] + usual.dropped_variants["constant"] == 35
    assert usual.X.shape == (84, 216_065)

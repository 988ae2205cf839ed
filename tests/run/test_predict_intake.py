"""What a prediction says that it left out."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

import bayes_lmmlasso as bl
from bayes_lmmlasso.cohort import variant_frame
from bayes_lmmlasso.run.commands.predict import _intake


def test_a_sample_left_out_is_counted_though_another_family_has_its_iid(rng):
    dosage = rng.integers(0, 3, (4, 30)).astype(float)
    ids = {"sample_id": list("aabc"), "family_id": list("1234")}
    ages = pd.DataFrame({"fid": list("1234"), "iid": list("aabc"), "age": [1.0, np.nan, 2.0, 3.0]})
    cohort = bl.cohort_from_arrays(dosage, **ids, covariates=ages)
    variants = variant_frame(cohort)
    training = SimpleNamespace(
        trait_name="y", variants=variants, mean=np.ones(30), covariates=[SimpleNamespace(covariate="age")]
    )
    intake = _intake(training, cohort)
    assert intake.n_samples == 3
    assert intake.dropped_samples["covariate missing"] == 1
    assert intake.examples["covariate missing"] == ["a"]

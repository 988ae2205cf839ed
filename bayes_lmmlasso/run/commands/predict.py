"""Predictions for new samples from the folder of a finished run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_lmmlasso.arguments import named
from bayes_lmmlasso.cohort import Cohort, GenotypeSource, sample_frame, standardise_new_samples
from bayes_lmmlasso.cohort.dataset import remarks_of
from bayes_lmmlasso.cohort.intake import Intake
from bayes_lmmlasso.cohort.new_samples import compare_frequencies
from bayes_lmmlasso.cohort.tables import TableLike
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.integrity import MANIFEST
from bayes_lmmlasso.lmm import CrossKinship, read_cross_kinship
from bayes_lmmlasso.lmm.files.fit import cross_fit_to_snps
from bayes_lmmlasso.lmm.relatedness import KINSHIPS
from bayes_lmmlasso.posterior import TrainingSet, predict_cohort, read_training, read_tree
from bayes_lmmlasso.posterior.prediction import predictable
from bayes_lmmlasso.remarks import N_EXAMPLES, Remark, examples
from bayes_lmmlasso.run.folder import check_files, read_record

__all__ = [
    "TREE_SUMS",
    "RunPrediction",
    "check_predictions",
    "fit_of_kinship",
    "kinship_of_new",
    "predict_run",
    "read_new_samples",
]

TREE_SUMS = f"posterior.zarr/{MANIFEST}"


@dataclass(frozen=True, eq=False)
class RunPrediction:
    """Predictions, and which samples have none.

    Attributes
    ----------
    table
        Columns fid, iid, mean, sd, lo, hi in trait units; lo to hi is the 95% interval.
    trait_name
        What was predicted.
    intake
        What was taken in and what was left out.
    """

    table: pd.DataFrame
    trait_name: str
    intake: Intake


def predict_run(
    folder: Path, genotypes: GenotypeSource, covar: Path | None = None, kinship: Path | None = None
) -> RunPrediction:
    """Predict the trait of genotyped samples from a finished run.

    Parameters
    ----------
    folder
        Folder of a finished `run` or `sample`.
    genotypes
        New samples with every analysed SNP, in any format.
    covar
        Table with the covariates of the run, which needs it if the run had some.
    kinship
        File for `read_cross_kinship`, which a run with a given kinship needs.

    Raises
    ------
    InputError
        If the run is not finished, or a file does not fit it.
    """
    record = read_record(folder)
    check_files(folder, record, TREE_SUMS)
    tree = read_tree(folder / "posterior.zarr")
    training = read_training(tree)
    cohort = read_new_samples(training, genotypes, covar, record["arguments"])
    given = kinship_of_new(training, cohort, kinship)
    table = check_predictions(predict_cohort(tree, cohort, given))
    intake = _intake(training, cohort)
    if given is not None:
        intake = intake.with_remarks(*given.remarks, fit_of_kinship(tree, cohort, given, str(kinship)))
    return RunPrediction(table, training.trait_name, intake)


def check_predictions(table: pd.DataFrame) -> pd.DataFrame:
    """Return predictions that are numbers.

    Raises
    ------
    InputError
        If one is not.
    """
    bad = table.loc[table[["mean", "lo", "hi"]].isna().any(axis=1), "iid"]
    if len(bad):
        raise InputError(
            f"expected a prediction for every sample, got none for {len(bad):,} ({examples(bad)}): the posterior is "
            "damaged or beyond what numbers can hold; run the analysis again"
        )
    return table


def fit_of_kinship(tree: xr.DataTree, cohort: Cohort, given: CrossKinship, source: str) -> Remark:
    """Say how the kinship of new samples fits their SNPs."""
    training = read_training(tree)
    new = cohort.isel(samples=predictable(training, cohort))
    X = standardise_new_samples(new, training.variants, training.mean, training.sd)
    train = tree.children["constant_data"].dataset["X"].values.T
    return cross_fit_to_snps(given.cross, X, train, source)


def _intake(training: TrainingSet, cohort: Cohort) -> Intake:
    """Report which of the genotyped samples are predicted."""
    rows = predictable(training, cohort)
    lost = np.delete(cohort["sample_id"].values, rows).tolist()
    counts, some = (json.loads(cohort.attrs[f"dropped_{what}"]) for what in ("samples", "examples"))
    counts["covariate missing"] += len(lost)
    some["covariate missing"] = [*some["covariate missing"], *lost][:N_EXAMPLES]
    others = cohort.sizes["variants"] - len(training.variants)
    return Intake(
        trait=training.trait_name,
        n_samples=len(rows),
        n_snps=len(training.variants),
        dropped_samples=counts,
        dropped_snps={"not in the run": others},
        examples=some,
        remarks=(*remarks_of(cohort), *compare_frequencies(cohort, training.variants, training.mean)),
    )


def read_new_samples(
    training: TrainingSet, genotypes: GenotypeSource, covar: TableLike | None, arguments: Mapping[str, Any]
) -> Cohort:
    """Read samples to predict, with the covariates of the run, coded as there.

    Parameters
    ----------
    training
        What the run analysed.
    genotypes
        New samples; where no ploidy is told, it is that of the run.
    covar
        Table with the covariates of the run.
    arguments
        Those of the run.

    Raises
    ------
    InputError
        If a file is malformed, or covariates are given where the run has none, or none where it has some.
    """
    names = [code.covariate for code in training.covariates]
    if bool(names) != (covar is not None):
        wanted = f"a table with {', '.join(names)}" if names else "none, as the run has no covariates"
        given = covar if isinstance(covar, Path) else named(covar)
        raise InputError(
            f"expected {wanted} for --covar, got {'none' if covar is None else given}: give the covariates of the run"
        )
    if genotypes.ploidy is None:
        genotypes = replace(genotypes, ploidy=arguments.get("ploidy"))
    return genotypes.read(
        covariates=covar,
        covariate_names=names,
        categorical=[code.covariate for code in training.covariates if code.levels],
        missing_code=arguments.get("missing_code", ()),
    )


def kinship_of_new(training: TrainingSet, cohort: Cohort, kinship: CrossKinship | Path | None) -> CrossKinship | None:
    """Return or read the kinship of the samples that can be predicted, where the run was given a kinship.

    Raises
    ------
    InputError
        If the run estimates its kinship and one is given, or the other way round, or the file does not fit.
    """
    if training.kinship in KINSHIPS:
        if kinship is not None:
            raise InputError(
                f"expected no --kinship, as the run estimates its kinship ({training.kinship}) from the SNPs, got "
                f"{named(kinship) if isinstance(kinship, CrossKinship) else kinship}: leave it out"
            )
        return None
    if kinship is None:
        raise InputError(
            f"expected --kinship FILE with the kinship of the new samples with the analysed ones, as the run was given "
            f"{training.kinship}, got none: give one"
        )
    if isinstance(kinship, CrossKinship):
        return kinship
    new = sample_frame(cohort.isel(samples=predictable(training, cohort)))
    return read_cross_kinship(kinship, new, training.samples)

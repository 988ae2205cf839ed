"""Predictions for new samples from the folder of a finished run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bayes_lmmlasso.arguments import named
from bayes_lmmlasso.cohort import Cohort, GenotypeSource, sample_frame
from bayes_lmmlasso.cohort.tables import TableLike
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import CrossKinship, read_cross_kinship
from bayes_lmmlasso.lmm.relatedness import KINSHIPS
from bayes_lmmlasso.posterior import TrainingSet, predict_cohort, read_training, read_tree
from bayes_lmmlasso.posterior.prediction import predictable
from bayes_lmmlasso.run.folder import read_record

__all__ = ["RunPrediction", "kinship_of_new", "predict_run", "read_new_samples"]


@dataclass(frozen=True, eq=False)
class RunPrediction:
    """Predictions, and which samples have none.

    Attributes
    ----------
    table
        Columns fid, iid, mean, sd, lo, hi in trait units; lo to hi is the 95% interval.
    trait_name
        What was predicted.
    left_out
        Genotyped samples without a value of every covariate.
    """

    table: pd.DataFrame
    trait_name: str
    left_out: int


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
    read_record(folder)
    tree = read_tree(folder / "posterior.zarr")
    training = read_training(tree)
    cohort = read_new_samples(training, genotypes, covar)
    table = predict_cohort(tree, cohort, kinship_of_new(training, cohort, kinship))
    absent = json.loads(cohort.attrs["dropped_samples"])["covariate missing"]
    return RunPrediction(table, training.trait_name, absent + cohort.sizes["samples"] - len(table))


def read_new_samples(training: TrainingSet, genotypes: GenotypeSource, covar: TableLike | None) -> Cohort:
    """Read samples to predict, with the covariates of the run.

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
    return genotypes.read(covariates=covar)


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

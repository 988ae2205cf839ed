"""The data of a study: named by its settings, known by its content, loaded once in each process."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.cohort import AnalysisSet, SnpFilter, read_table, sample_frame
from bayes_lmmlasso.compare.folds import Fold, plan_folds, prepare_fold
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import Eigenbasis, kinship_files, read_kinship
from bayes_lmmlasso.lmm.relatedness import Relatedness
from bayes_lmmlasso.run.settings import CohortSettings
from bayes_lmmlasso.run.stages import prepare_analysis, raw_kinship, read_cohort

__all__ = ["StudyData", "data_content", "load", "load_fold"]


@dataclass(frozen=True, eq=False)
class StudyData:
    """The analysed samples and SNPs of a trait, with their Gower-scaled kinship ``(n, n)`` and its eigenbasis."""

    analysis: AnalysisSet
    K: NDArray[np.float64]
    basis: Eigenbasis


@lru_cache(maxsize=2)  # cells come trait by trait
def load(settings: CohortSettings, trait: str) -> StudyData:
    """Read and prepare the data of a trait, as a run does.

    Raises
    ------
    InputError
        If the data are not as they should be.
    """
    data = settings.of_trait(trait)
    analysis = prepare_analysis(data, read_cohort(data))
    related = Relatedness.of(raw_kinship(data, analysis))
    return StudyData(analysis, related.K, related.basis)


@lru_cache(maxsize=1)
def load_fold(settings: CohortSettings, trait: str, n_folds: int, label: int, seed: int) -> Fold:
    """Read the cohort and prepare one of the folds that the seed assigns.

    Raises
    ------
    InputError
        As `plan_folds` and `prepare_fold`.
    """
    cohort = read_cohort(settings.of_trait(trait))
    covariates = cohort.attrs["covariates"]
    plan = plan_folds(cohort, trait, covariates, n_folds=n_folds, seed=seed)
    relations: str | NDArray[np.float64] = settings.kinship
    if settings.has_given_kinship:  # it may have rows for the analysed samples alone
        cohort = cohort.isel(samples=plan.rows)
        plan = plan_folds(cohort, trait, covariates, n_folds=n_folds, seed=seed)
        relations = read_kinship(settings.kinship, sample_frame(cohort), settings.genotypes.samples(settings.pheno))
    return prepare_fold(
        cohort,
        trait,
        plan,
        label,
        covariates=covariates,
        relations=relations,
        snps=SnpFilter(settings.maf, settings.missing),
        transform=settings.transform,
    )


def data_content(settings: CohortSettings, trait: str) -> dict[str, Any]:
    """Return what the data of a trait are, wherever they lie: filters, and SHA-256 of files and of the trait's column.

    Raises
    ------
    InputError
        If a file cannot be read or has no such trait.
    """
    given = settings.genotypes.traits() if settings.pheno is None else settings.pheno
    if given is None:
        raise InputError(f"expected a table with trait {trait!r}, got none: add pheno to [data]")
    table = read_table(given, missing_code=settings.missing_code)
    if trait not in table:
        raise InputError(
            f"expected trait {trait!r} in {table.attrs['source']}, got {', '.join(table.columns)}: choose of these"
        )
    column = table[[name for name in ("fid", "iid", trait) if name in table]].to_csv(index=False)
    kinship = kinship_files(settings.kinship) if settings.has_given_kinship else []
    files = [*settings.genotypes.files(), *([settings.covar] if settings.covar else []), *kinship]
    return {
        "genotypes": settings.genotypes.format,
        "files": [_digest(path) for path in files],
        "kinship": "file" if settings.has_given_kinship else settings.kinship,
        "maf": settings.maf,
        "missing": settings.missing,
        "transform": settings.transform,
        "ploidy": settings.ploidy,
        **settings.coding,
        "trait": trait,
        "values": hashlib.sha256(column.encode()).hexdigest(),
    }


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"expected a file at {path}, got {error.strerror}: check the path") from error

"""The data of a study: named by its settings, known by its content, loaded once in each process."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.cohort import AnalysisSet, prepare, read_plink, read_table, sample_frame
from bayes_lmmlasso.cohort.transforms import TransformName
from bayes_lmmlasso.compare.folds import Fold, plan_folds, prepare_fold
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import Eigenbasis, KinshipMethod, gower_scale, kinship, read_kinship

__all__ = ["DataSettings", "StudyData", "data_content", "load", "load_fold"]

_KINSHIPS: tuple[str, ...] = get_args(KinshipMethod)


@dataclass(frozen=True)
class DataSettings:
    """Files and filters, as for a run.

    Attributes
    ----------
    bfile, pheno, covar
        PLINK file set, trait table and covariate table.
    kinship
        ``rrm``, ``centred``, ``ibs`` or the path of a kinship file.
    maf, missing
        Least minor-allele frequency and largest share of missing calls of a SNP.
    transform
        ``none``, ``box-cox`` or ``rank-normal``.
    """

    bfile: Path
    pheno: Path
    covar: Path | None = None
    kinship: str = "rrm"
    maf: float = 0.01
    missing: float = 0.05
    transform: str = "none"

    def __post_init__(self) -> None:
        if self.transform not in get_args(TransformName):
            choices = ", ".join(get_args(TransformName))
            raise InputError(f"expected transform to be one of {choices}, got {self.transform!r}: choose one of these")
        for name, value, top in (("maf", self.maf, 0.5), ("missing", self.missing, 1.0)):
            if not 0 <= value <= top:
                raise InputError(f"expected {name} between 0 and {top:g}, got {value:g}: give a share")


@dataclass(frozen=True, eq=False)
class StudyData:
    """The analysed samples and SNPs of a trait, with their Gower-scaled kinship ``(n, n)`` and its eigenbasis."""

    analysis: AnalysisSet
    K: NDArray[np.float64]
    basis: Eigenbasis


@lru_cache(maxsize=2)  # cells come trait by trait
def load(settings: DataSettings, trait: str) -> StudyData:
    """Read and prepare the data of a trait.

    Raises
    ------
    InputError
        If the data are not as they should be.
    """
    cohort = read_plink(settings.bfile, settings.pheno, trait, settings.covar)
    analysis = prepare(
        cohort,
        trait,
        covariates=cohort.attrs["covariates"],
        maf=settings.maf,
        missing=settings.missing,
        transform=cast(TransformName, settings.transform),
    )
    if settings.kinship in _KINSHIPS:
        estimator = cast(KinshipMethod, settings.kinship)
        raw = kinship(analysis.X if estimator == "rrm" else analysis.dosages(), estimator)
    else:
        raw = read_kinship(settings.kinship, analysis.samples)
    K = gower_scale(raw)
    return StudyData(analysis, K, Eigenbasis.from_kinship(K))


@lru_cache(maxsize=1)
def load_fold(data: DataSettings, trait: str, n_folds: int, label: int, seed: int) -> Fold:
    """Read the cohort and prepare one of the folds that the seed assigns.

    Raises
    ------
    InputError
        As `plan_folds` and `prepare_fold`.
    """
    cohort = read_plink(data.bfile, data.pheno, trait, data.covar)
    covariates = cohort.attrs["covariates"]
    estimated = data.kinship in _KINSHIPS
    return prepare_fold(
        cohort,
        trait,
        plan_folds(cohort, trait, covariates, n_folds=n_folds, seed=seed),
        label,
        covariates=covariates,
        relations=data.kinship if estimated else read_kinship(data.kinship, sample_frame(cohort)),
        maf=data.maf,
        missing=data.missing,
        transform=cast(TransformName, data.transform),
    )


def data_content(settings: DataSettings, trait: str) -> dict[str, Any]:
    """Return what the data of a trait are, wherever they lie: filters, and SHA-256 of files and of the trait's column.

    Raises
    ------
    InputError
        If a file cannot be read or has no such trait.
    """
    given = [settings.covar, None if settings.kinship in _KINSHIPS else Path(settings.kinship)]
    genotypes = [Path(f"{settings.bfile}.{suffix}") for suffix in ("bed", "bim", "fam")]
    table = read_table(settings.pheno)
    if trait not in table:
        raise InputError(
            f"expected trait {trait!r} in {settings.pheno}, got {', '.join(table.columns)}: choose of these"
        )
    column = table[[name for name in ("fid", "iid", trait) if name in table]].to_csv(index=False)
    filters = {name: value for name, value in asdict(settings).items() if not isinstance(value, Path)}
    return filters | {
        "files": [_digest(path) for path in [*genotypes, *(path for path in given if path)]],
        "kinship": settings.kinship if settings.kinship in _KINSHIPS else "file",
        "trait": trait,
        "values": hashlib.sha256(column.encode()).hexdigest(),
    }


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"expected a file at {path}, got {error.strerror}: check the path") from error

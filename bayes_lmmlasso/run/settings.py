"""What a run is asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, get_args

from bayes_lmmlasso.cohort import FORMATS, GenotypeSource
from bayes_lmmlasso.cohort.transforms import TransformName
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import PEDIGREE, KinshipMethod
from bayes_lmmlasso.models import MODELS
from bayes_lmmlasso.posterior import Until

__all__ = ["EFFECTS", "KINSHIPS", "PRECISIONS", "TRANSFORMS", "RunSettings"]

KINSHIPS: tuple[str, ...] = get_args(KinshipMethod)
TRANSFORMS: tuple[str, ...] = get_args(TransformName)
EFFECTS = ("summary", "all")
PRECISIONS = ("float32", "float64")
_LEAST_DRAWS = 25  # a fifth of the draws are the tail that Pareto k is fitted to, and it takes 5


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """Arguments of a run, checked as far as they can be without the data.

    Parameters
    ----------
    bfile, pgen, vcf, vcf_zarr, bimbam, matrix
        The genotypes, in one of the formats of `bayes_lmmlasso.cohort.FORMATS`.
    pheno, covar
        Trait table and covariate table.
    trait
        Column of the trait table.
    kinship
        ``rrm``, ``centred``, ``ibs``, the path of a kinship file or ``pedigree:`` and that of a table of parents.
    model
        A name in `bayes_lmmlasso.models.MODELS`.
    maf, missing
        Least minor-allele frequency and largest share of missing calls of a SNP.
    transform
        ``none``, ``box-cox`` or ``rank-normal``.
    n_active
        Number of SNPs in the Lasso solution and in each subsample's.
    subsamples, subsample_fraction
        Number of subsamples for stability selection, and the share of the samples in each.
    chains, warmup, draws
        Markov chains; the lengths default to what the model says.
    sampler
        ``auto``, ``nuts`` or ``composite``, see `bayes_lmmlasso.sample_posterior`.
    sweeps
        Sweeps of the composite sampler in each draw; defaults to what the model says.
    until
        Targets at which sampling stops, such as ``rhat=1.01,minutes=15``; ``draws`` is then the most.
    effects
        Draws of the effects to keep: a ``summary`` (see `bayes_lmmlasso.posterior.tree.compact`) or ``all``.
    precision
        Floating-point type of the sampler, ``float32`` or ``float64``.
    devices
        Devices to spread the SNPs over.
    window
        Windows, such as ``1Mb``, ``2cM``, ``100snps`` or ``ld``.
    seed
        Seed of everything random.

    Raises
    ------
    InputError
        If a value is out of range, or the genotypes are not given once.
    """

    bfile: Path | None = None
    pgen: Path | None = None
    vcf: Path | None = None
    vcf_zarr: Path | None = None
    bimbam: Path | None = None
    matrix: Path | None = None
    pheno: Path
    trait: str
    covar: Path | None = None
    kinship: str = "rrm"
    model: str = "laplace"
    maf: float = 0.01
    missing: float = 0.05
    transform: TransformName = "none"
    n_active: int = 20
    subsamples: int = 100
    subsample_fraction: float = 0.5
    chains: int = 4
    warmup: int | None = None
    draws: int | None = None
    sampler: str = "auto"
    sweeps: int | None = None
    until: str | None = None
    effects: str = "summary"
    precision: str = "float32"
    devices: int = 1
    window: str = "1Mb"
    seed: int = 0

    @classmethod
    def from_record(cls, arguments: Mapping[str, Any]) -> Self:
        """Return the settings that ``run.json`` records as arguments."""
        files = (name for name in (*FORMATS, "pheno", "covar") if arguments.get(name) is not None)
        return cls(**(dict(arguments) | {name: Path(arguments[name]) for name in files}))

    @property
    def genotypes(self) -> GenotypeSource:
        """The genotypes and their format."""
        return GenotypeSource.of({name: getattr(self, name) for name in FORMATS})

    def __post_init__(self) -> None:
        _ = self.genotypes
        for option, value, choices in (
            ("--model", self.model, tuple(MODELS)),
            ("--transform", self.transform, TRANSFORMS),
            ("--effects", self.effects, EFFECTS),
            ("--precision", self.precision, PRECISIONS),
        ):
            if value not in choices:
                raise InputError(
                    f"expected {option} to be one of {', '.join(choices)}, got {value!r}: choose one of these"
                )
        if self.kinship not in KINSHIPS and not Path(self.kinship.removeprefix(PEDIGREE)).is_file():
            raise InputError(
                f"expected --kinship to be {', '.join(KINSHIPS)}, the path of a kinship file or {PEDIGREE}FILE, got "
                f"{self.kinship!r}, which is none of these: choose an estimator or check the path"
            )
        for option, count, least in (
            ("--n-active", self.n_active, 1),
            ("--subsamples", self.subsamples, 1),
            ("--chains", self.chains, 1),
            ("--warmup", self.warmup, 1),
            ("--draws", self.draws, 4),
            ("--sweeps", self.sweeps, 1),
            ("--devices", self.devices, 1),
            ("--seed", self.seed, 0),
        ):
            if count is not None and count < least:
                raise InputError(f"expected {option} of at least {least}, got {count}: give a larger number")
        if self.draws is not None and self.chains * self.draws < _LEAST_DRAWS:
            raise InputError(
                f"expected at least {_LEAST_DRAWS} draws of all chains together, got --chains {self.chains} times "
                f"--draws {self.draws}: leave-one-out has no meaning with fewer"
            )
        for option, share, top in (("--maf", self.maf, 0.5), ("--missing", self.missing, 1.0)):
            if not 0 <= share <= top:
                raise InputError(f"expected {option} between 0 and {top:g}, got {share:g}: give a share")
        spec = MODELS[self.model]
        if self.sampler not in spec.samplers:
            raise InputError(
                f"expected --sampler {' or '.join(spec.samplers)} for --model {self.model}, got {self.sampler!r}: "
                "choose one of these"
            )
        if self.sweeps is not None and "nuts" in {self.sampler, spec.sampler}:
            raise InputError(
                f"expected --sweeps with the composite sampler alone, got --model {self.model} and --sampler "
                f"{self.sampler}: leave it out"
            )
        if self.until is not None:
            Until.parse(self.until)
        if not 0 < self.subsample_fraction < 1:
            raise InputError(
                f"expected --subsample-fraction between 0 and 1, got {self.subsample_fraction:g}: 0.5 is usual"
            )

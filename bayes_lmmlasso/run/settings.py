"""What an analysis is asked to do, in groups: each field once, with its help, range and default.

GenotypeSettings   the file of genotypes, in one of the formats
FilterSettings   and covariates, kinship, filters of SNPs
CohortSettings and the table of traits: the data of a study
DataSettings and the trait: the data of an analysis
PathSettings, LassoSettings, SamplingSettings, WindowSettings, SeedSettings
RunSettings        all of them together
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast, get_args

from pydantic import create_model, field_validator, model_validator

from bayes_lmmlasso.cohort import FORMATS, GenotypeSource, SnpFilter
from bayes_lmmlasso.cohort.tables import TableCoding
from bayes_lmmlasso.cohort.transforms import TransformName
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import PEDIGREE, find_kinship
from bayes_lmmlasso.lmm.relatedness import KINSHIPS
from bayes_lmmlasso.models import MODELS
from bayes_lmmlasso.posterior import SAMPLERS, Until, default_lengths, samplers_of
from bayes_lmmlasso.posterior.summaries.partition import parse_window
from bayes_lmmlasso.settings import GENOTYPES, LARGEST_SEED, TRAIT, Settings, expand_path, knob, reading

__all__ = [
    "CohortSettings",
    "DataSettings",
    "FilterSettings",
    "GenotypeSettings",
    "LassoSettings",
    "PathSettings",
    "RunSettings",
    "SamplingSettings",
    "SeedSettings",
    "WindowSettings",
]

_COVARIATES = "Covariates"
_MOST_DRAWS = 10_000_000
_LEAST_DRAWS = 25  # a fifth of the draws are the tail that Pareto k is fitted to, and it takes 5

if TYPE_CHECKING:
    _Formats = Settings
else:  # a field for each format that can be read
    _fields = {
        name: (Path | None, knob(None, each.help, metavar=each.metavar, title=GENOTYPES))
        for name, each in FORMATS.items()
    }
    _Formats = create_model("_Formats", __base__=Settings, **_fields)


class GenotypeSettings(_Formats):
    """The file of genotypes: one field for each format, of which one is given."""

    title: ClassVar[str] = GENOTYPES
    one_of: ClassVar[tuple[str, ...]] = tuple(FORMATS)

    ploidy: int | None = knob(
        None,
        "Copies that a dosage counts: 1 for 0/1 (haploid or inbred), 4 for 0 to 4.",
        at_least=1,
        at_most=16,
        unset="2",
    )

    @property
    def genotypes(self) -> GenotypeSource:
        """The genotypes and their format."""
        return GenotypeSource.of(self.given_genotypes(), self.ploidy)

    def given_genotypes(self) -> dict[str, Path]:
        """Return what is given of the formats' fields."""
        return {name: path for name in FORMATS if (path := getattr(self, name)) is not None}


class FilterSettings(GenotypeSettings):
    """How tables and genotypes are coded, covariates, kinship, and which SNPs take part."""

    title: ClassVar[str] = "Kinship and SNPs"
    covar: Path | None = knob(
        None, "Table of covariates, of which all columns are used.", metavar="FILE", title=_COVARIATES
    )
    covar_names: tuple[str, ...] = knob(
        (), "Covariates to use, in place of all.", metavar="NAME,...", title=_COVARIATES
    )
    categorical: tuple[str, ...] = knob(
        (), "Covariates whose numbers name groups.", metavar="NAME,...", title=_COVARIATES
    )
    missing_code: tuple[str, ...] = knob(
        (), "More marks of missing values in tables, such as -999,unknown.", metavar="X,...", title=TRAIT
    )
    kinship: str = knob(
        "rrm",
        "How related samples are: an estimator from the SNPs, a file of a kinship, or a table of parents.",
        metavar="|".join((*KINSHIPS, "FILE", f"{PEDIGREE}FILE")),
    )
    maf: float = knob(SnpFilter.maf, "Least minor-allele frequency.", at_least=0, at_most=0.5)
    missing: float = knob(SnpFilter.missing, "Largest share of missing calls of a SNP.", at_least=0, at_most=1)

    @property
    def coding(self) -> TableCoding:
        """How the tables are coded."""
        return TableCoding(
            covariate_names=self.covar_names, categorical=self.categorical, missing_code=self.missing_code
        )

    @property
    def has_given_kinship(self) -> bool:
        """Whether the kinship comes from a file, and is not estimated from the SNPs."""
        return self.kinship not in KINSHIPS

    @field_validator("kinship")
    @classmethod
    def _check_kinship(cls, kinship: str) -> str:
        if kinship in KINSHIPS:
            return kinship
        prefix = PEDIGREE if kinship.startswith(PEDIGREE) else ""
        path = expand_path(kinship.removeprefix(prefix), reading().folder)
        if find_kinship(path) is None:
            raise InputError(
                f"expected {reading().called('kinship')} to be {', '.join(KINSHIPS)}, the path of a "
                f"kinship file or {PEDIGREE}FILE, got {kinship!r}, which is none of these: choose an estimator or "
                "check the path"
            )
        return f"{prefix}{path}"


class CohortSettings(FilterSettings):
    """Genotypes and a table of traits, unless the genotypes bring them: the data of a study."""

    title: ClassVar[str] = TRAIT
    pheno: Path | None = knob(
        None, "Table of traits with columns fid iid, or iid.", metavar="FILE", unset="traits with the genotypes"
    )
    transform: TransformName = knob("none", "Transform of the trait.", choices=get_args(TransformName))

    @model_validator(mode="after")
    def _check_genotypes(self) -> Self:
        if self.pheno is not None or self.given_genotypes():  # or a cohort stands for both, see `bl.analyse`
            _ = self.genotypes
        return self

    def of_trait(self, trait: str) -> DataSettings:
        """Return the data of one trait."""
        return DataSettings(**{name: getattr(self, name) for name in CohortSettings.model_fields}, trait=trait)


class DataSettings(CohortSettings):
    """Genotypes and one trait."""

    title: ClassVar[str] = TRAIT
    trait: str = knob(..., "Column of the trait table.", metavar="NAME")


class PathSettings(Settings):
    """The Lasso path."""

    title: ClassVar[str] = "Lasso and stability selection"
    n_active: int = knob(20, "SNPs in the Lasso solution, and in each subsample's.", at_least=1, at_most=100_000)


class LassoSettings(PathSettings):
    """The Lasso path and stability selection."""

    title: ClassVar[str] = "Lasso and stability selection"
    subsamples: int = knob(100, "Subsamples for stability selection.", at_least=1, at_most=100_000)
    subsample_fraction: float = knob(
        0.5, "Share of the samples in each subsample.", between=(0, 1), remedy="0.5 is usual"
    )


class SamplingSettings(Settings):
    """The posterior."""

    title: ClassVar[str] = "Posterior"
    model: str = knob(
        "spike_slab",
        "Prior of the SNP effects; others, after commas, are set beside it.",
        choices=MODELS,
        several=True,
    )
    chains: int = knob(4, "Markov chains.", at_least=1, at_most=1000)
    warmup: int | None = knob(
        None, "Draws of each chain to discard.", at_least=1, at_most=_MOST_DRAWS, unset="as the model needs"
    )
    draws: int | None = knob(
        None,
        "Draws of each chain to keep; with --until the most.",
        at_least=4,
        at_most=_MOST_DRAWS,
        unset="as the model needs",
    )
    sampler: str = knob("auto", "How the posterior is sampled.", choices=SAMPLERS)
    sweeps: int | None = knob(
        None,
        "Sweeps over the SNPs in each draw (composite sampler).",
        at_least=1,
        at_most=100_000,
        unset="as the model needs",
    )
    until: str | None = knob(
        None, "Stop when reached: rhat=1.01, mcse=0.02, minutes=15, or several with commas.", metavar="TARGETS"
    )
    effects: str = knob("summary", "Draws of the effects to keep in posterior.zarr.", choices=("summary", "all"))
    precision: str = knob("float32", "Floating-point type of the sampler.", choices=("float32", "float64"))
    devices: int = knob(1, "Devices to spread the SNPs over.", at_least=1, at_most=10_000)

    @field_validator("until")
    @classmethod
    def _check_until(cls, until: str | None) -> str | None:
        if until is not None:
            Until.parse(until)
        return until

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.draws is not None and self.chains * self.draws < _LEAST_DRAWS:
            raise InputError(
                f"expected at least {_LEAST_DRAWS} draws of all chains together, got --chains {self.chains} times "
                f"--draws {self.draws}: leave-one-out has no meaning with fewer"
            )
        for model in self.models:
            self._check_sampler(model)
        return self

    def _check_sampler(self, model: str) -> None:
        known = samplers_of(model)
        if self.sampler not in known:
            raise InputError(
                f"expected --sampler {' or '.join(known)} for --model {model}, got {self.sampler!r}: "
                "choose one of these"
            )
        if self.sweeps is not None and default_lengths(model, self.sampler).sweeps is None:
            raise InputError(
                f"expected --sweeps with the composite sampler alone, got --model {model} and --sampler "
                f"{self.sampler}: leave it out"
            )

    @property
    def models(self) -> list[str]:
        """The priors; the tables are of the first."""
        return self.model.split(",")


class WindowSettings(Settings):
    """The windows of the genome."""

    title: ClassVar[str] = "Posterior"
    window: str = knob(
        "1Mb", "Windows to sum the SNPs up in, such as 500kb, 2cM, 100snps, or ld for LD blocks.", metavar="WINDOW"
    )

    @field_validator("window")
    @classmethod
    def _check_window(cls, window: str) -> str:
        parse_window(window)
        return window


class SeedSettings(Settings):
    """Randomness."""

    title: ClassVar[str] = "Output"
    seed: int = knob(0, "Seed of everything random.", at_least=0, at_most=LARGEST_SEED)


class RunSettings(Settings):
    """All groups of a run."""

    data: DataSettings
    lasso: LassoSettings = LassoSettings()
    sampling: SamplingSettings = SamplingSettings()
    windows: WindowSettings = WindowSettings()
    random: SeedSettings = SeedSettings()

    @classmethod
    def of(cls, **options: Any) -> Self:
        """Make the groups of options by name, as Python's callers and ``run.json`` have them.

        Raises
        ------
        InputError
            If an option is unknown, or its value is not as its field asks.
        """
        groups = {name: cast(type[Settings], field.annotation) for name, field in cls.model_fields.items()}
        known = {option: name for name, group in groups.items() for option in group.model_fields}
        if unknown := [option for option in options if option not in known]:
            raise InputError(f"expected options among {', '.join(known)}, got {unknown[0]!r}: remove or correct it")
        given: dict[str, dict[str, Any]] = {name: {} for name in groups}
        for option, value in options.items():
            given[known[option]][option] = value
        made: dict[str, Any] = {name: group.read(given[name], called=str) for name, group in groups.items()}
        return cls(**made)

    def options(self, *groups: str) -> dict[str, Any]:
        """Return the options of some groups, or of all, by name."""
        chosen = groups or tuple(type(self).model_fields)
        return {name: value for group in chosen for name, value in dict(getattr(self, group)).items()}

    def given(self) -> dict[str, Any]:
        """Return the options that are not as by default, by name."""
        return {
            name: value
            for group in (getattr(self, group) for group in type(self).model_fields)
            for name, field in type(group).model_fields.items()
            if (value := getattr(group, name)) != field.default
        }

    def by_prior(self) -> list[Self]:
        """Return the settings of each prior by itself."""
        return [self.with_options(model=model) for model in self.sampling.models]

    def with_options(self, **changes: Any) -> Self:
        """Return the settings with some options changed."""
        return self.of(**(self.options() | changes))

"""Simulated traits from genotypes to files, with the truth beside them.

A folder of a simulation holds ``genotypes.bed/.bim/.fam`` (the samples that have a trait), ``phenotypes.tsv`` (fid, iid
and sim1, sim2, ...), ``truth.tsv`` (one row a causal SNP and trait), ``components.tsv`` (one row a sample and trait:
the parts of y) and ``simulation.json`` (settings, seed, variances). Trait simK is that of seed + K - 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import model_validator

from bayes_lmmlasso.cohort import (
    PRESETS,
    Cohort,
    EffectLaw,
    SimulatedTrait,
    SnpFilter,
    TraitDesign,
    sample_frame,
    semi_empirical_trait,
    simulate_cohort,
    snp_statistics,
    standardise_calls,
    variant_frame,
    write_plink,
)
from bayes_lmmlasso.cohort.dataset import remarks_of
from bayes_lmmlasso.cohort.intake import Intake
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import polygenic_effect
from bayes_lmmlasso.lmm.relatedness import Relatedness
from bayes_lmmlasso.lock import one_writer
from bayes_lmmlasso.progress import Progress, StageClock, silent
from bayes_lmmlasso.report.tables import write_json, write_tsv
from bayes_lmmlasso.run.budget import check_genotypes, check_memory
from bayes_lmmlasso.run.publish import PACKAGE, claim, published, settle
from bayes_lmmlasso.run.record import versions
from bayes_lmmlasso.run.settings import DataSettings, FilterSettings
from bayes_lmmlasso.run.stages import prepare_analysis, raw_kinship, read_cohort
from bayes_lmmlasso.settings import Settings, knob

__all__ = ["DesignSettings", "SimulationSettings", "run_simulation", "simulation_lines"]

Background = Literal["drawn", "trait", "blup"]
RECORD = "simulation.json"
_PRESET = "preset"
_TRAITS, _REAL = "Simulated traits", "Real trait behind the background"  # sections of help
_TABLES = ("phenotypes.tsv", "truth.tsv", "components.tsv")
_FILES = (*(f"genotypes.{suffix}" for suffix in ("bed", "bim", "fam")), *_TABLES)


class SimulationSettings(FilterSettings):
    """What traits are simulated on, and how many.

    The genotypes are simulated if none are given. ``maf`` and ``missing`` say which SNPs may be causal, and which
    ``drawn`` backgrounds and kinships are made of; all SNPs are written.
    """

    one_of: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str] = "Simulated genotypes (where no file is given)"

    pheno: Path | None = knob(None, "Table with the real trait.", metavar="FILE", title=_REAL)
    trait: str | None = knob(None, "Real trait behind the background.", metavar="NAME", title=_REAL)
    background: Background = knob(
        "drawn", "Background: drawn, the real trait, or its BLUP.", choices=get_args(Background), title=_REAL
    )
    replicates: int = knob(1, "Number of traits.", at_least=1, at_most=100_000, title=_TRAITS)
    samples: int = knob(300, "Samples of simulated genotypes.", at_least=1, at_most=10_000_000)
    variants: int = knob(2000, "SNPs of simulated genotypes.", at_least=1, at_most=100_000_000)
    populations: int = knob(3, "Populations of simulated genotypes.", at_least=1, at_most=1000)
    chromosomes: int = knob(3, "Chromosomes of simulated genotypes.", at_least=1, at_most=1000)

    @model_validator(mode="after")
    def _check_background(self) -> Self:
        given = self.given_genotypes()
        if given:
            _ = self.genotypes
        if self.background != "drawn" and (not given or self.pheno is None or self.trait is None):
            raise InputError(
                f"expected genotypes, --pheno and --trait for --background {self.background}, got not all of them: "
                "name the trait that gives the background, or draw it"
            )
        if self.background == "drawn" and (self.pheno, self.trait, self.covar) != (None, None, None):
            raise InputError(
                "expected --background trait or blup with --pheno, --trait or --covar, got drawn: say which"
            )
        return self

    def data(self) -> DataSettings:
        """Return the data of the real trait behind the background."""
        return DataSettings(**{name: getattr(self, name) for name in DataSettings.model_fields if name != "transform"})


class DesignSettings(Settings):
    """What a simulated trait is made of: a preset, and what differs from it."""

    title: ClassVar[str] = _TRAITS
    preset: str = knob("balanced", "Settings of the traits.", choices=PRESETS)
    n_causal: int | None = knob(None, "Causal SNPs.", at_least=1, at_most=1_000_000, unset=_PRESET)
    effect_law: EffectLaw | None = knob(None, "Law of the effects.", choices=get_args(EffectLaw), unset=_PRESET)
    share_snps: float | None = knob(None, "Share of variance of the SNPs.", at_least=0, at_most=1, unset=_PRESET)
    share_structure: float | None = knob(
        None, "Share of variance of the background.", at_least=0, at_most=1, unset=_PRESET
    )
    share_noise: float | None = knob(None, "Share of variance of the noise.", at_least=0, at_most=1, unset=_PRESET)
    min_distance: int | None = knob(
        None, "Least distance of causal SNPs in bp.", at_least=0, at_most=10_000_000_000, unset=_PRESET
    )

    def design(self) -> TraitDesign:
        """Return the design."""
        changes = {name: value for name, value in dict(self).items() if value is not None and name != "preset"}
        return replace(PRESETS[self.preset], **changes)


@dataclass(frozen=True, eq=False)
class _Base:
    """Samples and SNPs that traits are simulated on: ``cohort`` holds the samples, X and variants the chosen SNPs."""

    cohort: Cohort
    X: NDArray[np.float32]
    variants: pd.DataFrame
    background: NDArray[np.float64] | None
    intake: Intake


@dataclass(frozen=True, eq=False)
class Simulation:
    """Simulated traits.

    Attributes
    ----------
    truth
        ``truth.tsv``: trait chrom pos snp effect_allele other_allele eaf effect (per standardised SNP, in trait units)
        effect_sd (in trait standard deviations).
    intake
        What was taken in of the genotypes, and of the trait behind the background.
    """

    truth: pd.DataFrame
    intake: Intake


def run_simulation(
    settings: SimulationSettings,
    design: TraitDesign,
    seed: int,
    out: Path,
    *,
    overwrite: bool = False,
    progress: Progress = silent,
) -> Simulation:
    """Simulate traits and write them with their genotypes and truth.

    Parameters
    ----------
    settings
        What traits are simulated on, and how many.
    design
        Causal SNPs and shares of variance.
    seed
        Seed of the genotypes and the first trait.
    out
        Folder: new or empty, or with ``overwrite`` one of an earlier simulation.
    overwrite
        Whether an earlier simulation is replaced.
    progress
        Told of every stage.

    Raises
    ------
    InputError
        If the data or the folder are not as they should be.
    """
    clock = StageClock(progress)
    if not settings.given_genotypes():
        check_memory(settings.samples, settings.variants, related=False)
    elif settings.trait is None:
        check_genotypes(settings.genotypes)
    if not out.absolute().parent.is_dir():
        raise InputError(f"expected a folder in an existing one for --out, got {out}: create {out.parent} first")
    with _simulation_folder(out, overwrite) as folder:
        with clock("genotypes") as remark:
            base = _read_genotypes(settings, seed) if settings.trait is None else _read_with_trait(settings)
            remark("{:,} samples, {:,} SNPs".format(*base.X.shape))
        with clock("traits"):
            traits = {
                f"sim{k + 1}": semi_empirical_trait(
                    base.X, base.background, design=design, variants=base.variants, seed=seed + k
                )
                for k in range(settings.replicates)
            }
        truth = pd.concat([_truth(name, trait, base.variants) for name, trait in traits.items()], ignore_index=True)
        ids = sample_frame(base.cohort)
        with clock("files"):
            write_plink(base.cohort, folder / "genotypes")
            write_tsv(ids.assign(**{name: trait.y for name, trait in traits.items()}), folder / "phenotypes.tsv")
            write_tsv(truth, folder / "truth.tsv")
            parts = [_components(name, trait, ids) for name, trait in traits.items()]
            write_tsv(pd.concat(parts, ignore_index=True), folder / "components.tsv")
            write_json(_record(settings, design, seed, base, traits), folder / RECORD)
    return Simulation(truth, base.intake)


@contextmanager
def _simulation_folder(out: Path, overwrite: bool) -> Iterator[Path]:
    """Claim a folder, and publish what is written in the store that is lent."""
    with one_writer(out):
        settle(out, RECORD, _FILES)
        if claim(out, RECORD, "a simulation") and not overwrite:
            raise InputError(
                f"expected a new folder for --out, got {out}, with a simulation: give --overwrite to replace it"
            )
        with published(out, RECORD, _FILES) as folder:
            yield folder


def simulation_lines(simulated: Simulation, settings: SimulationSettings, design: TraitDesign, out: Path) -> list[str]:
    """Say what was simulated and where it is."""
    return [
        *simulated.intake.lines(),
        f"{settings.replicates:,} traits with {design.n_causal} causal SNPs ({design.effect_law} effects), background "
        f"{settings.background}",
        f"shares of variance: SNPs {design.share_snps:.3g}, structure {design.share_structure:.3g}, "
        f"noise {design.share_noise:.3g}",
        f"largest effect: {simulated.truth['effect_sd'].abs().max():.3g} trait standard deviations",
        f"genotypes, phenotypes.tsv, truth.tsv, components.tsv, {RECORD}: {out}",
    ]


def _read_genotypes(settings: SimulationSettings, seed: int) -> _Base:
    """Read or simulate genotypes, without a trait."""
    if settings.given_genotypes():
        cohort = settings.genotypes.read(dtype="int8")
    else:
        cohort = simulate_cohort(
            n_samples=settings.samples,
            n_variants=settings.variants,
            n_populations=settings.populations,
            n_chromosomes=settings.chromosomes,
            seed=seed,
        )
    calls = cohort["call_dosage"].values
    statistics = snp_statistics(calls)
    columns, dropped = SnpFilter(settings.maf, settings.missing).choose(statistics)
    mean, sd = statistics.mean[columns], statistics.sd[columns]
    X = standardise_calls(calls, mean, sd, columns=columns)
    variants = variant_frame(cohort).iloc[columns].reset_index(drop=True).assign(eaf=mean / 2)
    intake = Intake("candidates", len(X), len(columns), {}, dropped, {}, remarks=remarks_of(cohort))
    return _Base(cohort, X, variants, None, intake)


def _read_with_trait(settings: SimulationSettings) -> _Base:
    """Read genotypes and the trait that gives the background; samples without it are left out."""
    data = settings.data()
    cohort = read_cohort(data)
    analysis = prepare_analysis(data, cohort)
    ids = pd.MultiIndex.from_frame(sample_frame(cohort))
    rows = ids.get_indexer(pd.MultiIndex.from_frame(analysis.samples))
    if settings.background == "trait":
        fixed = np.linalg.lstsq(analysis.covariates, analysis.y, rcond=None)[0]
        background = analysis.y - analysis.covariates @ fixed
        intake = analysis.intake
    else:
        related = Relatedness.of(raw_kinship(data, analysis))
        background = polygenic_effect(analysis.y, related.basis, analysis.covariates)
        intake = analysis.intake.with_remarks(*related.remarks)
    return _Base(cohort.isel(samples=rows), analysis.X, analysis.variants, background, intake)


def _truth(name: str, trait: SimulatedTrait, variants: pd.DataFrame) -> pd.DataFrame:
    table = variants.iloc[trait.causal].assign(effect=trait.effects, effect_sd=trait.effects / trait.y.std())
    table.insert(0, "trait", name)
    return table


def _components(name: str, trait: SimulatedTrait, ids: pd.DataFrame) -> pd.DataFrame:
    causal = trait.y - trait.background - trait.noise
    table = ids.assign(causal=causal, structure=trait.background, noise=trait.noise)
    table.insert(0, "trait", name)
    return table


def _record(
    settings: SimulationSettings, design: TraitDesign, seed: int, base: _Base, traits: dict[str, SimulatedTrait]
) -> dict[str, Any]:
    return {
        "package": PACKAGE,
        "command": "simulate",
        "arguments": dict(settings) | {"design": asdict(design), "seed": seed},
        "seed": seed,
        "n_samples": base.X.shape[0],
        "n_candidates": base.X.shape[1],
        "data": base.intake.record(),
        "traits": {name: {"seed": trait.seed, "variance": trait.y.var()} for name, trait in traits.items()},
        "versions": versions(),
    }

"""Simulated traits from genotypes to files, with the truth beside them.

A folder of a simulation holds ``genotypes.bed/.bim/.fam`` (the samples that have a trait), ``phenotypes.tsv`` (fid, iid
and sim1, sim2, ...), ``truth.tsv`` (one row a causal SNP and trait), ``components.tsv`` (one row a sample and trait:
the parts of y) and ``simulation.json`` (settings, seed, variances). Trait simK is that of seed + K - 1.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort import (
    Cohort,
    SimulatedTrait,
    SnpFilter,
    TraitDesign,
    prepare,
    read_plink,
    sample_frame,
    semi_empirical_trait,
    simulate_cohort,
    snp_statistics,
    standardise_calls,
    variant_frame,
    write_plink,
)
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import Eigenbasis, gower_scale, polygenic_effect
from bayes_lmmlasso.progress import Progress, StageClock, silent
from bayes_lmmlasso.report.tables import write_json, write_tsv
from bayes_lmmlasso.run.folder import PACKAGE, published_folder
from bayes_lmmlasso.run.record import versions
from bayes_lmmlasso.run.stages import estimate_kinship

__all__ = ["BACKGROUNDS", "SimulationSettings", "run_simulation", "simulation_lines"]

Background = Literal["drawn", "trait", "blup"]
BACKGROUNDS: tuple[str, ...] = get_args(Background)
RECORD = "simulation.json"


@dataclass(frozen=True)
class SimulationSettings:
    """What is simulated.

    Parameters
    ----------
    bfile
        PLINK file set with the genotypes; None simulates them.
    pheno, trait, covar
        Table and column of the trait that gives the background, and covariates to take out of it.
    background
        ``drawn`` u ~ N(0, XX'/p), the real ``trait`` without its covariates, or its ``blup``: the polygenic effect of
        its null model.
    kinship
        ``rrm``, ``centred``, ``ibs`` or a file, for the null model.
    design
        Causal SNPs and shares of variance.
    replicates
        Number of traits.
    maf, missing
        Filters of the SNPs that may be causal and that ``drawn`` backgrounds and kinships are made of; all SNPs are
        written.
    samples, variants, populations, chromosomes
        Size of simulated genotypes.
    seed
        Seed of the genotypes and the first trait.

    Raises
    ------
    InputError
        If the background is unknown, lacks its trait, or a number is not positive.
    """

    bfile: Path | None = None
    pheno: Path | None = None
    trait: str | None = None
    covar: Path | None = None
    background: Background = "drawn"
    kinship: str = "rrm"
    design: TraitDesign = field(default_factory=TraitDesign)
    replicates: int = 1
    maf: float = 0.01
    missing: float = 0.05
    samples: int = 300
    variants: int = 2000
    populations: int = 3
    chromosomes: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        if self.background not in BACKGROUNDS:
            raise InputError(f"expected --background {', '.join(BACKGROUNDS)}, got {self.background!r}: choose one")
        needed = (self.bfile, self.pheno, self.trait)
        if self.background != "drawn" and None in needed:
            raise InputError(
                f"expected --bfile, --pheno and --trait for --background {self.background}, got not all of them: name "
                "the trait that gives the background, or draw it"
            )
        if self.background == "drawn" and (self.pheno, self.trait, self.covar) != (None, None, None):
            raise InputError(
                "expected --background trait or blup with --pheno, --trait or --covar, got drawn: say which"
            )
        for name in ("replicates", "samples", "variants", "populations", "chromosomes"):
            if getattr(self, name) < 1:
                raise InputError(f"expected --{name} of at least 1, got {getattr(self, name)}: raise it")


@dataclass(frozen=True, eq=False)
class _Base:
    """Samples and SNPs that traits are simulated on: ``cohort`` holds the samples, X and variants the chosen SNPs."""

    cohort: Cohort
    X: NDArray[np.float32]
    variants: pd.DataFrame
    background: NDArray[np.float64] | None


def run_simulation(
    settings: SimulationSettings, out: Path, *, overwrite: bool = False, progress: Progress = silent
) -> pd.DataFrame:
    """Simulate traits and write them with their genotypes and truth.

    Parameters
    ----------
    settings
        What is simulated.
    out
        Folder: new or empty, or with ``overwrite`` one of an earlier simulation.
    overwrite
        Whether an earlier simulation is replaced.
    progress
        Told of every stage.

    Returns
    -------
    pandas.DataFrame
        ``truth.tsv``: trait chrom pos snp effect_allele other_allele eaf effect (per standardised SNP, in trait units)
        effect_sd (in trait standard deviations).

    Raises
    ------
    InputError
        If the data or the folder are not as they should be.
    """
    clock = StageClock(progress)
    with published_folder(out, RECORD, overwrite=overwrite) as folder:
        with clock("genotypes") as remark:
            bfile, trait = settings.bfile, settings.trait
            base = _read_with_trait(settings, bfile, trait) if bfile and trait else _read(settings)
            remark("{:,} samples, {:,} SNPs".format(*base.X.shape))
        with clock("traits"):
            traits = {f"sim{k + 1}": _simulate(settings, base, k) for k in range(settings.replicates)}
        truth = pd.concat([_truth(name, trait, base.variants) for name, trait in traits.items()], ignore_index=True)
        ids = sample_frame(base.cohort)
        with clock("files"):
            write_plink(base.cohort, folder / "genotypes")
            write_tsv(ids.assign(**{name: trait.y for name, trait in traits.items()}), folder / "phenotypes.tsv")
            write_tsv(truth, folder / "truth.tsv")
            parts = [_components(name, trait, ids) for name, trait in traits.items()]
            write_tsv(pd.concat(parts, ignore_index=True), folder / "components.tsv")
            write_json(_record(settings, base, traits), folder / RECORD)
    return truth


def simulation_lines(truth: pd.DataFrame, settings: SimulationSettings, out: Path) -> list[str]:
    """Say what was simulated and where it is."""
    design = settings.design
    return [
        f"{settings.replicates:,} traits with {design.n_causal} causal SNPs ({design.effect_law} effects), background "
        f"{settings.background}",
        f"shares of variance: SNPs {design.share_snps:.3g}, structure {design.share_structure:.3g}, "
        f"noise {design.share_noise:.3g}",
        f"largest effect: {truth['effect_sd'].abs().max():.3g} trait standard deviations",
        f"genotypes, phenotypes.tsv, truth.tsv, components.tsv, {RECORD}: {out}",
    ]


def _read(settings: SimulationSettings) -> _Base:
    """Read or simulate genotypes, without a trait."""
    if settings.bfile is None:
        cohort = simulate_cohort(
            n_samples=settings.samples,
            n_variants=settings.variants,
            n_populations=settings.populations,
            n_chromosomes=settings.chromosomes,
            seed=settings.seed,
        )
    else:
        cohort = read_plink(settings.bfile, dtype="int8")
    calls = cohort["call_dosage"].values
    statistics = snp_statistics(calls)
    columns, _ = SnpFilter(settings.maf, settings.missing).choose(statistics)
    mean, sd = statistics.mean[columns], statistics.sd[columns]
    X = standardise_calls(calls, mean, sd, columns=columns)
    return _Base(cohort, X, variant_frame(cohort).iloc[columns].reset_index(drop=True).assign(eaf=mean / 2), None)


def _read_with_trait(settings: SimulationSettings, bfile: Path, trait: str) -> _Base:
    """Read genotypes and the trait that gives the background; samples without it are left out."""
    cohort = read_plink(bfile, settings.pheno, trait, settings.covar)
    analysis = prepare(
        cohort,
        trait,
        covariates=cohort.attrs["covariates"],
        maf=settings.maf,
        missing=settings.missing,
    )
    ids = pd.MultiIndex.from_frame(sample_frame(cohort))
    rows = ids.get_indexer(pd.MultiIndex.from_frame(analysis.samples))
    if settings.background == "trait":
        fixed = np.linalg.lstsq(analysis.covariates, analysis.y, rcond=None)[0]
        background = analysis.y - analysis.covariates @ fixed
    else:
        basis = Eigenbasis.from_kinship(gower_scale(estimate_kinship(settings.kinship, analysis, bfile)))
        background = polygenic_effect(analysis.y, basis, analysis.covariates)
    return _Base(cohort.isel(samples=rows), analysis.X, analysis.variants, background)


def _simulate(settings: SimulationSettings, base: _Base, k: int) -> SimulatedTrait:
    return semi_empirical_trait(
        base.X, base.background, design=settings.design, variants=base.variants, seed=settings.seed + k
    )


def _truth(name: str, trait: SimulatedTrait, variants: pd.DataFrame) -> pd.DataFrame:
    table = variants.iloc[trait.causal].assign(effect=trait.effects, effect_sd=trait.effects / trait.y.std())
    table.insert(0, "trait", name)
    return table


def _components(name: str, trait: SimulatedTrait, ids: pd.DataFrame) -> pd.DataFrame:
    causal = trait.y - trait.background - trait.noise
    table = ids.assign(causal=causal, structure=trait.background, noise=trait.noise)
    table.insert(0, "trait", name)
    return table


def _record(settings: SimulationSettings, base: _Base, traits: dict[str, SimulatedTrait]) -> dict[str, Any]:
    return {
        "package": PACKAGE,
        "command": "simulate",
        "arguments": asdict(settings),
        "seed": settings.seed,
        "n_samples": base.X.shape[0],
        "n_candidates": base.X.shape[1],
        "traits": {name: {"seed": trait.seed, "variance": trait.y.var()} for name, trait in traits.items()},
        "versions": versions(),
    }

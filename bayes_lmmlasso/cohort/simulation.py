r"""Simulated cohorts and traits with known causal SNPs.

Genotypes: a coalescent with recombination and mutation (msprime; Baumdicker et al. 2022,
doi:10.1093/genetics/iyab229) for populations that split from one ancestor and then drift apart.
Traits follow the recipe of Rakitsch et al. 2013 (doi:10.1093/bioinformatics/bts669): causal SNPs,
population structure and noise with chosen shares of variance,

    y = sqrt(c_b) X b / sd(X b) + sqrt(c_u) u / sd(u) + sqrt(c_e) e / sd(e),

b_j ~ N(0, 1) at the causal SNPs and 0 elsewhere, u ~ N(0, K) with K = XX'/p, e ~ N(0, I).
"""

from __future__ import annotations

from dataclasses import dataclass

import msprime
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort.arrays import cohort_from_arrays
from bayes_lmmlasso.cohort.dataset import Cohort
from bayes_lmmlasso.cohort.genotypes import standardise
from bayes_lmmlasso.errors import InputError

__all__ = ["SimulatedTrait", "simulate_cohort", "simulate_trait"]

_ANCESTRAL_SIZE = 10_000
_DEME_SIZE = 2_000
_SPLIT_TIME = 400  # generations ago: F_ST about 0.1 between demes
_RATE = 1e-8  # recombinations, and half the mutations, per bp and generation
_MIN_MAF = 0.05


@dataclass(frozen=True)
class SimulatedTrait:
    """A trait and what it was made of.

    Attributes
    ----------
    y
        ``(n,)`` trait; ``y = X[:, causal] @ effects + background + noise``.
    causal
        ``(n_causal,)`` columns of the causal SNPs, ascending.
    effects
        ``(n_causal,)`` effects per standardised SNP.
    background, noise
        ``(n,)`` polygenic part and noise.
    """

    y: NDArray[np.float64]
    causal: NDArray[np.intp]
    effects: NDArray[np.float64]
    background: NDArray[np.float64]
    noise: NDArray[np.float64]


def simulate_cohort(
    *,
    n_samples: int = 300,
    n_variants: int = 2000,
    n_populations: int = 3,
    n_chromosomes: int = 3,
    contig_length: int = 5_000_000,
    seed: int = 0,
) -> Cohort:
    """Simulate a structured cohort of common biallelic SNPs.

    Parameters
    ----------
    n_samples
        Diploid samples, spread evenly over the populations.
    n_variants
        SNPs kept, a random choice of those with minor-allele frequency of at least 5%.
    n_populations
        Demes that split from one ancestor 400 generations ago, without migration since.
    n_chromosomes, contig_length
        Independent contigs and their length in bp.
    seed
        The same seed gives the same cohort.

    Returns
    -------
    Cohort
        Dosages (int8) of the derived allele; ``fid`` is the population, ``iid`` names population and
        sample.

    Raises
    ------
    InputError
        If the contigs do not yield ``n_variants`` common SNPs.
    """
    rng = np.random.default_rng(seed)
    per_population = np.bincount(np.arange(n_samples) % n_populations, minlength=n_populations)
    per_contig = np.bincount(np.arange(n_variants) % n_chromosomes, minlength=n_chromosomes)
    demography = msprime.Demography()
    names = [f"pop{k + 1}" for k in range(n_populations)]
    for name in names:
        demography.add_population(name=name, initial_size=_DEME_SIZE)
    demography.add_population(name="ancestor", initial_size=_ANCESTRAL_SIZE)
    demography.add_population_split(time=_SPLIT_TIME, derived=names, ancestral="ancestor")
    sizes = dict(zip(names, map(int, per_population), strict=True))
    dosages, tables = [], []
    for contig, wanted in enumerate(per_contig, 1):
        dosage, table = _simulate_contig(demography, sizes, contig_length, int(wanted), rng)
        dosages.append(dosage)
        tables.append(table.assign(chrom=str(contig)))
    variants = pd.concat(tables, ignore_index=True)
    variants["snp"] = "snp" + variants["chrom"] + "_" + variants["pos"].astype(str)
    family = [name for name, size in sizes.items() for _ in range(size)]
    individual = [f"{name}_{i + 1}" for name, size in sizes.items() for i in range(size)]
    return cohort_from_arrays(np.concatenate(dosages).T, sample_id=individual, family_id=family, variants=variants)


def simulate_trait(
    genotypes: NDArray[np.floating] | Cohort,
    *,
    n_causal: int = 5,
    share_snps: float = 0.3,
    share_structure: float = 0.3,
    share_noise: float = 0.4,
    seed: int = 0,
) -> SimulatedTrait:
    """Simulate a trait on given genotypes.

    Parameters
    ----------
    genotypes
        Standardised genotypes ``(n, p)``, or a cohort whose dosages are then standardised.
    n_causal
        Number of causal SNPs, drawn without replacement.
    share_snps, share_structure, share_noise
        Sample variances of the three parts; they add up to 1.
    seed
        The same seed gives the same trait.

    Raises
    ------
    InputError
        Shares that are negative or do not add up to 1, or a number of causal SNPs that is not in 1 ... p.
    """
    shares = (share_snps, share_structure, share_noise)
    if min(shares) < 0 or not np.isclose(sum(shares), 1):
        raise InputError(f"expected non-negative shares that add up to 1, got {shares}; change one of them")
    X: NDArray[np.floating]
    X = standardise(genotypes["call_dosage"].values.T) if isinstance(genotypes, Cohort) else genotypes
    n, p = X.shape
    if not 1 <= n_causal <= p:
        raise InputError(f"expected 1 to {p} causal SNPs, got {n_causal}; the genotypes have {p} SNPs")
    rng = np.random.default_rng(seed)
    causal = np.sort(rng.choice(p, size=n_causal, replace=False))
    drawn = rng.standard_normal(n_causal)
    scale = np.sqrt(share_snps) / np.std(X[:, causal] @ drawn)
    background = _scaled(X @ rng.standard_normal((p,)).astype(X.dtype), share_structure)
    noise = _scaled(rng.standard_normal((n,)), share_noise)
    effects = scale * drawn
    return SimulatedTrait(X[:, causal] @ effects + background + noise, causal, effects, background, noise)


def _simulate_contig(
    demography: msprime.Demography,
    sizes: dict[str, int],
    length: int,
    wanted: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int8], pd.DataFrame]:
    """``(wanted, n)`` derived-allele counts and their frame ``pos effect_allele other_allele``."""
    seeds = rng.integers(1, 2**31, size=2)
    trees = msprime.sim_ancestry(
        samples=sizes,
        demography=demography,
        sequence_length=length,
        recombination_rate=_RATE,
        random_seed=int(seeds[0]),
    )
    trees = msprime.sim_mutations(trees, rate=2 * _RATE, random_seed=int(seeds[1]))
    haplotypes = trees.genotype_matrix()
    dosage = (haplotypes[:, 0::2] + haplotypes[:, 1::2]).astype(np.int8)
    frequency = dosage.mean(axis=1) / 2
    single = np.bincount(trees.tables.mutations.site, minlength=trees.num_sites) == 1
    common = np.flatnonzero(single & (np.minimum(frequency, 1 - frequency) >= _MIN_MAF))
    if len(common) < wanted:
        raise InputError(
            f"expected {wanted} common SNPs on a contig, got {len(common)} on {length} bp; raise `contig_length`"
        )
    chosen = np.sort(rng.choice(common, size=wanted, replace=False))
    sites = [trees.site(int(site)) for site in chosen]
    table = pd.DataFrame(
        {
            "pos": [int(site.position) + 1 for site in sites],
            "effect_allele": [site.mutations[0].derived_state for site in sites],
            "other_allele": [site.ancestral_state for site in sites],
        }
    )
    return dosage[chosen], table


def _scaled(values: NDArray[np.floating], share: float) -> NDArray[np.float64]:
    """Centre and give the sample variance ``share``."""
    centred = values - values.mean(dtype=np.float64)
    return np.asarray(np.sqrt(share) * centred / centred.std())

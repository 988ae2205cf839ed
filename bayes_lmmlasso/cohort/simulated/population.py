"""Simulated cohorts of structured populations.

A coalescent with recombination and mutation (msprime; Baumdicker et al. 2022, doi:10.1093/genetics/iyab229) for
populations that split from one ancestor and then drift apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.arguments import check_count
from bayes_lmmlasso.cohort.arrays import cohort_from_arrays
from bayes_lmmlasso.cohort.dataset import Cohort
from bayes_lmmlasso.errors import InputError

if TYPE_CHECKING:
    import msprime

__all__ = ["simulate_cohort"]

_ANCESTRAL_SIZE = 10_000
_DEME_SIZE = 2_000
_SPLIT_TIME = 400  # generations ago: F_ST about 0.1 between demes
_RATE = 1e-8  # recombinations, and half the mutations, per bp and generation
_MIN_MAF = 0.05


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

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> cohort = bl.simulate_cohort(n_samples=60, n_variants=100, seed=1)
    >>> dict(cohort["call_dosage"].sizes)
    {'variants': 100, 'samples': 60}
    """
    import msprime  # half a second and 30 MB, for simulations alone

    counts = {
        "n_samples": n_samples,
        "n_variants": n_variants,
        "n_populations": n_populations,
        "n_chromosomes": n_chromosomes,
        "contig_length": contig_length,
    }
    for name, count in counts.items():
        check_count(count, name)
    rng = np.random.default_rng(check_count(seed, "seed", 0))
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


def _simulate_contig(
    demography: msprime.Demography,
    sizes: dict[str, int],
    length: int,
    wanted: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int8], pd.DataFrame]:
    """``(wanted, n)`` derived-allele counts and their frame ``pos effect_allele other_allele``."""
    import msprime

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

"""Small cohorts for studies of calibration: parts of real ones, and a cross that is simulated.

mouse  heterogeneous stock mice, a stretch of consecutive SNPs on each of several chromosomes
chr5   Arabidopsis accessions, consecutive SNPs of chromosome 5
cross  recombinant inbred lines of two parents, by Haldane's map without interference: simulated, as no cross of two
       lines is among the development data
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

import bayes_lmmlasso as bl

__all__ = ["SUBSETS", "Subset", "real_trait", "subset_cohort"]


@dataclass(frozen=True)
class Subset:
    """A PLINK prefix and trait table of the development data, how many chromosomes to take, and a real trait."""

    name: str
    prefix: str = ""
    phenotypes: str = ""
    trait: str = ""
    chromosomes: int = 1


SUBSETS = {
    subset.name: subset
    for subset in (
        Subset("mouse", "mouse_hs1940/mouse_hs1940", "mouse_hs1940/phenotypes.tsv", "cd8", 6),
        Subset("chr5", "arabidopsis_chr5/arabidopsis_chr5_181", "arabidopsis_chr5/phenotypes_181.tsv", "FT16"),
        Subset("cross"),
    )
}


@cache
def subset_cohort(subset: Subset, n_samples: int, n_variants: int):
    """Cohort of samples drawn at random and of common SNPs, as many on each chromosome, next to each other."""
    if subset.name == "cross":
        return _cross(n_samples, n_variants)
    data = Path(os.environ["BAYES_LMMLASSO_DATA"])
    cohort = bl.read_plink(data / subset.prefix, phenotypes=data / subset.phenotypes, trait=subset.trait)
    rng = np.random.default_rng(5)
    known = np.flatnonzero(np.isfinite(cohort[subset.trait].values))
    rows = np.sort(rng.choice(known, min(n_samples, len(known)), replace=False))
    frequency = np.nanmean(cohort["call_dosage"].values[:, rows], axis=1) / 2
    usable = np.minimum(frequency, 1 - frequency) > 0.05
    contig = cohort["variant_contig"].values
    columns = []
    for chromosome in np.unique(contig)[: subset.chromosomes]:
        inside = np.flatnonzero((contig == chromosome) & usable)
        columns.append(inside[len(inside) // 3 :][: n_variants // subset.chromosomes])
    return cohort.isel(samples=rows, variants=np.concatenate(columns))


def real_trait(subset: Subset, n_samples: int, n_variants: int):
    """Standardised SNPs (n, p) and a real trait (n,)."""
    cohort = subset_cohort(subset, n_samples, n_variants)
    analysis = bl.prepare(cohort, subset.trait)
    return np.asarray(analysis.X, float), np.asarray(analysis.y, float)


def _cross(n_samples: int, n_variants: int, chromosomes: int = 5, morgans: float = 1.0):
    """Lines of a cross: along a chromosome genotypes switch as selfing for ever lets them (Haldane and Waddington)."""
    rng = np.random.default_rng(6)
    each = n_variants // chromosomes
    r = 0.5 * (1 - np.exp(-2 * morgans / (each - 1)))
    switch = rng.random((chromosomes, each, n_samples)) < 2 * r / (1 + 2 * r)
    switch[:, 0] = rng.random((chromosomes, n_samples)) < 0.5
    dosage = 2.0 * (np.cumsum(switch, axis=1) % 2).reshape(chromosomes * each, n_samples)
    position = np.tile(np.linspace(1, 100e6, each).astype(int), chromosomes)
    return bl.cohort_from_arrays(
        dosage.T,
        variants=pd.DataFrame({"chrom": np.repeat([str(k + 1) for k in range(chromosomes)], each), "pos": position}),
    )

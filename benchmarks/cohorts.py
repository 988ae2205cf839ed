"""The three cohorts of the benchmarks, from BAYES_LMMLASSO_DATA."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import bayes_lmmlasso as bl

__all__ = ["COHORTS", "Problem", "load"]

COHORTS = {
    "chr5": ("arabidopsis_chr5/arabidopsis_chr5_162", "arabidopsis_chr5/phenotypes_162.tsv", "FT16"),
    "chr5_181": ("arabidopsis_chr5/arabidopsis_chr5_181", "arabidopsis_chr5/phenotypes_181.tsv", "FT16"),
    "genome": ("arabidopsis_genome/arabidopsis_genome_84", "arabidopsis_genome/phenotypes.tsv", "FT10"),
    "mouse": ("mouse_hs1940/mouse_hs1940", "mouse_hs1940/phenotypes.tsv", "cd8"),
}


@dataclass(frozen=True, eq=False)
class Problem:
    """Genotypes (standardised, float32, SNP-major), trait, Gower-scaled kinship and the intercept."""

    name: str
    X: NDArray[np.float32]
    y: NDArray[np.float64]
    K: NDArray[np.float64]
    Z: NDArray[np.float64]


def load(name: str) -> Problem:
    """Read a cohort and prepare it as the command line does."""
    bed, table, trait = COHORTS[name]
    data = Path(os.environ["BAYES_LMMLASSO_DATA"])
    analysis = bl.prepare(bl.read_plink(data / bed, phenotypes=data / table, trait=trait), trait)
    X = np.asfortranarray(analysis.X, dtype=np.float32)
    return Problem(name, X, analysis.y, bl.gower_scale(bl.kinship(X)), np.ones((X.shape[0], 1)))

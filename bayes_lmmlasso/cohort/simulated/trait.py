r"""Traits with known causal SNPs on given genotypes, after Rakitsch et al. 2013 (doi:10.1093/bioinformatics/bts669).

    y = sqrt(c_b) X b / sd(X b) + sqrt(c_u) u / sd(u) + sqrt(c_e) e / sd(e),    e ~ N(0, I)

b is not 0 at the causal SNPs alone, whose number and law of effects the `TraitDesign` states with the shares c. The
background u is drawn, u ~ N(0, K) with K = XX'/p, or given: a real trait, or what its null model attributes to
relatedness (semi-empirical: genotypes and structure are real, causal SNPs are known). The parts have exactly the sample
variances c, and are not made orthogonal: the variance of y differs from 1 by their sample covariances.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.arguments import check_count
from bayes_lmmlasso.cohort.dataset import Cohort, check_cohort
from bayes_lmmlasso.cohort.simulated.design import TraitDesign
from bayes_lmmlasso.cohort.standardise import standardise
from bayes_lmmlasso.display import Display
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.numerics.checks import number_array

__all__ = ["SimulatedTrait", "semi_empirical_trait", "simulate_trait"]


@dataclass(frozen=True, eq=False, repr=False)
class SimulatedTrait(Display):
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
    design, seed
        What was asked for.
    """

    y: NDArray[np.float64]
    causal: NDArray[np.intp]
    effects: NDArray[np.float64]
    background: NDArray[np.float64]
    noise: NDArray[np.float64]
    design: TraitDesign
    seed: int


def semi_empirical_trait(
    genotypes: NDArray[np.floating] | Cohort,
    background: ArrayLike | None = None,
    *,
    design: TraitDesign | None = None,
    candidates: ArrayLike | None = None,
    variants: pd.DataFrame | None = None,
    seed: int = 0,
) -> SimulatedTrait:
    """Simulate a trait on given genotypes and a given or drawn background.

    Parameters
    ----------
    genotypes
        Standardised genotypes ``(n, p)``, or a cohort whose dosages are then standardised.
    background
        ``(n,)`` real trait, or part of one (see `bayes_lmmlasso.polygenic_effect`); centred and scaled to its share.
        None draws u ~ N(0, XX'/p).
    design
        Number of causal SNPs, law of their effects and shares of variance; `TraitDesign()` by default.
    candidates
        Columns from which causal SNPs are drawn, without replacement; all by default.
    variants
        Frame ``chrom pos`` of the p SNPs, needed where the design asks for a least distance.
    seed
        The same seed gives the same trait, and the same causal SNPs (and effects, before they are scaled) whatever the
        shares of variance.

    Raises
    ------
    InputError
        A background of other length, not finite or constant; fewer candidates than causal SNPs, or none left at the
        least distance; causal SNPs that cancel.
    """
    design = TraitDesign() if design is None else design
    cohort = isinstance(genotypes, Cohort)
    X = standardise(check_cohort(genotypes)["call_dosage"].values.T) if cohort else number_array(genotypes, "genotypes")
    if X.ndim != 2:
        raise InputError(f"genotypes: expected shape (n, p), got {X.shape}: pass one row for each sample")
    n, p = X.shape
    given = None if background is None else _checked_background(background, n)
    columns = _checked_candidates(candidates, p, design.n_causal)
    rng = np.random.default_rng(check_count(seed, "seed", 0))
    causal = _choose_causal(columns, design, variants, p, rng)
    raw_effects = design.draw_effects(rng)
    spread = float(np.std(X[:, causal] @ raw_effects))
    if design.share_snps > 0 and not spread > 1e-6 * np.abs(raw_effects).max():
        raise InputError(f"expected causal SNPs whose effects do not cancel, got a sum without variance in {causal}")
    effects = np.sqrt(design.share_snps) / (spread or 1.0) * raw_effects
    structure = X @ rng.standard_normal((p,)).astype(X.dtype) if given is None else given
    u, e = _scaled(structure, design.share_structure), _scaled(rng.standard_normal((n,)), design.share_noise)
    return SimulatedTrait(X[:, causal] @ effects + u + e, causal, effects, u, e, design, seed)


def simulate_trait(
    genotypes: NDArray[np.floating] | Cohort,
    *,
    n_causal: int = 5,
    share_snps: float = 0.3,
    share_structure: float = 0.3,
    share_noise: float = 0.4,
    seed: int = 0,
) -> SimulatedTrait:
    """Simulate a trait with normal effects and a drawn background.

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

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> cohort = bl.simulate_cohort(n_samples=60, n_variants=100, seed=1)
    >>> trait = bl.simulate_trait(cohort, n_causal=2, seed=1)
    >>> trait.causal.size
    2
    """
    design = TraitDesign(n_causal, "normal", share_snps, share_structure, share_noise)
    return semi_empirical_trait(genotypes, design=design, seed=seed)


def _checked_background(background: ArrayLike, n: int) -> NDArray[np.float64]:
    """Return a background that varies, shape ``(n,)``."""
    values = np.asarray(background, dtype=np.float64)
    if values.shape != (n,) or not np.isfinite(values).all():
        raise InputError(
            f"background: expected {n} finite values, one a sample, got shape {values.shape} with "
            f"{int((~np.isfinite(values)).sum())} others: leave out samples without the trait first"
        )
    if not np.ptp(values) > 0:
        raise InputError(f"background: expected values that vary, got {values[0]} for every sample: choose another")
    return values


def _checked_candidates(candidates: ArrayLike | None, p: int, n_causal: int) -> NDArray[np.intp]:
    """Return columns to draw from."""
    columns = np.arange(p) if candidates is None else np.asarray(candidates)
    whole = columns.ndim == 1 and columns.size > 0 and columns.dtype.kind in "iu"
    if not whole or not 0 <= columns.min() <= columns.max() < p:
        raise InputError(
            f"candidates: expected columns from 0 to {p - 1} of the genotypes, got {candidates!r}: count from 0"
        )
    if n_causal > columns.size:
        raise InputError(
            f"expected 1 to {columns.size} causal SNPs, got {n_causal}: there are {columns.size} SNPs to choose from"
        )
    return columns.astype(np.intp)


def _choose_causal(
    columns: NDArray[np.intp], design: TraitDesign, variants: pd.DataFrame | None, p: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Draw causal SNPs, each uniform among those far enough from the earlier ones, ascending."""
    if not design.min_distance:
        return np.sort(rng.choice(columns, size=design.n_causal, replace=False))
    if variants is None or len(variants) != p:
        raise InputError(f"expected `variants` with chrom and pos of {p} SNPs for a least distance, got none that fits")
    chrom, position = variants["chrom"].to_numpy(), variants["pos"].to_numpy()
    order = rng.permutation(columns)  # the next in random order that is free is uniform among the free
    free = np.ones(p, dtype=bool)
    chosen: list[int] = []
    for j in order:
        if free[j]:
            chosen.append(int(j))
            free &= (chrom != chrom[j]) | (np.abs(position - position[j]) >= design.min_distance)
        if len(chosen) == design.n_causal:
            return np.sort(np.array(chosen))
    raise InputError(
        f"expected room for {design.n_causal} causal SNPs at least {design.min_distance} bp apart, got {len(chosen)}: "
        "lower the distance or the number"
    )


def _scaled(values: NDArray[np.floating], share: float) -> NDArray[np.float64]:
    """Centre and give the sample variance ``share``."""
    centred = values - values.mean(dtype=np.float64)
    return np.asarray(np.sqrt(share) * centred / centred.std())

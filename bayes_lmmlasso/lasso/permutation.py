"""A permutation null for selection frequencies that keeps relatedness.

Under the null model y = Z a + u + e with u + e ~ N(0, sg2 (K + delta I)) and K = U S U', the whitened residuals

    r = (S + delta)^(-1/2) U'(y - Z a)

are exchangeable, so traits without any SNP effect but with the same relatedness are

    y* = Z a + U (S + delta)^(1/2) r_pi,     pi a random permutation

(Abney 2015, doi:10.1002/gepi.21893; exchangeable up to the fitted a and delta). The largest frequency over all SNPs in
each permuted trait, with the same subsamples, gives family-wise p-values (Westfall and Young 1993):

    p_j = (1 + #{ permutations with largest frequency >= frequency_j }) / (1 + permutations)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.display import Table
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso.genotypes import Genotypes, read_genotypes
from bayes_lmmlasso.lasso.stability import StabilitySelection, stability_selections
from bayes_lmmlasso.lasso.subsamples import Subsampling
from bayes_lmmlasso.lmm import Eigenbasis, fit_null_model
from bayes_lmmlasso.lmm.kinship import validate_kinship
from bayes_lmmlasso.numerics.checks import check_covariates, check_trait
from bayes_lmmlasso.progress import Progress, silent

__all__ = ["PermutationNull", "permutation_null", "permute_trait"]

_TRAITS_AT_ONCE = 10


@dataclass(frozen=True, eq=False, repr=False)
class PermutationNull(Table):
    """Frequencies under the null, beside the observed ones.

    Parameters
    ----------
    largest
        Largest frequency over all SNPs for each permuted trait, shape ``(P,)``.
    p_value
        Family-wise p-value of each SNP, shape ``(p,)``.
    """

    _columns = ("p_value",)

    largest: NDArray[np.float64]
    p_value: NDArray[np.float64]

    def threshold(self, alpha: float = 0.05) -> float:
        """Return the smallest observed-scale frequency with a family-wise p-value of at most alpha (inf: none)."""
        allowed = int(np.floor(alpha * (self.largest.size + 1) + 1e-9)) - 1
        if allowed < 0:
            return float(np.inf)
        descending = np.sort(self.largest)[::-1]
        return float(np.nextafter(descending[allowed], np.inf)) if allowed < descending.size else 0.0


def permutation_null(
    observed: StabilitySelection,
    X: ArrayLike | Genotypes,
    y: ArrayLike,
    K: ArrayLike,
    *,
    n_permutations: int = 100,
    seed: int = 0,
    progress: Progress = silent,
) -> PermutationNull:
    """Repeat a stability selection on permuted traits.

    Parameters
    ----------
    observed
        The stability selection to judge; its selector and its subsamples are used again.
    X, y, K
        As they were given to it.
    n_permutations, seed
        Number of permuted traits P and their seed.
    progress
        Told about finished permutations.

    Returns
    -------
    PermutationNull

    Raises
    ------
    InputError
        As `stability_selection`, or if there is no permutation.
    """
    if n_permutations < 1:
        raise InputError(f"expected at least one permutation, got {n_permutations}: 100 or more are usual")
    kinship = validate_kinship(K)
    trait = check_trait(y, kinship.shape[0])
    genotypes = read_genotypes(X, trait.size)
    permuted = permute_trait(
        trait, Eigenbasis.from_kinship(kinship), observed.selector.covariates, n_permutations, seed
    )
    largest: list[float] = []
    for start in range(0, n_permutations, _TRAITS_AT_ONCE):
        results = stability_selections(
            genotypes,
            permuted[:, start : start + _TRAITS_AT_ONCE],
            kinship,
            observed.selector,
            Subsampling(subsamples=observed.subsamples),
        )
        largest += [float(result.frequency.max()) for result in results]
        progress("permutation", len(largest), n_permutations)
    null = np.array(largest)
    exceeding = null.size - np.searchsorted(np.sort(null), observed.frequency, side="left")
    return PermutationNull(null, (1 + exceeding) / (1 + null.size))


def permute_trait(
    y: NDArray[np.float64], basis: Eigenbasis, covariates: ArrayLike | None, count: int, seed: int
) -> NDArray[np.float64]:
    """Return traits under the null with permuted whitened residuals, shape ``(n, count)``."""
    Z = check_covariates(covariates, y.size)
    null = fit_null_model(y, basis, Z, "reml")
    fixed = Z @ null.fixed_effects
    root = np.sqrt(basis.values + null.delta)
    residual = basis.rotate(y - fixed) / root
    rng = np.random.default_rng(seed)
    shuffled = np.array([rng.permutation(residual) for _ in range(count)]).T
    return np.asarray(fixed[:, None] + basis.vectors @ (root[:, None] * shuffled))

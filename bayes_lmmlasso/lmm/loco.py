"""Leave-one-chromosome-out kinship: a SNP's own chromosome takes no part in the kinship it is tested with.

    K_-c = (p K - p_c K_c) / (p - p_c)

with K_c the kinship of the p_c SNPs of chromosome c and K that of all p, both averages over SNPs
(Lippert et al. 2011, doi:10.1038/nmeth.1681; Yang et al. 2014, doi:10.1038/ng.2876).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm.kinship import KinshipMethod, kinship

__all__ = ["check_chromosomes", "leave_one_chromosome_out"]


def leave_one_chromosome_out(
    X: ArrayLike, chromosomes: ArrayLike, method: KinshipMethod = "rrm"
) -> Iterator[tuple[Any, NDArray[np.float64]]]:
    """Yield each chromosome with the kinship of all the others, two matrices in memory at a time.

    Parameters
    ----------
    X
        Genotypes as in `kinship`, shape ``(n, p)``.
    chromosomes
        Chromosome of each SNP, shape ``(p,)``; of any order.
    method
        Estimator.

    Yields
    ------
    chromosome, K
        In order of first appearance; K has shape ``(n, n)`` and is not scaled.

    Raises
    ------
    InputError
        As `kinship`, or if there is one chromosome only or ``chromosomes`` has another length.
    """
    genotypes = np.asarray(X)
    labels = check_chromosomes(chromosomes, genotypes)
    names, first, counts = np.unique(labels, return_index=True, return_counts=True)
    if names.size < 2:
        raise InputError(
            f"chromosomes: expected at least two to leave one out, got only {names[0]}: use the kinship of all SNPs"
        )
    total = labels.size * kinship(genotypes, method)
    for k in np.argsort(first):
        own = counts[k] * kinship(genotypes[:, labels == names[k]], method)
        yield names[k], (total - own) / (labels.size - counts[k])


def check_chromosomes(chromosomes: ArrayLike, X: NDArray[Any]) -> NDArray[Any]:
    """Return the chromosome of each SNP, shape ``(p,)``.

    Raises
    ------
    InputError
        If they are not one for each column of X.
    """
    labels: NDArray[Any] = np.asarray(chromosomes)
    if X.ndim != 2 or labels.shape != X.shape[1:]:
        raise InputError(
            f"chromosomes: expected one for each SNP of genotypes of shape {X.shape}, got shape {labels.shape}: "
            "pass one label for each column"
        )
    return labels

"""The relatedness of the analysed samples: their kinship on the scale of the model, and its eigenbasis.

K is scaled so that tr(PKP) = n - 1 with P = I - 11'/n (Gower), which makes h a share of variance for every kind of
kinship. The realised relationship matrix XX'/p is made of the standardised SNPs, other estimators of the dosages.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_lmmlasso.cohort import AnalysisSet
from bayes_lmmlasso.lmm.eigenbasis import Eigenbasis
from bayes_lmmlasso.lmm.files.fit import fit_to_snps
from bayes_lmmlasso.lmm.files.read import RawKinship, read_given_kinship
from bayes_lmmlasso.lmm.kinship import KinshipMethod, gower_scale, kinship
from bayes_lmmlasso.remarks import Remark

__all__ = ["KINSHIPS", "Relatedness", "analysis_kinship", "kinship_genotypes"]

KINSHIPS: tuple[str, ...] = get_args(KinshipMethod)
"""The estimators of a kinship from SNPs."""


@dataclass(frozen=True, eq=False)
class Relatedness:
    """How samples are related.

    Attributes
    ----------
    K
        Gower-scaled kinship, shape ``(n, n)``.
    basis
        Its eigenbasis.
    scale
        Factor of the scaling.
    remarks
        What is told about the kinship.
    """

    K: NDArray[np.float64]
    basis: Eigenbasis
    scale: float
    remarks: tuple[Remark, ...] = ()

    @classmethod
    def of(cls, raw: RawKinship) -> Relatedness:
        """Scale and decompose a kinship."""
        K = gower_scale(raw.matrix)
        return cls(K, Eigenbasis.from_kinship(K), float(np.trace(K) / np.trace(raw.matrix)), raw.remarks)


def analysis_kinship(analysis: AnalysisSet, choice: str, genotyped: pd.DataFrame | None = None) -> RawKinship:
    """Estimate the kinship of the analysed samples, or read it and compare it with their SNPs, unscaled.

    Parameters
    ----------
    analysis
        The samples and their SNPs.
    choice
        An estimator of `KINSHIPS`, or what `read_given_kinship` reads.
    genotyped
        All samples of the genotypes in their order, which a file without ids may follow.
    """
    if choice not in KINSHIPS:
        given = read_given_kinship(choice, analysis.samples, genotyped)
        return replace(given, remarks=(*given.remarks, fit_to_snps(given.matrix, analysis.X, analysis.sd, choice)))
    method = cast(KinshipMethod, choice)
    return RawKinship(kinship(kinship_genotypes(analysis, method), method))


def kinship_genotypes(analysis: AnalysisSet, method: KinshipMethod) -> NDArray[np.float32]:
    """Return the genotypes that an estimator takes, shape ``(n, p)``."""
    return analysis.X if method == "rrm" else analysis.dosages()

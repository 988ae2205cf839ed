"""What a null model cannot tell.

With P = I - 11'/n the intercept leaves PKP of the kinship. If its n - 1 eigenvalues are equal, PVP = (sg2 + se2) P
whatever the shares of the two variances, and no trait can tell them apart. The coefficient of variation c of these
eigenvalues says how near K comes to that: about sqrt(2 / n) / c is the standard error of PVE (Visscher et al. 2014,
doi:10.1371/journal.pgen.1004269), which is a share of variance and so useless above a half.
"""

from __future__ import annotations

import numpy as np

from bayes_lmmlasso.lmm.low_rank import Basis
from bayes_lmmlasso.lmm.null_model import NullModel
from bayes_lmmlasso.remarks import Remark

__all__ = ["eigenvalue_variation", "null_remarks"]

_EQUAL = 1e-3
_USELESS = 0.5


def null_remarks(null_model: NullModel, basis: Basis) -> tuple[Remark, ...]:
    """Say what calls for caution in a null model.

    Parameters
    ----------
    null_model
        Fitted.
    basis
        The eigenbasis that it was fitted with.
    """
    if eigenvalue_variation(basis) < _EQUAL:
        told = (
            "the kinship holds no relatedness (all samples are equally related): genetic and residual variance cannot "
            "be told apart, PVE means nothing. Give another kinship, or have it estimated (--kinship rrm)"
        )
        return (Remark(told, caution=True),)
    if null_model.pve_se > _USELESS:
        told = (
            f"the standard error of PVE is {null_model.pve_se:.3g}: these samples and their kinship hardly tell "
            "genetic from residual variance. Do not interpret PVE; more samples, or more relatives among them, would"
        )
        return (Remark(told, caution=True),)
    return ()


def eigenvalue_variation(basis: Basis) -> float:
    """Return the coefficient of variation of the n - 1 eigenvalues of PKP.

    With u = U'1 / sqrt(n): tr(PKP) = sum S - u'Su and tr(PKPK) = sum S^2 - 2 u'S^2 u + (u'Su)^2.
    """
    S, n = basis.values, basis.n_samples
    if n < 3:
        return 0.0
    squares = basis.rotate(np.ones(n)) ** 2 / n
    along = float(squares @ S)
    mean = (float(S.sum()) - along) / (n - 1)
    mean_square = (float(S @ S) - 2.0 * float(squares @ S**2) + along**2) / (n - 1)
    return float(np.sqrt(max(mean_square - mean**2, 0.0))) / mean if mean > 0.0 else 0.0

"""The Wald test of one SNP, from three quadratic forms.

With P = V^-1 - V^-1 Z (Z'V^-1 Z)^-1 Z'V^-1, and a = x'Px, c = x'Py, s = y'Py for a SNP x,

    beta = c / a,   sigma2 = (s - c^2 / a) / v,   se = sqrt(sigma2 / a),   p = P(|t_v| > |beta / se|)

with v = n - q - 1 degrees of freedom; the square of the statistic is the F test of Kang et al. (2010,
doi:10.1038/ng.548) and Zhou and Stephens (2012, doi:10.1038/ng.2310).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, hyp2f1, stdtr

__all__ = ["Wald", "log10_p_value", "wald"]

_COLLINEAR = 1e-8  # 1 - R^2 on the covariates below which a SNP has no effect of its own
_TINY = 1e-280  # p-values below are computed as logarithms


@dataclass(frozen=True, eq=False)
class Wald:
    """Effects and tests of p SNPs, shape ``(p,)`` each; NaN where the covariates determine the SNP."""

    beta: NDArray[np.float64]
    se: NDArray[np.float64]
    log10_p: NDArray[np.float64]


def wald(
    a: NDArray[np.float64],
    c: NDArray[np.float64],
    s: NDArray[np.float64] | float,
    size: NDArray[np.float64],
    degrees: int,
) -> Wald:
    """Test SNPs by their quadratic forms.

    Parameters
    ----------
    a, c, s
        x'Px, x'Py and y'Py, shape ``(p,)``.
    size
        x'V^-1 x, or another squared size of the SNP before the covariates were taken out, shape ``(p,)``.
    degrees
        v = n - q - 1.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        beta = np.where(a > _COLLINEAR * size, c / a, np.nan)
        rest = np.maximum(s - beta * c, 1e-300)
        se = np.sqrt(rest / (degrees * a))
        return Wald(beta, se, log10_p_value(beta / se, degrees))


def log10_p_value(t: NDArray[np.float64], degrees: int) -> NDArray[np.float64]:
    """Two-sided p-value of a t statistic as a base 10 logarithm, of any size.

    Where p underflows, the incomplete beta function I_x(v/2, 1/2) at x = v / (v + t^2) is summed in logarithms:
    x^h (1-x)^(1/2) / (h B(h, 1/2)) 2F1(h + 1/2, 1; h + 1; x), h = v/2.
    """
    p = np.atleast_1d(2.0 * stdtr(degrees, -np.abs(t)))
    tiny = p < _TINY
    with np.errstate(divide="ignore"):
        log_p = np.log(p)
    if tiny.any():
        h = 0.5 * degrees
        square = np.atleast_1d(t)[tiny] ** 2
        series = np.log(hyp2f1(h + 0.5, 1.0, h + 1.0, degrees / (degrees + square)))
        log_p[tiny] = -h * np.log1p(square / degrees) - 0.5 * np.log1p(degrees / square)
        log_p[tiny] += series - np.log(h) - betaln(h, 0.5)
    return np.asarray((log_p / np.log(10.0)).reshape(np.shape(t)))

r"""Bayesian false discovery rates: what to expect of the SNPs or windows above a threshold.

Calling everything with inclusion probability pip_i >= t a discovery, the posterior expectation of false ones is

    E[V(t) | y] = sum_{pip_i >= t} (1 - pip_i),      FDR(t) = E[V(t) | y] / #{i : pip_i >= t}

(Newton, Noueiry, Sarkar, Ahlquist 2004, doi:10.1093/biostatistics/5.2.155; Mueller, Parmigiani, Rice 2006,
https://www.bepress.com/jhubiostat/paper115). A discovery is false when what pip is the probability of does not hold:
b_j = 0 for a prior with a point mass, an explained share of variance of at most t for others. In linkage disequilibrium
one signal is spread over SNPs that each have a low pip, so that windows discover more than SNPs at the same rate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_lmmlasso.display import Table
from bayes_lmmlasso.errors import InputError

__all__ = ["BayesianFdr", "bayesian_fdr"]


@dataclass(frozen=True, eq=False, repr=False)
class BayesianFdr(Table):
    """Expected false discoveries at every threshold that makes a difference.

    Attributes
    ----------
    threshold
        The distinct probabilities, descending, shape ``(k,)``.
    n_selected
        How many are at least as large, shape ``(k,)``.
    expected_false
        Posterior expectation of how many of these are false, shape ``(k,)``.
    fdr
        ``expected_false / n_selected``, which never falls as the threshold does, shape ``(k,)``.
    """

    _columns = ("threshold", "n_selected", "expected_false", "fdr")

    threshold: NDArray[np.float64]
    n_selected: NDArray[np.intp]
    expected_false: NDArray[np.float64]
    fdr: NDArray[np.float64]

    def threshold_for(self, fdr: float) -> float:
        """Return the lowest threshold with an expected share of false discoveries of at most ``fdr``.

        Infinity where even the largest probability alone exceeds it: then nothing can be called a discovery.

        Raises
        ------
        InputError
            If ``fdr`` is not in (0, 1).
        """
        if not 0 < fdr < 1:
            raise InputError(f"expected a false discovery rate in (0, 1), got {fdr}: 0.05 to 0.2 is usual")
        within = int(np.count_nonzero(self.fdr <= fdr))
        return float(self.threshold[within - 1]) if within else math.inf


def bayesian_fdr(pip: ArrayLike) -> BayesianFdr:
    """Compute the Bayesian false discovery rate at every threshold on inclusion probabilities.

    Parameters
    ----------
    pip
        Posterior inclusion probabilities of SNPs or of windows, shape ``(m,)``, in any order.

    Raises
    ------
    InputError
        If they are not probabilities, or there are none.
    """
    probability = np.asarray(pip, dtype=np.float64)
    bad = ~((probability >= 0) & (probability <= 1))
    if probability.ndim != 1 or probability.size == 0 or bad.any():
        got = f"{probability[bad][0]}" if bad.any() else f"an array of shape {probability.shape}"
        raise InputError(f"expected inclusion probabilities from 0 to 1, got {got}: pass a column such as pip")
    descending = np.sort(probability)[::-1]
    last = np.flatnonzero(np.append(descending[1:] < descending[:-1], True))  # of those with equal probability
    expected_false = np.cumsum(1 - descending)[last]
    return BayesianFdr(descending[last], last + 1, expected_false, expected_false / (last + 1))

"""Windows of neighbouring SNPs: what to read first, because linkage disequilibrium splits a signal.

For a window w the share of phenotypic variance in a draw is var(X_w b_w) over the samples. Priors with a point mass:
window_pip = P(any b_j of the window != 0 | y). Others: P(share > t | y) (WPPA; Fernando and Garrick 2013,
doi:10.1007/978-1-62703-447-0_10).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayes_lmmlasso.posterior.diagnostics import convergence
from bayes_lmmlasso.posterior.inclusion import inclusion_probabilities, probability_error
from bayes_lmmlasso.posterior.partition import assign_windows

__all__ = ["window_table"]


def window_table(
    tree: xr.DataTree,
    window: str = "1Mb",
    variance_share: float = 0.01,
    *,
    snp_variance_share: float = 0.001,
) -> pd.DataFrame:
    """Summarise the posterior window by window.

    Parameters
    ----------
    tree
        Result of `sample_posterior`.
    window
        "1Mb", "500kb", "20000bp", "2cM", "100snps", or "ld", "ld0.3" for blocks of linkage disequilibrium; see
        `bayes_lmmlasso.posterior.partition`. SNPs of unknown position (bp 0) are placed by linear interpolation between
        their neighbours in the file. Where a chromosome has no positions at all windows hold 100 SNPs, and start and
        end count SNPs along the chromosome.
    variance_share
        Share t of phenotypic variance above which a window counts as included, where the prior has no point mass.
    snp_variance_share
        The same for a single SNP: the window's top SNP has the largest pip, of several the largest mean effect.

    Returns
    -------
    pandas.DataFrame
        Columns chrom, start, end, n_snps, window_pip, window_pip_mcse, variance_share (posterior mean), top_snp,
        top_snp_pip, r_hat (of the variance share), in genome order.

    Raises
    ------
    InputError
        If the window is not understood, or in cM without a genetic map.
    """
    draws: NDArray[Any] = tree.children["posterior"].dataset["b"].values
    constant = tree.children["constant_data"].dataset
    X = constant["X"].values
    chrom, position, names = (constant[f"variant_{name}"].values for name in ("chrom", "pos", "snp"))
    cm = constant["variant_cm"].values if "variant_cm" in constant.coords else None
    windows = assign_windows(chrom, position, window, cm=cm, XT=X)
    inclusion = inclusion_probabilities(tree)
    shares = np.empty((len(windows), *draws.shape[:2]))
    events = np.empty(shares.shape, dtype=bool)
    top, top_pip = [], []
    for k, members in enumerate(windows["members"]):
        inside = draws[:, :, members]
        shares[k] = _explained_variance(inside.reshape(-1, len(members)), X[members]).reshape(draws.shape[:2])
        if inclusion is None:
            events[k] = shares[k] > variance_share
            pip = (inside**2 > snp_variance_share).mean(axis=(0, 1))
        else:
            events[k] = (inside != 0).any(axis=2)
            pip = inclusion[:, :, members].mean(axis=(0, 1))
        best = max(range(len(pip)), key=lambda j: (pip[j], np.abs(inside[:, :, j].mean())))
        top.append(str(names[members[best]]))
        top_pip.append(float(pip[best]))
    r_hat, ess = convergence(shares)
    return windows.drop(columns="members").assign(
        window_pip=events.mean(axis=(1, 2)),
        window_pip_mcse=probability_error(events, ess),
        variance_share=shares.mean(axis=(1, 2)),
        top_snp=top,
        top_snp_pip=top_pip,
        r_hat=r_hat,
    )


def _explained_variance(b: NDArray[Any], X: NDArray[Any]) -> NDArray[np.float64]:
    """Return var(X'b) over the samples for b of shape ``(draws, w)`` and X of shape ``(w, n)``.

    Windows of fewer SNPs than samples are cheaper through their covariance: var(X'b) = b' cov(X) b.
    """
    w, n = X.shape
    if w >= n:
        fitted: NDArray[np.float64] = (b @ X).var(axis=1, dtype=np.float64)
        return fitted
    covariance = np.cov(X, ddof=0).reshape(w, w)
    shares: NDArray[np.float64] = np.einsum("dj,dj->d", b @ covariance, b)
    return shares

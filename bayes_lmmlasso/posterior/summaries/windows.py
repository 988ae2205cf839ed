"""Windows of neighbouring SNPs: what to read first, because linkage disequilibrium splits a signal.

For a window w the share of phenotypic variance in a draw is var(X_w b_w) over the samples. Priors with a point mass:
window_pip = P(any b_j of the window != 0 | y), the mean over all snapshots of all draws. Others: P(share > t | y)
(WPPA; Fernando and Garrick 2013, doi:10.1007/978-1-62703-447-0_10). Windows differ in what the prior says of them, by
their SNPs, so that they rank by their Bayes factor: `bayes_lmmlasso.posterior.summaries.prior`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayes_lmmlasso.posterior.sampler.folder_store import VARIANTS
from bayes_lmmlasso.posterior.summaries.diagnostics import convergence
from bayes_lmmlasso.posterior.summaries.effect_summary import effective_events, inclusion_means, probability_error
from bayes_lmmlasso.posterior.summaries.partition import assign_windows
from bayes_lmmlasso.posterior.summaries.prior import bayes_factors, window_priors
from bayes_lmmlasso.posterior.tree.effects import by_chain, check_tree, effect_draws, has_all_draws

__all__ = ["rank_windows", "window_table"]

_Source = Callable[[NDArray[np.intp]], NDArray[Any]]


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
        `bayes_lmmlasso.posterior.summaries.partition`. SNPs of unknown position (bp 0, or chromosome 0) are in windows
        of their own, with the chromosome "unplaced", of 100 SNPs; start and end count SNPs. So do windows where a
        chromosome has no positions at all.
    variance_share
        Share t of phenotypic variance above which a window counts as included, where the prior has no point mass.
    snp_variance_share
        The same for a single SNP: the window's top SNP has the largest pip, of several the largest mean effect.

    Returns
    -------
    pandas.DataFrame
        Columns chrom, start, end, n_snps, window_pip, window_pip_mcse, window_pip_prior (the same probability before
        any data; NA for a model of your own), bayes_factor, variance_share (posterior mean), top_snp, top_snp_pip,
        r_hat (of the variance share), in genome order.

    Raises
    ------
    InputError
        If the window is not understood, or in cM without a genetic map.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> tree = bl.read_tree("results/posterior.zarr")  # doctest: +SKIP
    >>> bl.window_table(tree, "500kb").nlargest(10, "bayes_factor")  # doctest: +SKIP
    """
    constant = check_tree(tree).children["constant_data"].dataset
    X = constant["X"].values
    chrom, position, names = (constant[f"variant_{name}"].values for name in ("chrom", "pos", "snp"))
    cm = constant["variant_cm"].values if "variant_cm" in constant.coords else None
    windows = assign_windows(chrom, position, window, cm=cm, XT=X)
    pip = inclusion_means(tree, snp_variance_share)
    effects_of, visits_of = _columns(tree, "b"), _columns(tree, "visits")
    assert effects_of is not None
    explained = np.empty((len(windows), *effects_of(windows["members"].iloc[0]).shape[:2]))
    included = np.empty_like(explained)
    top = []
    for share, event, members in zip(explained, included, windows["members"], strict=True):
        inside = effects_of(members)
        share[:] = _explained_variance(inside.reshape(-1, len(members)), X[members]).reshape(share.shape)
        if not tree.attrs.get("exact_zeros"):
            event[:] = share > variance_share
        elif visits_of is None:
            event[:] = (inside != 0).any(axis=2)
        else:
            event[:] = _any_included(visits_of(members), tree.attrs["snapshots"])
        size = np.abs(inside.mean(axis=(0, 1)))
        top.append(members[max(range(len(members)), key=lambda j: (pip[members[j]], size[j]))])
    r_hat, ess = convergence(explained)
    window_pip = included.mean(axis=(1, 2))
    prior = window_priors(tree, windows["members"].tolist(), variance_share)
    return windows.drop(columns="members").assign(
        window_pip=window_pip,
        window_pip_mcse=probability_error(included, ess),
        window_pip_prior=prior,
        bayes_factor=bayes_factors(window_pip, prior, effective_events(included, ess)),
        variance_share=explained.mean(axis=(1, 2)),
        top_snp=names[top].astype(object),
        top_snp_pip=pip[top],
        r_hat=r_hat,
    )


def rank_windows(windows: pd.DataFrame) -> pd.DataFrame:
    """Return a window table with the window that the data speak for most first, by Bayes factor, then by window_pip."""
    keys = ["bayes_factor", "window_pip", "variance_share"]
    return windows.sort_values(keys, ascending=False, kind="stable")


def _columns(tree: xr.DataTree, name: str) -> _Source | None:
    """Return the function that gives a site's draws for some SNPs, shape ``(chains, draws, w)``; None without the site.

    Where a tree does not hold all draws they are those that it has kept.
    """
    if has_all_draws(tree):
        posterior = tree.children["posterior"].dataset
        return _Reader(posterior[name]) if name in posterior else None
    kept = effect_draws(tree)
    rows = getattr(kept, name)
    return None if rows is None else lambda members: by_chain(kept, rows[:, members])


class _Reader:
    """Reads the draws of some SNPs from a site, which may lie in a folder, a stretch of SNPs at a time."""

    def __init__(self, site: xr.DataArray) -> None:
        self._site, self._stretch = site, slice(0, 0)
        self._held: NDArray[Any] = np.empty(0)

    def __call__(self, members: NDArray[np.intp]) -> NDArray[Any]:
        """Return the draws of SNPs, shape ``(chains, draws, w)``."""
        first, last = int(members.min()), int(members.max()) + 1
        if last - first > VARIANTS + len(members):  # scattered over the file
            return self._site[:, :, members].values
        if first < self._stretch.start or last > self._stretch.stop:
            self._stretch = slice(first // VARIANTS * VARIANTS, -(-last // VARIANTS) * VARIANTS)
            self._held = np.empty(0)  # or both stretches would be in memory
            self._held = self._site[:, :, self._stretch].values
        return self._held[:, :, members - self._stretch.start]


def _any_included(visits: NDArray[np.uint32], snapshots: int) -> NDArray[np.float64]:
    """Return the share of a draw's snapshots in which any SNP of a window is included, from bits ``(..., w)``."""
    included: NDArray[np.float64] = np.bitwise_count(np.bitwise_or.reduce(visits, axis=-1)) / snapshots
    return included


def _explained_variance(b: NDArray[np.floating], X: NDArray[np.floating]) -> NDArray[np.float64]:
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

"""SNPs beside each other: p-values, the Lasso path, its null model, stability against pip, effects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike
from scipy.stats import beta, chi2

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso import LassoPath
from bayes_lmmlasso.lmm import NullModel
from bayes_lmmlasso.plots.along_genome import require
from bayes_lmmlasso.plots.style import axes_for, note, short, styled, theme, thinned

__all__ = ["effects", "lasso_path", "null_likelihood", "qq", "stability_against_pip"]

_LEAST_P = 1e-300
_CHI2_95 = 3.841 / 2  # fall of the log-likelihood at the ends of a 95% interval for one parameter


@styled
def qq(p: ArrayLike, *, interval: float = 0.95, ax: Axes | None = None) -> Axes:
    """Draw p-values against those expected if no SNP had an effect.

    The band is the pointwise interval of each order statistic of independent uniforms, Beta(k, m + 1 - k); SNPs in
    linkage depend on each other, so that it is too narrow for them. lambda is the median chi-square over its
    expectation (Devlin and Roeder 1999, doi:10.1111/j.0006-341X.1999.00997.x).

    Parameters
    ----------
    p
        p-values, shape ``(m,)``; NaN is left out.
    interval
        Probability of the band.
    ax
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If a value is outside 0 to 1, or there is none.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> bl.plots.qq([0.2, 0.01, 0.7]).get_xlabel()
    'expected −log₁₀ p'
    """
    values = np.asarray(p, dtype=float)
    values = np.sort(values[~np.isnan(values)])
    if not values.size or values[0] < 0 or values[-1] > 1:
        raise InputError(
            f"expected p-values from 0 to 1, got {values.size} from {values[:1]} to {values[-1:]}: check them"
        )
    ax, m = axes_for(ax, 3.6, 3.8), values.size
    rank = np.arange(1, m + 1)
    x, y = -np.log10((rank - 0.5) / m), -np.log10(np.maximum(values, _LEAST_P))
    drawn = thinned(x, y)
    band = np.unique(np.geomspace(1, m, 200).astype(int))
    lo, hi = (-np.log10(beta.ppf(q, band, m + 1 - band)) for q in ((1 + interval) / 2, (1 - interval) / 2))
    ax.fill_between(x[band - 1], lo, hi, color=theme().prior, alpha=0.3, linewidth=0, label=f"{interval:.0%} band")
    ax.plot([0, x[0]], [0, x[0]], color=theme().muted, linewidth=0.8)
    ax.scatter(x[drawn], y[drawn], s=9, color=theme().posterior, linewidths=0, rasterized=True)
    inflation = chi2.isf(np.median(values), 1) / chi2.isf(0.5, 1)
    ax.set_title(f"λ = {inflation:.3f}, {m:,} SNPs")
    ax.set_xlabel("expected −log₁₀ p")
    ax.set_ylabel("observed −log₁₀ p")
    ax.legend(loc="upper left")
    return ax


@styled
def lasso_path(path: LassoPath, snps: ArrayLike | None = None, *, names: int = 6, ax: Axes | None = None) -> Axes:
    """Draw the MAP effects along the path of the penalty, those that end largest named.

    Parameters
    ----------
    path
        Result of `bayes_lmmlasso.lasso_path`.
    snps
        Names of the p SNPs; their numbers by default.
    names
        Number of SNPs with a colour and a name.
    ax
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import bayes_lmmlasso as bl, numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 9))
    >>> path = bl.lasso_path(X, X[:, 2] + rng.normal(size=40), bl.Eigenbasis.from_kinship(X @ X.T), 1.0, n_active=3)
    >>> bl.plots.lasso_path(path).get_xlabel()
    'penalty μ (falls to the right)'
    """
    ax, entered = axes_for(ax), np.unique(path.coef_sparse.indices)
    effects = path.coef_sparse[:, entered].toarray()
    largest = np.argsort(-np.abs(effects[-1]), kind="stable")[:names].tolist()
    labels = [str(j) for j in entered] if snps is None else [short(name) for name in np.asarray(snps)[entered]]
    colours = dict(zip(largest, theme().classes, strict=False))
    for k in range(len(entered)):
        ax.plot(path.mu, effects[:, k], color=colours.get(k, theme().prior), linewidth=1.4 if k in colours else 0.7)
    for k in largest:
        note(ax, labels[k], (path.mu[-1], effects[-1, k]), xytext=(4, 0), va="center", annotation_clip=False)
    ax.axhline(0, color=theme().muted, linewidth=0.8)
    if path.mu.min() > 0:
        ax.set_xscale("log")
    ax.invert_xaxis()
    ax.set_xlabel("penalty μ (falls to the right)")
    ax.set_ylabel("MAP effect of one SD of the SNP")
    return ax


@styled
def null_likelihood(null_model: NullModel, *, ax: Axes | None = None) -> Axes:
    """Draw the profile likelihood of the null model, its optimum and the values of a 95% interval.

    Parameters
    ----------
    null_model
        Result of `bayes_lmmlasso.fit_null_model`, or ``Analysis.null_model``.
    ax
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import bayes_lmmlasso as bl, numpy as np
    >>> y = np.random.default_rng(0).normal(size=30)
    >>> null = bl.fit_null_model(y, bl.Eigenbasis.from_kinship(np.diag(np.arange(1.0, 31))))
    >>> bl.plots.null_likelihood(null).get_xlabel()
    'log δ = log(σ²ₑ / σ²g), noise over polygenic variance'
    """
    ax = axes_for(ax)
    best = max(null_model.log_likelihood, float(np.max(null_model.profile)))
    ax.plot(null_model.grid, null_model.profile - best, color=theme().posterior)
    ax.axhline(-_CHI2_95, color=theme().muted, linewidth=0.8, linestyle="--")
    note(ax, "95% interval", (0, -_CHI2_95), xycoords=("axes fraction", "data"), xytext=(3, 3), color=theme().muted)
    ax.axvline(null_model.log_delta, color=theme().accent, linewidth=1.0)
    where = "at a bound of the search" if null_model.at_bound else f"± {null_model.pve_se:.2f}"
    ax.set_title(f"log δ = {null_model.log_delta:.2f}, pve = {null_model.pve:.2f} {where}")
    ax.set_ylim(max(float(np.min(null_model.profile - best)) * 1.05, -8.0), 0.4)
    ax.set_xlabel("log δ = log(σ²ₑ / σ²g), noise over polygenic variance")
    ax.set_ylabel(f"log-likelihood below\nits maximum ({null_model.method.upper()})")
    return ax


@styled
def stability_against_pip(
    inclusion: pd.DataFrame,
    *,
    stable: float = 0.6,
    included: float = 0.5,
    names: int = 8,
    ax: Axes | None = None,
) -> Axes:
    """Draw stability selection against posterior inclusion, a dot a SNP, those that disagree named.

    Parameters
    ----------
    inclusion
        Inclusion table: snp, stability and pip.
    stable, included
        Frequency and probability from which a SNP counts as found; of those found by one alone, the names are given.
    names
        Number of SNPs that are named at most, the largest differences first.
    ax
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If a column is absent.

    Examples
    --------
    >>> import bayes_lmmlasso as bl, pandas as pd
    >>> table = pd.DataFrame({"snp": ["a", "b"], "stability": [0.9, 0.1], "pip": [0.0, 0.0]})
    >>> [text.get_text() for text in bl.plots.stability_against_pip(table).texts]
    ['a']
    """
    require(inclusion, "the inclusion table", "snp", "stability", "pip")
    ax = axes_for(ax, 4.2, 4.6)
    x, y = inclusion["pip"].to_numpy(float), inclusion["stability"].to_numpy(float)
    by_lasso, by_posterior = y >= stable, x >= included
    classes = {
        "neither": (~by_lasso & ~by_posterior, theme().prior, "o"),
        "both": (by_lasso & by_posterior, theme().posterior, "o"),
        "stable only": (by_lasso & ~by_posterior, theme().classes[1], "^"),
        "pip only": (~by_lasso & by_posterior, theme().classes[3], "s"),
    }
    for name, (on, colour, marker) in classes.items():
        rows = np.flatnonzero(on)
        rows = rows[thinned(x[rows], y[rows])]
        size = 10 if name == "neither" else 26
        text = f"{name} ({int(on.sum()):,})"
        ax.scatter(x[rows], y[rows], s=size, color=colour, marker=marker, linewidths=0, label=text, clip_on=False)
    ax.axhline(stable, color=theme().muted, linewidth=0.8, linestyle="--")
    ax.axvline(included, color=theme().muted, linewidth=0.8, linestyle="--")
    disagree = np.flatnonzero(by_lasso != by_posterior)
    disagree = disagree[np.argsort(-np.abs(x - y)[disagree], kind="stable")][:names]
    for j in disagree:
        right = x[j] > 0.6
        offset: dict[str, Any] = {"xytext": (-6 if right else 6, 0), "ha": "right" if right else "left", "va": "center"}
        note(ax, short(inclusion["snp"].iloc[j], 20), (x[j], y[j]), **offset)
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.02, 1.02)
    ax.set_xlabel("posterior inclusion probability (pip)")
    ax.set_ylabel("stability frequency\n(share of subsamples)")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    return ax


@styled
def effects(inclusion: pd.DataFrame, n_top: int = 12, *, ax: Axes | None = None) -> Axes:
    """Draw the largest effects: posterior mean with its 95% interval, and the MAP estimate.

    Parameters
    ----------
    inclusion
        Inclusion table: snp, chrom, pos, beta_mean, beta_lo, beta_hi, beta_map.
    n_top
        SNPs with the largest MAP estimates and as many with the largest posterior means are shown.
    ax
        Axes to draw into; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If a column is absent.

    Examples
    --------
    >>> import bayes_lmmlasso as bl, pandas as pd
    >>> row = {"snp": "a", "chrom": "1", "pos": 7, "beta_mean": 0.3, "beta_lo": 0.1, "beta_hi": 0.5, "beta_map": 0.2}
    >>> [text.get_text() for text in bl.plots.effects(pd.DataFrame([row])).get_yticklabels()]
    ['a  (1:7)']
    """
    columns = ["snp", "chrom", "pos", "beta_mean", "beta_lo", "beta_hi", "beta_map"]
    require(inclusion, "the inclusion table", *columns)
    sizes = [inclusion[column].abs().nlargest(n_top) for column in ("beta_map", "beta_mean")]
    chosen = inclusion.loc[sizes[0].index[sizes[0] > 0].union(sizes[1].index)].iloc[::-1]
    ax, y = axes_for(ax, 0.24 * len(chosen) + 1.1, 7.5), np.arange(len(chosen))
    ax.axvline(0, color=theme().muted, linewidth=0.8)
    ax.hlines(y, chosen["beta_lo"], chosen["beta_hi"], color=theme().posterior, linewidth=1.4, label="95% interval")
    ax.scatter(chosen["beta_mean"], y, s=22, color=theme().posterior, zorder=3, label="posterior mean")
    face, edge = theme().background, theme().classes[3]
    ax.scatter(chosen["beta_map"], y, s=30, marker="D", facecolors=face, edgecolors=edge, zorder=4, label="MAP")
    ax.set_yticks(y)
    labels = [f"{short(snp)}  ({short(chrom, 12)}:{pos:,})" for snp, chrom, pos in chosen[columns[:3]].to_numpy()]
    ax.set_yticklabels(labels, parse_math=False, fontsize=8)
    ax.set_ylim(-0.7, len(chosen) - 0.3)
    ax.set_xlabel("effect of one standard deviation of the SNP (trait standard deviations)")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
    return ax

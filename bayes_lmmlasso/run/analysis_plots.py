"""The figures of one analysis: `bayes_lmmlasso.plots` with its tables, tree and null model put in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_lmmlasso import plots

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayes_lmmlasso.run.analysis import Analysis

__all__ = ["AnalysisPlots"]


@dataclass(frozen=True)
class AnalysisPlots:
    """Figures of an analysis; options are those of the functions of the same name in `bayes_lmmlasso.plots`.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> bl.open_run("results/cd8").plots.region("5:8,700,000-8,900,000")  # doctest: +SKIP
    """

    analysis: Analysis

    def manhattan(self, quantity: str = "pip", **options: Any) -> Axes:
        """Draw a quantity of SNPs or windows along the genome."""
        return plots.manhattan(self.analysis.inclusion, quantity, **{"windows": self.analysis.windows} | options)

    def stacked_manhattan(self, **options: Any) -> list[Axes]:
        """Draw all quantities along the genome, one below the other."""
        return list(plots.stacked_manhattan(self.analysis.inclusion, self.analysis.windows, **options))

    def region(self, place: str, **options: Any) -> Axes:
        """Draw the SNPs of a region, coloured by their correlation with the first of them, with credible sets."""
        analysis = self.analysis
        sets = analysis.credible_sets if analysis.tree.attrs["exact_zeros"] else None
        given: dict[str, Any] = {"windows": analysis.windows, "tree": analysis.tree, "sets": sets}
        return plots.region(analysis.inclusion, place, **given | options)

    def stability_against_pip(self, **options: Any) -> Axes:
        """Draw stability against pip, a dot a SNP; those that disagree have names."""
        return plots.stability_against_pip(self.analysis.inclusion, **options)

    def effects(self, n_top: int = 12, **options: Any) -> Axes:
        """Draw the largest effects with their intervals and the point estimate."""
        return plots.effects(self.analysis.inclusion, n_top, **options)

    def qq(self, **options: Any) -> Axes:
        """Draw the p-values of the scan against those expected without any effect."""
        p = self.analysis.inclusion["p_lmm"].to_numpy(float)
        return plots.qq(p[np.isfinite(p)], **options)

    def variance_shares(self, **options: Any) -> Axes:
        """Draw the shares of variance, prior and posterior."""
        return plots.variance_shares(self.analysis.tree, **options)

    def n_included(self, **options: Any) -> Axes:
        """Draw the number of SNPs with an effect, prior and posterior."""
        return plots.n_included(self.analysis.tree, **options)

    def null_likelihood(self, **options: Any) -> Axes:
        """Draw the profile likelihood of the null model."""
        return plots.null_likelihood(self.analysis.null_model, **options)

    def prior_posterior(self, name: str = "pve", **options: Any) -> Axes:
        """Draw a hyper-parameter's prior and posterior."""
        return plots.prior_posterior(self.analysis.tree, name, **options)

    def trace(self, name: str = "pve", **options: Any) -> Axes:
        """Draw the draws of a parameter, a line a chain."""
        return plots.trace(self.analysis.tree, name, **options)

    def ranks(self, name: str = "pve", **options: Any) -> Axes:
        """Draw the ranks of a parameter's draws by chain."""
        return plots.ranks(self.analysis.tree, name, **options)

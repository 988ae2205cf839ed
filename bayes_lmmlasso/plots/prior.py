"""What the prior expected beside what was found."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bayes_lmmlasso.plots.style import WIDTH, styled, theme
from bayes_lmmlasso.posterior.summaries.prior_predictive import predictive_draws

__all__ = ["prior_figure"]

_BINS = 30


@styled
def prior_figure(tree: xr.DataTree) -> Figure:
    """Prior draws (grey) and posterior draws (blue) of shares and counts; of the trait, what was observed as a line.

    Parameters
    ----------
    tree
        Result of `sample_posterior`, or of a run, with a model that comes with the package.
    """
    found = predictive_draws(tree)
    figure = Figure(figsize=(WIDTH, 2.2), layout="constrained")
    panels = figure.subplots(1, len(found))
    for axes, (name, (prior, posterior)) in zip(panels, found.items(), strict=True):
        lo, hi = min(prior.min(), posterior.min()), max(np.quantile(prior, 0.99), posterior.max())
        edges = np.linspace(lo, hi + 1e-9 * (1 + abs(hi)), _BINS + 1)
        axes.hist(prior, edges, density=True, color=theme().prior, alpha=0.45)
        if posterior.size == 1:
            axes.axvline(posterior[0], color=theme().posterior, linewidth=2)
        else:
            axes.hist(posterior, edges, density=True, color=theme().posterior, alpha=0.55)
        axes.set_title(name)
        axes.set_yticks([])
        axes.xaxis.set_major_locator(MaxNLocator(4))
    return figure

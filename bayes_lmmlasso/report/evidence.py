"""The evidence for a result: duality gaps, R-hat, effective sample sizes, divergences, Pareto k.

Pareto k is good up to min(1 - 1 / log10(draws), 0.7) (Vehtari, Simpson, Gelman, Yao, Gabry 2024,
https://jmlr.org/papers/v25/19-556.html). What of it calls for caution, `bayes_lmmlasso.report.cautions` says.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from bayes_lmmlasso.lasso import LassoPath, StabilitySelection
from bayes_lmmlasso.posterior import Projection
from bayes_lmmlasso.posterior.summaries.diagnostics import snp_agreement
from bayes_lmmlasso.posterior.summaries.movement import unmoved_chains
from bayes_lmmlasso.posterior.summaries.prior import snp_prior
from bayes_lmmlasso.posterior.tree.loo import with_log_likelihood

if TYPE_CHECKING:
    from arviz_stats.utils import ELPDData

__all__ = ["ProjectionEvidence", "SamplingEvidence", "SelectionEvidence", "leave_one_out"]


@dataclass(frozen=True)
class SelectionEvidence:
    """How exact the Lasso solutions are, and what the stability threshold guarantees.

    Attributes
    ----------
    path_status, path_n_active, path_duality_gap
        Outcome of the path, active SNPs of its last solution, largest relative duality gap.
    subsamples, subsamples_at_bound, subsamples_duality_gap
        Number of subsamples, those whose null model is at a bound of its search, largest relative gap.
    threshold, n_stable
        Frequency from which a SNP counts as stable, and how many do.
    expected_false
        Meinshausen and Buehlmann's bound on the expected number of false ones; NaN where it does not apply.
    """

    path_status: str
    path_n_active: int
    path_duality_gap: float
    subsamples: int
    subsamples_at_bound: int
    subsamples_duality_gap: float
    threshold: float
    n_stable: int
    expected_false: float | None

    @classmethod
    def of(cls, path: LassoPath, stability: StabilitySelection) -> SelectionEvidence:
        """Collect the evidence from both results."""
        return cls(
            path_status=path.message,
            path_n_active=int(path.n_active[-1]),
            path_duality_gap=float(path.duality_gap.max()),
            subsamples=len(stability.subsamples),
            subsamples_at_bound=int(stability.at_bound.sum()),
            subsamples_duality_gap=float(stability.duality_gap.max()),
            threshold=stability.error_bound.threshold,
            n_stable=int(stability.selected.sum()),
            expected_false=stability.error_bound.meinshausen_buehlmann,
        )


@dataclass(frozen=True)
class ProjectionEvidence:
    """How exact the Lasso solutions of the posterior draws are.

    Attributes
    ----------
    draws, reached
        Draws projected, and those whose path reaches the number of SNPs of the point estimate.
    duality_gap
        Largest relative duality gap.
    mcse
        Largest Monte Carlo error of a selection frequency.
    """

    draws: int
    reached: int
    duality_gap: float
    mcse: float

    @classmethod
    def of(cls, projection: Projection) -> ProjectionEvidence:
        """Collect the evidence."""
        return cls(
            draws=len(projection.reached),
            reached=int(projection.reached.sum()),
            duality_gap=float(projection.duality_gap.max()),
            mcse=float(projection.mcse.max()),
        )


@dataclass(frozen=True)
class SamplingEvidence:
    """How well the chains agree, and how leave-one-out fares.

    Attributes
    ----------
    sampler
        "nuts" or "composite".
    chains, warmup, draws, divergences
        Chains, draws of each before those that count, draws of each, divergent transitions in all.
    r_hat, r_hat_of, ess_bulk, ess_bulk_of
        Worst R-hat and bulk effective sample size among the hyper-parameters, and whose they are; an R-hat that is
        undefined is the worst, and None.
    snps_watched, snp_r_hat, snp_r_hat_of
        SNPs with a pip above 0.05, the worst R-hat among them (None if undefined, or there are none) and whose it
        is.
    pip_prior
        Probability, before any data, that a SNP is included: the baseline of pip. None for a model of your own.
    unmoved
        Hyper-parameters of which some chain gives the same draw again and again, with the numbers of these chains.
    elpd_loo, elpd_loo_se
        Expected log predictive density of an individual left out, summed, with its standard error; None where the
        draws are too alike for it, as those of a chain that does not move are.
    pareto_k_limit, pareto_k_good, pareto_k_bad, pareto_k_very_bad
        Individuals with Pareto k up to the limit, up to 1, and above.
    """

    sampler: str
    chains: int
    warmup: int
    draws: int
    divergences: int
    r_hat: float | None
    r_hat_of: str
    ess_bulk: float
    ess_bulk_of: str
    snps_watched: int = 0
    snp_r_hat: float | None = None
    snp_r_hat_of: str = ""
    pip_prior: float | None = None
    unmoved: str = ""
    elpd_loo: float | None = None
    elpd_loo_se: float | None = None
    pareto_k_limit: float | None = None
    pareto_k_good: int = 0
    pareto_k_bad: int = 0
    pareto_k_very_bad: int = 0

    @classmethod
    def of(
        cls,
        tree: xr.DataTree,
        hyper: pd.DataFrame,
        inclusion: pd.DataFrame | None = None,
        variance_share: float = 0.001,
    ) -> SamplingEvidence:
        """Collect the evidence from the posterior, its `hyper_table` and, of a run, its `inclusion_table`."""
        sizes = tree["posterior"].sizes
        evidence = cls(
            sampler=tree.attrs["sampler"],
            chains=sizes["chain"],
            warmup=tree.attrs["warmup"],
            draws=sizes["draw"],
            divergences=int(tree["sample_stats"]["diverging"].sum()) if "diverging" in tree["sample_stats"] else 0,
            r_hat=float(hyper["r_hat"].max(skipna=False)),
            r_hat_of=str(hyper["r_hat"].fillna(np.inf).idxmax()),
            ess_bulk=float(hyper["ess_bulk"].min()),
            ess_bulk_of=str(hyper["ess_bulk"].idxmin()),
            pip_prior=snp_prior(tree, variance_share),
            unmoved="; ".join(
                f"{name} in chain {', '.join(map(str, chains))}" for name, chains in unmoved_chains(tree).items()
            ),
        )
        if inclusion is not None:
            evidence = evidence._watch(inclusion)
        loo = leave_one_out(tree, hyper)
        if loo is None:
            return evidence
        k = loo.pareto_k.values
        return replace(
            evidence,
            elpd_loo=float(loo.elpd),
            elpd_loo_se=float(loo.se),
            pareto_k_limit=float(loo.good_k),
            pareto_k_good=int(np.count_nonzero(k <= loo.good_k)),
            pareto_k_bad=int(np.count_nonzero((k > loo.good_k) & (k <= 1))),
            pareto_k_very_bad=int(np.count_nonzero(~(k <= 1))),
        )

    def _watch(self, inclusion: pd.DataFrame) -> SamplingEvidence:
        """Add the worst R-hat of the SNPs that matter."""
        found = snp_agreement(inclusion["pip"].to_numpy(), inclusion["r_hat"].to_numpy())
        if not found.notable:
            return self
        r_hat = found.r_hat if np.isfinite(found.r_hat) else np.nan
        name = str(inclusion["snp"].iloc[found.snp])
        return replace(self, snps_watched=found.notable, snp_r_hat=r_hat, snp_r_hat_of=name)


def leave_one_out(tree: xr.DataTree, hyper: pd.DataFrame) -> ELPDData | None:
    """Return leave-one-out of a posterior with its `hyper_table`, or None where the draws are too alike for it."""
    import arviz_stats  # whoever reads evidence does without

    sizes = tree["posterior"].sizes
    relative_ess = float(hyper["ess_bulk"].mean()) / (sizes["chain"] * sizes["draw"])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # high Pareto k: counted by whoever asks
            return arviz_stats.loo(with_log_likelihood(tree), pointwise=True, reff=min(1.0, relative_ess))
    except ValueError:  # no Pareto distribution fits a tail of equal values
        return None

"""The evidence for a result: duality gaps, R-hat, effective sample sizes, divergences, Pareto k.

Thresholds: R-hat 1.01 and 400 effective draws (Vehtari, Gelman, Simpson, Carpenter, Buerkner 2021,
doi:10.1214/20-BA1221); Pareto k min(1 - 1 / log10(draws), 0.7) (Vehtari, Simpson, Gelman, Yao, Gabry 2024,
https://jmlr.org/papers/v25/19-556.html).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_lmmlasso.lasso import LassoPath, StabilitySelection
from bayes_lmmlasso.lmm import NullStatus
from bayes_lmmlasso.posterior import Projection
from bayes_lmmlasso.posterior.summaries.movement import unmoved_chains

__all__ = [
    "R_HAT_LIMIT",
    "ProjectionEvidence",
    "SamplingEvidence",
    "SelectionEvidence",
    "cautions",
    "cautions_of_evidence",
]

R_HAT_LIMIT = 1.01
_ESS_LIMIT = 400
_GAP_LIMIT = 1e-8
_SKEWNESS_LIMIT = 1.0


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
        Worst R-hat and bulk effective sample size among the hyper-parameters, and whose they are.
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
    unmoved: str = ""
    elpd_loo: float | None = None
    elpd_loo_se: float | None = None
    pareto_k_limit: float | None = None
    pareto_k_good: int = 0
    pareto_k_bad: int = 0
    pareto_k_very_bad: int = 0

    @classmethod
    def of(cls, tree: xr.DataTree, hyper: pd.DataFrame) -> SamplingEvidence:
        """Collect the evidence from the posterior and its `hyper_table`."""
        import arviz_stats  # whoever reads evidence does without

        sizes = tree["posterior"].sizes
        evidence = cls(
            sampler=tree.attrs["sampler"],
            chains=sizes["chain"],
            warmup=tree.attrs["warmup"],
            draws=sizes["draw"],
            divergences=int(tree["sample_stats"]["diverging"].sum()) if "diverging" in tree["sample_stats"] else 0,
            r_hat=float(hyper["r_hat"].max()),
            r_hat_of=str(hyper["r_hat"].fillna(np.inf).idxmax()),
            ess_bulk=float(hyper["ess_bulk"].min()),
            ess_bulk_of=str(hyper["ess_bulk"].idxmin()),
            unmoved="; ".join(
                f"{name} in chain {', '.join(map(str, chains))}" for name, chains in unmoved_chains(tree).items()
            ),
        )
        relative_ess = float(hyper["ess_bulk"].mean()) / (sizes["chain"] * sizes["draw"])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # high Pareto k: counted here instead
                loo = arviz_stats.loo(tree, pointwise=True, reff=min(1.0, relative_ess))
        except ValueError:  # no Pareto distribution fits a tail of equal values
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


def cautions(record: Mapping[str, Any]) -> list[str]:
    """List, in plain sentences, what in a run's record calls for caution; empty if nothing does."""
    data = [remark["text"] for remark in record["data"].get("remarks", []) if remark["caution"]]
    return [*(f"{text[0].upper()}{text[1:]}." for text in data), *cautions_of_evidence(record)]


def cautions_of_evidence(record: Mapping[str, Any]) -> list[str]:
    """List those cautions that come from the results, not from the data."""
    evidence = record["evidence"]
    found = _cautions_of_sampling(SamplingEvidence(**evidence["sampling"]))
    null = record["null_model"]
    if null["at_bound"]:
        status = NullStatus.AT_UPPER_BOUND if null["log_delta"] > 0 else NullStatus.AT_LOWER_BOUND
        found.append(
            f"The null model's delta is at the bound of its search (log delta = {null['log_delta']:g}): {status.advice}"
        )
    skewness = record["data"]["trait_skewness"]  # of two values it is what it is
    if skewness is not None and abs(skewness) > _SKEWNESS_LIMIT and record["arguments"]["transform"] != "rank-normal":
        found.append(
            f"The trait is skewed (skewness {skewness:.1f}): samples far from all others can pass for large effects of "
            "SNPs. See what holds under --transform rank-normal."
        )
    if "selection" in evidence:
        found += _cautions_of_selection(SelectionEvidence(**evidence["selection"]), record["arguments"]["n_active"])
    return found


def _cautions_of_sampling(sampling: SamplingEvidence) -> list[str]:
    found = []
    sweeps = ", or with --sweeps" if sampling.sampler == "composite" else ""
    if sampling.r_hat is None or not sampling.r_hat <= R_HAT_LIMIT:
        value = "undefined" if sampling.r_hat is None else f"{sampling.r_hat:.3f}"
        found.append(
            f"The chains do not agree yet: R-hat of {sampling.r_hat_of} is {value}, and at most {R_HAT_LIMIT} "
            f"is wanted. Draw more, with --draws (and --warmup){sweeps}."
        )
    if sampling.unmoved:
        found.append(
            f"Chains that do not move: {sampling.unmoved}. Their draws say nothing of the posterior: sample again with "
            "--precision float64, or with another --seed."
        )
    if sampling.ess_bulk < _ESS_LIMIT:
        found.append(
            f"Few effective draws: {sampling.ess_bulk:.0f} for {sampling.ess_bulk_of}, and {_ESS_LIMIT} are "
            f"wanted. Draw more, with --draws{sweeps}."
        )
    if sampling.elpd_loo is None:
        found.append(
            "Leave-one-out could not be computed: the draws are too alike. Draw more, with --warmup and --draws."
        )
    if sampling.divergences:
        found.append(
            f"Divergent transitions: {sampling.divergences} of {sampling.chains * sampling.draws} draws. The "
            "sampler may have missed part of the posterior: lengthen --warmup."
        )
    return found


def _cautions_of_selection(selection: SelectionEvidence, n_active: int) -> list[str]:
    found = []
    gap = max(selection.path_duality_gap, selection.subsamples_duality_gap)
    if gap > _GAP_LIMIT:
        found.append(f"A Lasso solution is not exact: relative duality gap {gap:.1e}, and {_GAP_LIMIT:.0e} is wanted.")
    if selection.path_n_active != n_active:
        found.append(
            f"The Lasso path ended with {selection.path_n_active} active SNPs where {n_active} were asked for."
        )
    return found

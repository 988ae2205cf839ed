"""What calls for caution in a result, in plain sentences made from its record.

Limits: R-hat 1.01 of hyper-parameters and 400 effective draws (Vehtari, Gelman, Simpson, Carpenter, Buerkner 2021,
doi:10.1214/20-BA1221); R-hat 1.05 of SNPs with a pip above 0.05, of which there are many, so that the worst is
above 1.01 by chance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from bayes_lmmlasso.lmm import NullStatus
from bayes_lmmlasso.report.evidence import SamplingEvidence, SelectionEvidence
from bayes_lmmlasso.report.prior_evidence import prior_cautions

__all__ = ["R_HAT_LIMIT", "SNP_R_HAT_LIMIT", "cautions", "cautions_of_evidence", "disagreement"]

R_HAT_LIMIT, SNP_R_HAT_LIMIT = 1.01, 1.05
_ESS_LIMIT = 400
_GAP_LIMIT = 1e-8
_SKEWNESS_LIMIT = 1.0
_PARETO_K_SHARE = 0.1  # of the samples
_AT_BOUND_SHARE = 0.25  # of the subsamples


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
    if "prior" in evidence and not disagreement(record):
        found += prior_cautions(evidence["prior"])
    return found


def disagreement(record: Mapping[str, Any]) -> str | None:
    """Say why nothing that comes from the draws is a finding yet; None where the chains agree."""
    found = _disagreements(SamplingEvidence(**record["evidence"]["sampling"]))
    return f"the chains do not agree ({found[0]})" if found else None


def _disagreements(sampling: SamplingEvidence) -> list[str]:
    """Return chains that do not move, and each R-hat that is undefined or too large, the hyper-parameters' first."""
    found = [f"no move of {sampling.unmoved}"] if sampling.unmoved else []
    if not _within(sampling.r_hat, R_HAT_LIMIT):
        found.append(f"R-hat of {sampling.r_hat_of} is {_value(sampling.r_hat)}")
    if sampling.snps_watched and not _within(sampling.snp_r_hat, SNP_R_HAT_LIMIT):
        found.append(f"R-hat of the SNP {sampling.snp_r_hat_of} is {_value(sampling.snp_r_hat)}")
    return found


def _within(r_hat: float | None, limit: float) -> bool:
    """Return whether an R-hat is defined and small enough."""
    return r_hat is not None and r_hat <= limit


def _value(r_hat: float | None) -> str:
    return "undefined" if r_hat is None or math.isnan(r_hat) else f"{r_hat:.3f}"


def _cautions_of_sampling(sampling: SamplingEvidence) -> list[str]:
    found = []
    sweeps = ", or with --sweeps" if sampling.sampler == "composite" else ""
    disagreements = _disagreements(sampling)
    if disagreements:
        found.append(
            f"The chains do not agree yet: {', '.join(disagreements)}, and at most {R_HAT_LIMIT} is wanted of "
            f"hyper-parameters, {SNP_R_HAT_LIMIT} of SNPs. Nothing that comes from the draws is a finding before they "
            f"do. Draw more, with --draws (and --warmup){sweeps}."
        )
    if sampling.unmoved:
        found.append(
            f"Chains that do not move: {sampling.unmoved}. Their draws say nothing of the posterior: sample again with "
            "--precision float64, or with another --seed."
        )
    if not sampling.ess_bulk >= _ESS_LIMIT:
        found.append(
            f"Few effective draws: {sampling.ess_bulk:.0f} for {sampling.ess_bulk_of}, and {_ESS_LIMIT} are "
            f"wanted. Draw more, with --draws{sweeps}."
        )
    if sampling.elpd_loo is None:
        found.append(
            "Leave-one-out could not be computed: the draws are too alike. Draw more, with --warmup and --draws."
        )
    bad, counted = sampling.pareto_k_bad + sampling.pareto_k_very_bad, sampling.pareto_k_good
    if bad > _PARETO_K_SHARE * (bad + counted):
        found.append(
            f"Leave-one-out is not reliable: Pareto k is above {sampling.pareto_k_limit:.2f} for {bad:,} of "
            f"{bad + counted:,} samples. Do not compare models by its elpd."
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
    if selection.subsamples_at_bound > _AT_BOUND_SHARE * selection.subsamples:
        found.append(
            f"The null model is at a bound of its search in {selection.subsamples_at_bound} of {selection.subsamples} "
            "subsamples: they are too small to tell kinship from noise, and stability frequencies depend on that. Take "
            "larger ones, with --subsample-fraction."
        )
    if selection.n_stable and selection.expected_false is not None and selection.expected_false > selection.n_stable:
        found.append(
            f"The stability threshold guarantees nothing: up to {selection.expected_false:.3g} false selections are "
            f"allowed for, and {selection.n_stable} {'SNP is' if selection.n_stable == 1 else 'SNPs are'} stable. Take "
            "a smaller --n-active."
        )
    return found

"""Results in a few lines of text, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayes_lmmlasso.cohort.intake import intake_lines
from bayes_lmmlasso.lasso import LassoPath, StabilitySelection
from bayes_lmmlasso.report.cautions import R_HAT_LIMIT, cautions_of_evidence
from bayes_lmmlasso.report.findings import largest_effect
from bayes_lmmlasso.report.priors import MEANINGS, verdict
from bayes_lmmlasso.report.tables import PRIORS, priors_of, read_tsv
from bayes_lmmlasso.report.verdict import Verdict
from bayes_lmmlasso.run.commands.demo import DemoResult
from bayes_lmmlasso.run.result import RunResult, SamplingResult
from bayes_lmmlasso.run.stages import MixedModel

if TYPE_CHECKING:
    import pandas as pd

    from bayes_lmmlasso.run.commands.predict import RunPrediction

__all__ = [
    "demo_lines",
    "null_lines",
    "path_lines",
    "prediction_lines",
    "run_lines",
    "sampling_lines",
    "stability_lines",
]

_N_NAMED = 5


def null_lines(mixed: MixedModel) -> list[str]:
    """Say what was analysed and what the null model found."""
    null = mixed.null_model
    error = f"standard error {null.pve_se:.3f}" if np.isfinite(null.pve_se) else "no standard error"
    bound = ", at the bound of the search" if null.at_bound else ""
    return [
        *mixed.intake.lines(),
        f"null model (REML): PVE {null.pve:.3f} ({error}), delta {null.delta:.4g}{bound}",
    ]


def path_lines(mixed: MixedModel, path: LassoPath) -> list[str]:
    """Name the SNPs with the largest effects in the last solution of the path."""
    beta = path.coef_sparse[[-1]].toarray()[0]
    order = abs(beta).argsort()[::-1][: min(_N_NAMED, path.n_active[-1])]
    names = mixed.analysis.variants["snp"].to_numpy()
    return [
        f"path: {path.n_active[-1]} active SNPs, {path.message}",
        "largest effects: " + ", ".join(f"{names[j]} ({beta[j]:+.3f})" for j in order),
    ]


def stability_lines(mixed: MixedModel, stability: StabilitySelection) -> list[str]:
    """Name the most stable SNPs and what the threshold guarantees."""
    order = (-stability.frequency).argsort(kind="stable")[:_N_NAMED]
    names = mixed.analysis.variants["snp"].to_numpy()
    bound = stability.error_bound
    return [
        f"stability: {stability.selected.sum()} SNPs in at least {bound.threshold:.0%} of "
        f"{len(stability.subsamples)} subsamples; expected false selections at most "
        f"{bound.meinshausen_buehlmann:.3g} (for independent samples and exchangeable SNPs)",
        "most stable: " + ", ".join(f"{names[j]} ({stability.frequency[j]:.2f})" for j in order),
    ]


def prediction_lines(prediction: RunPrediction) -> list[str]:
    """Say how many samples were predicted and how wide their intervals are."""
    table = prediction.table
    width = (table["hi"] - table["lo"]).median()
    return [
        *prediction.intake.lines(),
        f"{prediction.trait_name}: {len(table):,} samples predicted",
        f"mean {table['mean'].min():.4g} to {table['mean'].max():.4g}; median width of the 95% intervals {width:.4g}",
    ]


def sampling_lines(result: SamplingResult) -> list[str]:
    """Give the shares of variance and the evidence that the chains agree."""
    sampling = result.record["evidence"]["sampling"]
    shares = [
        f"{name} {middle:.2f} [{lo:.2f}, {hi:.2f}]"
        for name, middle, lo, hi in result.shares[["median", "lo", "hi"]].itertuples()
    ]
    r_hat = "undefined" if sampling["r_hat"] is None else f"{sampling['r_hat']:.3f}"
    return [
        "shares of variance: " + ", ".join(shares),
        f"worst R-hat {r_hat} ({sampling['r_hat_of']}; near 1 where chains agree, at most {R_HAT_LIMIT} is wanted), "
        f"fewest effective draws {sampling['ess_bulk']:.0f}, divergent transitions {sampling['divergences']}",
        *(f"caution: {caution}" for caution in cautions_of_evidence(result.record)),
    ]


def run_lines(result: RunResult) -> list[str]:
    """Say what a run comes to, name its first SNPs, and where the rest is."""
    snps = result.inclusion
    stable, largest = snps.iloc[snps["stability"].argmax()], largest_effect(snps)
    return [
        *intake_lines(result.record["data"]),
        Verdict.of(result.record, result.windows).sentence,
        f"most stable SNP: {stable['snp']} ({stable['stability']:.2f} of the subsamples)",
        *([] if largest is None else [_effect_line(largest)]),
        *sampling_lines(result),
        *(_prior_lines(result) if len(priors_of(result.record)) > 1 else []),
        f"report: {result.folder / 'report.html'}",
    ]


def _prior_lines(result: RunResult) -> list[str]:
    """Compare the priors of a run, and say in what."""
    return [
        f"priors: {verdict(read_tsv(result.folder / PRIORS))}",
        "  (elpd: expected log predictive density of individuals left out one by one; more is better, and a difference "
        "counts above two standard errors)",
    ]


def _effect_line(snp: pd.Series) -> str:
    return f"largest effect: {snp['snp']} ({snp['beta_mean']:+.3f} [{snp['beta_lo']:+.3f}, {snp['beta_hi']:+.3f}])"


def demo_lines(demo: DemoResult) -> list[str]:
    """Set what was recovered beside what was simulated."""
    where = demo.run.folder.parent
    snps = demo.snps.rename(columns=lambda name: name.replace("_", " "))
    return [
        f"{'replaced the earlier demo in' if demo.replaced else 'simulated cohort written to'} {where}",
        "",
        f"causal SNPs (effects in trait standard deviations; rank 1 is first of {len(demo.run.inclusion):,} SNPs):",
        snps.to_string(index=False, float_format="{:.3f}".format),
        "",
        *(MEANINGS[prior] for prior in priors_of(demo.run.record)),
        "",
        "shares of variance, simulated and estimated:",
        demo.shares.to_string(float_format="{:.2f}".format),
        "",
        *run_lines(demo.run),
    ]

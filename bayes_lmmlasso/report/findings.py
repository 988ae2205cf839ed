"""What the first lines of a page say: regions by name, their effects, what can be called, the first SNPs."""

from __future__ import annotations

import math

import pandas as pd

from bayes_lmmlasso.posterior import bayesian_fdr
from bayes_lmmlasso.posterior.summaries.partition import windows_of
from bayes_lmmlasso.report.verdict import FDR, place

__all__ = ["discoveries", "first_snps", "largest_effect", "named_regions", "several_signals"]

_LIKELY = 0.5  # pip above which a SNP's own effect is told
_N_REGIONS, _N_SNPS = 15, 10


def named_regions(regions: pd.DataFrame, inclusion: pd.DataFrame) -> pd.DataFrame:
    """Return the regions that have a name as a table to read, with the effects of their top SNPs."""
    snps = inclusion.drop_duplicates("snp").set_index("snp").reindex(regions["top_snp"])
    effects = [
        f"{mean:+.2f} [{lo:+.2f}, {hi:+.2f}]" if pip > _LIKELY else "shared"
        for mean, lo, hi, pip in snps[["beta_mean", "beta_lo", "beta_hi", "pip"]].to_numpy(float)
    ]
    columns = ["bayes_factor", "window_pip", "window_pip_prior", "variance_share", "top_snp", "top_snp_pip"]
    places = [place(region) for region in regions.to_dict("records")]
    table = regions[["support", *columns]].assign(effect=effects)
    table.insert(1, "region", places)
    return table.head(_N_REGIONS)


def several_signals(regions: pd.DataFrame, inclusion: pd.DataFrame, window: str) -> str:
    """Say which named regions, windows of that definition, hold several likely SNPs each; empty if none does."""
    rows = windows_of(
        inclusion["chrom"].to_numpy(), inclusion["pos"].to_numpy(), regions.reset_index(drop=True), window
    ).row
    likely = (inclusion["pip"] > _LIKELY).to_numpy()
    found = []
    for row, region in enumerate(regions.to_dict("records")):
        inside = inclusion[likely & (rows == row)]
        if len(inside) > 1:
            found.append(f"{place(region)} ({', '.join(inside['snp'].astype(str)[:4])})")
    if not found:
        return ""
    return (
        f"Several SNPs with a pip above one half lie in one window: {'; '.join(found)}. That may be several causal "
        "variants or alleles of one gene (an allelic series), or one variant that is not among the SNPs and that these "
        "describe together."
    )


def largest_effect(inclusion: pd.DataFrame) -> pd.Series | None:
    """Return the SNP with the largest mean effect among those that are likely, None without one."""
    likely = inclusion[inclusion["pip"] > _LIKELY]
    return None if likely.empty else likely.iloc[int(likely["beta_mean"].abs().to_numpy().argmax())]


def discoveries(what: str, table: pd.DataFrame, column: str) -> str:
    """Say how many discoveries a Bayesian false discovery rate allows, and how many are expected to be false."""
    rates = bayesian_fdr(table[column])
    threshold = rates.threshold_for(FDR)
    if math.isinf(threshold):
        return f"No {what} can be called: the first by {column} alone is false with probability {rates.fdr[0]:.2g}."
    k = int((rates.threshold >= threshold).sum()) - 1
    return (
        f"{what[0].upper()}{what[1:]} with {column} of at least {_at_least(threshold)}: {rates.n_selected[k]:,}, of "
        f"which {rates.expected_false[k]:.2g} are expected to be false."
    )


def _at_least(probability: float) -> str:
    """Write a bound with three decimals that does not exceed it: 0.9997 is not at least 1."""
    return f"{math.floor(1000 * probability) / 1000:.3g}"


def first_snps(inclusion: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the first SNPs by stability, by absolute posterior mean and by pip."""
    keys = {
        "stability frequency": inclusion["stability"],
        "absolute posterior mean effect": inclusion["beta_mean"].abs(),
        "posterior inclusion (pip)": inclusion["pip"],
    }
    order = {name: key.sort_values(ascending=False, kind="stable").index for name, key in keys.items()}
    return {name: inclusion.loc[rows[:_N_SNPS]] for name, rows in order.items()}

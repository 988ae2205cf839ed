"""Claim: the inclusion table of 50,000 SNPs x 4 chains x 500 draws takes less than 10 seconds on two cores.

Beside it ``arviz.summary`` (mean, sd, interval, ESS, R-hat, Monte Carlo error) on 1,000 of the SNPs in the same run,
scaled up to all. Medians of pairs. Run it with

    python3 -m uv run python benchmarks/inclusion.py

It writes ``benchmarks/inclusion.md``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

import bayes_lmmlasso as bl

SNPS, CHAINS, DRAWS, SHARED, PAIRS = 50_000, 4, 500, 1_000, 3


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def tree_of(draws: np.ndarray) -> xr.DataTree:
    """A posterior as `sample_posterior` returns it, as far as the table needs it."""
    p = draws.shape[2]
    labels = pd.DataFrame(
        {"chrom": "1", "pos": np.arange(p), "snp": "rs", "effect_allele": "A", "other_allele": "B", "eaf": 0.5}
    )
    coords = {f"variant_{name}": ("variant", labels[name].to_numpy()) for name in labels}
    posterior = xr.Dataset({"b": (("chain", "draw", "variant"), draws)})
    return xr.DataTree.from_dict({"posterior": posterior, "constant_data": xr.Dataset(coords=coords)})


def main() -> None:
    rng = np.random.default_rng(1)
    draws = rng.laplace(scale=0.01, size=(CHAINS, DRAWS, SNPS)).astype(np.float32)
    everything, part = tree_of(draws), tree_of(draws[:, :, :SHARED])
    ours, peer = [], []
    for _ in range(PAIRS):
        ours.append(seconds(lambda: bl.inclusion_table(everything)))
        peer.append(seconds(lambda: az.summary(part, var_names=["b"])) * SNPS / SHARED)
    table = (
        f"Median of {PAIRS} pairs, {os.cpu_count()} cores, {SNPS:,} SNPs x {CHAINS} chains x {DRAWS} draws.\n\n"
        "| | seconds |\n| --- | ---: |\n"
        f"| `inclusion_table` | {median(ours):.1f} |\n"
        f"| `arviz.summary` (measured on {SHARED:,} SNPs, scaled up) | {median(peer):.0f} |\n"
    )
    Path(__file__).with_suffix(".md").write_text(table, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()

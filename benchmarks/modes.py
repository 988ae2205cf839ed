"""Claim: chains find the SNPs that explain a trait without noise, or R-hat says that they did not.

Traits that real genotypes explain to the last digit, of Arabidopsis lines (arabidopsis_chr5, every k-th SNP):

    few       16 additive causal SNPs, 100 lines x 1,493 SNPs
    many      20 additive causal SNPs, 170 lines x 26,900 SNPs
    one       a trait of two values that one SNP sets, 170 lines x 26,900 SNPs

with effects drawn from N(0, 1), by default five traits of ``few``; the table has those that were run. `spike_slab` by
the composite sampler, 4 chains of the default lengths in float32. Columns: causal SNPs found in each chain (the
inclusion probabilities of a SNP and of those with |r| > 0.999 to it add up to more than a half); mean number included
in each chain; mean log posterior density in each chain but for a constant, as the iterations after warm-up have it:
what differs between chains by more than its spread is weight that a chain misses; R-hat of rho and of the number
included, and the worst of SNPs with pip above 0.05; wall-clock seconds, compilation included. Run it with

    BAYES_LMMLASSO_DATA=... python3 -m uv run python benchmarks/modes.py [--only NAME ...] [--traits N]

It replaces the rows of the traits run in ``benchmarks/modes.md``.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import bayes_lmmlasso as bl
from bayes_lmmlasso.models import RotatedData
from bayes_lmmlasso.posterior.sampler.draw import draw_posterior
from bayes_lmmlasso.posterior.sampler.plan import SamplingPlan
from bayes_lmmlasso.posterior.summaries.diagnostics import convergence, snp_agreement

TABLE = Path(__file__).with_suffix(".md")
HEAD = (
    "| trait | causal | found, by chain | included, by chain | log density, by chain | R-hat rho | R-hat included "
    "| R-hat SNPs | seconds |"
)


@dataclass(frozen=True)
class Setting:
    """Lines, SNPs and causal SNPs of a kind of trait, and how many traits of it are sampled."""

    n: int
    p: int
    causal: int
    traits: int


SETTINGS = {"few": Setting(100, 1_493, 16, 5), "many": Setting(170, 26_900, 20, 1), "one": Setting(170, 26_900, 1, 1)}


def genotypes(setting: Setting) -> NDArray[np.float64]:
    """Return standardised SNPs of the first lines, evenly spaced among those that vary."""
    data = Path(os.environ["BAYES_LMMLASSO_DATA"])
    cohort = bl.read_plink(data / "arabidopsis_chr5" / "arabidopsis_chr5_181")
    dosage = cohort["call_dosage"].values[:, : setting.n].T.astype(float)
    dosage = dosage[:, ~np.isnan(dosage).any(axis=0)]
    share = dosage.mean(axis=0) / 2
    dosage = dosage[:, (share > 0.05) & (share < 0.95)]
    chosen = dosage[:, np.linspace(0, dosage.shape[1] - 1, setting.p).astype(int)]
    return np.asarray((chosen - chosen.mean(axis=0)) / chosen.std(axis=0))


def log_density(data: RotatedData, sites: dict[str, NDArray[np.floating]]) -> NDArray[np.float64]:
    """Return log p(y | a, b, variances) p(b | s, pi) of each draw, shape (chains, draws)."""
    b, log_pi = sites["b"], sites["log_pi"].astype(float)
    d = sites["sigma2_g"][..., None].astype(float) * np.asarray(data.S) + sites["sigma2_e"][..., None]
    residual = np.asarray(data.y) - sites["a"] @ np.asarray(data.Z).T - sites["fitted"]
    likelihood = -0.5 * (np.log(d) + residual**2 / d).sum(axis=-1)
    v, h, rho = np.exp(sites["log_v"].astype(float)), sites["h"].astype(float), sites["rho"]
    s = np.sqrt(v * h * rho / (2 * data.n_snps * np.exp(log_pi)))
    k = (b != 0).sum(axis=-1)
    prior = k * (log_pi - np.log(2 * s)) + (data.n_snps - k) * np.log1p(-np.exp(log_pi)) - np.abs(b).sum(axis=-1) / s
    return np.asarray(likelihood + prior)


def row(name: str, setting: Setting, X: NDArray[np.float64], seed: int) -> str:
    """Sample one trait and return its row."""
    rng = np.random.default_rng(seed)
    causal = np.sort(rng.choice(setting.p, setting.causal, replace=False))
    y = X[:, causal] @ (rng.normal(size=setting.causal) if setting.causal > 1 else np.ones(1))
    basis = bl.Eigenbasis.from_kinship(bl.gower_scale(bl.kinship(X)))
    data = bl.rotate(X, basis, y=(y - y.mean()) / y.std(), covariates=np.ones((setting.n, 1)))
    start = time.perf_counter()
    store = draw_posterior(data, "spike_slab", SamplingPlan(seed=seed)).store
    seconds = time.perf_counter() - start
    names = ("b", "inclusion", "n_included", "log_pi", "log_v", "h", "rho", "a", "fitted", "sigma2_g", "sigma2_e")
    sites = {site: np.asarray(store.read(site)) for site in names}
    q = sites["inclusion"]
    alike = np.abs(X[:, causal].T @ X / setting.n) > 0.999
    found = (q.mean(axis=1) @ alike.T > 0.5).sum(axis=1)
    pip = q.mean(axis=(0, 1))
    notable = np.flatnonzero(pip > 0.05)
    worst = snp_agreement(pip[notable], convergence(np.moveaxis(q[..., notable], 2, 0).astype(float)).r_hat)
    r_hat = convergence(np.stack([sites["rho"], sites["n_included"]]).astype(float)).r_hat
    cells = [
        f"{name} {seed}",
        str(setting.causal),
        ", ".join(map(str, found)),
        ", ".join(f"{k:.1f}" for k in sites["n_included"].mean(axis=1)),
        ", ".join(f"{k:.0f}" for k in log_density(data, sites).mean(axis=1)),
        *(f"{value:.3f}" for value in (*r_hat, worst.r_hat)),
        f"{seconds:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Sample the traits asked for and write their rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--traits", type=int, help="traits of each kind")
    arguments = parser.parse_args()
    lines = TABLE.read_text().splitlines() if TABLE.exists() else []
    rows = {line.split(" | ")[0]: line for line in lines if line.startswith(tuple(f"| {name} " for name in SETTINGS))}
    for name in arguments.only:
        setting = SETTINGS[name]
        X = genotypes(setting)
        for seed in range(arguments.traits or setting.traits):
            line = row(name, setting, X, seed)
            rows[line.split(" | ")[0]] = line
            print(line, flush=True)
            order = sorted(rows, key=lambda key: (list(SETTINGS).index(key.split()[1]), key))
            table = [HEAD, "|" + " --- |" * HEAD.count(" | ") + " --- |", *(rows[key] for key in order)]
            TABLE.write_text("\n".join(table) + "\n")


if __name__ == "__main__":
    main()

"""The demonstration: a simulated structured cohort with known causal SNPs, analysed as real data would be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bayes_lmmlasso.cohort import sample_frame, simulate_cohort, simulate_trait, variant_frame, write_plink
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lock import LOCK, one_writer
from bayes_lmmlasso.progress import Progress, silent
from bayes_lmmlasso.report.tables import read_tsv, write_tsv
from bayes_lmmlasso.run.pipeline import run
from bayes_lmmlasso.run.result import RunResult
from bayes_lmmlasso.run.settings import RunSettings

__all__ = ["DemoResult", "run_demo"]

_SHARES = {"SNP effects": 0.4, "polygenic background": 0.2, "noise": 0.4}
_FILES = ("demo.bed", "demo.bim", "demo.fam", "demo_phenotypes.tsv", "demo_truth.tsv", "run")
_TRUTH = "demo_truth.tsv"
_OTHER = "laplace"


@dataclass(frozen=True, eq=False)
class DemoResult:
    """What the demonstration did and how much of the truth it recovered.

    Attributes
    ----------
    run
        The run.
    snps
        One row a causal SNP: snp, true_effect and beta_mean (trait standard deviations), its ranks by
        stability and by absolute posterior mean (1 is first), the window_pip and bayes_factor of its window, and
        beta_mean and window_pip under laplace.
    shares
        One row a part of the variance: true share, posterior median and 95% interval.
    replaced
        Whether an earlier demonstration was replaced.
    """

    run: RunResult
    snps: pd.DataFrame
    shares: pd.DataFrame
    replaced: bool


def run_demo(
    out: Path,
    *,
    n_samples: int = 300,
    n_variants: int = 2000,
    chains: int = 4,
    warmup: int | None = None,
    draws: int | None = None,
    subsamples: int = 100,
    seed: int = 0,
    progress: Progress = silent,
) -> DemoResult:
    """Simulate a cohort of three populations, write it as PLINK files and analyse these.

    The folder receives ``demo.bed/.bim/.fam``, ``demo_phenotypes.tsv``, ``demo_truth.tsv`` and, in
    ``run``, the results. An earlier demonstration in it is replaced.

    Parameters
    ----------
    out
        Folder: new, empty, or of an earlier demonstration.
    n_samples, n_variants
        Size of the cohort.
    chains, warmup, draws, subsamples, seed
        As in `RunSettings`.
    progress
        Told of every stage.

    Raises
    ------
    InputError
        If the folder holds anything else.
    """
    with one_writer(out):
        replaced = _check(out)
        _write_cohort(out, n_samples, n_variants, seed)
    settings = RunSettings.of(
        bfile=out / "demo",
        pheno=out / "demo_phenotypes.tsv",
        trait="simulated",
        chains=chains,
        warmup=warmup,
        draws=draws,
        subsamples=subsamples,
        model=f"spike_slab,{_OTHER}",
        window="200kb",
        seed=seed,
    )
    result = run(settings, out / "run", overwrite=True, progress=progress)
    return DemoResult(result, _recovered_snps(out, result), _recovered_shares(result), replaced)


def _check(out: Path) -> bool:
    """Return whether the folder holds an earlier demonstration, or refuse it."""
    left = (entry.name for entry in out.iterdir() if entry.suffix != ".partial")  # which is of a killed one
    names = sorted(name for name in left if name != LOCK)
    foreign = [name for name in names if name not in _FILES]
    if names and (foreign or _TRUTH not in names):
        raise InputError(
            f"expected a new folder or one of an earlier demo for --out, got {out}, which holds "
            f"{(foreign or names)[0]}: choose another folder"
        )
    return bool(names)


def _write_cohort(out: Path, n_samples: int, n_variants: int, seed: int) -> None:
    """Simulate, and write the truth first: it marks the folder as ours."""
    cohort = simulate_cohort(n_samples=n_samples, n_variants=n_variants, seed=seed)
    trait = simulate_trait(
        cohort,
        n_causal=5,
        share_snps=_SHARES["SNP effects"],
        share_structure=_SHARES["polygenic background"],
        share_noise=_SHARES["noise"],
        seed=seed,
    )
    causal = variant_frame(cohort).iloc[trait.causal][["chrom", "pos", "snp"]]
    write_tsv(causal.assign(true_effect=trait.effects / trait.y.std()), out / _TRUTH)
    write_plink(cohort, out / "demo")
    write_tsv(sample_frame(cohort).assign(simulated=trait.y), out / "demo_phenotypes.tsv")


def _recovered_snps(out: Path, result: RunResult) -> pd.DataFrame:
    """Look the causal SNPs up in the tables of the run."""
    truth = pd.read_csv(out / _TRUTH, sep="\t", dtype={"chrom": str})
    inclusion, windows = result.inclusion, result.windows
    ranked = inclusion.assign(
        rank_stability=inclusion["stability"].rank(ascending=False, method="min").astype(int),
        rank_beta_mean=inclusion["beta_mean"].abs().rank(ascending=False, method="min").astype(int),
    )
    columns = ["snp", "stability", "rank_stability", "beta_mean", "rank_beta_mean"]
    table = truth.merge(ranked[columns], on="snp", how="left")
    of_window = ["window_pip", "bayes_factor"]
    table[of_window] = _windows_of(truth, windows)[of_window]
    beside = [f"{name}_{_OTHER}" for name in ("beta_mean", "window_pip")]
    inclusion, windows = (read_tsv(result.folder / _OTHER / f"{name}.tsv") for name in ("inclusion", "windows"))
    table[beside[0]] = truth[["snp"]].merge(inclusion[["snp", "beta_mean"]], on="snp", how="left")["beta_mean"]
    table[beside[1]] = _windows_of(truth, windows)["window_pip"]
    table = table.sort_values("true_effect", key=abs, ascending=False)
    return table[["snp", "true_effect", *columns[1:], *of_window, *beside]].reset_index(drop=True)


def _windows_of(truth: pd.DataFrame, windows: pd.DataFrame) -> pd.DataFrame:
    """Return the window of each SNP, row by row."""
    inside = [
        (windows["chrom"] == chrom) & (windows["start"] <= pos) & (windows["end"] >= pos)
        for chrom, pos in zip(truth["chrom"], truth["pos"], strict=True)
    ]
    return pd.DataFrame([windows.loc[on].iloc[0] for on in inside]).reset_index(drop=True)


def _recovered_shares(result: RunResult) -> pd.DataFrame:
    """Set the posterior shares of variance beside the simulated ones."""
    return result.shares.assign(true=pd.Series(_SHARES))[["true", "median", "lo", "hi"]]

"""One small cohort and one finished run of it, shared by the tests of this process (JAX compiles for seconds)."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayes_lmmlasso import read_tree, simulate_cohort, simulate_trait
from bayes_lmmlasso.cohort import sample_frame, write_plink, write_table
from bayes_lmmlasso.models import RotatedData
from bayes_lmmlasso.posterior.sampler.record import SamplingRecord
from bayes_lmmlasso.progress import StageClock
from bayes_lmmlasso.run import RunResult, RunSettings, pipeline, run

OPTIONS = {"model": "laplace", "n_active": 5, "subsamples": 10, "chains": 2, "warmup": 40, "draws": 50, "seed": 3}
_FOLDER = tempfile.TemporaryDirectory(prefix="bayes-lmmlasso-tests-")


@cache
def cohort_folder() -> Path:
    """Folder with small.bed/.bim/.fam, pheno.tsv (several traits) and covar.tsv of 60 samples and 200 SNPs."""
    folder = Path(_FOLDER.name) / "cohort"
    folder.mkdir()
    cohort = simulate_cohort(n_samples=60, n_variants=200, contig_length=2_000_000, seed=1)
    write_plink(cohort, folder / "small")
    n = cohort.sizes["samples"]
    ids, rng = sample_frame(cohort), np.random.default_rng(5)
    trait = simulate_trait(cohort, n_causal=3, seed=1).y
    trait[[4, 9]] = np.nan
    traits = {"height": trait, "flat": np.ones(n), "empty": np.full(n, np.nan), "word": ["tall"] * n}
    shares = {"share_snps": 0.85, "share_structure": 0.05, "share_noise": 0.1}
    traits["colour"] = simulate_trait(cohort, n_causal=2, **shares, seed=4).y
    write_table(ids.assign(**traits), folder / "pheno.tsv")
    write_table(ids.assign(age=rng.normal(size=n), sex=["f", "m"] * (n // 2)), folder / "covar.tsv")
    return folder


def copy_cohort(target: Path) -> Path:
    """Copy the files of the cohort, to be spoilt by a test."""
    return Path(shutil.copytree(cohort_folder(), target, dirs_exist_ok=True))


def settings(**changes: object) -> RunSettings:
    """Settings of the small run, with changes."""
    folder = cohort_folder()
    given = {"bfile": folder / "small", "pheno": folder / "pheno.tsv", "trait": "height", **OPTIONS, **changes}
    return RunSettings.of(**given)


@cache
def finished_run() -> RunResult:
    """The small run; its folder is read-only by agreement."""
    return run(settings(covar=cohort_folder() / "covar.tsv"), Path(_FOLDER.name) / "run")


@cache
def sparse_run() -> RunResult:
    """A run of the same cohort with exact zeros; its folder is read-only by agreement."""
    return run(settings(model="spike_slab", trait="colour", window="ld", sweeps=20), Path(_FOLDER.name) / "sparse")


def quiet_record(result: RunResult | None = None) -> dict[str, Any]:
    """The record of a small run, had its chains agreed."""
    record: dict[str, Any] = json.loads(json.dumps((result or finished_run()).record))
    record["evidence"]["sampling"] |= {
        **{"r_hat": 1.004, "ess_bulk": 900.0, "divergences": 0, "snps_watched": 3, "snp_r_hat": 1.01},
        **{"snp_r_hat_of": "rs7", "pareto_k_good": 58, "pareto_k_bad": 0, "pareto_k_very_bad": 0},
    }
    record["evidence"]["selection"] |= {"n_stable": 2, "expected_false": 0.5, "subsamples_at_bound": 1}
    return record


def finished_copy(target: Path) -> Path:
    """Copy the folder of the small run, to be changed by a test."""
    return Path(shutil.copytree(finished_run().folder, target))


def skip_sampling(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let runs of the same data take the draws of a finished one for theirs, since JAX compiles for seconds."""
    tree = read_tree(folder / "posterior.zarr").load()
    log_prior = {name: values.values for name, values in tree["log_prior"].data_vars.items()}

    def sample(settings: RunSettings, data: RotatedData, order: None, store: Path, clock: StageClock) -> SamplingRecord:
        with clock("sampling"):
            shutil.copytree(folder / "checkpoint", store, ignore=shutil.ignore_patterns("chain-*"))
        return SamplingRecord(replace(data, XT=data.XT[:, :0]), log_prior, tree.attrs)

    monkeypatch.setattr(pipeline, "sample", sample)


def listing(folder: Path) -> dict[str, int]:
    """Every path below a folder with its size: equal listings mean nothing was left behind."""
    return {str(path.relative_to(folder)): path.stat().st_size for path in sorted(folder.rglob("*"))}


def contents(folder: Path) -> dict[str, bytes]:
    """Bytes of every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def inclusion_frame(p: int = 40) -> pd.DataFrame:
    """An inclusion table without a run, on three chromosomes."""
    rng = np.random.default_rng(7)
    mean = rng.normal(scale=0.05, size=p)
    return pd.DataFrame(
        {
            "chrom": np.sort(rng.choice(["1", "2", "X"], size=p)),
            "pos": np.arange(1, p + 1) * 1000,
            "snp": [f"rs{j}" for j in range(p)],
            "beta_map": np.where(rng.random(p) < 0.2, mean * 2, 0.0),
            "stability": rng.random(p),
            "beta_mean": mean,
            "beta_lo": mean - 0.1,
            "beta_hi": mean + 0.1,
            "pip": rng.random(p),
            "p_lmm": np.nan,
        }
    )

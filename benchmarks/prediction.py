"""Claim: predictive means at least as good as GEMMA's BSLMM for mice of other families, with calibrated 95% intervals.

mouse_hs1940, CD8: 757 training mice (cd8_train), 653 test mice of other families (cd8_test). In one run:

    spike_slab   `bayes-lmmlasso run --model spike_slab` and `bayes-lmmlasso predict`: predictive mean and interval
    GBLUP        REML variances plugged in: BLUP mean and its normal interval
    BSLMM        `gemma -gk 1`, `-bslmm 1 -w 10000 -s 100000` and `-predict 1`, one BLAS thread; it gives no intervals

GEMMA is the Debian package gemma. Run it with the development data (about ten minutes):

    BAYES_LMMLASSO_DATA=... python3 -m uv run python benchmarks/prediction.py

It writes ``benchmarks/prediction.md``.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import bayes_lmmlasso as bl

DATA = Path(os.environ["BAYES_LMMLASSO_DATA"]) / "mouse_hs1940"
BFILE, PHENO = DATA / "mouse_hs1940", DATA / "phenotypes.tsv"
SEED = 1
BSLMM_SEEDS = (1, 2)
COMMAND = str(Path(sys.executable).with_name("bayes-lmmlasso"))


@dataclass(frozen=True)
class Outcome:
    """Predictions of the test mice by sample id: mean and, where there is one, the 95% interval."""

    name: str
    table: pd.DataFrame
    seconds: float


def cpu_seconds() -> float:
    """CPU time of this process and its finished children: the same on a busy machine."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def timed(name: str, work: Callable[[], pd.DataFrame]) -> Outcome:
    start = cpu_seconds()
    table = work()
    return Outcome(name, table, cpu_seconds() - start)


def spike_slab(folder: Path) -> pd.DataFrame:
    out = folder / "run"
    options = ["--trait", "cd8_train", "--model", "spike_slab", "--seed", str(SEED)]
    call(COMMAND, "run", "--bfile", BFILE, "--pheno", PHENO, *options, "--out", out)
    call(COMMAND, "predict", out, "--bfile", BFILE, "--out", folder / "predicted.tsv")
    return pd.read_csv(folder / "predicted.tsv", sep="\t", dtype={"fid": str, "iid": str})


def gblup() -> pd.DataFrame:
    cohort = bl.read_plink(BFILE, phenotypes=PHENO, trait="cd8_train")
    analysis = bl.prepare(cohort, "cd8_train")
    raw = bl.kinship(analysis.X)
    K = bl.gower_scale(raw)
    basis = bl.Eigenbasis.from_kinship(K)
    null = bl.fit_null_model(analysis.y, basis, analysis.covariates, "reml")
    X = analysis.standardise(cohort)
    new = bl.lmm.cross_kinship(X, analysis.X, "rrm", mean=analysis.mean, sd=analysis.sd).scaled(K[0, 0] / raw[0, 0])
    intercept = null.fixed_effects[0]
    mean = intercept + bl.blup(new.cross, K, null.delta, analysis.y - intercept)
    explained = np.square(basis.rotate(new.cross.T)).T @ (1 / (basis.values + null.delta))
    sd = np.sqrt(null.sigma2_g * (new.diagonal - explained) + null.sigma2_e)
    values = {"mean": mean, "lo": mean - 1.96 * sd, "hi": mean + 1.96 * sd}
    ids = {"fid": cohort["sample_family_id"].values, "iid": cohort["sample_id"].values}
    return pd.DataFrame(ids | {name: analysis.trait.inverse(value) for name, value in values.items()})


def bslmm(folder: Path, seed: int) -> pd.DataFrame:
    """BSLMM's predictions; the .fam holds the training mice's trait, NA for all others."""
    fam = pd.read_csv(f"{BFILE}.fam", sep=r"\s+", header=None, dtype=str)
    train = pd.read_csv(PHENO, sep="\t", dtype=str, keep_default_na=False).set_index(["fid", "iid"])["cd8_train"]
    fam[5] = train.reindex(pd.MultiIndex.from_frame(fam[[0, 1]])).fillna("NA").to_numpy()
    fam.to_csv(folder / "m.fam", sep=" ", header=False, index=False)
    for suffix in ("bed", "bim"):
        (folder / f"m.{suffix}").symlink_to(f"{BFILE}.{suffix}")
    call("gemma", "-bfile", "m", "-gk", "1", "-o", "k", cwd=folder)
    lengths = ("-w", "10000", "-s", "100000", "-seed", str(seed))
    call("gemma", "-bfile", "m", "-bslmm", "1", *lengths, "-o", "b", cwd=folder)
    fitted = ("-epm", "output/b.param.txt", "-emu", "output/b.log.txt", "-ebv", "output/b.bv.txt")
    call("gemma", "-bfile", "m", *fitted, "-k", "output/k.cXX.txt", "-predict", "1", "-o", "p", cwd=folder)
    mean = pd.read_csv(folder / "output" / "p.prdt.txt", header=None)[0]
    return pd.DataFrame({"fid": fam[0], "iid": fam[1], "mean": mean})


def call(*command: object, cwd: Path | None = None) -> None:
    environment = os.environ | ({"OPENBLAS_NUM_THREADS": "1"} if command[0] == "gemma" else {})
    subprocess.run([str(part) for part in command], check=True, capture_output=True, cwd=cwd, env=environment)


def row(outcome: Outcome) -> str:
    truth = pd.read_csv(PHENO, sep="\t", dtype={"fid": str, "iid": str}).dropna(subset="cd8_test")
    joined = truth.merge(outcome.table, on=["fid", "iid"], validate="one_to_one")
    y, mean = joined["cd8_test"], joined["mean"]
    cells = [f"{np.corrcoef(mean, y)[0, 1]:.3f}", f"{np.mean((mean - y) ** 2):.3f}"]
    inside = f"{((joined['lo'] <= y) & (y <= joined['hi'])).mean():.1%}" if "lo" in joined else "none given"
    return f"| {outcome.name} | {' | '.join(cells)} | {inside} | {outcome.seconds:.0f} |"


def main() -> None:
    outcomes = [timed("GBLUP (REML)", gblup)]
    for seed in BSLMM_SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(timed(f"GEMMA BSLMM, 110,000 iterations, seed {seed}", lambda: bslmm(Path(folder), seed)))  # noqa: B023
    with tempfile.TemporaryDirectory() as folder:
        outcomes.append(timed(f"bayes-lmmlasso spike_slab, seed {SEED}", lambda: spike_slab(Path(folder))))
    table = (
        "mouse_hs1940, CD8, 757 training and 653 test mice of other families.\n\n"
        "| | correlation | MSE | 95% intervals cover | CPU seconds, all steps |\n| --- | ---: | ---: | ---: | ---: |\n"
        + "\n".join(row(outcome) for outcome in outcomes)
        + "\n"
    )
    Path(__file__).with_suffix(".md").write_text(table, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()

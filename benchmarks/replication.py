"""Claim: a polygenic term keeps a method from being sure of SNPs that more samples take back.

Replication failure rates (Cui et al. 2024, doi:10.1038/s41588-023-01597-3) of spike_slab with and without the
polygenic term, GEMMA's BSLMM (the program gemma) and SuSiE (the package pysusie), on real traits of mice, and on traits
simulated on mice and *Arabidopsis* whose causal SNPs are known. SNPs are thinned; kinship, and the polygenic part of
simulated traits, are those of all SNPs, tested or not, so that the background is outside and inside the tested ones.

    export BAYES_LMMLASSO_DATA=...
    python3 -m uv run --group bench python benchmarks/replication.py FOLDER

FOLDER keeps the data and the studies, and is used again; the script writes ``benchmarks/replication.md``.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import bayes_lmmlasso as bl
from bayes_lmmlasso.cohort import sample_frame, write_table
from bayes_lmmlasso.cohort.formats.plink import write_plink
from bayes_lmmlasso.studies.folder import run_study

SHARES = {"causal SNPs": 0.3, "polygenic": 0.4, "noise": 0.3}
LINKED = 0.5  # r2 with a causal SNP from which a SNP called is no false one
STUDY = """
name = "{title}"
kind = "replication"
seed = 20240101
traits = {traits}
methods = ["spike_slab-pip", "spike_slab-pip-no-polygenic", "bslmm", "susie"]
[data]
bfile = "{stem}"
pheno = "{stem}.tsv"
kinship = "{stem}.npy"
maf = {maf}
[replication]
splits = {splits}
[method.spike_slab-pip]
warmup = 15
draws = 40
[method.spike_slab-pip-no-polygenic]
warmup = 15
draws = 40
[method.bslmm]
burn_in = 5000
steps = 20000
"""


@dataclass(frozen=True)
class Case:
    """A study: genotypes, one SNP in ``thin``, so many samples, and traits that are real or simulated."""

    title: str
    bed: str
    pheno: str
    thin: int
    maf: float
    splits: int
    real: tuple[str, ...] = ()
    simulated: int = 0
    n_causal: int = 0
    samples: int | None = None


CASES = {
    "mouse-simulated": Case(
        "Mice, simulated traits",
        "mouse_hs1940/mouse_hs1940",
        "mouse_hs1940/phenotypes.tsv",
        thin=8,
        maf=0.05,
        splits=2,
        simulated=4,
        n_causal=5,
        samples=800,
    ),
    "arabidopsis-simulated": Case(
        "*Arabidopsis*, chromosome 5, simulated traits",
        "arabidopsis_chr5/arabidopsis_chr5_181",
        "arabidopsis_chr5/phenotypes_181.tsv",
        thin=20,
        maf=0.1,
        splits=2,
        simulated=4,
        n_causal=3,
    ),
    "mouse-real": Case(
        "Mice, CD8 and mean corpuscular haemoglobin",
        "mouse_hs1940/mouse_hs1940",
        "mouse_hs1940/phenotypes.tsv",
        thin=8,
        maf=0.05,
        splits=2,
        real=("cd8", "mch"),
    ),
}


def write_case(case: Case, stem: Path) -> None:
    """Write the thinned genotypes, the kinship of all SNPs, the traits and, of simulated ones, the causal SNPs."""
    data, rng = Path(os.environ["BAYES_LMMLASSO_DATA"]), np.random.default_rng(20240102)
    cohort = bl.read_plink(data / case.bed, data / case.pheno, case.real[0] if case.real else None)
    n = cohort.sizes["samples"]
    if case.samples is not None:
        cohort = cohort.isel(samples=np.sort(rng.permutation(n)[: case.samples]))
    calls = cohort["call_dosage"].values.T
    frequency = np.nanmean(calls, axis=0) / 2
    common = np.minimum(frequency, 1 - frequency) >= case.maf
    X = standardised(calls)
    np.save(f"{stem}.npy", X @ X.T / X.shape[1])
    tested = np.arange(0, cohort.sizes["variants"], case.thin)
    write_plink(cohort.isel(variants=tested), stem)
    ids = sample_frame(cohort)[["fid", "iid"]]
    if case.real:
        traits = pd.read_csv(data / case.pheno, sep="\t", dtype={"fid": str, "iid": str})
        write_table(traits[["fid", "iid", *case.real]], f"{stem}.tsv")
        return
    causal = {}
    for k in range(1, case.simulated + 1):
        chosen = np.sort(rng.choice(tested[common[tested]], case.n_causal, replace=False))
        parts = (
            X[:, chosen] @ rng.choice([-1.0, 1.0], case.n_causal),
            X @ rng.standard_normal(X.shape[1]),
            rng.standard_normal(len(X)),
        )
        shares = zip(SHARES.values(), parts, strict=True)
        ids = ids.assign(
            **{f"sim{k}": sum(np.sqrt(share) * standardised(part[:, None])[:, 0] for share, part in shares)}
        )
        causal[f"sim{k}"] = cohort["variant_id"].values[chosen].astype(str)
    write_table(ids, f"{stem}.tsv")
    pd.DataFrame(causal).melt(var_name="trait", value_name="snp").to_csv(f"{stem}.causal.tsv", sep="\t", index=False)


def standardised(A: NDArray[np.floating]) -> NDArray[np.float64]:
    """Centre columns and scale them to variance 1, missing values at the mean; constant ones are 0."""
    A = A - np.nanmean(A, axis=0)
    sd = np.nanstd(A, axis=0)
    return np.nan_to_num(A) / np.where(sd > 0, sd, 1)


def finish(name: str, case: Case, folder: Path) -> list[str]:
    """Run a study, or what is left of it, and return its section."""
    stem = folder / name
    if not stem.with_suffix(".toml").exists():
        write_case(case, stem)
        traits = list(case.real) or [f"sim{k}" for k in range(1, case.simulated + 1)]
        text = STUDY.format(title=case.title, traits=traits, stem=stem, splits=case.splits, maf=case.maf).replace(
            "'", '"'
        )
        stem.with_suffix(".toml").write_text(text, encoding="utf-8")
    result = run_study(
        stem.with_suffix(".toml"), folder / f"{name}-results", workers=int(os.environ.get("WORKERS", "1"))
    )
    return section(case, stem, result.result.tables, pd.read_csv(result.folder / "data.tsv", sep="\t"))


def section(case: Case, stem: Path, tables: dict[str, pd.DataFrame], data: pd.DataFrame) -> list[str]:
    """Return the tables of a study as text."""
    n, p = (f"{data[column].min():,} to {data[column].max():,}" for column in ("n_samples", "n_snps"))
    what = f"{len(data)} traits, {case.splits} halves of each, {n} samples, {p} tested SNPs (one in {case.thin})."
    if case.simulated:
        shares = ", ".join(f"{share:.0%} {part}" for part, share in SHARES.items())
        what += f" Shares of variance: {shares}; {case.n_causal} causal SNPs of equal effect, among the tested ones."
    head = ["method", "called in halves", "failed", "RFR", "95% interval", "expected at most"]
    rows: list[list[object]] = [
        [row.method, row.called, row.failed, percent(row.rate), limits(row.lo, row.hi), percent(row.expected)]
        for row in tables["rfr"].itertuples()
    ]
    if case.simulated:
        head += ["called, no causal SNP near", "failed ones, no causal SNP near"]
        false = false_calls(stem, tables["called"])
        rows = [[*row, *false.get(str(row[0]), ("-", "-"))] for row in rows]
    lines = [f"## {case.title}", "", what, "", *table(head, rows), ""]
    gaps = [
        [f"{row.method} - {row.reference}", percent(row.difference, "+.1%"), limits(row.lo, row.hi, "+.1%"), row.answer]
        for row in tables["rfr_differences"].itertuples()
    ]
    return [*lines, *table(["difference of rates", "", "95% interval over traits", ""], gaps), ""]


def false_calls(stem: Path, called: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Return, by method, how many SNPs called, and how many failed ones, have no causal SNP in linkage."""
    causal = pd.read_csv(f"{stem}.causal.tsv", sep="\t", dtype=str)
    cohort = bl.read_plink(stem)
    X = standardised(cohort["call_dosage"].values.T)
    place = {str(snp): j for j, snp in enumerate(cohort["variant_id"].values)}
    true = {trait: X[:, [place[snp] for snp in part["snp"]]] for trait, part in causal.groupby("trait")}
    r2 = [np.square(X[:, place[str(row.snp)]] @ true[row.trait] / len(X)).max() for row in called.itertuples()]
    table = called.assign(false=np.array(r2) < LINKED)
    return {
        str(method): (
            f"{part['false'].sum()} of {len(part)}",
            f"{part.loc[part['failed'], 'false'].sum()} of {part['failed'].sum()}",
        )
        for method, part in table.groupby("method")
    }


def percent(value: float, form: str = ".1%") -> str:
    """Write a share, or none."""
    return "-" if pd.isna(value) else f"{value:{form}}"


def limits(lo: float, hi: float, form: str = ".1%") -> str:
    """Write an interval, or none."""
    return "-" if pd.isna(lo) else f"{lo:{form}} to {hi:{form}}"


def table(head: list[str], rows: list[list[object]]) -> list[str]:
    """Return a table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(str(cell) for cell in line) + " |" for line in lines]


def main() -> None:
    """Run every study and write the page."""
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    chosen = sys.argv[2:] or list(CASES)
    sections = [line for name in chosen for line in finish(name, CASES[name], folder)]
    head = [
        "# Replication failure rate",
        "",
        *(__doc__ or "").split("\n\n")[1].splitlines(),
        "",
        "Called: pip above 0.9 in a random half of the samples. Failed: pip below 0.1 in all of them. RFR is failed",
        "over called, its exact interval takes SNPs as independent. Expected at most: the mean of 1 - pip of those",
        f"called. No causal SNP near: none with r2 of at least {LINKED} in all samples. Made by",
        "`benchmarks/replication.py`.",
        "",
        "Chains are short: 15 + 40 draws of 20 sweeps of one chain, and 5,000 + 20,000 iterations of GEMMA, a",
        "fiftieth of its default: that a SNP called by BSLMM is gone can be a chain that has not mixed. Few traits and",
        "halves: an interval that reaches 0% says no more than that no failure was seen.",
        "",
    ]
    if chosen == list(CASES):
        Path(__file__).with_suffix(".md").write_text("\n".join([*head, *sections]), encoding="utf-8")
    print("\n".join(sections))


if __name__ == "__main__":
    main()

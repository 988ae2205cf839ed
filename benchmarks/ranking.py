"""Claim: ranking SNPs, the LMM-Lasso beats single-SNP scans and the Lasso, and posterior inclusion beats both.

Figures 1 and 2 of Rakitsch et al. 2013 (doi:10.1093/bioinformatics/bts669), from the folders of their studies:

    export BAYES_LMMLASSO_DATA=...
    bayes-lmmlasso compare notebooks/studies/figure1.toml notebooks/studies/figure2.toml --out ranking
    python3 -m uv run python benchmarks/ranking.py ranking/figure1 ranking/figure2

It writes ``benchmarks/ranking.md``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd

METRICS = {
    "average_precision": "area under precision-recall",
    "roc_area": "area under ROC",
    "power_at_fdp_0.1": "power at FDP 0.1",
}
PAIRS = [
    ("lmm-lasso", "lasso"),
    ("lmm-lasso", "lmm-p3d"),
    ("lmm-lasso", "lm"),
    ("lmm-lasso-stability", "lasso-stability"),
    ("spike_slab-pip", "lmm-lasso-stability"),
    ("spike_slab-pip", "lmm-lasso"),
    ("spike_slab-pip", "mlmm"),
]


def section(folder: Path) -> list[str]:
    """Return what a study found: means of the methods, and paired differences of those that are compared."""
    record = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    summary, differences = (pd.read_csv(folder / f"{name}.tsv", sep="\t") for name in ("summary", "differences"))
    differences = differences[differences["metric"] == "average_precision"].set_index(["method", "reference"])
    lines = [f"## {record['name']}", ""]
    for setting, part in summary.groupby("setting", sort=False):
        means = part.set_index(["method", "metric"])
        methods = list(part["method"].unique())
        n = part["n"].iloc[0]
        lines += [
            f"{setting}, {n} replicates:",
            "",
            row(["", *METRICS.values()]),
            row(["---", *["---:"] * len(METRICS)]),
        ]
        lines += [row([method, *(interval(means.loc[(method, metric)]) for metric in METRICS)]) for method in methods]
        lines += ["", row(["", "difference in area under precision-recall", "replicates where larger"])]
        lines.append(row(["---", "---:", "---:"]))
        here = differences[differences["setting"] == setting]
        for method, reference in PAIRS:
            if (found := paired(here, method, reference)) is not None:
                lines.append(row([f"{method} - {reference}", *found]))
        lines.append("")
    return lines


def paired(differences: pd.DataFrame, method: str, reference: str) -> tuple[str, str] | None:
    """Return the difference with its interval, and the share of replicates, whichever way round the table has it."""
    if (method, reference) in differences.index:
        found, sign = differences.loc[(method, reference)], 1
    elif (reference, method) in differences.index:
        found, sign = differences.loc[(reference, method)], -1
    else:
        return None
    lo, hi = sorted(sign * found[["lo", "hi"]].astype(float))
    share = found["share_larger"] if sign == 1 else 1 - found["share_larger"]
    return f"{sign * found['difference']:+.3f} ({lo:+.3f} to {hi:+.3f})", f"{share:.0%}"


def interval(found: pd.Series) -> str:
    return f"{found['mean']:.3f} ({found['lo']:.3f} to {found['hi']:.3f})"


def row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    text = "Means over replicates, and paired differences, with 95% bootstrap intervals; ties count half.\n\n"
    text += "\n".join(line for folder in sys.argv[1:] for line in section(Path(folder)))
    Path(__file__).with_suffix(".md").write_text(text.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

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
    ("spike_slab-pip", "lmm-p3d"),
    ("spike_slab-pip", "mlmm"),
]


def section(folder: Path) -> list[str]:
    """Return what a study found: means of the methods, and paired differences of those that are compared."""
    record = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    summary, differences = (pd.read_csv(folder / f"{name}.tsv", sep="\t") for name in ("summary", "differences"))
    differences = differences[differences["metric"] == "average_precision"]
    table = of_one_setting if summary["setting"].nunique() == 1 else along_settings
    return [f"## {record['name']}", "", *table(summary, differences), ""]


def of_one_setting(summary: pd.DataFrame, differences: pd.DataFrame) -> list[str]:
    """Return a table of methods by metrics, and one of pairs of methods."""
    means = summary.set_index(["method", "metric"])
    lines = [f"{summary['setting'].iloc[0]}, {summary['n'].iloc[0]} replicates:", "", *head(["", *METRICS.values()])]
    lines += [
        row([method, *(interval(means.loc[(method, metric)]) for metric in METRICS)])
        for method in summary["method"].unique()
    ]
    lines += ["", *head(["", "difference in area under precision-recall", "replicates where larger"])]
    found = differences.set_index(["method", "reference"])
    lines += [row([name(pair), *cells]) for pair in PAIRS if (cells := paired(found, *pair)) is not None]
    return lines


def along_settings(summary: pd.DataFrame, differences: pd.DataFrame) -> list[str]:
    """Return a table of settings by methods, and one of settings by pairs of methods."""
    means = summary[summary["metric"] == "average_precision"].set_index(["setting", "method"])
    settings, methods = (list(means.index.unique(level)) for level in ("setting", "method"))
    lines = [f"Area under precision-recall, {summary['n'].iloc[0]} replicates a setting:", "", *head(["", *methods])]
    lines += [row([setting, *(interval(means.loc[(setting, method)]) for method in methods)]) for setting in settings]
    found = differences.set_index(["setting", "method", "reference"])
    pairs = [pair for pair in PAIRS if paired(found.loc[settings[0]], *pair) is not None]
    lines += ["", "Differences, and the share of replicates where they are above zero:", ""]
    lines += head(["", *map(name, pairs)])
    for setting in settings:
        cells = (paired(found.loc[setting], *pair) for pair in pairs)
        lines.append(row([setting, *(", ".join(cell) for cell in cells if cell is not None)]))
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


def name(pair: tuple[str, str]) -> str:
    return " - ".join(pair)


def head(cells: list[str]) -> list[str]:
    return [row(cells), row(["---", *["---:"] * (len(cells) - 1)])]


def row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    text = "Means over replicates, and paired differences, with 95% bootstrap intervals; ties count half.\n\n"
    text += "\n".join(line for folder in sys.argv[1:] for line in section(Path(folder)))
    Path(__file__).with_suffix(".md").write_text(text.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

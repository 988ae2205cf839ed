"""Claim: the LMM-Lasso predicts more traits better than the Lasso, and how the posterior mean compares.

Figure 3 of Rakitsch et al. 2013 (doi:10.1093/bioinformatics/bts669), from the folders of its studies:

    export BAYES_LMMLASSO_DATA=...
    bayes-lmmlasso compare notebooks/studies/figure3_*.toml --out figure3
    python3 -m uv run python benchmarks/figure3.py figure3/*/

It replaces the sections of these studies in ``benchmarks/figure3.md``.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pandas as pd

TABLE = Path(__file__).with_suffix(".md")


def section(folder: Path) -> tuple[str, str]:
    """Return the name of a study and what it found: conclusions, means of the methods, values of the traits."""
    record = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    names = ("wins", "summary", "accuracy", "traits")
    wins, summary, accuracy, traits = (pd.read_csv(folder / f"{name}.tsv", sep="\t") for name in names)
    lines = [*(f"- {text}" for text in wins["conclusion"]), ""]
    head = ["", "r2", "r", "coverage of 95% intervals", "SNPs in the model", "r2 lost to Monte Carlo error"]
    lines += [row(head), row(["---", *["---:"] * 5])]
    means = summary.set_index(["method", "metric"])
    for method in accuracy["method"].unique():
        shown = [interval(means, method, metric) for metric in ("r2", "r", "coverage", "size", "mc_loss")]
        lines.append(row([method, *shown]))
    lines += ["", "Means over traits with 95% bootstrap intervals. By trait:", ""]
    methods = list(accuracy["method"].unique())
    r2 = accuracy.pivot(index="trait", columns="method", values="r2")
    size = accuracy.pivot(index="trait", columns="method", values="size")
    samples = accuracy.groupby("trait")["n"].first()
    pairs = list(zip(wins["method"], wins["reference"], strict=True))
    sparse = [method for method in methods if method != "blup"]
    head = ["trait", "samples", *(f"r2 {method}" for method in methods), *(f"SNPs {method}" for method in sparse)]
    lines.append(row([*head, *(f"{method} - {reference}" for method, reference in pairs)]))
    lines.append(row(["---", *["---:"] * (len(head) - 1 + len(pairs))]))
    found = traits.set_index(["method", "reference", "trait"])
    for trait in accuracy["trait"].unique():
        values = [f"{r2.loc[trait, method]:.3f}" for method in methods]
        values += [f"{size.loc[trait, method]:.0f}" for method in sparse]
        for pair in pairs:
            part = found.loc[(*pair, trait)]
            values.append(f"{part['difference']:+.3f} ({part['lo']:+.3f} to {part['hi']:+.3f})")
        lines.append(row([trait, str(samples[trait]), *values]))
    return record["name"], "\n".join(lines)


def interval(means: pd.DataFrame, method: str, metric: str) -> str:
    if (method, metric) not in means.index:
        return "none"
    mean, lo, hi = means.loc[(method, metric), ["mean", "lo", "hi"]]
    digits = 0 if metric == "size" else 3
    return "none" if pd.isna(mean) else f"{mean:.{digits}f} ({lo:.{digits}f} to {hi:.{digits}f})"


def row(values: list[str]) -> str:
    return "| " + " | ".join(values) + " |"


def main(folders: list[str]) -> None:
    text = (
        "Ten-fold cross-validation, all that is learnt, learnt from the training samples. r2 is the share of variance "
        "explained in unseen samples; differences in r2 have 95% bootstrap intervals over samples, paired.\n"
    )
    known = TABLE.read_text(encoding="utf-8") if TABLE.exists() else ""
    parts = re.split(r"^## (.*)$", known, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True)) | dict(section(Path(folder)) for folder in folders)
    text += "".join(f"\n## {name}\n\n{body.strip()}\n" for name, body in sections.items())
    TABLE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

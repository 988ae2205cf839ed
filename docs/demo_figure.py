"""The picture of README: what the demonstration finds along the genome, with its causal SNPs marked.

    bayes-lmmlasso demo --out demo
    python docs/demo_figure.py demo docs/images/demo.png

The demonstration is seeded, so the picture is the same each time.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from bayes_lmmlasso.plots import png, stacked_manhattan

STABLE = 0.6


def demo_figure(inclusion: pd.DataFrame, windows: pd.DataFrame, truth: pd.DataFrame) -> Figure:
    """Scan, stability selection and posterior of the demonstration, one below the other, causal SNPs ringed."""
    quantities = [name for name in ("p_lmm", "stability", "pip") if name in inclusion]
    lines = {"stability": {f"stable from {STABLE}": STABLE}}
    axes = stacked_manhattan(inclusion, windows, quantities, lines=lines, names=0, mark=set(truth["snp"]))
    figure = axes[0].figure
    figure.set_size_inches(8.0, 5.6)
    return figure


def main(folder: Path, picture: Path) -> None:
    """Draw the picture of a demonstration."""
    inclusion, windows, truth = (
        pd.read_csv(folder / name, sep="\t", dtype={"chrom": str})
        for name in ("run/inclusion.tsv", "run/windows.tsv", "demo_truth.tsv")
    )
    picture.write_bytes(png(demo_figure(inclusion, windows, truth), dpi=110))


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))

"""The picture of README: what the demonstration finds along the genome, with its causal SNPs marked.

    bayes-lmmlasso demo --out demo
    python docs/demo_figure.py demo docs/images/demo.png

The demonstration is seeded, so the picture is the same each time.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayes_lmmlasso.plots.genome import Genome
from bayes_lmmlasso.plots.run import PALETTE, png, styled

BLUE, _, _, RED, _, SKY, *_ = PALETTE
STABLE = 0.6


@styled
def demo_figure(inclusion: pd.DataFrame, windows: pd.DataFrame, truth: pd.DataFrame) -> Figure:
    """Scan, stability selection and posterior of the demonstration, one below the other."""
    genome = Genome.of(inclusion)
    causal = inclusion["snp"].isin(truth["snp"]).to_numpy()
    figure = Figure(figsize=(8.0, 5.2), layout="constrained")
    scan, stability, posterior = figure.subplots(3, 1, sharex=True)
    _points(scan, genome, -np.log10(inclusion["p_lmm"].to_numpy(float)), causal)
    scan.set_title("one SNP at a time, mixed model:  -log10 p")
    _points(stability, genome, inclusion["stability"].to_numpy(float), causal)
    stability.axhline(STABLE, color=RED, linewidth=0.8, linestyle="--")
    stability.set_title("LMM-Lasso on 100 halves of the samples:  share of them that select the SNP")
    for row in windows.itertuples():
        on = (inclusion["chrom"] == row.chrom) & inclusion["pos"].between(row.start, row.end)
        x = genome.x[on.to_numpy()]
        colour = (BLUE, SKY)[genome.number[on.to_numpy()][0] % 2]
        posterior.fill_between([x.min(), x.max()], 0, row.window_pip, color=colour, linewidth=0)
    posterior.plot(genome.x[causal], np.zeros(causal.sum()), "^", color=RED, markersize=6, clip_on=False, zorder=4)
    posterior.set_ylim(0, 1)
    posterior.set_title("posterior:  probability that a window of 200 kb explains more than 1% of the variance")
    posterior.set_xticks(genome.ticks, [f"chromosome {label}" for label in genome.labels])
    for axes in (scan, stability, posterior):
        axes.tick_params(axis="x", length=0)
    posterior.set_xlim(-0.01 * genome.length, 1.01 * genome.length)
    return figure


def _points(axes: Axes, genome: Genome, values: np.ndarray, causal: np.ndarray) -> None:
    """One point a SNP, causal ones ringed, with a mark of their place on the axis."""
    for parity, colour in ((0, BLUE), (1, SKY)):
        on = genome.number % 2 == parity
        axes.scatter(genome.x[on], values[on], s=7, color=colour, linewidths=0, clip_on=False)
    axes.scatter(
        genome.x[causal],
        values[causal],
        s=42,
        facecolors="none",
        edgecolors=RED,
        linewidths=1.3,
        clip_on=False,
        zorder=3,
    )
    axes.set_ylim(0, max(1.0, 1.05 * float(values.max())))


def main(folder: Path, picture: Path) -> None:
    """Draw the picture of a demonstration."""
    inclusion, windows, truth = (
        pd.read_csv(folder / name, sep="\t", dtype={"chrom": str})
        for name in ("run/inclusion.tsv", "run/windows.tsv", "demo_truth.tsv")
    )
    picture.write_bytes(png(demo_figure(inclusion, windows, truth), dpi=110))


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))

"""What the linked figures and tables of a run share: one data source of SNPs, one of windows, one of regions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from bokeh.models import ColumnDataSource
from numpy.typing import NDArray

from bayes_lmmlasso.plots.genome import Genome
from bayes_lmmlasso.posterior.summaries.partition import SnpPlaces, windows_of
from bayes_lmmlasso.posterior.summaries.windows import rank_windows
from bayes_lmmlasso.report.disagreements import Linkage
from bayes_lmmlasso.report.interactive.thinning import drawn

__all__ = ["WINDOW_COLUMNS", "Sources"]

_LEAST_P = 1e-300  # p-values are drawn down to here
_N_REGIONS, _REGION_SNPS = 24, 600
_ONE, _OTHER = "#0072B2", "#56B4E9"  # chromosomes in turn
_SNP_COLUMNS = (
    *("snp", "chrom", "pos", "effect_allele", "eaf", "beta_map", "stability", "beta_mean", "beta_lo", "beta_hi"),
    *("pip", "lfsr", "r_hat", "p_lmm", "selection_freq"),
)
WINDOW_COLUMNS = (
    *("chrom", "start", "end", "n_snps", "bayes_factor", "window_pip", "window_pip_prior", "variance_share"),
    *("top_snp", "top_snp_pip", "r_hat"),
)


@dataclass(frozen=True, eq=False)
class Sources:
    """The data behind the figures.

    Attributes
    ----------
    snps, windows, regions
        Rows are SNPs that are drawn, by pip, windows by rank, and SNPs of the first windows and their surroundings.
    genome
        Where all SNPs lie.
    n_drawn
        How many SNPs are drawn.
    scanned
        Whether there are p-values.
    """

    snps: ColumnDataSource
    windows: ColumnDataSource
    regions: ColumnDataSource
    genome: Genome
    n_drawn: int
    scanned: bool

    @classmethod
    def of(
        cls,
        inclusion: pd.DataFrame,
        windows: pd.DataFrame,
        window: str,
        sets: pd.DataFrame | None,
        linkage: Linkage,
    ) -> Sources:
        """Collect them from the tables of a run, with the definition of its windows and the SNPs' correlations."""
        genome = Genome.of(inclusion)
        logp = -np.log10(np.maximum(inclusion["p_lmm"].to_numpy(float), _LEAST_P))
        ranked = rank_windows(windows).reset_index(drop=True)
        at = windows_of(inclusion["chrom"].to_numpy(), inclusion["pos"].to_numpy(), ranked, window)
        rows = drawn(genome.x, [inclusion["pip"].to_numpy(float), inclusion["stability"].to_numpy(float), logp])
        named = np.flatnonzero(inclusion["snp"].isin(ranked["top_snp"].head(_N_REGIONS)).to_numpy())
        rows = np.union1d(rows, named)
        rows = rows[np.argsort(-inclusion["pip"].to_numpy(float)[rows], kind="stable")]
        snps = _columns(inclusion.iloc[rows], _SNP_COLUMNS) | {
            "x": genome.x[rows],
            "logp": logp[rows],
            "colour": np.where(genome.number[rows] % 2, _OTHER, _ONE).tolist(),
            "window": at.row[rows].astype(np.int32),
        }
        places = _windows_at(inclusion, ranked, genome)
        return cls(
            ColumnDataSource(snps),
            ColumnDataSource(_columns(ranked, WINDOW_COLUMNS) | places),
            ColumnDataSource(_regions(inclusion, ranked, at, sets, logp, linkage), name="regions"),
            genome,
            len(rows),
            bool(np.isfinite(logp).any()),
        )


def _columns(table: pd.DataFrame, names: Iterable[str]) -> dict[str, list[str] | NDArray[np.float64]]:
    """Return columns as a source takes them: text as lists, numbers as arrays."""
    return {
        name: table[name].astype(str).tolist()
        if any(isinstance(value, str) for value in table[name])
        else table[name].to_numpy(np.float64, na_value=np.nan)
        for name in names
    }


def _windows_at(
    inclusion: pd.DataFrame, ranked: pd.DataFrame, genome: Genome
) -> dict[str, NDArray[np.float64] | list[str]]:
    """Return where windows are drawn, each at its top SNP, and their Bayes factor's logarithm."""
    rows = pd.Series(np.arange(len(inclusion)), index=inclusion["snp"])
    row = rows[~rows.index.duplicated()].reindex(ranked["top_snp"]).to_numpy()
    with np.errstate(divide="ignore"):
        log_factor = np.log10(ranked["bayes_factor"].to_numpy(float))
    return {
        "x": genome.x[row],
        "log_bf": log_factor,
        "colour": np.where(genome.number[row] % 2, _OTHER, _ONE).tolist(),
    }


def _regions(
    inclusion: pd.DataFrame,
    ranked: pd.DataFrame,
    at: SnpPlaces,
    sets: pd.DataFrame | None,
    logp: NDArray[np.float64],
    linkage: Linkage,
) -> dict[str, list[str] | NDArray[np.float64]]:
    """Return the SNPs of the first windows, those around included, with r^2 to the window's top SNP."""
    parts = []
    in_set = _set_numbers(inclusion, sets)
    names = inclusion["snp"].to_numpy()
    for number, window in ranked.head(_N_REGIONS).iterrows():
        lead = int(np.flatnonzero(names == window["top_snp"])[0])
        margin = (window["end"] - window["start"] + 1) / 2
        near = (at.place >= window["start"] - margin) & (at.place <= window["end"] + margin)
        rows = np.flatnonzero(near & np.isin(at.row, ranked.index[ranked["chrom"] == window["chrom"]]))
        rows = rows[np.argsort(np.abs(at.place[rows] - at.place[lead]), kind="stable")][:_REGION_SNPS]
        rows = np.sort(np.union1d(rows, [lead]))
        part = inclusion.iloc[rows][["snp", "chrom", "pos", "pip", "stability", "p_lmm", "beta_mean"]]
        parts.append(
            part.assign(
                region=str(number),
                place=at.place[rows],
                logp=logp[rows],
                r2=linkage(lead, rows) ** 2,
                set=in_set[rows],
                size=np.where(rows == lead, 13.0, 7.0),
            )
        )
    return _columns(pd.concat(parts), parts[0].columns)


def _set_numbers(inclusion: pd.DataFrame, sets: pd.DataFrame | None) -> NDArray[np.object_]:
    """Return the number of each SNP's credible set as text, empty if in none."""
    number = {}
    if sets is not None:
        number = {snp: str(k + 1) for k, snps in enumerate(sets["snps"]) for snp in str(snps).split(",")}
    return np.array([number.get(snp, "none") for snp in inclusion["snp"]], dtype=object)

"""What a run comes to, before anything else: which regions are supported, which are suggestive, or that none is.

A window is *supported* if it is among those that a Bayesian false discovery rate of 5% calls (Newton, Noueiry, Sarkar,
Ahlquist 2004, doi:10.1093/biostatistics/5.2.155) and the data make it at least ten times as likely as the prior does:
a Bayes factor of 10 is strong evidence to Jeffreys (Kass, Raftery 1995, doi:10.1080/01621459.1995.10476572). It is
*suggestive* with such a Bayes factor and more likely than not. Where chains disagree there is no verdict, and a region
that is neither has no name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pandas as pd

from bayes_lmmlasso.posterior import bayesian_fdr
from bayes_lmmlasso.posterior.summaries.windows import rank_windows
from bayes_lmmlasso.remarks import counted
from bayes_lmmlasso.report.cautions import disagreement
from bayes_lmmlasso.report.commands import command
from bayes_lmmlasso.report.tables import priors_of

__all__ = ["FDR", "LEAST_BAYES_FACTOR", "Level", "Step", "Verdict", "place"]

FDR = 0.05
"""Bayesian false discovery rate of supported regions."""
LEAST_BAYES_FACTOR = 10.0
"""Of supported and suggestive regions."""
_N_NAMED = 3


class Level(StrEnum):
    """How far a run gets; the value heads the report."""

    SUPPORTED = "Supported"
    SUGGESTIVE = "Suggestive"
    NONE = "No region can be called"
    OPEN = "No verdict yet"


@dataclass(frozen=True)
class Step:
    """What to do next: why, and the command; DIR in it is the folder of the run."""

    why: str
    command: str


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a run comes to.

    Attributes
    ----------
    level
        How far it gets.
    sentence
        The same with its reason, in words.
    regions
        Rows of the window table that have a name, the best first, with the column ``support``.
    steps
        What to do next.
    """

    level: Level
    sentence: str
    regions: pd.DataFrame
    steps: tuple[Step, ...]

    @classmethod
    def of(cls, record: Mapping[str, Any], windows: pd.DataFrame) -> Verdict:
        """Judge a run by its record and its window table.

        Parameters
        ----------
        record
            What ``run.json`` says.
        windows
            ``windows.tsv``.
        """
        reason = disagreement(record)
        if reason is not None:
            return cls(
                Level.OPEN, f"No verdict yet: {reason}.", windows.head(0).assign(support=""), _open_steps(record)
            )
        regions = _named_regions(windows)
        supported = int((regions["support"] == Level.SUPPORTED.lower()).sum())
        level = Level.SUPPORTED if supported else Level.SUGGESTIVE if len(regions) else Level.NONE
        return cls(level, _sentence(level, regions, len(windows)), regions, _steps(level, record))


def place(region: Mapping[Any, Any]) -> str:
    """Write where a window is, as a genome browser takes it."""
    return f"{region['chrom']}:{region['start']:,}-{region['end']:,}"


def _named_regions(windows: pd.DataFrame) -> pd.DataFrame:
    """Return the windows that are supported or suggestive, the best first."""
    ranked = rank_windows(windows)
    called = ranked["window_pip"] >= bayesian_fdr(ranked["window_pip"]).threshold_for(FDR)
    strong = ranked["bayes_factor"].fillna(math.inf) >= LEAST_BAYES_FACTOR  # a model of your own has no baseline
    supported, likely = called & strong, strong & (ranked["window_pip"] > 0.5)
    support = supported.map({True: Level.SUPPORTED.lower(), False: Level.SUGGESTIVE.lower()})
    return ranked.assign(support=support)[supported | likely].sort_values("support", ascending=False, kind="stable")


def _sentence(level: Level, regions: pd.DataFrame, n_windows: int) -> str:
    if level is Level.NONE:
        return (
            f"No region can be called: none of the {n_windows:,} windows is more likely than not to hold an effect and "
            f"made {LEAST_BAYES_FACTOR:g} times as likely by the data."
        )
    parts = []
    for support, rows in regions.groupby("support", sort=False):
        names = [place(row) for row in rows.head(_N_NAMED).to_dict("records")]
        more = f" and {len(rows) - len(names):,} more" if len(rows) > len(names) else ""
        parts.append(
            f"{counted(len(rows), 'region')} {'is' if len(rows) == 1 else 'are'} {support}: {', '.join(names)}{more}"
        )
    rest = "" if len(parts) > 1 or level is Level.SUGGESTIVE else " No other is suggestive."
    none = " None is supported." if level is Level.SUGGESTIVE else ""
    return f"{'; '.join(parts)}.{rest}{none}"


def _open_steps(record: Mapping[str, Any]) -> tuple[Step, ...]:
    sampling = record["evidence"]["sampling"]
    if sampling["unmoved"]:
        return _again(record, "Sample again in double precision:", "float64", precision="float64")
    more = Step("Draw more, from where the chains stand:", f"bayes-lmmlasso resume DIR --draws {3 * sampling['draws']}")
    if sampling["sampler"] != "composite":
        return (more,)
    return (more, *_again(record, "Or sweep more often in each draw:", "sweeps", sweeps=150))


def _steps(level: Level, record: Mapping[str, Any]) -> tuple[Step, ...]:
    arguments = record["arguments"]
    steps: tuple[Step, ...] = ()
    if level is not Level.NONE:
        steps += _again(record, "See whether another seed finds the same:", "again", seed=record["seed"] + 1)
    if len(priors_of(record)) == 1:
        both = f"{arguments['model']},{'laplace' if arguments['model'] != 'laplace' else 'spike_slab'}"
        steps += _again(record, "See what another prior says, and which one predicts better:", "priors", model=both)
    if arguments["transform"] == "none":
        steps += _again(record, "See what holds whatever the scale of the trait:", "ranks", transform="rank-normal")
    if level is Level.NONE and "cohort" not in record:
        power = command(record, "simulate", replicates=20, out="DIR-power")
        why = "Learn what such samples can show, by traits of known causal SNPs on the same genotypes:"
        steps += (Step(why, power),)
    return steps


def _again(record: Mapping[str, Any], why: str, name: str, **changes: Any) -> tuple[Step, ...]:
    """Return the run once more with other options, into a folder beside it; nothing for a cohort in memory."""
    return () if "cohort" in record else (Step(why, command(record, **changes, out=f"DIR-{name}")),)

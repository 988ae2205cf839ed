"""What is measured of a sampler: time, convergence, and distance from a long reference run."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bayes_lmmlasso.posterior.summaries.diagnostics import convergence, effective_sample_size

__all__ = ["COLUMNS", "Sampled", "cached", "cells", "measured", "summarised"]

COLUMNS = (
    "wall s",
    "CPU s",
    "R-hat hyper",
    "R-hat SNPs",
    "ESS/s hyper",
    "ESS/s SNPs",
    "r of chains",
    "r of reference",
    "largest error",
    "rms error",
    "z hyper",
    "z SNPs, rms",
    "z SNPs, largest",
    "load",
)


@dataclass(frozen=True, eq=False)
class Sampled:
    """One run: means over draws of m hyper-parameters and p per-SNP quantities (effects, or inclusion)."""

    hyper: NDArray[np.float64]  # (m,)
    hyper_error: NDArray[np.float64]  # (m,) Monte Carlo errors
    chains: NDArray[np.float64]  # (chains, p)
    error: NDArray[np.float64]  # (p,)
    scale: NDArray[np.float64]  # (p,) unit of errors: posterior standard deviations of effects, 1 for inclusion
    r_hat: NDArray[np.float64]  # (2,) worst of hyper-parameters, and of SNPs
    ess: NDArray[np.float64]  # (2,) smallest, bulk
    seconds: NDArray[np.float64] = field(default_factory=lambda: np.full(2, np.nan))  # wall clock, CPU
    load: float = np.nan  # average before the run


def summarised(hyper: NDArray, snps: NDArray, *, inclusion: bool) -> Sampled:
    """Summarise draws of shape (m, chains, draws) and (p, chains, draws)."""
    hyper, snps = hyper.astype(np.float64), snps.astype(np.float64)
    (r_hyper, ess_hyper), (r_snps, ess_snps) = convergence(hyper), convergence(snps)
    sd = snps.std(axis=(1, 2))
    return Sampled(
        hyper=hyper.mean(axis=(1, 2)),
        hyper_error=hyper.std(axis=(1, 2)) / np.sqrt(effective_sample_size(hyper)),
        chains=snps.mean(axis=2).T,
        error=sd / np.sqrt(effective_sample_size(snps)),
        scale=np.ones(len(sd)) if inclusion else sd,
        r_hat=np.array([r_hyper.max(), np.nanmax(r_snps)]),
        ess=np.array([ess_hyper.min(), ess_snps.min()]),
    )


def measured[T](work: Callable[[], T], summarise: Callable[[T], Sampled]) -> Sampled:
    """Time the work, with the processes it starts, and summarise what it returns."""
    load, wall, processor = os.getloadavg()[0], time.perf_counter(), _processor()
    result = work()
    seconds = np.array([time.perf_counter() - wall, _processor() - processor])
    return replace(summarise(result), seconds=seconds, load=load)


def cached(path: Path, work: Callable[[], Sampled]) -> Sampled:
    """Read a run from a file, or do it and keep it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        np.savez(part, **asdict(work()))
        part.replace(path)
    with np.load(path) as file:
        return Sampled(**{name: file[name] for name in file.files})


def cells(run: Sampled, reference: Sampled | None, other: Sampled | None = None) -> list[str]:
    """Return the row of the table, in the order of COLUMNS; ``other`` has another posterior of the same SNPs."""
    mean = run.chains.mean(axis=0)
    chains = min(_correlation(one, two) for one, two in combinations(run.chains, 2))
    agreement, errors = (
        ([] if other is None else [f"`spike_slab` {_correlation(mean, other.chains.mean(axis=0)):.3f}"]),
        [""] * 5,
    )
    if reference is not None:
        difference = np.abs(mean - reference.chains.mean(axis=0))
        off = difference / reference.scale
        z_hyper = np.abs(run.hyper - reference.hyper) / np.hypot(run.hyper_error, reference.hyper_error)
        known = (both := np.hypot(run.error, reference.error)) > 0
        z = difference[known] / both[known]
        errors = [f"{off.max():.3f}", f"{_rms(off):.4f}", f"{z_hyper.max():.1f}", f"{_rms(z):.2f}", f"{z.max():.1f}"]
        agreement.insert(0, f"{_correlation(mean, reference.chains.mean(axis=0)):.3f}")
    row = [f"{value:.0f}" for value in run.seconds] + [f"{value:.3f}" for value in run.r_hat]
    row += [f"{value:.3g}" for value in run.ess / run.seconds[1]] + [f"{chains:.3f}", ", ".join(agreement), *errors]
    return [cell.replace("nan", "") for cell in row] + [f"{run.load:.1f}"]


def _correlation(one: NDArray[np.float64], two: NDArray[np.float64]) -> float:
    return float(np.corrcoef(one, two)[0, 1])


def _rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.square(values).mean()))


def _processor() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime

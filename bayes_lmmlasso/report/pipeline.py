"""A whole run: one PLINK file and one trait table in; tables, posterior and report out.

    inclusion.tsv, windows.tsv, hyper.tsv, posterior.zarr, run.json, report.html

and credible_sets.tsv where the model has exact zeros.

The report is made from the other files alone, so that it can be made again from them.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.posterior import (
    add_point_estimate,
    add_stability,
    compact,
    credible_sets,
    hyper_table,
    inclusion_table,
    window_table,
    write_tree,
)
from bayes_lmmlasso.posterior.partition import check_window
from bayes_lmmlasso.posterior.shares import share_table
from bayes_lmmlasso.progress import Progress, silent
from bayes_lmmlasso.report.evidence import ProjectionEvidence, SamplingEvidence, SelectionEvidence
from bayes_lmmlasso.report.page import report_html
from bayes_lmmlasso.report.record import (
    SNP_VARIANCE_SHARE,
    WINDOW_VARIANCE_SHARE,
    announcement,
    data_record,
    null_record,
)
from bayes_lmmlasso.report.run_directory import (
    CHECKPOINT,
    RECORD,
    read_record,
    resumed_directory,
    run_directory,
    to_resume,
)
from bayes_lmmlasso.report.settings import RunSettings
from bayes_lmmlasso.report.stages import (
    Groundwork,
    StageClock,
    find_path,
    find_scan,
    find_stability,
    lay_groundwork,
    project,
    sample,
)
from bayes_lmmlasso.report.tables import write_json, write_text, write_tsv

__all__ = ["RunResult", "SamplingResult", "rebuild_report", "resume", "run", "run_sampling"]


@dataclass(frozen=True, eq=False)
class SamplingResult:
    """A finished posterior.

    Attributes
    ----------
    folder
        Where its files are.
    record
        What ``run.json`` says.
    hyper
        Summary of the hyper-parameters, one row each.
    shares
        Shares of variance: median and 95% interval.
    """

    folder: Path
    record: dict[str, Any]
    hyper: pd.DataFrame
    shares: pd.DataFrame


@dataclass(frozen=True, eq=False)
class RunResult(SamplingResult):
    """A finished run.

    Attributes
    ----------
    inclusion, windows
        One row a SNP, one row a window.
    """

    inclusion: pd.DataFrame
    windows: pd.DataFrame


def run(settings: RunSettings, out: Path, *, overwrite: bool = False, progress: Progress = silent) -> RunResult:
    """Analyse one trait from files to report.

    Parameters
    ----------
    settings
        What to do.
    out
        Folder for the results.
    overwrite
        Whether an earlier run there may be replaced.
    progress
        Told of every stage.

    Raises
    ------
    InputError
        If an input is not as it should be; ``out`` is then as it was.
    """
    record = announcement("run", settings)
    with run_directory(out, record, overwrite=overwrite) as store:
        return _analyse(settings, store, out, record, progress)


def run_sampling(
    settings: RunSettings, out: Path, *, overwrite: bool = False, progress: Progress = silent
) -> SamplingResult:
    """Sample only: ``posterior.zarr``, ``hyper.tsv`` and ``run.json``; otherwise as `run`."""
    record = announcement("sample", settings)
    with run_directory(out, record, overwrite=overwrite) as store:
        return _sample_only(settings, store, out, record, progress)


def resume(
    folder: Path, *, draws: int | None = None, until: str | None = None, progress: Progress = silent
) -> SamplingResult:
    """Go on with an interrupted run, with the result that it would have had; or add draws to a finished one.

    Parameters
    ----------
    folder
        The folder given to --out.
    draws, until
        In place of those of the run. A finished run needs one of them.
    progress
        Told of every stage.

    Raises
    ------
    InputError
        If there is no such run, its data or versions have changed, or there is nothing left to do.
    """
    known, finished = to_resume(folder)
    settings = RunSettings.from_record(known["arguments"])
    if draws is not None or until is not None:
        settings = replace(settings, draws=draws, until=until)
    elif finished:
        raise InputError(
            f"expected an unfinished run in {folder}, got one that has finished with "
            f"{known['evidence']['sampling']['draws']} draws of each chain: pass --draws to add some"
        )
    record = announcement(known["command"], settings)
    analyse = _analyse if known["command"] == "run" else _sample_only
    with resumed_directory(folder, record) as store:
        return analyse(settings, store, folder, record, progress)


def rebuild_report(folder: Path) -> Path:
    """Make ``report.html`` of a finished run again and return its path.

    Raises
    ------
    InputError
        If the folder holds no finished run, or one that was only sampled.
    """
    record = read_record(folder)
    if record["command"] != "run":
        raise InputError(
            f"expected a finished `run` in {folder}, got the result of `{record['command']}`, which has no "
            "tables: use `bayes-lmmlasso run`"
        )
    target = folder / "report.html"
    write_text(report_html(folder), target)
    return target


def _analyse(settings: RunSettings, store: Path, out: Path, record: dict[str, Any], progress: Progress) -> RunResult:
    """Do all of a run and write its files into the store."""
    clock, started = StageClock(progress), datetime.now(UTC)
    ground = lay_groundwork(settings, clock)
    check_window(settings.window, ground.analysis.cm)
    scan = find_scan(ground, clock)
    path = find_path(settings, ground, clock)
    stability = find_stability(settings, ground, clock)
    tree = sample(settings, ground, clock, store / CHECKPOINT)
    add_point_estimate(tree, path, ground.null_model)
    add_stability(tree, stability)
    projection = project(tree, clock)
    with clock("tables"):
        windows = window_table(tree, settings.window, WINDOW_VARIANCE_SHARE, snp_variance_share=SNP_VARIANCE_SHARE)
        tree, hyper = _store_posterior(tree, settings, store)
        inclusion = inclusion_table(
            tree,
            path=path,
            stability=stability,
            scan=pd.DataFrame({"p": scan.p}),
            variance_share=SNP_VARIANCE_SHARE,
            selection_freq=projection.frequency,
        )
        write_tsv(inclusion, store / "inclusion.tsv")
        write_tsv(windows, store / "windows.tsv")
        if tree.attrs["exact_zeros"]:
            write_tsv(credible_sets(tree), store / "credible_sets.tsv")
    evidence = {
        "selection": asdict(SelectionEvidence.of(path, stability)),
        "projection": asdict(ProjectionEvidence.of(projection)),
        "sampling": asdict(SamplingEvidence.of(tree, hyper)),
    }
    record |= _finished(settings, ground, evidence)
    write_json(record, store / RECORD)
    with clock("report"):
        write_text(report_html(store), store / "report.html")
    record["timings"] = _timings(started, clock)
    write_json(record, store / RECORD)
    return RunResult(out, read_record(store), hyper, share_table(tree), inclusion, windows)


def _sample_only(
    settings: RunSettings, store: Path, out: Path, record: dict[str, Any], progress: Progress
) -> SamplingResult:
    """Do the sampling of a run and write its files into the store."""
    clock, started = StageClock(progress), datetime.now(UTC)
    ground = lay_groundwork(settings, clock)
    tree = sample(settings, ground, clock, store / CHECKPOINT)
    with clock("tables"):
        tree, hyper = _store_posterior(tree, settings, store)
    record |= _finished(settings, ground, {"sampling": asdict(SamplingEvidence.of(tree, hyper))})
    record["timings"] = _timings(started, clock)
    write_json(record, store / RECORD)
    return SamplingResult(out, read_record(store), hyper, share_table(tree))


def _store_posterior(tree: xr.DataTree, settings: RunSettings, store: Path) -> tuple[xr.DataTree, pd.DataFrame]:
    """Write ``posterior.zarr`` and ``hyper.tsv``; return what was written."""
    if settings.effects == "summary":
        tree = compact(tree, SNP_VARIANCE_SHARE)
    shutil.rmtree(store / "posterior.zarr", ignore_errors=True)  # of an attempt that was interrupted
    write_tree(tree, store / "posterior.zarr")
    hyper = hyper_table(tree)
    write_tsv(hyper.rename_axis("parameter").reset_index(), store / "hyper.tsv")
    return tree, hyper


def _finished(settings: RunSettings, ground: Groundwork, evidence: dict[str, Any]) -> dict[str, Any]:
    """Return what ``run.json`` says besides the announcement and the timings."""
    return {
        "status": "finished",
        "data": data_record(settings, ground),
        "null_model": null_record(ground.null_model),
        "evidence": evidence,
    }


def _timings(started: datetime, clock: StageClock) -> dict[str, Any]:
    """Return the one part of ``run.json`` in which two equal runs differ."""
    return {
        "started": started.isoformat(timespec="seconds"),
        "seconds": {stage: round(seconds, 3) for stage, seconds in clock.seconds.items()},
    }

"""A whole run: one file of genotypes and one trait table in; tables, posterior and report out.

    inclusion.tsv, windows.tsv, hyper.tsv, posterior.zarr, run.json, report.html

and credible_sets.tsv where the model has exact zeros.

The report is made from the other files alone, so that it can be made again from them.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.progress import Progress, StageClock, silent
from bayes_lmmlasso.report.tables import RECORD, write_json, write_text
from bayes_lmmlasso.run.folder import (
    CHECKPOINT,
    PACKAGE,
    can_resume,
    read_record,
    resumed_directory,
    run_directory,
    to_resume,
)
from bayes_lmmlasso.run.processes import InOneProcess, InOwnProcesses, Steps
from bayes_lmmlasso.run.record import starting_record, versions
from bayes_lmmlasso.run.result import RunResult, SamplingResult
from bayes_lmmlasso.run.settings import RunSettings

__all__ = ["rebuild_report", "resume", "run", "run_sampling"]

_ROOM = "bayes_lmmlasso.run"  # steps are named, not imported: each may have a process of its own


def run(
    settings: RunSettings,
    out: Path,
    *,
    overwrite: bool = False,
    own_processes: bool = False,
    progress: Progress = silent,
) -> RunResult:
    """Analyse one trait from files to report.

    Parameters
    ----------
    settings
        What to do.
    out
        Folder for the results.
    overwrite
        Whether an earlier run there may be replaced.
    own_processes
        Whether sampler, and what comes before and after it, have a process each: it takes some seconds and needs about
        half of the memory.
    progress
        Told of every stage.

    Raises
    ------
    InputError
        If an input is not as it should be; ``out`` is then as it was.
    ChildProcessError
        If such a process was killed; the run can be resumed.
    """
    record = starting_record("run", settings)
    with run_directory(out, record, overwrite=overwrite) as store:
        result = _compute(settings, store, record, StageClock(progress), own_processes)
    return replace(result, folder=out)  # type: ignore[return-value]  # as the command says


def run_sampling(
    settings: RunSettings,
    out: Path,
    *,
    overwrite: bool = False,
    own_processes: bool = False,
    progress: Progress = silent,
) -> SamplingResult:
    """Sample only: ``posterior.zarr``, ``hyper.tsv`` and ``run.json``; otherwise as `run`."""
    record = starting_record("sample", settings)
    with run_directory(out, record, overwrite=overwrite) as store:
        result = _compute(settings, store, record, StageClock(progress), own_processes)
    return replace(result, folder=out)


def resume(
    folder: Path,
    *,
    draws: int | None = None,
    until: str | None = None,
    own_processes: bool = False,
    progress: Progress = silent,
) -> SamplingResult:
    """Go on with an interrupted run, with the result that it would have had; or add draws to a finished one.

    Parameters
    ----------
    folder
        The folder given to --out.
    draws, until
        In place of those of the run. A finished run needs one of them.
    own_processes, progress
        As of `run`.

    Raises
    ------
    InputError
        If there is no such run, its data or versions have changed, or there is nothing left to do.
    ChildProcessError
        As of `run`.
    """
    interrupted = can_resume(folder)  # perhaps when all was done but not yet in its place
    known, finished = to_resume(folder)
    settings = RunSettings.of(**known["arguments"])
    if draws is not None or until is not None:
        settings = settings.with_options(draws=draws, until=until)
    elif finished and not interrupted:
        raise InputError(
            f"expected an unfinished run in {folder}, got one that has finished with "
            f"{known['evidence']['sampling']['draws']} draws of each chain: pass --draws to add some"
        )
    record = starting_record(known["command"], settings)
    with resumed_directory(folder, record) as store:
        result = _compute(settings, store, record, StageClock(progress), own_processes)
    return replace(result, folder=folder)


def rebuild_report(folder: Path) -> Path:
    """Make ``report.html`` of a finished run again and return its path.

    Raises
    ------
    InputError
        If the folder holds no finished run, one that was only sampled, or one of another version.
    """
    from bayes_lmmlasso.report.page import report_html

    record = read_record(folder)
    known, present = record["versions"][PACKAGE], versions()[PACKAGE]
    if known != present:
        raise InputError(
            f"expected a run of {PACKAGE} {present} in {folder}, got one of {known}: install that version, or run the "
            "analysis again"
        )
    if record["command"] != "run":
        raise InputError(
            f"expected a finished `run` in {folder}, got the result of `{record['command']}`, which has no "
            "tables: use `bayes-lmmlasso run`"
        )
    target = folder / "report.html"
    write_text(report_html(folder), target)
    return target


def _compute(
    settings: RunSettings, store: Path, record: dict[str, Any], clock: StageClock, own_processes: bool
) -> SamplingResult:
    """Do a run in steps: data and mixed model, selection of SNPs, draws of the posterior, tables and report."""
    started, everything = datetime.now(UTC), record["command"] == "run"
    handover = store / "handover"
    shutil.rmtree(handover, ignore_errors=True)  # of an attempt that was interrupted
    steps: Steps = InOwnProcesses(clock, handover) if own_processes else InOneProcess(clock)
    mixed, data = steps.do(f"{_ROOM}.stages", "fit_and_rotate", settings, everything)
    found = [mixed, steps.do(f"{_ROOM}.stages", "select", settings, mixed)] if everything else [mixed]
    found.append(steps.do(f"{_ROOM}.sample_step", "sample", settings, data, store / CHECKPOINT))
    write = "write_results" if everything else "write_samples"
    result: SamplingResult = steps.value(steps.do(f"{_ROOM}.write", write, settings, record, *found, store))
    write_json(result.record, store / RECORD)
    if everything:
        steps.do("bayes_lmmlasso.report.page", "write_report", store)
    timings = {
        "started": started.isoformat(timespec="seconds"),
        "seconds": {stage: round(seconds, 3) for stage, seconds in clock.seconds.items()},
    }
    write_json(result.record | {"status": "finished", "timings": timings}, store / RECORD)
    return replace(result, record=read_record(store))

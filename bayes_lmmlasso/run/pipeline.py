"""A whole run: one file of genotypes and one trait table in; tables, posterior and report out.

    inclusion.tsv, windows.tsv, hyper.tsv, posterior.zarr, run.json, report.html

and credible_sets.tsv where the model has exact zeros.

The report is made from the other files alone, so that it can be made again from them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_lmmlasso.cohort import Cohort
from bayes_lmmlasso.cohort.genome import genome_order
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.integrity import MANIFEST, file_sums
from bayes_lmmlasso.lmm.rotation import rotate_arrays
from bayes_lmmlasso.lock import one_writer
from bayes_lmmlasso.posterior.summaries.partition import check_window
from bayes_lmmlasso.progress import Progress, StageClock, silent
from bayes_lmmlasso.report.tables import RECORD, write_text
from bayes_lmmlasso.run.budget import check_budget
from bayes_lmmlasso.run.folder import CHECKPOINT, check_files, read_record, resumed_directory, run_directory, settled
from bayes_lmmlasso.run.processes import in_own_process
from bayes_lmmlasso.run.publish import PACKAGE, write_own
from bayes_lmmlasso.run.record import starting_record, versions
from bayes_lmmlasso.run.result import RunResult, SamplingResult
from bayes_lmmlasso.run.sample_step import sample, sample_mapped
from bayes_lmmlasso.run.settings import RunSettings
from bayes_lmmlasso.run.stages import MixedModel, Selection, fit_mixed_model, select

if TYPE_CHECKING:
    from bayes_lmmlasso.posterior.sampler.record import SamplingRecord

__all__ = ["rebuild_report", "resume", "run", "run_sampling"]


def run(
    settings: RunSettings,
    out: Path,
    *,
    cohort: Cohort | None = None,
    overwrite: bool = False,
    own_processes: bool = False,
    progress: Progress = silent,
) -> RunResult:
    """Analyse one trait from files, or from a cohort, to report.

    Parameters
    ----------
    settings
        What to do.
    out
        Folder for the results.
    cohort
        The data, if the settings name no files.
    overwrite
        Whether an earlier run there may be replaced.
    own_processes
        Whether the sampler has a process of its own: it takes two seconds, and the larger of the two needs about two
        thirds of the memory.
    progress
        Told of every stage.

    Raises
    ------
    InputError
        If an input is not as it should be; ``out`` is then as it was.
    ChildProcessError
        If such a process was killed; the run can be resumed.
    """
    record = starting_record("run", settings, cohort)
    with run_directory(out, record, overwrite=overwrite) as store:
        result = _analyse(settings, store, record, StageClock(progress), own_processes, cohort)
    return replace(result, folder=out)


def run_sampling(
    settings: RunSettings,
    out: Path,
    *,
    overwrite: bool = False,
    own_processes: bool = False,
    progress: Progress = silent,
) -> SamplingResult:
    """Sample only: ``posterior.zarr``, ``hyper.tsv`` and ``run.json``; otherwise as `run`."""
    if len(settings.sampling.models) > 1:
        raise InputError(
            f"expected one --model to sample alone, got {settings.sampling.model}: use `run`, which sets priors side "
            "by side, or sample each by itself"
        )
    record = starting_record("sample", settings)
    with run_directory(out, record, overwrite=overwrite) as store:
        result = _sample(settings, store, record, StageClock(progress), own_processes)
    return replace(result, folder=out)


def resume(
    folder: Path,
    *,
    draws: int | None = None,
    until: str | None = None,
    cohort: Cohort | None = None,
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
    cohort
        The cohort that the run was made from, if it was made from one.
    own_processes, progress
        As of `run`.

    Raises
    ------
    InputError
        If there is no such run, its data or versions have changed, or there is nothing left to do.
    ChildProcessError
        As of `run`.
    """
    with settled(folder) as (known, finished):
        settings = RunSettings.of(**known["arguments"])
        if draws is not None or until is not None:
            settings = settings.with_options(draws=draws, until=until)
        elif finished:
            raise InputError(
                f"expected an unfinished run in {folder}, got one that has finished with "
                f"{known['evidence']['sampling']['draws']} draws of each chain: pass --draws to add some"
            )
        if "cohort" in known and cohort is None:
            raise InputError(
                f"expected the cohort that the run in {folder} was made from, got none: give it again, with "
                "bl.run.resume(folder, cohort=...)"
            )
        record = starting_record(known["command"], settings, cohort)
        compute = _analyse if known["command"] == "run" else _sample
        with resumed_directory(folder, record) as store:
            result = compute(settings, store, record, StageClock(progress), own_processes, cohort)
    return replace(result, folder=folder)


def rebuild_report(folder: Path, target: Path | None = None) -> Path:
    """Make the report of a finished run again, by default ``report.html`` in its folder, and return its path.

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
    check_files(folder, record)
    if target is not None:
        write_text(report_html(folder), target, lasting=True)
        return target
    with one_writer(folder):
        write_text(report_html(folder), folder / "report.html", lasting=True)
    return folder / "report.html"


def _analyse(
    settings: RunSettings, store: Path, record: dict[str, Any], clock: StageClock, apart: bool, cohort: Cohort | None
) -> RunResult:
    """Do a run: data and mixed model, selection of SNPs, draws of the posterior, tables and report."""
    started = datetime.now(UTC)
    if cohort is None:
        check_budget(settings.data, settings.data.trait, sampling=settings.sampling, store=store)
    mixed = fit_mixed_model(settings.data, clock, cohort)
    check_window(settings.windows.window, mixed.analysis.cm)
    selection = select(settings, mixed, clock)
    mixed = mixed.with_remarks(*selection.stability.remarks)
    first, *others = settings.by_prior()
    for other in others:
        beside = store / other.sampling.model
        beside.mkdir(exist_ok=True)
        of_other = record | {"arguments": other.options(), "given": other.given()}
        own_clock = clock.of(other.sampling.model)
        result = _posterior(other, mixed, selection, of_other, beside, own_clock, apart)
        _report(result, beside, own_clock, apart)
        _finish(result.record, beside, own_clock, started)
    result = _posterior(first, mixed, selection, record, store, clock, apart)
    if others:
        from bayes_lmmlasso.run.priors import write_priors

        with clock("priors"):
            write_priors(store, settings.sampling.models)
    _report(result, store, clock, apart)
    return replace(result, record=_finish(result.record, store, clock, started))


def _posterior(
    settings: RunSettings,
    mixed: MixedModel,
    selection: Selection,
    record: dict[str, Any],
    store: Path,
    clock: StageClock,
    apart: bool,
) -> RunResult:
    """Sample the posterior of one prior, and write its tables."""
    sampled = _draw(settings, mixed, store, clock, apart)

    from bayes_lmmlasso.run.write import write_results  # after sampling: ArviZ and more

    return write_results(settings, record, mixed, selection, sampled, store, clock)


def _report(result: RunResult, store: Path, clock: StageClock, apart: bool) -> None:
    """Write the report of what a store holds."""
    from bayes_lmmlasso.report.page import write_report

    write_own(result.record, store / RECORD)
    in_own_process(write_report, store, clock=clock) if apart else write_report(store, clock)


def _sample(
    settings: RunSettings,
    store: Path,
    record: dict[str, Any],
    clock: StageClock,
    apart: bool,
    cohort: Cohort | None = None,
) -> SamplingResult:
    """Do what a run does for its posterior alone."""
    started = datetime.now(UTC)
    if cohort is None:
        check_budget(settings.data, settings.data.trait, sampling=settings.sampling, store=store)
    mixed = fit_mixed_model(settings.data, clock, cohort)
    sampled = _draw(settings, mixed, store, clock, apart)

    from bayes_lmmlasso.run.write import write_samples

    result = write_samples(settings, record, mixed, sampled, store, clock)
    return replace(result, record=_finish(result.record, store, clock, started))


def _draw(settings: RunSettings, mixed: MixedModel, store: Path, clock: StageClock, apart: bool) -> SamplingRecord:
    """Draw from the posterior, here or in a process of its own, which maps the SNPs from a file."""
    draws = store / CHECKPOINT
    with clock("rotation"):
        data = rotate_arrays(mixed.analysis, mixed.basis, dtype=settings.sampling.precision)
    variants = mixed.analysis.variants
    order = genome_order(variants["chrom"], variants["pos"])
    if not apart:
        return sample(settings, data, order, draws, clock)
    file = store / "XT.npy"
    try:
        np.save(file, data.XT)
        data = replace(data, XT=data.XT[:0].copy())
        return in_own_process(sample_mapped, settings, data, file, order, draws, clock=clock)
    finally:
        file.unlink(missing_ok=True)


def _finish(record: dict[str, Any], store: Path, clock: StageClock, started: datetime) -> dict[str, Any]:
    """Write that a run has finished, and return what its record says."""
    timings = {
        "started": started.isoformat(timespec="seconds"),
        "seconds": {stage: round(seconds, 3) for stage, seconds in clock.seconds.items()},
    }
    names = [f"posterior.zarr/{MANIFEST}", *(table.name for table in store.glob("*.tsv"))]
    write_own(record | {"status": "finished", "files": file_sums(store, names), "timings": timings}, store / RECORD)
    return read_record(store)

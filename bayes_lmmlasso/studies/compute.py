"""From a study to the outcomes of its cells: those that are known are found, the others computed and kept."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pandas as pd

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.progress import Progress, silent
from bayes_lmmlasso.studies.cache import CellCache, content_key
from bayes_lmmlasso.studies.data import data_content
from bayes_lmmlasso.studies.execution import Outcome, compute_on_cluster, compute_on_processes
from bayes_lmmlasso.studies.file import KINDS
from bayes_lmmlasso.studies.study import Cell, Results, Study

__all__ = ["StudyOutcome", "compute_study"]


@dataclass(frozen=True, eq=False)
class StudyOutcome:
    """What became of a study.

    Attributes
    ----------
    study
        The study.
    cells
        One row a cell: its labels, seconds, status (``done`` or ``failed``) and error.
    tables
        Tables of the kind of study, by file name.
    n_computed
        Cells that were not known before.
    """

    study: Study
    cells: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    n_computed: int


def compute_study(
    study: Study,
    cache: CellCache,
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    progress: Progress = silent,
) -> StudyOutcome:
    """Compute a study.

    Parameters
    ----------
    study
        The study.
    cache
        Where outcomes of cells are looked for and kept.
    scheduler
        Address of a Dask scheduler; None computes on this machine.
    workers
        Processes on this machine; by default as many as cores.
    progress
        Told of every cell.

    Raises
    ------
    InputError
        If the data cannot be read, no scheduler answers, or every cell failed.
    """
    kind = KINDS[study.kind]
    cells = kind.cells(study)
    data = {trait: data_content(study.data, trait) for trait in study.traits}
    keys = [content_key({"data": data[cell.trait]} | cell.content(), type(cell).__module__) for cell in cells]
    outcomes: dict[str, Outcome] = {}
    waiting: dict[str, Cell] = {}
    for key, cell in zip(keys, cells, strict=True):
        known = cache.get(key)
        if known is None:
            waiting[key] = cell
        else:
            outcomes[key] = known
    n_all, n_failed = len(outcomes) + len(waiting), 0
    progress("cells", len(outcomes), n_all, _remark(len(outcomes), n_all, n_failed))
    finished = (
        compute_on_processes(waiting, workers or _cores())
        if scheduler is None
        else compute_on_cluster(waiting, scheduler)
    )
    for key, outcome in finished:
        if outcome.error is None:
            cache.put(key, outcome)
        outcomes[key] = outcome
        n_failed += outcome.error is not None
        progress("cells", len(outcomes), n_all, _remark(len(outcomes), n_all, n_failed))
    table = pd.DataFrame([_row(cell, outcomes[key]) for cell, key in zip(cells, keys, strict=True)])
    results: Results = [
        (cell.labels(), result)
        for cell, key in zip(cells, keys, strict=True)
        if (result := outcomes[key].result) is not None
    ]
    if not results:
        raise InputError(
            f"expected a cell that succeeds, got {n_all} failures, the first: {table['error'].iloc[0]}: "
            "correct the cause and start again"
        )
    return StudyOutcome(study, table, kind.tables(study, results), len(waiting))


def _row(cell: Cell, outcome: Outcome) -> dict[str, object]:
    status = "done" if outcome.error is None else "failed"
    return cell.labels() | {"seconds": outcome.seconds, "status": status, "error": outcome.error}


def _remark(n_done: int, n_all: int, n_failed: int) -> str:
    return f"{n_done:,} of {n_all:,}" + (f", {n_failed:,} failed" if n_failed else "")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

"""From a study to the results of its cells: those that are known are found, the others computed and kept."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from bayes_lmmlasso.display import Display
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.numerics.threads import cores
from bayes_lmmlasso.progress import Progress, silent
from bayes_lmmlasso.studies.cache import CellCache, content_key
from bayes_lmmlasso.studies.data import data_content
from bayes_lmmlasso.studies.execution import CellResult, compute_on_cluster, compute_on_processes
from bayes_lmmlasso.studies.file import KINDS
from bayes_lmmlasso.studies.study import Cell, Results, Study

__all__ = ["StudyResult", "compute_study"]


@dataclass(frozen=True, eq=False, repr=False)
class StudyResult(Display):
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
) -> StudyResult:
    """Compute a study.

    Parameters
    ----------
    study
        The study.
    cache
        Where results of cells are looked for and kept.
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
    keys = [content_key({"data": data[cell.trait]} | cell.content()) for cell in cells]
    results: dict[str, CellResult] = {}
    waiting: dict[str, Cell] = {}
    for key, cell in zip(keys, cells, strict=True):
        known = cache.get(key)
        if known is None:
            waiting[key] = cell
        else:
            results[key] = known
    n_all, n_failed = len(results) + len(waiting), 0
    progress("cells", len(results), n_all, _remark(len(results), n_all, n_failed))
    finished = (
        compute_on_processes(waiting, workers or cores())
        if scheduler is None
        else compute_on_cluster(waiting, scheduler)
    )
    for key, result in finished:
        if result.error is None:
            cache.put(key, result)
        results[key] = result
        n_failed += result.error is not None
        progress("cells", len(results), n_all, _remark(len(results), n_all, n_failed))
    table = pd.DataFrame([_row(cell, results[key]) for cell, key in zip(cells, keys, strict=True)])
    succeeded: Results = [
        (cell.labels(), values)
        for cell, key in zip(cells, keys, strict=True)
        if (values := results[key].result) is not None
    ]
    if not succeeded:
        raise InputError(
            f"expected a cell that succeeds, got {n_all} failures, the first: {table['error'].iloc[0]}: "
            "correct the cause and start again"
        )
    return StudyResult(study, table, kind.tables(study, succeeded), len(waiting))


def _row(cell: Cell, result: CellResult) -> dict[str, object]:
    status = "done" if result.error is None else "failed"
    return cell.labels() | {"seconds": result.seconds, "status": status, "error": result.error}


def _remark(n_done: int, n_all: int, n_failed: int) -> str:
    return f"{n_done:,} of {n_all:,}" + (f", {n_failed:,} failed" if n_failed else "")

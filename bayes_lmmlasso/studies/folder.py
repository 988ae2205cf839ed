"""A study from its file to its folder: tables, figures and ``report.html``, complete or as they were.

The folder keeps the results of cells in ``cells/``, so that a study that was stopped goes on where it was, and one
that was extended computes what is new.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lock import one_writer
from bayes_lmmlasso.plots.style import png
from bayes_lmmlasso.progress import Progress, silent
from bayes_lmmlasso.report.study.conclusions import study_conclusions
from bayes_lmmlasso.report.study.figures import STUDY_FIGURES
from bayes_lmmlasso.report.study.page import study_html
from bayes_lmmlasso.report.tables import write_json, write_text, write_tsv
from bayes_lmmlasso.run.publish import PACKAGE, claim, published, read_own, settle
from bayes_lmmlasso.run.record import versions
from bayes_lmmlasso.studies import CellCache, Study, StudyResult, compute_study, read_study
from bayes_lmmlasso.studies.intake import Intakes, intake_table, read_intakes, study_intake_lines

__all__ = ["FinishedStudy", "run_studies", "run_study", "study_lines"]

_RECORD, _CELLS = "study.json", "cells"


@dataclass(frozen=True, eq=False)
class FinishedStudy:
    """A finished study: its folder, what became of it, what its data were, and what it answers."""

    folder: Path
    result: StudyResult
    intakes: Intakes
    conclusions: list[str]


def run_studies(paths: Sequence[Path], out: Path, **options: Any) -> list[FinishedStudy]:
    """Compute studies one after the other: one into a folder, several into its subfolders named after their files.

    Options and errors are those of `run_study`; all files are read before the first study begins.

    Raises
    ------
    InputError
        If two files have the same name, or as `run_study`.
    """
    if len(paths) == 1:
        return [run_study(paths[0], out, **options)]
    folders = [out / path.stem for path in paths]
    if twice := [folder for folder in folders if folders.count(folder) > 1]:
        raise InputError(f"expected studies in files of different names, got {twice[0].name} twice: rename one of them")
    for path in paths:
        read_study(path, options.get("changes"))
    return [run_study(path, folder, **options) for path, folder in zip(paths, folders, strict=True)]


def run_study(
    path: Path,
    out: Path,
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    changes: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> FinishedStudy:
    """Compute a study and write its folder.

    Parameters
    ----------
    path
        The study's file.
    out
        A new or empty folder, or that of a study, whose cells are used again.
    scheduler, workers, progress
        As in `compute_study`.
    changes
        As in `read_study`.

    Raises
    ------
    InputError
        If the study or the folder is not as it should be, another process is writing in it, or as `compute_study`.
    """
    study = read_study(path, changes)
    with one_writer(out):
        settle(out, _RECORD, (read_own(out / _RECORD) or {}).get("files", ()))
        earlier = claim(out, _RECORD, "a study", beside=(_CELLS,)) or {}
        CellCache(out / _CELLS).tidy()
        return _run_study(study, out, earlier.get("files", ()), scheduler, workers, progress)


def study_lines(study: FinishedStudy) -> list[str]:
    """Say what was computed, what failed, what it answers, and where to read on."""
    cells = study.result.cells
    failed = cells[cells["status"] == "failed"]
    lines = [
        f"{study.result.study.name}: {len(cells):,} cells, {study.result.n_computed:,} computed now, "
        f"{len(failed):,} failed"
    ]
    if len(failed):
        lines.append(f"first error: {failed['error'].iloc[0]}")
    lines += study_intake_lines(study.intakes, study.folder / "data.tsv")
    return [*lines, *study.conclusions, f"report: {study.folder / 'report.html'}"]


def _run_study(
    study: Study, out: Path, earlier: Collection[str], scheduler: str | None, workers: int | None, progress: Progress
) -> FinishedStudy:
    """Compute a study and publish its files in place of earlier ones."""
    result = compute_study(study, CellCache(out / _CELLS), scheduler=scheduler, workers=workers, progress=progress)
    intakes = read_intakes(study.data, study.traits)
    tables = {"cells": result.cells, "data": intake_table(intakes)} | result.tables
    figures = {
        caption: png(figure)
        for caption, figure in STUDY_FIGURES[study.kind](result.tables).items()
        if figure is not None
    }
    groups = {"data": dict(study.data), "settings": dict(study.settings)}
    record = {"package": PACKAGE, **asdict(study), **groups, "versions": versions(), "captions": list(figures)}
    conclusions = study_conclusions(study.kind, result.tables)
    page = study_html(record, tables, figures, conclusions)
    with published(out, _RECORD, earlier) as store:
        for name, table in tables.items():
            write_tsv(table, store / f"{name}.tsv")
        for place, image in enumerate(figures.values(), start=1):
            (store / f"figure{place}.png").write_bytes(image)
        write_text(page, store / "report.html")
        write_json(record | {"files": sorted(entry.name for entry in store.iterdir())}, store / _RECORD)
    return FinishedStudy(out, result, intakes, conclusions)

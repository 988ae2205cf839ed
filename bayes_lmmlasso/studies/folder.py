"""A study from its file to its folder: tables, figures and ``report.html``, complete or as they were.

The folder keeps the results of cells in ``cells/``, so that a study that was stopped goes on where it was, and one
that was extended computes what is new. Results are made in a hidden folder and then renamed into place, ``study.json``
last.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.plots.run import png
from bayes_lmmlasso.progress import Progress, silent
from bayes_lmmlasso.report.study.conclusions import study_conclusions
from bayes_lmmlasso.report.study.figures import STUDY_FIGURES
from bayes_lmmlasso.report.study.page import study_html
from bayes_lmmlasso.report.tables import write_json, write_text, write_tsv
from bayes_lmmlasso.run.folder import PACKAGE
from bayes_lmmlasso.run.record import versions
from bayes_lmmlasso.studies import CellCache, StudyResult, compute_study, read_study

__all__ = ["FinishedStudy", "run_studies", "run_study", "study_lines"]

_RECORD, _CELLS, _STORE = "study.json", "cells", ".unfinished"


@dataclass(frozen=True, eq=False)
class FinishedStudy:
    """A finished study: its folder, what became of it, and what it answers."""

    folder: Path
    result: StudyResult
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
        If the study or the folder is not as it should be, or as `compute_study`.
    """
    study = read_study(path, changes)
    before = _claim(out)
    result = compute_study(study, CellCache(out / _CELLS), scheduler=scheduler, workers=workers, progress=progress)
    store = out / _STORE
    shutil.rmtree(store, ignore_errors=True)
    store.mkdir()
    tables = {"cells": result.cells} | result.tables
    figures = {
        caption: png(figure)
        for caption, figure in STUDY_FIGURES[study.kind](result.tables).items()
        if figure is not None
    }
    groups = {"data": dict(study.data), "settings": dict(study.settings)}
    record = {"package": PACKAGE, **asdict(study), **groups, "versions": versions(), "captions": list(figures)}
    for name, table in tables.items():
        write_tsv(table, store / f"{name}.tsv")
    for place, image in enumerate(figures.values(), start=1):
        (store / f"figure{place}.png").write_bytes(image)
    conclusions = study_conclusions(study.kind, result.tables)
    write_text(study_html(record, tables, figures, conclusions), store / "report.html")
    names = sorted(entry.name for entry in store.iterdir())
    write_json(record | {"files": names}, store / _RECORD)
    for name in before:
        (out / name).unlink(missing_ok=True)
    for name in [*names, _RECORD]:
        (store / name).replace(out / name)
    store.rmdir()
    return FinishedStudy(out, result, conclusions)


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
    return [*lines, *study.conclusions, f"report: {study.folder / 'report.html'}"]


def _claim(out: Path) -> list[str]:
    """Make the folder or check that it is a study's; return the files of earlier results."""
    if not out.exists():
        try:
            out.mkdir(parents=True)
        except OSError as error:
            raise InputError(f"expected a folder that can be created for --out, got {out}: {error.strerror}") from error
    if not out.is_dir():
        raise InputError(f"expected a folder for --out, got the file {out}: choose another name")
    earlier: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        earlier = json.loads((out / _RECORD).read_text(encoding="utf-8"))
    others = {entry.name for entry in out.iterdir()} - {_CELLS, _STORE}
    if others and earlier.get("package") != PACKAGE:
        raise InputError(
            f"expected a new or empty folder for --out, or that of a study, got {out}, which holds {min(others)}: "
            "choose another folder"
        )
    return list(earlier.get("files", []))

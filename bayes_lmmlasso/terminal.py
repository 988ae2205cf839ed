"""What a user of a terminal sees: results on stdout; on stderr a bar a stage, or a line a stage if nobody watches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Self

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["StageBars", "stage_bars", "stoppable", "tell"]


class StageBars:
    """A `bayes_lmmlasso.progress.Progress` hook that draws on a console; use it as a context manager.

    On a terminal each stage has a bar. Elsewhere a stage leaves one line when it is finished.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._stage, self._remark, self._since = "", "", perf_counter()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bars = Progress(
                TextColumn("{task.description:<12}"),
                BarColumn(bar_width=30),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[remark]}", markup=False),
                console=self._console,
            )
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()
        elif kind is None:
            self._close_stage()

    def __call__(self, stage: str, done: int, total: int, remark: str = "") -> None:
        """Show that ``done`` of ``total`` units of ``stage`` are finished."""
        if self._bars is None:
            if stage != self._stage:
                self._close_stage()
                self._stage, self._since = stage, perf_counter()
            self._remark = remark
            return
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=total, remark=remark)
        self._bars.update(self._tasks[stage], completed=done, total=total, remark=remark)

    def _close_stage(self) -> None:
        if self._stage:
            line = f"{self._stage}: {self._remark or 'done'} ({perf_counter() - self._since:.1f} s)"
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def stage_bars() -> StageBars:
    """Return bars on stderr."""
    return StageBars(Console(stderr=True))


@contextmanager
def stoppable(folder: Path, can_resume: Callable[[Path], bool]) -> Iterator[StageBars]:
    """Draw progress; after Ctrl-C say how to go on, if there is something to go on with."""
    try:
        with stage_bars() as progress:
            yield progress
    except KeyboardInterrupt:
        if can_resume(folder):
            typer.echo(f"Stopped: `bayes-lmmlasso resume {folder}` goes on from here.", err=True)
            raise typer.Exit(130) from None
        raise


def tell(lines: Iterable[str]) -> None:
    """Write the lines of a result."""
    for line in lines:
        typer.echo(line)

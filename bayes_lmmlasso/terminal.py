"""What a user of a terminal sees: results on stdout; on stderr a bar a stage, or a line a stage if nobody watches.

Nobody has to listen: a closed stdout or stderr (``| head``) stops no work. Signals that ask for an end are as Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from types import FrameType, TracebackType
from typing import Self, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["StageBars", "Stopped", "heed_signals", "stage_bars", "stoppable", "tell"]

_SIGNALS = ("SIGTERM", "SIGHUP")  # of ``kill``, a scheduler or a terminal that closes


class Stopped(KeyboardInterrupt):
    """An end that a signal asks for; its first argument is the status to exit with."""


def heed_signals() -> None:
    """Take signals that ask for an end as Ctrl-C, unless whoever started this has them ignored (``nohup``)."""
    for name in _SIGNALS:
        number = getattr(signal, name, None)  # not every system has all
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _stop)


def _stop(number: int, _: FrameType | None) -> None:
    raise Stopped(128 + number)


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
    return StageBars(_Stderr(stderr=True))


class _Stderr(Console):
    def on_broken_pipe(self) -> None:
        """Go on without, where the class above ends the program."""
        _close(sys.stderr)


@contextmanager
def stoppable(folder: Path, can_resume: Callable[[Path], bool]) -> Iterator[StageBars]:
    """Draw progress; after Ctrl-C or a full disk say how to go on, if there is something to go on with."""
    try:
        with stage_bars() as progress:
            yield progress
    except (KeyboardInterrupt, OSError):
        if can_resume(folder):
            typer.echo(f"Stopped: `bayes-lmmlasso resume {folder}` goes on from here.", err=True)
        raise


def tell(lines: Iterable[str]) -> None:
    """Write the lines of a result, to whoever reads them."""
    try:
        for line in lines:
            typer.echo(line)
    except BrokenPipeError:
        _close(sys.stdout)


def _close(stream: TextIO) -> None:
    """Let what is written to a stream that nobody reads go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)

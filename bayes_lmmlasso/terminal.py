"""What a user of a terminal sees: results on stdout; on stderr a bar a stage, or a line a stage if nobody watches.

How much is said, and whether for a reader or for a program, is the `Voice` of the command that runs.
Nobody has to listen: a closed stdout or stderr (``| head``) stops no work. Signals that ask for an end are as Ctrl-C.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from time import perf_counter
from types import FrameType, TracebackType
from typing import Any, Self, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from bayes_lmmlasso.report.tables import json_text

__all__ = [
    *("OUTPUT", "PROGRAM", "StageBars", "Stopped", "Voice", "heed_signals", "repeatable", "set_voice"),
    *("stage_bars", "stoppable", "tell", "voice"),
]

PROGRAM = "bayes-lmmlasso"
OUTPUT = "Output"
"""The section of help for where results go and what is said of them."""

_CAUTION = "caution: "
_LONG = 2.0  # seconds after which a stage tells how much is left
_SIGNALS = ("SIGTERM", "SIGHUP")  # of ``kill``, a scheduler or a terminal that closes


@dataclass(frozen=True)
class Voice:
    """How a command speaks.

    Attributes
    ----------
    call
        The command with its arguments, as a shell takes it.
    quiet
        Whether only cautions and errors are told, on stderr.
    verbose
        Whether stages are told as they begin and end, and errors with a traceback.
    json
        Whether the result is one JSON object.
    """

    call: str = PROGRAM
    quiet: bool = False
    verbose: bool = False
    json: bool = False


_VOICE = ContextVar("_VOICE", default=Voice())  # noqa: B039  # frozen


def voice() -> Voice:
    """Return how the command at hand speaks."""
    return _VOICE.get()


def set_voice(chosen: Voice) -> None:
    """Let the command at hand speak in another way."""
    _VOICE.set(chosen)


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


class _TimeLeft(ProgressColumn):
    """The time that a stage of more than two seconds still takes, where it tells how far it is."""

    def render(self, task: Task) -> Text:
        """Say it in seconds, minutes or hours."""
        left = task.time_remaining
        if task.finished or left is None or (task.elapsed or 0) < _LONG:
            return Text("")
        return Text(f"{_duration(left)} left", style="progress.remaining")


def _duration(seconds: float) -> str:
    """Say how long something takes: 40 s, 12 min, 3 h 05 min."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} min"


class StageBars:
    """A `bayes_lmmlasso.progress.Progress` hook that draws on a console; use it as a context manager.

    On a terminal each stage has a bar. Elsewhere a stage leaves one line when it is finished; so it does where the
    command is to be verbose, with another when it begins. A quiet command draws nothing.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._stage, self._remark, self._since = "", "", perf_counter()

    def __enter__(self) -> Self:
        if self._console.is_terminal and not (voice().quiet or voice().verbose):
            self._bars = Progress(
                TextColumn("{task.description:<12}"),
                BarColumn(bar_width=30),
                TimeElapsedColumn(),
                _TimeLeft(),
                TextColumn("{task.fields[remark]}", markup=False),
                console=self._console,
                speed_estimate_period=300,
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
                if voice().verbose:
                    self._print(f"{stage} ...")
            self._remark = remark
            return
        units = total if done or total > 1 else None  # a bar that moves, where nobody knows how far it is
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=units, remark=remark)
        self._bars.update(self._tasks[stage], completed=done, total=units, remark=remark)

    def _close_stage(self) -> None:
        if self._stage:
            memory = f", at most {_peak_memory() / 2**20:,.0f} MB so far" if voice().verbose else ""
            self._print(f"{self._stage}: {self._remark or 'done'} ({perf_counter() - self._since:.1f} s{memory})")

    def _print(self, line: str) -> None:
        if not voice().quiet:
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def _peak_memory() -> int:
    """Return the largest memory that this process has taken, in bytes."""
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else 1024 * largest


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
    except (KeyboardInterrupt, OSError) as end:
        if can_resume(folder):
            typer.echo(f"Stopped: `{PROGRAM} resume {quote(str(folder))}` goes on from here.", err=True)
        elif isinstance(end, KeyboardInterrupt):
            typer.echo(f"Stopped before there were draws to keep: `{voice().call}` begins again.", err=True)
        raise


@contextmanager
def repeatable() -> Iterator[StageBars]:
    """Draw progress; after Ctrl-C say that the same command goes on, for one that keeps what it has done."""
    try:
        with stage_bars() as progress:
            yield progress
    except KeyboardInterrupt:
        typer.echo(f"Stopped: `{voice().call}` goes on from here.", err=True)
        raise


def tell(
    lines: Iterable[str], *, found: Mapping[str, Any] | None = None, files: Mapping[str, Path] | None = None
) -> None:
    """Write a result to whoever reads it.

    Parameters
    ----------
    lines
        What a reader is told; cautions begin with ``caution:``.
    found, files
        What a program is told besides: results by name, and where they are.
    """
    told = list(lines)
    cautions = [line.removeprefix(_CAUTION) for line in told if line.startswith(_CAUTION)]
    result = {"command": voice().call, "found": found or {}, "files": files or {}, "cautions": cautions, "lines": told}
    if voice().quiet:
        for caution in cautions:
            typer.echo(f"{_CAUTION}{caution}", err=True)
    try:
        for line in [json_text(result)] if voice().json else () if voice().quiet else told:
            typer.echo(line)
    except BrokenPipeError:
        _close(sys.stdout)


def _close(stream: TextIO) -> None:
    """Let what is written to a stream that nobody reads go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)

"""The hook through which long work reports how far it is.

Library code never prints: a function that takes long has a parameter ``progress`` and calls it with
the stage, the units done, the units in all and a short remark. The command line draws bars from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Protocol

from bayes_lmmlasso.memory import release_memory

__all__ = ["Progress", "StageClock", "silent"]


class Progress(Protocol):
    """Anything that can be told about progress."""

    def __call__(self, stage: str, done: int, total: int, remark: str = "") -> None:
        """Report that ``done`` of ``total`` units of ``stage`` are finished."""


def silent(stage: str, done: int, total: int, remark: str = "") -> None:
    """Report nothing (the default everywhere)."""


class StageClock:
    """Times the stages, tells a progress hook of each, and frees what a stage no longer needs.

    Attributes
    ----------
    seconds
        Seconds of each finished stage, in order.
    """

    def __init__(self, progress: Progress = silent) -> None:
        self.progress = progress
        self.seconds: dict[str, float] = {}

    def of(self, part: str) -> StageClock:
        """Return a clock of its own for a part of the work, which its stages name."""
        return StageClock(lambda stage, *told: self.progress(f"{stage} ({part})", *told))

    @contextmanager
    def __call__(self, stage: str) -> Iterator[Callable[[str], None]]:
        """Time a stage; call what is yielded with a remark on its result."""
        remarks: list[str] = []
        self.progress(stage, 0, 1)
        start = perf_counter()
        yield remarks.append
        self.seconds[stage] = perf_counter() - start
        release_memory()
        self.progress(stage, 1, 1, "; ".join(remarks))

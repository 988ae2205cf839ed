"""A clock of the stages of an analysis, which says what is going on and leaves no memory behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from bayes_lmmlasso.memory import release_memory
from bayes_lmmlasso.progress import Progress, silent

__all__ = ["StageClock"]


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

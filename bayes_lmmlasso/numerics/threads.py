"""Two levels of threads, never both at once.

BLAS threads inside a pool of threads fight for the cores: 16 factorizations took 14 s with two BLAS threads each,
0.4 s with one. So work on many small problems or many blocks of SNPs runs in a pool with BLAS held to one thread, and
so does anything on matrices too small to share; everything else leaves BLAS alone.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from itertools import count

from threadpoolctl import ThreadpoolController

__all__ = ["blas_threads", "cores", "one_thread", "thread_map", "thread_slices"]

_SMALL = 4000  # samples below which BLAS threads gain little on a quiet machine and lose much on a busy one

_inside = threading.local()


def cores() -> int:
    """Count the cores that this process may use; an affinity mask may leave fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_map[S, T](work: Callable[[S], T], items: Iterable[S]) -> list[T]:
    """Apply a function to every item in several threads with one BLAS thread each; results in order.

    Every thread, the calling one among them, takes the next item when it is free. Inside such a thread, or with a
    single item or core, it is a plain loop.
    """
    todo = list(items)
    workers = min(len(todo), cores())
    if workers <= 1 or getattr(_inside, "pool", False):
        return [work(item) for item in todo]
    results: dict[int, T] = {}
    ticket = count()

    def run() -> None:
        _inside.pool = True
        try:
            while (place := next(ticket)) < len(todo):
                results[place] = work(todo[place])
        finally:
            _inside.pool = False

    with _one_blas_thread():
        others = [_pool().submit(run) for _ in range(workers - 1)]
        try:
            run()
        finally:
            wait(others)
        for other in others:
            other.result()
    return [results[place] for place in range(len(todo))]


def thread_slices(work: Callable[[slice], object], n: int) -> None:
    """Apply a function to slices that together cover range(n), a few for each thread.

    For compiled functions of many small problems: taking Python's lock between them would cost more than they do.
    """
    size = max(1, -(-n // (4 * cores())))
    thread_map(work, [slice(start, min(start + size, n)) for start in range(0, n, size)])


def blas_threads(n_samples: int, small: int = _SMALL) -> AbstractContextManager[object]:
    """Hold BLAS to one thread while matrices of ``n_samples`` rows are too small to share."""
    return _one_blas_thread() if n_samples < small else nullcontext()


@contextmanager
def _one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread; nothing to do where the caller has already done it, since asking takes 0.1 ms."""
    if getattr(_inside, "held", False):
        yield
        return
    with _controller().limit(limits=1):
        _inside.held = True
        try:
            yield
        finally:
            _inside.held = False


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold BLAS to one thread and `thread_map` to a plain loop, for work that shares the machine with its like."""
    before = getattr(_inside, "pool", False)
    _inside.pool = True
    try:
        with _one_blas_thread():
            yield
    finally:
        _inside.pool = before


@cache
def _controller() -> ThreadpoolController:
    """Find the BLAS libraries once; it takes longer than a small Lasso path."""
    return ThreadpoolController()


@cache
def _pool() -> ThreadPoolExecutor:
    """Start the threads beside the calling one, once; a forked process, which lacks them, starts its own."""
    os.register_at_fork(after_in_child=_pool.cache_clear)
    return ThreadPoolExecutor(max(1, cores() - 1))

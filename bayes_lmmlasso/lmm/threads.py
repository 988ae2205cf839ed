"""Two levels of threads, never both at once.

BLAS threads inside a pool of threads fight for the cores: 16 factorizations took 14 s with two BLAS threads each,
0.4 s with one. So work on many small problems or many blocks of SNPs runs in a pool with BLAS held to one thread,
and everything else leaves BLAS alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from threadpoolctl import ThreadpoolController

__all__ = ["thread_map"]


def thread_map[S, T](work: Callable[[S], T], items: Iterable[S]) -> list[T]:
    """Apply a function to every item in a pool of threads with one BLAS thread each; results in order."""
    todo = list(items)
    workers = min(len(todo), _cores())
    if workers <= 1:
        return [work(item) for item in todo]
    with _controller().limit(limits=1), ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, todo))


@cache
def _controller() -> ThreadpoolController:
    """Find the BLAS libraries once; it takes longer than a small Lasso path."""
    return ThreadpoolController()


def _cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

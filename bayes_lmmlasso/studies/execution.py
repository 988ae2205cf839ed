"""Where cells are computed: in processes of this machine, or on a Dask cluster.

A cell is a picklable object whose ``run`` takes nothing and returns plain values. Every cell computes in one thread, so
that as many run at once as there are cores, and its result does not depend on how many do. A cell that fails leaves its
error as its result. A worker that dies (killed, out of memory) takes its cell with it, not the study: cells that were
running when processes died run again one at a time, each in a process of its own, and the one that kills that process
too has failed. A Dask scheduler does the like by its own rules.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Protocol

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.numerics.threads import one_thread
from bayes_lmmlasso.run.processes import process_pool

__all__ = ["CellResult", "Runnable", "compute_on_cluster", "compute_on_processes", "perform"]

_ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "NPROC"), "1"),
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.1",
}
_DIED = "the process that computed it died (killed, or out of memory)"


class Runnable(Protocol):
    """Something to compute."""

    def run(self) -> dict[str, Any]:
        """Return plain values: numbers, texts, and lists and dictionaries of them."""


@dataclass(frozen=True)
class CellResult:
    """What became of a cell.

    Attributes
    ----------
    result
        What it returned, or None.
    error
        One line on why it failed, or None.
    seconds
        Wall time; NaN where the worker did not live to tell.
    """

    result: dict[str, Any] | None
    error: str | None
    seconds: float


def perform(cell: Runnable) -> CellResult:
    """Compute a cell in one thread; an error becomes part of the result."""
    start = perf_counter()
    result, error = None, None
    try:
        with one_thread():
            result = cell.run()
    except Exception as failure:  # whatever a method raises is its result
        error = _one_line(failure)
    return CellResult(result, error, perf_counter() - start)


def compute_on_processes(cells: Mapping[str, Runnable], workers: int) -> Iterator[tuple[str, CellResult]]:
    """Compute cells in processes of this machine, each in one thread.

    Parameters
    ----------
    cells
        Cells by key, started in this order.
    workers
        Processes.

    Yields
    ------
    Key and result of each cell, as they finish.
    """
    with TemporaryDirectory(prefix="bayes-lmmlasso-") as compiled:  # by one cell, for all that are alike
        environment = _ONE_THREAD | {"JAX_COMPILATION_CACHE_DIR": compiled}
        lost: list[str] = []
        yield from _through_pools(cells, workers, environment, lost)
        for key in lost:
            again: list[str] = []
            yield from _through_pools({key: cells[key]}, 1, environment, again)
            if again:
                yield key, CellResult(None, _DIED, float("nan"))


def _through_pools(
    cells: Mapping[str, Runnable], workers: int, environment: Mapping[str, str], lost: list[str]
) -> Iterator[tuple[str, CellResult]]:
    """Compute cells, a new pool taking over where one breaks; the keys of cells that ran at a break go to ``lost``."""
    waiting = deque(cells)
    while waiting:
        running: dict[Future[CellResult], str] = {}
        with process_pool(workers, environment) as pool, suppress(BrokenProcessPool):
            while waiting or running:
                while waiting and len(running) < workers:
                    future = pool.submit(perform, cells[waiting[0]])
                    running[future] = waiting.popleft()
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    result = future.result()
                    yield running.pop(future), result
        lost += running.values()


def compute_on_cluster(
    cells: Mapping[str, Runnable], address: str, patience: str = "20s"
) -> Iterator[tuple[str, CellResult]]:
    """Compute cells on the workers of a Dask scheduler, which must see the same files under the same paths.

    Parameters
    ----------
    cells
        Cells by key.
    address
        Of the scheduler, such as ``tcp://127.0.0.1:8786``.
    patience
        Time for the scheduler to answer.

    Yields
    ------
    Key and result of each cell, as they finish.

    Raises
    ------
    InputError
        If the package ``distributed`` is missing or no scheduler answers.
    """
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise InputError(
            "expected the package distributed for --scheduler, got none: install it with "
            "python3 -m pip install 'bayes-lmmlasso[cluster]'"
        ) from error
    try:
        client = Client(address, timeout=patience)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise InputError(
            f"expected a Dask scheduler at --scheduler {address!r}, got {_one_line(error)}: start one with "
            "`dask scheduler`"
        ) from error
    with client:
        futures = {client.submit(perform, cell, key=f"cell-{key}", pure=False): key for key, cell in cells.items()}
        for future in as_completed(futures):  # type: ignore[no-untyped-call]
            failure = future.exception()
            result = future.result() if failure is None else CellResult(None, _one_line(failure), float("nan"))
            yield futures.pop(future), result


def _one_line(error: BaseException) -> str:
    """Return an error in one line."""
    text = " ".join(str(error).split())
    return text if isinstance(error, InputError) else f"{type(error).__name__}: {text}"

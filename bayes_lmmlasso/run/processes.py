"""Processes beside this one: fresh Pythons that import what they are given to do, and nothing of this process.

All of such a process's memory is free when it ends: what sampling needs (JAX, compiled programs) never lies beside what
the Lasso and the tables need. It ends when its work is done, when that is broken off, and with the process that started
it, at whatever moment that is killed: each holds one end of a pipe whose other end only this process has.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection

from bayes_lmmlasso.progress import StageClock

__all__ = ["in_own_process", "process_pool"]

_SPAWN = get_context("spawn")


@contextmanager
def process_pool(
    workers: int, environment: Mapping[str, str] | None = None, pipe: tuple[Connection, Connection] | None = None
) -> Iterator[ProcessPoolExecutor]:
    """Lend a pool of processes, which end with the block.

    Parameters
    ----------
    workers
        Processes.
    environment
        Variables that they set before they import anything large.
    pipe
        The two ends of a pipe, where what they do is to report through theirs, the second.
    """
    ours, theirs = pipe or _SPAWN.Pipe()
    pool = ProcessPoolExecutor(workers, _SPAWN, initializer=_begin, initargs=(theirs, dict(environment or {})))
    try:
        yield pool
    except BaseException:
        ours.close()  # ends them at once, whatever they are at
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        ours.close()
        theirs.close()


def in_own_process[*Ts, R](step: Callable[[*Ts, StageClock], R], *arguments: *Ts, clock: StageClock) -> R:
    """Return ``step(*arguments, clock)``, computed by a process of its own.

    Parameters
    ----------
    step
        A function of a module that imports little: it is named to the process, and imported here as well.
    arguments
        For it; what is large goes through a file.
    clock
        Told of every stage.

    Raises
    ------
    Exception
        What the step raised, or ChildProcessError if its process died.
    """
    ours, theirs = _SPAWN.Pipe()
    with process_pool(1, pipe=(ours, theirs)) as pool:
        future = pool.submit(_report, step, arguments)
        future.add_done_callback(lambda _: _send(theirs, None))
        for report in iter(ours.recv, None):
            clock.progress(*report)
        try:
            result, seconds = future.result()
        except BrokenProcessPool as error:
            raise ChildProcessError(
                f"expected the process of the step `{step.__name__}` to end by itself, but it died: if it was killed "
                "for want of memory, free some"
            ) from error
    clock.seconds |= seconds
    return result


def _begin(connection: Connection, environment: Mapping[str, str]) -> None:
    """Prepare a process: it leaves Ctrl-C and stdout to the one that started it, and ends with that."""
    global _reports
    _reports = connection
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout = sys.stderr
    threading.Thread(target=_end_with_parent, args=(connection,), daemon=True).start()


def _end_with_parent(connection: Connection) -> None:
    """Wait until the other end of the pipe is closed, which nothing is sent through, and end."""
    with suppress(EOFError, OSError):
        connection.recv()
    os._exit(1)


def _report[*Ts, R](step: Callable[[*Ts, StageClock], R], arguments: tuple[*Ts]) -> tuple[R, dict[str, float]]:
    """Do a step in a process of its own, and report its progress."""
    clock = StageClock(lambda *report: _send(_reports, report))
    return step(*arguments, clock), clock.seconds


def _send(connection: Connection, report: tuple[object, ...] | None) -> None:
    """Send a report, if anybody is left to read it."""
    with suppress(OSError):
        connection.send(report)


_reports: Connection

"""Steps of a run, in this process or each in one of its own.

A process of its own imports what its step needs and nothing else, and all of its memory is free when it ends: what
sampling needs (JAX, compiled programs) never lies beside what the Lasso and the tables need. What a step returns goes
through a file; the steps that take it map its arrays and copy none.

The processes end with their parent, at whatever moment that is killed.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import subprocess
import sys
import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from bayes_lmmlasso.memory import map_file
from bayes_lmmlasso.progress import StageClock

__all__ = ["InOneProcess", "InOwnProcesses", "Steps", "serve"]

# glibc would keep free memory apart for each thread, and what is free below what is not
_ENVIRONMENT = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "500000"}
_ALIGNMENT = 64  # bytes, from which JAX computes without a copy
_PR_SET_PDEATHSIG = 1
_CHILD = "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); from {module} import serve; serve()"


class Steps(Protocol):
    """Does steps one after the other."""

    def do(self, module: str, step: str, *arguments: Any) -> Any:
        """Call a module's ``step(*arguments, clock)`` and return its result for use as argument of other steps.

        A result that is a tuple is returned in parts.
        """

    def value(self, result: Any) -> Any:
        """Return a result itself."""


class InOneProcess:
    """Steps that are plain calls."""

    def __init__(self, clock: StageClock) -> None:
        self._clock = clock

    def do(self, module: str, step: str, *arguments: Any) -> Any:
        """Call the step."""
        return getattr(import_module(module), step)(*arguments, self._clock)

    def value(self, result: Any) -> Any:
        """Return the result."""
        return result


@dataclass(frozen=True)
class _Stored:
    """A result in a file: its arrays (PEP 574), each where processors like to find it, then everything else."""

    path: Path
    places: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, result: Any, path: Path) -> _Stored:
        """Write a result."""
        arrays: list[pickle.PickleBuffer] = []
        rest = pickle.dumps(result, protocol=5, buffer_callback=arrays.append)
        places = []
        with path.open("wb") as file:
            for part in (*(array.raw() for array in arrays), memoryview(rest)):
                file.write(bytes(-file.tell() % _ALIGNMENT))
                places.append((file.tell(), file.tell() + len(part)))
                file.write(part)
        return cls(path, tuple(places))

    def load(self) -> Any:
        """Map the file: the arrays cannot be written."""
        content = map_file(self.path)
        *arrays, rest = (content[start:end] for start, end in self.places)
        return pickle.loads(rest, buffers=arrays)


class InOwnProcesses:
    """Steps with a fresh Python each.

    Parameters
    ----------
    clock
        Told of every stage.
    folder
        For the results; created if need be.
    """

    def __init__(self, clock: StageClock, folder: Path) -> None:
        self._clock, self._folder, self._count = clock, folder, 0
        folder.mkdir(exist_ok=True)

    def do(self, module: str, step: str, *arguments: Any) -> Any:
        """Call the step in another process.

        Raises
        ------
        Exception
            What the step raised, or ChildProcessError if its process was killed.
        """
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD.format(module=__name__)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_ENVIRONMENT | os.environ,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        self._count += 1
        try:
            pickle.dump(sys.path, child.stdin)
            target = self._folder / f"{self._count}-{step}"
            pickle.dump((module, step, arguments, target), child.stdin)
            child.stdin.flush()
            while True:
                kind, content = pickle.load(child.stdout)
                if kind != "progress":
                    break
                self._clock.progress(*content)
        except (EOFError, BrokenPipeError):
            raise ChildProcessError(
                f"expected the process of the step `{step}` to end by itself, got status {child.wait()}: if it "
                "was killed for want of memory, free some"
            ) from None
        finally:
            child.kill()
            child.wait()
            child.stdin.close()
            child.stdout.close()
        if kind == "error":
            raise content
        results, seconds = content
        self._clock.seconds |= seconds
        return results

    def value(self, result: Any) -> Any:
        """Read the result."""
        return result.load()


def serve() -> None:
    """Do the step that the parent asks for, and tell it of progress and of the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    replies, sys.stdout = sys.stdout.buffer, sys.stderr
    module, name, arguments, target = pickle.load(sys.stdin.buffer)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # at once, whatever holds Python's lock
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def reply(kind: str, content: Any) -> None:
        pickle.dump((kind, content), replies)
        replies.flush()

    clock = StageClock(lambda *report: reply("progress", report))
    try:
        step = getattr(import_module(module), name)
        if "jaxlib" not in sys.modules:
            sys.modules.pop("jax", None)  # ArviZ leaves one to be loaded on demand; SciPy demands it, to look at arrays
        result = step(*(x.load() if isinstance(x, _Stored) else x for x in arguments), clock)
        reply("done", (_store(result, target), clock.seconds))
    except Exception as error:
        error.add_note(traceback.format_exc())
        try:
            pickle.dumps(error)
        except Exception:
            error = RuntimeError(traceback.format_exc())
        reply("error", error)


def _store(result: Any, target: Path) -> Any:
    """Write a result, or each part of a tuple, and return where."""
    if type(result) is tuple:
        return tuple(_store(part, target.with_name(f"{target.name}-{k}")) for k, part in enumerate(result))
    return _Stored.of(result, target)


def _end_with_parent() -> None:
    """Wait for the end of the parent, which holds the other end of stdin, and end too."""
    with suppress(OSError, ValueError):
        sys.stdin.buffer.read()
    os._exit(1)

"""Other processes: programs under limits, and one that writes in a folder.

Limits are set by a process in between, as hooks of fork in this one warn where JAX is loaded.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HOLDER = """
import sys
from pathlib import Path
from bayes_lmmlasso.lock import one_writer
with one_writer(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def under(statements: str, *call: object) -> list[str]:
    """Return the call of a program in a process that executes statements first."""
    first = f"import os, resource, signal, sys; {statements}; os.execv(sys.argv[1], sys.argv[1:])"
    return [sys.executable, "-c", first, *map(str, call)]


@contextmanager
def another_writes_in(folder: Path) -> Iterator[None]:
    """Let another process hold the lock of a folder, until it is killed."""
    call = [sys.executable, "-c", _HOLDER, folder]
    with subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield
        process.kill()

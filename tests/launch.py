"""Programs started under limits: by a process in between, as hooks of fork in this one warn where JAX is loaded."""

from __future__ import annotations

import sys


def under(statements: str, *call: object) -> list[str]:
    """Return the call of a program in a process that executes statements first."""
    first = f"import os, resource, signal, sys; {statements}; os.execv(sys.argv[1], sys.argv[1:])"
    return [sys.executable, "-c", first, *map(str, call)]

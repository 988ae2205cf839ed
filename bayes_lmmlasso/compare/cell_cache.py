"""Results of cells by content: computed once, found again whatever study asks.

The key of a cell is the SHA-256 of all that its result depends on: fingerprints of its data, its settings, the version
of the package and the sources that compute (rooms models to compare). So a study that was stopped goes on, one that was
extended computes what is new, and nothing outlives a change of data or code. Failures are not kept: they are tried
again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from bayes_lmmlasso.compare.execution import Outcome

__all__ = ["CellCache", "code_version", "content_key"]

_ROOMS = ("models", "cohort", "lmm", "lasso", "posterior", "compare")


@dataclass(frozen=True)
class CellCache:
    """Outcomes of cells in a folder, a file each.

    Attributes
    ----------
    folder
        Where they lie; made with the first.
    """

    folder: Path

    def get(self, key: str) -> Outcome | None:
        """Return the outcome of a cell that was computed before, or None."""
        try:
            kept = json.loads(self._path(key).read_text(encoding="utf-8"))
            return Outcome(kept["result"], None, kept["seconds"])
        except (OSError, ValueError, KeyError):
            return None

    def put(self, key: str, outcome: Outcome) -> None:
        """Keep an outcome; its file appears complete, by rename."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        partial.write_text(json.dumps({"seconds": outcome.seconds, "result": outcome.result}), encoding="utf-8")
        partial.replace(path)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"


def content_key(content: Mapping[str, Any]) -> str:
    """SHA-256 of plain values and of the code that computes with them."""
    text = json.dumps({"code": code_version(), **content}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def code_version() -> str:
    """Version of the package and SHA-256 of the sources of the rooms that compute."""
    digest = hashlib.sha256()
    package = files("bayes_lmmlasso")
    for room in _ROOMS:
        for source in sorted(package.joinpath(room).iterdir(), key=lambda entry: entry.name):
            if source.name.endswith(".py"):
                digest.update(f"{room}/{source.name};".encode())
                digest.update(source.read_bytes())
    return f"{version('bayes-lmmlasso')}+{digest.hexdigest()}"

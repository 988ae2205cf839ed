"""Results of cells by content: computed once, found again whatever study asks.

The key of a cell is the SHA-256 of all that its result depends on: fingerprints of its data, its settings, the version
of the package and the sources that its module computes with (`sources_of`). So a study that was stopped goes on, one
that was extended computes what is new, nothing outlives a change of data or of code that computes it, and a change of
tables, figures or another kind of study computes nothing again. Failures are not kept: they are tried again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bayes_lmmlasso.studies.execution import CellResult
from bayes_lmmlasso.studies.sources import read_source, sources_of

__all__ = ["CellCache", "code_version", "content_key"]


@dataclass(frozen=True)
class CellCache:
    """Outcomes of cells in a folder, a file each.

    Attributes
    ----------
    folder
        Where they lie; made with the first.
    """

    folder: Path

    def get(self, key: str) -> CellResult | None:
        """Return the result of a cell that was computed before, or None."""
        try:
            kept = json.loads(self._path(key).read_text(encoding="utf-8"))
            return CellResult(kept["result"], None, kept["seconds"])
        except (OSError, ValueError, KeyError):
            return None

    def put(self, key: str, result: CellResult) -> None:
        """Keep an result; its file appears complete, by rename."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        partial.write_text(json.dumps({"seconds": result.seconds, "result": result.result}), encoding="utf-8")
        partial.replace(path)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"


def content_key(content: Mapping[str, Any], module: str) -> str:
    """SHA-256 of plain values and of the code that computes with them, which begins in a module."""
    text = json.dumps({"code": code_version(module), **content}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def code_version(module: str) -> str:
    """Version of the package and SHA-256 of the sources that a module computes with."""
    digest = hashlib.sha256()
    for name in sources_of(module):
        digest.update(f"{name};".encode())
        digest.update(read_source(name))
    return f"{version('bayes-lmmlasso')}+{digest.hexdigest()}"

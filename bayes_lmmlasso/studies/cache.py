"""Results of cells by content: computed once, found again whatever study asks.

The key of a cell is the SHA-256 of all that its result depends on: fingerprints of its data, its settings, and the code
(`code_version`: the version of the package and one digest of its sources). So a study that was stopped goes on, one
that was extended computes what is new, and nothing outlives a change of data or code. For users of a release the digest
says no more than the version does. For those who change the code it is safe where a number, to be raised by hand, is
forgotten; the price is that any change computes anew, but for changes of pages, figures and commands, which no cell
computes with. Failures are not kept: they are tried again.
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

__all__ = ["CellCache", "code_version", "computing_sources", "content_key"]

_PACKAGE = Path(__file__).parents[1]
_NOT_COMPUTING = ("__main__.py", "cli.py", "options.py", "plots", "report", "terminal.py")


@dataclass(frozen=True)
class CellCache:
    """Results of cells in a folder, a file each.

    Attributes
    ----------
    folder
        Where they lie; made with the first.
    """

    folder: Path

    def get(self, key: str) -> CellResult | None:
        """Return the result of a cell that was computed before, or None: also if its file is damaged."""
        try:
            kept = json.loads(self._path(key).read_text(encoding="utf-8"))
            whole = kept.pop("sha256") == _sum(kept)
            return CellResult(kept["result"], None, kept["seconds"]) if whole else None
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            return None

    def put(self, key: str, result: CellResult) -> None:
        """Keep a result; its file appears complete, by rename."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        kept = json.loads(json.dumps({"seconds": result.seconds, "result": result.result}))
        partial.write_text(json.dumps(kept | {"sha256": _sum(kept)}), encoding="utf-8")
        partial.replace(path)

    def tidy(self) -> None:
        """Remove what a process that was killed has left of a result; nobody else may be writing."""
        for partial in self.folder.rglob(".*.json.*"):
            partial.unlink()

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"


def _sum(kept: Mapping[str, Any]) -> str:
    """SHA-256 of what a file of a cell holds."""
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def content_key(content: Mapping[str, Any]) -> str:
    """SHA-256 of plain values and of the code that computes with them."""
    text = json.dumps({"code": code_version(), **content}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def code_version() -> str:
    """Version of the package and SHA-256 of its sources."""
    digest = hashlib.sha256()
    for source in computing_sources():
        digest.update(f"{source.relative_to(_PACKAGE)};".encode())
        digest.update(source.read_bytes())
    return f"{version('bayes-lmmlasso')}+{digest.hexdigest()}"


def computing_sources() -> list[Path]:
    """Return the sources that cells may compute with, sorted: all but those of pages, figures and commands."""
    sources = {*_PACKAGE.rglob("*.py"), *(_PACKAGE / "models").rglob("*.py")}  # models is a link in the repository
    return sorted(source for source in sources if source.relative_to(_PACKAGE).parts[0] not in _NOT_COMPUTING)

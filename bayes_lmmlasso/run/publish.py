"""Results that appear together in a folder, or not at all.

They are written to a hidden store inside and then renamed into place, their record (a JSON file) last. What earlier
results leave is replaced; other files stay. An error leaves the folder as it was.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.report.tables import write_json

__all__ = ["PACKAGE", "STORE", "claim", "create", "publish", "published", "read_own"]

PACKAGE = "bayes-lmmlasso"
STORE = ".unfinished"


def read_own(file: Path) -> dict[str, Any] | None:
    """Return a record if it is there and this package's."""
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("package") == PACKAGE else None


def claim(path: Path, record: str, kind: str, beside: Collection[str] = ()) -> dict[str, Any] | None:
    """Return the record of earlier results in a folder, or None where there are none.

    Parameters
    ----------
    path
        The folder, which need not exist.
    record
        Name of the file that such folders hold.
    kind
        What they are results of, such as "a run".
    beside
        Names that may be there without a record.

    Raises
    ------
    InputError
        If it is a file, or a folder that holds anything else.
    """
    if not path.exists():
        return None
    if not path.is_dir():
        raise InputError(f"expected a folder for --out, got the file {path}: choose another name")
    known = read_own(path / record)
    others = {entry.name for entry in path.iterdir()}.difference(beside)
    if others and known is None:
        raise InputError(
            f"expected a new or empty folder for --out, or that of {kind}, got {path}, which holds {min(others)}: "
            "choose another folder"
        )
    return known


def create(path: Path) -> list[Path]:
    """Create a folder with its parents and return those that are new, innermost first.

    Raises
    ------
    InputError
        If that is not possible.
    """
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"expected a folder that can be created for --out, got {path}: {error.strerror}") from error
    return missing


@contextmanager
def published(
    path: Path, record: str, earlier: Collection[str], keep: Callable[[Path], bool] = lambda store: False
) -> Iterator[Path]:
    """Lend an empty store to write results in, and publish them if all went well.

    Parameters
    ----------
    path
        A folder that was claimed; created if need be.
    record
        Name of the record, which must be among the results.
    earlier
        Names of files that results of before may have.
    keep
        Whether a store has what is worth to go on from, and stays after an error.
    """
    created, store = create(path), path / STORE
    try:
        shutil.rmtree(store, ignore_errors=True)
        store.mkdir()
        yield store
    except BaseException:
        if not keep(store):
            shutil.rmtree(store, ignore_errors=True)
            for folder in created:
                with suppress(OSError):  # somebody else's file has come in meanwhile
                    folder.rmdir()
        raise
    publish(path, record, earlier)


def publish(path: Path, record: str, earlier: Collection[str]) -> None:
    """Move the store's files into the folder, the record last, and drop what they replace.

    After an interruption it goes on where it was: once all of the earlier files are out of the way, their place has
    another name.
    """
    store = path / STORE
    leaving, gone = store / ".leaving", store / ".gone"
    if not gone.exists():
        leaving.mkdir(exist_ok=True)
        known = read_own(path / record)
        if known is not None:
            write_json(known | {"status": "running"}, path / record)
        for name in earlier:
            if (path / name).exists():
                (path / name).replace(leaving / name)
        leaving.replace(gone)
    for entry in sorted(store.iterdir()):
        if entry.name != record and entry != gone:
            entry.replace(path / entry.name)
    (store / record).replace(path / record)
    shutil.rmtree(store)

"""Results that appear together in a folder, or not at all, at whatever moment their writer is killed.

They are written to a hidden store inside and then renamed into place, their record (a JSON file) last. What earlier
results leave is replaced; other files stay. An error leaves the folder as it was. Before the first rename all of them
are on the disk (fsync), and so is every rename before the one of the record: a power cut loses no results that were
there, and leaves no record without them.

A store says by its record what it is: unfinished work; results that are complete, which `settle` publishes; or, without
one, nothing that counts.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.integrity import record_sum, sync
from bayes_lmmlasso.lock import LOCK
from bayes_lmmlasso.report.tables import json_text, write_json

__all__ = ["PACKAGE", "STORE", "claim", "discard", "publish", "published", "read_own", "settle", "write_own"]

PACKAGE = "bayes-lmmlasso"
STORE = ".unfinished"
_THREADS = 16  # that wait for the disk


def read_own(file: Path) -> dict[str, Any] | None:
    """Return a record if it is there, this package's and, as its checksum says, as it was written."""
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(record, dict) or record.get("package") != PACKAGE:
        return None
    return record if record.get("sha256", record_sum(record)) == record_sum(record) else None


def write_own(record: Mapping[str, Any], file: Path) -> None:
    """Write a record with its checksum."""
    plain = json.loads(json_text(record))
    write_json(plain | {"sha256": record_sum(plain)}, file)


def claim(path: Path, record: str, kind: str, beside: Collection[str] = ()) -> dict[str, Any] | None:
    """Return the record of earlier results in a folder, or None where there are none.

    Parameters
    ----------
    path
        The folder, which was settled.
    record
        Name of the file that such folders hold.
    kind
        What they are results of, such as "a run".
    beside
        Names that may be there without a record, besides what a writer leaves that is killed in its first instants.

    Raises
    ------
    InputError
        If it is a folder that holds anything else.
    """
    known = read_own(path / record)
    others = {entry.name for entry in path.iterdir()}.difference(beside, (STORE, LOCK))
    if others and known is None:
        raise InputError(
            f"expected a new or empty folder for --out, or that of {kind}, got {path}, which holds {min(others)}: "
            "choose another folder"
        )
    return known


@contextmanager
def published(
    path: Path, record: str, earlier: Collection[str], keep: Callable[[Path], bool] = lambda store: False
) -> Iterator[Path]:
    """Lend an empty store to write results in, and publish them if all went well.

    Parameters
    ----------
    path
        A folder that was claimed.
    record
        Name of the record, which must be among the results.
    earlier
        Names of files that results of before may have.
    keep
        Whether a store has what is worth to go on from, and stays after an error.
    """
    store = path / STORE
    discard(store, record)
    try:
        store.mkdir()
        yield store
    except BaseException:
        if not keep(store):
            discard(store, record)
        raise
    publish(path, record, earlier)


def settle(path: Path, record: str, earlier: Collection[str]) -> None:
    """Publish results that were complete when their writer was killed; records without a status are of such."""
    (path / f".{record}.partial").unlink(missing_ok=True)
    known = read_own(path / STORE / record)
    if known is not None and known.get("status", "finished") == "finished":
        publish(path, record, earlier)


def discard(store: Path, record: str) -> None:
    """Remove a store, its record first: what is left of it then counts for nothing."""
    with suppress(OSError):
        (store / record).unlink(missing_ok=True)
        shutil.rmtree(store, ignore_errors=True)


def publish(path: Path, record: str, earlier: Collection[str]) -> None:
    """Move the store's files into the folder, the record last, and drop what they replace.

    After an interruption it goes on where it was: once all of the earlier files are out of the way, their place has
    another name.
    """
    store = path / STORE
    leaving, gone = store / ".leaving", store / ".gone"
    if not gone.exists():
        _keep_on_disk(store)
        leaving.mkdir(exist_ok=True)
        known = read_own(path / record)
        if known is not None:
            write_own(known | {"status": "running"}, path / record)
        for name in earlier:
            if (path / name).exists():
                (path / name).replace(leaving / name)
        leaving.replace(gone)
    for entry in sorted(store.iterdir()):
        if entry.name != record and entry != gone:
            entry.replace(path / entry.name)
    sync(path)
    (store / record).replace(path / record)
    sync(path)
    discard(store, record)


def _keep_on_disk(folder: Path) -> None:
    """Wait until all files of a folder are on the disk."""
    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(sync, [folder, *folder.rglob("*")]):
            pass

"""The folder of a run: all of its results appear together at the end, or none.

While a run is unfinished its folder holds ``run.json`` (status "running") and one hidden store with the draws so far.
An error or Ctrl-C removes both, and the folder if it is new, unless there are draws to continue from. With
``overwrite`` an earlier run stays as it is until the new one has succeeded; its files are then replaced one by one,
``run.json`` last. The draws of a finished run stay beside its results, so that more can be added.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.report.tables import RECORD, write_json

__all__ = [
    "CHECKPOINT",
    "PACKAGE",
    "RECORD",
    "can_resume",
    "published_folder",
    "read_record",
    "resumed_directory",
    "run_directory",
    "to_resume",
]

PACKAGE = "bayes-lmmlasso"
CHECKPOINT = "checkpoint"
_TABLES = ("inclusion.tsv", "windows.tsv", "credible_sets.tsv", "hyper.tsv")
_FILES = (*_TABLES, "posterior.zarr", "report.html", CHECKPOINT)
_STORE = ".unfinished"


@contextmanager
def run_directory(path: Path, starting_record: Mapping[str, Any], *, overwrite: bool = False) -> Iterator[Path]:
    """Claim a folder, lend a hidden store to write results in, and publish them if all went well.

    Parameters
    ----------
    path
        The folder; created if need be.
    starting_record
        What ``run.json`` says, with the status "running", until the store's own ``run.json`` replaces it.
    overwrite
        Whether an earlier run in the folder may be replaced.

    Yields
    ------
    The store. Its files, ``run.json`` among them, are published when the block ends without an exception.

    Raises
    ------
    InputError
        If the folder holds a run (without ``overwrite``) or anything else.
    """
    holds_run = _check(path, overwrite)
    created = _create(path)
    running = dict(starting_record) | {"status": "running"}
    store = path / _STORE
    try:
        if not holds_run:
            write_json(running, path / RECORD)
        shutil.rmtree(store, ignore_errors=True)
        store.mkdir()
        write_json(running, store / RECORD)
        yield store
    except BaseException:
        if not _has_draws(store):
            shutil.rmtree(store, ignore_errors=True)
            if not holds_run:
                (path / RECORD).unlink(missing_ok=True)
            for folder in created:
                with suppress(OSError):  # somebody else's file has come in meanwhile
                    folder.rmdir()
        raise
    _publish(store, path)


@contextmanager
def resumed_directory(path: Path, starting_record: Mapping[str, Any]) -> Iterator[Path]:
    """Lend the store of an unfinished run again, or one with the draws of a finished run, and publish as above.

    Raises
    ------
    InputError
        If the draws of a finished run are gone. A finished run stays as it is after bad input.
    """
    store, kept = path / _STORE, path / CHECKPOINT
    finished = _record(store) is None
    if finished and kept.is_dir():
        store.mkdir(exist_ok=True)
        kept.replace(store / CHECKPOINT)
    elif finished and not _has_draws(store):
        raise InputError(f"expected the draws of a finished run in {kept}, got none: run it again with more draws")
    try:
        write_json(dict(starting_record) | {"status": "running"}, store / RECORD)
        yield store
    except InputError:
        if finished:
            (store / CHECKPOINT).replace(kept)
            shutil.rmtree(store)
        raise
    _publish(store, path)


@contextmanager
def published_folder(path: Path, marker: str, *, overwrite: bool = False) -> Iterator[Path]:
    """Lend a folder beside ``path`` to write in, and rename it to ``path`` if all went well.

    Parameters
    ----------
    path
        Where the folder will be: new, empty, or with ``overwrite`` one that holds ``marker``, which is replaced whole.
    marker
        Name of a file that such folders hold.
    overwrite
        Whether an earlier one may be replaced.

    Raises
    ------
    InputError
        If ``path`` is a file, its parent does not exist, or it holds anything else.
    """
    target = path.absolute()
    if not target.parent.is_dir():
        raise InputError(f"expected a folder in an existing one for --out, got {path}: create {path.parent} first")
    if path.exists() and not path.is_dir():
        raise InputError(f"expected a folder for --out, got the file {path}: choose another name")
    if path.is_dir() and any(path.iterdir()):
        ours = (path / marker).is_file()
        if not (ours and overwrite):
            remedy = "give --overwrite to replace it" if ours else "choose another folder"
            raise InputError(f"expected a new folder for --out, got {path}, which holds files: {remedy}")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as scratch:
        written, earlier = Path(scratch) / "new", Path(scratch) / "earlier"
        written.mkdir()
        yield written
        if target.is_dir():
            target.rename(earlier)
        written.rename(target)
        shutil.rmtree(earlier, ignore_errors=True)


def can_resume(path: Path) -> bool:
    """Whether an unfinished run has draws to go on from."""
    return _has_draws(path / _STORE)


def to_resume(path: Path) -> tuple[dict[str, Any], bool]:
    """Return the record of the run in a folder that can continue, and whether it is finished.

    Results that were complete when they should have been published are published first.

    Raises
    ------
    InputError
        If there is no run.
    """
    store = path / _STORE
    unfinished = _record(store)
    if unfinished is None:
        return read_record(path), True
    if unfinished.get("status") == "finished":
        _publish(store, path)
        return read_record(path), True
    return unfinished, False


def read_record(path: Path) -> dict[str, Any]:
    """Read ``run.json`` of a finished run.

    Raises
    ------
    InputError
        If the folder holds no run or an unfinished one.
    """
    record = _record(path)
    if record is None:
        raise InputError(
            f"expected the folder of a finished run, got {path} without a {RECORD} of {PACKAGE}: "
            "name the folder given to --out"
        )
    if record.get("status") != "finished":
        raise InputError(
            f"expected a finished run in {path}, got one with status {record.get('status')!r}: "
            f"wait for it, continue it with `{PACKAGE} resume {path}`, or run it again with --overwrite"
        )
    return record


def _check(path: Path, overwrite: bool) -> bool:
    """Return whether the folder holds a run of ours, or refuse it."""
    if not path.exists():
        return False
    if not path.is_dir():
        raise InputError(f"expected a folder for --out, got the file {path}: choose another name")
    record = _record(path)
    if record is None:
        names = sorted(entry.name for entry in path.iterdir())
        if names:
            raise InputError(
                f"expected a new or empty folder for --out, got {path}, which holds {names[0]} and is no "
                "earlier run: choose another folder"
            )
        return False
    if not overwrite:
        finished = record.get("status") == "finished"
        raise InputError(
            f"expected a new or empty folder for --out, got {path}, which holds "
            f"{'a finished' if finished else 'an unfinished'} run: choose another folder"
            f"{'' if finished else f', continue it with `{PACKAGE} resume {path}`,'} or pass --overwrite"
        )
    return True


def _record(path: Path) -> dict[str, Any] | None:
    """Return ``run.json`` if it is there and ours."""
    try:
        record = json.loads((path / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("package") == PACKAGE else None


def _create(path: Path) -> list[Path]:
    """Create the folder with its parents and return those that are new, innermost first."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"expected a folder that can be created for --out, got {path}: {error.strerror}") from error
    return missing


def _has_draws(store: Path) -> bool:
    return any((store / CHECKPOINT).glob("chain-*.npz"))


def _publish(store: Path, path: Path) -> None:
    """Move the store's files into the folder, ``run.json`` last, and drop what they replace.

    After an interruption it goes on where it was: once all of the earlier files are out of the way, their place has
    another name.
    """
    leaving, gone = store / ".leaving", store / ".gone"
    if not gone.exists():
        leaving.mkdir(exist_ok=True)
        record = _record(path) or {}
        write_json(record | {"status": "running"}, path / RECORD)
        for name in _FILES:
            if (path / name).exists():
                (path / name).replace(leaving / name)
        leaving.replace(gone)
    for name in _FILES:
        if (store / name).exists():
            (store / name).replace(path / name)
    (store / RECORD).replace(path / RECORD)
    shutil.rmtree(store)

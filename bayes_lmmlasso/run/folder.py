"""The folder of a run: all of its results appear together at the end, or none.

While a run is unfinished its folder holds ``run.json`` (status "running", or "interrupted" after an error or Ctrl-C)
and one hidden store with the draws so far. Both go with an error or Ctrl-C, and the folder if it is new, unless there
are draws to continue from. With ``overwrite`` an earlier run stays as it is until the new one has succeeded. The draws
of a finished run stay beside its results, so that more can be added.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.report.tables import RECORD, write_json
from bayes_lmmlasso.run.publish import PACKAGE, STORE, claim, publish, published, read_own

__all__ = ["CHECKPOINT", "can_resume", "read_record", "resumed_directory", "run_directory", "to_resume"]

CHECKPOINT = "checkpoint"
_FILES = (
    *("inclusion.tsv", "windows.tsv", "credible_sets.tsv", "hyper.tsv", "posterior.zarr", "report.html", CHECKPOINT),
)


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
    earlier = claim(path, RECORD, "a run")
    if earlier is not None and not overwrite:
        finished = earlier.get("status") == "finished"
        raise InputError(
            f"expected a new or empty folder for --out, got {path}, which holds "
            f"{'a finished' if finished else 'an unfinished'} run: choose another folder"
            f"{'' if finished else f', continue it with `{PACKAGE} resume {path}`,'} or pass --overwrite"
        )
    running = {**starting_record, "status": "running"}
    with published(path, RECORD, _FILES, keep=_has_draws) as store:
        try:
            if earlier is None:
                write_json(running, path / RECORD)
            write_json(running, store / RECORD)
            yield store
        except BaseException:
            if _has_draws(store):
                _mark(path, "interrupted")
            elif earlier is None:
                (path / RECORD).unlink(missing_ok=True)
            raise


@contextmanager
def resumed_directory(path: Path, starting_record: Mapping[str, Any]) -> Iterator[Path]:
    """Lend the store of an unfinished run again, or one with the draws of a finished run, and publish as above.

    Raises
    ------
    InputError
        If the draws of a finished run are gone. A finished run stays as it is after bad input.
    """
    store, kept = path / STORE, path / CHECKPOINT
    finished = read_own(store / RECORD) is None
    if finished and kept.is_dir():
        store.mkdir(exist_ok=True)
        kept.replace(store / CHECKPOINT)
    elif finished and not _has_draws(store):
        raise InputError(f"expected the draws of a finished run in {kept}, got none: run it again with more draws")
    try:
        write_json(starting_record, store / RECORD)
        _mark(path, "running")
        yield store
    except BaseException as error:
        if finished and isinstance(error, InputError):
            (store / CHECKPOINT).replace(kept)
            shutil.rmtree(store)
        else:
            _mark(path, "interrupted")
        raise
    publish(path, RECORD, _FILES)


def can_resume(path: Path) -> bool:
    """Whether an unfinished run has draws to go on from."""
    return _has_draws(path / STORE)


def to_resume(path: Path) -> tuple[dict[str, Any], bool]:
    """Return the record of the run in a folder that can continue, and whether it is finished.

    Results that were complete when they should have been published are published first.

    Raises
    ------
    InputError
        If there is no run.
    """
    unfinished = read_own(path / STORE / RECORD)
    if unfinished is None:
        return read_record(path), True
    if unfinished.get("status") == "finished":
        publish(path, RECORD, _FILES)
        return read_record(path), True
    return unfinished, False


def read_record(path: Path) -> dict[str, Any]:
    """Read ``run.json`` of a finished run.

    Raises
    ------
    InputError
        If the folder holds no run or an unfinished one.
    """
    record = read_own(path / RECORD)
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


def _mark(path: Path, status: str) -> None:
    """Say in the records of an unfinished run, of the folder and of its store, how it stands."""
    for file in (path / RECORD, path / STORE / RECORD):
        record = read_own(file)
        if record is not None and record.get("status") != "finished":
            write_json(record | {"status": status}, file)


def _has_draws(store: Path) -> bool:
    return any((store / CHECKPOINT).glob("chain-*.npz"))

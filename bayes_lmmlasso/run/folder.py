"""The folder of a run: all of its results appear together at the end, or none, and one process writes at a time.

While a run is unfinished its folder holds ``run.json`` (status "running", or "stopped" after an error or Ctrl-C) and
one hidden store with the draws so far. Both go with an error or Ctrl-C, and the folder if it is new, unless there are
draws to continue from. With ``overwrite`` an earlier run stays as it is until the new one has succeeded. The draws of a
finished run stay beside its results, so that more can be added.

Of several priors each but the first has a folder of its name in that of the run, with draws of its own. It comes and
goes with the run. The record tells which they are: any other folder is the user's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.integrity import check_sums
from bayes_lmmlasso.lock import one_writer
from bayes_lmmlasso.report.tables import PRIORS, RECORD, priors_of
from bayes_lmmlasso.run.publish import PACKAGE, STORE, claim, discard, publish, published, read_own, settle, write_own

__all__ = ["CHECKPOINT", "can_resume", "check_files", "read_record", "resumed_directory", "run_directory", "settled"]

CHECKPOINT = "checkpoint"
_FILES = (
    *("inclusion.tsv", "windows.tsv", "credible_sets.tsv", "hyper.tsv", PRIORS, "posterior.zarr", "report.html"),
    CHECKPOINT,
)
_STARTED = {"command": str, "arguments": dict}
_FINISHED = _STARTED | {"seed": int, "versions": dict, "data": dict, "null_model": dict, "evidence": dict}


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
        If the folder holds a run (without ``overwrite``) or anything else, or another process is writing in it.
    """
    running = {**starting_record, "status": "running"}
    _check_whole(path)
    with one_writer(path):
        _settle(path)
        earlier = claim(path, RECORD, "a run")
        finished = earlier is not None and earlier.get("status") == "finished"
        if earlier is not None and not overwrite:
            raise InputError(
                f"expected a new or empty folder for --out, got {path}, which holds "
                f"{'a finished' if finished else 'an unfinished'} run: choose another folder"
                f"{'' if finished else f', continue it with `{PACKAGE} resume {path}`,'} or pass --overwrite"
            )
        for other in _others(starting_record):
            if (path / other).exists() and other not in _others(earlier):
                raise InputError(
                    f"expected no {path / other} before the results of {other}, got one that the run has not made: "
                    "move it away, or choose another folder"
                )
        if finished:  # draws that were to be added to it are its own again, until it is replaced
            (path / STORE / RECORD).unlink(missing_ok=True)
            _settle(path)
        with published(path, RECORD, _files(path), keep=_has_draws) as store:
            try:
                write_own(running, store / RECORD)
                if not finished:
                    write_own(running, path / RECORD)
                yield store
            except BaseException:
                if earlier is None and not _has_draws(store):
                    (path / RECORD).unlink(missing_ok=True)
                else:
                    _mark(path, "stopped")
                raise


@contextmanager
def settled(path: Path) -> Iterator[tuple[dict[str, Any], bool]]:
    """Be the only one that writes in the folder of a run, and tell its record and whether it has nothing left to do.

    Results that were complete when they should have been published are published first. An unfinished run without a
    store was killed in its first instants: it begins anew.

    Raises
    ------
    InputError
        If there is no run, or another process is writing in its folder.
    """
    if all(read_own(file) is None for file in (path / RECORD, path / STORE / RECORD)):
        read_record(path)  # which says so
    _check_whole(path)
    with one_writer(path):
        unpublished = (path / STORE / RECORD).exists()
        _settle(path)
        record = read_own(path / (STORE if (path / STORE).exists() else "") / RECORD)
        if record is None:
            raise InputError(
                f"expected a {RECORD} of {PACKAGE} in {path / STORE}, got a damaged one: restore it, or run the "
                "analysis again with --overwrite"
            )
        yield _complete(record, _STARTED, path), record.get("status") == "finished" and not unpublished


@contextmanager
def resumed_directory(path: Path, starting_record: Mapping[str, Any]) -> Iterator[Path]:
    """Lend the store of an unfinished run again, or one with the draws of a finished run, and publish as above.

    Parameters
    ----------
    path
        The folder of a run, which is `settled`.
    starting_record
        As of `run_directory`.

    Raises
    ------
    InputError
        If the draws of a finished run are gone. A finished run stays as it is after bad input.
    """
    store, kept = path / STORE, path / CHECKPOINT
    known = read_own(path / RECORD) or {}
    finished = read_own(store / RECORD) is None and known.get("status") == "finished"
    if finished and not kept.is_dir():
        raise InputError(f"expected the draws of a finished run in {kept}, got none: run it again with more draws")
    try:
        store.mkdir(exist_ok=True)
        if finished:
            for name in _checkpoints(known):
                if (path / name).is_dir():
                    (store / name).parent.mkdir(exist_ok=True)
                    (path / name).replace(store / name)
        write_own(starting_record, store / RECORD)
        _mark(path, "running")
        yield store
    except BaseException as error:
        if finished and isinstance(error, InputError):
            (store / RECORD).unlink(missing_ok=True)
            _settle(path)
        else:
            _mark(path, "stopped")
        raise
    publish(path, RECORD, _files(path))


def can_resume(path: Path) -> bool:
    """Whether an unfinished run has draws to go on from."""
    return _has_draws(path / STORE)


def read_record(path: Path) -> dict[str, Any]:
    """Read ``run.json`` of a finished run.

    Raises
    ------
    InputError
        If the folder holds no run or an unfinished one.
    """
    record = read_own(path / RECORD)
    if record is None:
        found = (
            f"with a {RECORD} of another or damaged" if (path / RECORD).exists() else f"without a {RECORD} of {PACKAGE}"
        )
        raise InputError(f"expected the folder of a finished run, got {path} {found}: name the folder given to --out")
    if record.get("status") != "finished":
        raise InputError(
            f"expected a finished run in {path}, got one with status {record.get('status')!r}: "
            f"wait for it, continue it with `{PACKAGE} resume {path}`, or run it again with --overwrite"
        )
    return _complete(record, _FINISHED, path)


def check_files(path: Path, record: Mapping[str, Any], *names: str) -> None:
    """Hold files of a finished run, by default all that its record notes, against what they were.

    Raises
    ------
    InputError
        If one is missing or is not as it was.
    """
    noted = record.get("files", {})  # runs of older versions have none
    check_sums(path, {name: noted[name] for name in names or noted if name in noted})


def _complete(record: dict[str, Any], needed: Mapping[str, type], path: Path) -> dict[str, Any]:
    """Return a record that has what is read of it."""
    for name, kind in needed.items():
        if not isinstance(record.get(name), kind):
            raise InputError(
                f"expected {name} in the {RECORD} of a run in {path}, got {record.get(name)!r}: restore it from a "
                "copy, or run the analysis again with --overwrite"
            )
    return record


def _others(record: Mapping[str, Any] | None) -> list[str]:
    """Return the priors of a run that have folders of their own."""
    return priors_of(record)[1:] if record and isinstance(record.get("arguments"), dict) else []


def _files(path: Path) -> list[str]:
    """Return the names that results in a folder may have."""
    return [*_FILES, *_others(read_own(path / RECORD))]


def _checkpoints(record: Mapping[str, Any]) -> list[str]:
    """Return where the draws of each prior are."""
    return [CHECKPOINT, *(f"{other}/{CHECKPOINT}" for other in _others(record))]


def _check_whole(path: Path) -> None:
    """Refuse a folder that is part of a run, as one of its priors."""
    place = path.resolve()
    if place.name in _others(read_own(place.parent / RECORD)):
        raise InputError(
            f"expected the folder of a whole run, got {path}, one prior of the run in {place.parent}: go on with that "
            "one, or choose another folder"
        )


def _settle(path: Path) -> None:
    """Bring a folder to where a run or its last interruption would have left it, had nothing been killed half-way."""
    settle(path, RECORD, _files(path))
    store = path / STORE
    if store.exists() and not (store / RECORD).exists():
        known = read_own(path / RECORD) or {}
        for name in _checkpoints(known) if known.get("status") == "finished" else ():
            if not (path / name).exists() and _has_draws((store / name).parent):
                (store / name).replace(path / name)
        discard(store, RECORD)


def _mark(path: Path, status: str) -> None:
    """Say in the records of an unfinished run, of the folder and of its store, how it stands, if there is room to."""
    for file in (path / RECORD, path / STORE / RECORD):
        record = read_own(file)
        if record is not None and record.get("status") != "finished":
            with suppress(OSError):
                write_own(record | {"status": status}, file)


def _has_draws(store: Path) -> bool:
    return any((store / CHECKPOINT).glob("chain-*.npz"))

"""One writer a folder: whoever writes results in it holds the lock of a file there, which goes with the last of it.

A lock ends with the process that holds it, however that ends; a file that is left behind by one that was killed stands
in nobody's way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bayes_lmmlasso.errors import InputError

__all__ = ["LOCK", "one_writer"]

LOCK = ".lock"


@contextmanager
def one_writer(path: Path) -> Iterator[None]:
    """Be the only one that writes in a folder; what is created of it goes again if it stays empty.

    Parameters
    ----------
    path
        The folder; created with its parents if need be.

    Raises
    ------
    InputError
        If it is a file, cannot be created or written in, or another process is writing in it.
    """
    from filelock import FileLock, Timeout  # by those who write alone

    if path.exists() and not path.is_dir():
        raise InputError(f"expected a folder for --out, got the file {path}: choose another name")
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"expected a folder that can be created for --out, got {path}: {error.strerror}"
            ) from error
        try:
            held = FileLock(path / LOCK).acquire(timeout=0)
        except Timeout as error:
            raise InputError(
                f"expected a folder that nobody else is writing in, got {path}, where another process is: wait for it, "
                "or choose another folder"
            ) from error
        except OSError as error:
            raise InputError(
                f"expected a folder that can be written in, got {path}: {error.strerror}: choose another folder"
            ) from error
        with held:
            try:
                yield
            finally:
                (path / LOCK).unlink(missing_ok=True)
    finally:
        for folder in missing:
            with suppress(OSError):  # it holds something
                folder.rmdir()

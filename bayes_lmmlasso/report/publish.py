"""A folder of results that appears complete, by rename, or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bayes_lmmlasso.errors import InputError

__all__ = ["published_folder"]


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

"""Death at a chosen moment, without a process: the k-th change of a folder does not happen, nor does any after it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

_CHANGES = frozenset({"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate"})


class Crash(BaseException):
    """The end of a process: whatever clean-up catches it changes nothing either."""


class _Hook:
    """An audit hook, of which a process has one for good: it acts while it is armed."""

    def __init__(self) -> None:
        self.folder, self.left, self.torn, self.changes = "", -1, False, 0
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.folder or event not in _CHANGES:
            return
        path = str(arguments[0])
        if event == "open" and not _writes(arguments):
            return
        if not path.startswith(self.folder) and Path(path).is_absolute():  # names in an open folder are relative
            return
        self.changes += 1
        if 0 <= self.left < self.changes:
            if self.torn and event == "open" and self.changes == self.left + 1:
                folder, self.folder = self.folder, ""
                Path(path).write_bytes(b"\x00torn")
                self.folder = folder
            raise Crash


def _writes(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2]
    return isinstance(arguments[0], str) and isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


_hook = _Hook()


def count_changes(folder: Path, work: Callable[[], object]) -> int:
    """Return how many changes some work makes in a folder."""
    _hook.folder, _hook.left, _hook.changes = str(folder), -1, 0
    try:
        work()
    finally:
        _hook.folder = ""
    return _hook.changes


def crash_at(change: int, folder: Path, work: Callable[[], object], *, torn: bool = False) -> bool:
    """Do some work until a change of the folder, counted from 0, and tell whether it came to that.

    With ``torn`` a file that was to be written then is there, with other bytes.
    """
    _hook.folder, _hook.left, _hook.torn, _hook.changes = str(folder), change, torn, 0
    try:
        work()
    except Crash:
        return True
    finally:
        _hook.folder = ""
    return False

"""Memory that is free, given back to the system.

What a stage of an analysis needed and the next does not is free, but still counts as the process's: the C library
keeps it for later. Compiling is the largest case, some hundred megabytes for a second or two.
"""

from __future__ import annotations

import ctypes
import gc
from pathlib import Path

__all__ = ["count_maps", "release_memory"]

_trim = getattr(ctypes.pythonapi, "malloc_trim", None)  # glibc alone has it


def count_maps() -> int:
    """Return the number of memory maps of this process, of which Linux allows 65,530; 0 where the system keeps none."""
    try:
        return Path("/proc/self/maps").read_bytes().count(b"\n")
    except OSError:
        return 0


def release_memory() -> None:
    """Collect garbage and return free pages to the system; where the C library cannot, only the former."""
    gc.collect()
    if _trim is not None:
        _trim(0)

"""Memory that is free, given back to the system.

What a stage of an analysis needed and the next does not is free, but still counts as the process's: the C library
keeps it for later. Compiling is the largest case, some hundred megabytes for a second or two. Files that are mapped
count as well, as far as they have been read; their pages come back when they are read again.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
from pathlib import Path
from weakref import WeakSet

__all__ = ["count_maps", "map_file", "release_memory"]

_trim = getattr(ctypes.pythonapi, "malloc_trim", None)  # glibc alone has it
_mapped: WeakSet[mmap.mmap] = WeakSet()


def map_file(path: Path) -> memoryview:
    """Return the bytes of a file that is not empty, to be read only, without reading them yet."""
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    _mapped.add(mapped)
    return memoryview(mapped)


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
    for mapped in _mapped:
        if hasattr(mmap, "MADV_DONTNEED"):
            mapped.madvise(mmap.MADV_DONTNEED)

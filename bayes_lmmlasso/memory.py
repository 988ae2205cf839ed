"""Memory that is free: how much there is, and how it is given back to the system.

What a stage of an analysis needed and the next does not is free, but still counts as the process's: the C library
keeps it for later. Compiling is the largest case, some hundred megabytes for a second or two.
"""

from __future__ import annotations

import ctypes
import gc
import resource
from pathlib import Path

__all__ = ["count_maps", "free_memory", "release_memory"]

_UNLIMITED = 2**63
_GROUPS = (  # of version 2 and 1: limit, and use, which counts files that are kept in memory as long as there is room
    ("/sys/fs/cgroup", "memory.max", "memory.current", "file"),
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_cache"),
)
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


def free_memory() -> int:
    """Return the bytes that this process can still take: of the machine, its control group and its own limits."""
    status = _numbers("/proc/self/status")
    limits = [_numbers("/proc/meminfo").get("MemAvailable", _UNLIMITED), *map(_free_of_group, _GROUPS)]
    for name, taken in (("RLIMIT_AS", "VmSize"), ("RLIMIT_DATA", "VmData")):
        soft = resource.getrlimit(getattr(resource, name))[0]
        if soft != resource.RLIM_INFINITY:
            limits.append(soft - status.get(taken, 0))
    return max(0, min(limits))


def _free_of_group(names: tuple[str, str, str, str]) -> int:
    """Return what is left to the control group, which tells it in files of a folder."""
    folder, *files, cache = names
    try:
        limit, used, statistics = (Path(folder, name).read_text("ascii").split() for name in (*files, "memory.stat"))
    except OSError:
        return _UNLIMITED
    kept = dict(zip(statistics[::2], statistics[1::2], strict=True)).get(cache, "0")
    return int(limit[0]) - int(used[0]) + int(kept) if limit[0].isdigit() else _UNLIMITED


def _numbers(path: str) -> dict[str, int]:
    """Return the sizes in a file of the system's in bytes, by name; none where there is no such file."""
    try:
        lines = Path(path).read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return {}
    sizes = (line.replace(":", " ").split() for line in lines if line.endswith(" kB"))
    return {name: 1024 * int(size) for name, size, *_ in sizes}

"""Files that may be compressed: gzip (also bgzip) and Zstandard, told by their first bytes and not by their names.

What cannot be unpacked, because it is damaged or cut short, raises OSError as a file that cannot be read.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from bayes_lmmlasso.cohort.formats.optional import optional_package

__all__ = ["open_bytes", "open_text"]

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_CHUNK = 1 << 17


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO | gzip.GzipFile]:
    """Open a file for reading what it holds once it is unpacked.

    Raises
    ------
    InputError
        If it is a Zstandard file and the package for these is not installed.
    OSError
        If it cannot be read or unpacked, also while it is read.
    """
    with path.open("rb") as file:
        start = file.peek(4)
        if start.startswith(_GZIP):
            try:
                with gzip.GzipFile(fileobj=file) as unpacked:
                    yield unpacked
            except (EOFError, zlib.error) as error:
                raise OSError(f"a damaged or incomplete .gz file ({error})") from error
        elif start.startswith(_ZSTD):
            with io.BufferedReader(_ZstdFile(file), _CHUNK) as unpacked:
                yield unpacked
        else:
            yield file


@contextmanager
def open_text(path: Path, encoding: str = "utf-8-sig") -> Iterator[TextIO]:
    """Open a text file as `open_bytes` does; its lines end in LF, CR or both."""
    with open_bytes(path) as file, io.TextIOWrapper(file, encoding=encoding) as text:
        yield text


class _ZstdFile(io.RawIOBase):
    """What a Zstandard file of one or more frames holds; the end of the file within a frame is an error."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._package = optional_package("zstandard", "zst")
        self._frame: Any = None
        self._packed = self._unpacked = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._unpacked:
            self._packed = self._packed or self._file.read(_CHUNK)
            if not self._packed:
                if self._frame is not None:
                    raise OSError("an incomplete .zst file")
                return 0
            self._unpack()
        n = min(len(buffer), len(self._unpacked))
        buffer[:n], self._unpacked = self._unpacked[:n], self._unpacked[n:]
        return n

    def _unpack(self) -> None:
        if self._frame is None:
            self._frame = self._package.ZstdDecompressor().decompressobj()
        try:
            self._unpacked = self._frame.decompress(self._packed)
        except self._package.ZstdError as error:
            raise OSError(f"a damaged .zst file ({error})") from error
        self._packed = self._frame.unused_data
        if self._frame.eof:
            self._frame = None

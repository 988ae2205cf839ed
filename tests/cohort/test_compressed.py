"""Compressed files: what they hold is read whatever they are called, and damage is an OSError."""

from __future__ import annotations

import gzip

import pytest
import zstandard

from bayes_lmmlasso.cohort.tables.compressed import open_bytes, open_text

LINES = "".join(f"{i}\thöhe\n" for i in range(50_000))
PACK = {"plain": bytes, "gz": gzip.compress, "zst": zstandard.compress}


@pytest.mark.parametrize("kind", PACK)
@pytest.mark.parametrize("name", ["t.txt", "t.gz", "t.zst"])
def test_the_content_counts_and_not_the_name(tmp_path, kind, name):
    path = tmp_path / name
    path.write_bytes(PACK[kind](LINES.encode("utf-8-sig")))
    with open_text(path) as file:
        assert file.read() == LINES


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_parts_that_were_joined_are_read_on(tmp_path, kind):
    (tmp_path / "t").write_bytes(b"".join(PACK[kind](part.encode()) for part in ("a\n", LINES, "b\n")))
    with open_bytes(tmp_path / "t") as file:
        assert file.read().decode() == f"a\n{LINES}b\n"


@pytest.mark.parametrize("kind", ["gz", "zst"])
@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data[:40] + data[60:]])
def test_damage_is_an_os_error(tmp_path, kind, damage):
    (tmp_path / "t").write_bytes(damage(PACK[kind](LINES.encode())))
    with pytest.raises(OSError, match=rf"\.{kind} file|CRC"), open_text(tmp_path / "t") as file:
        file.read()

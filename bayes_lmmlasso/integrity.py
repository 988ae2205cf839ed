"""Damage is found: files are held against the lengths and SHA-256 (FIPS 180-4) that were noted when they were written.

A folder of many files has them in a file of its own, ``manifest.json``; a record has those of the files beside it, and
its own, of everything in it but its status and timings. `sync` keeps from a power cut what a rename is to make final.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.remarks import examples

__all__ = ["MANIFEST", "check_folder", "check_sums", "file_sum", "file_sums", "record_sum", "sync", "write_manifest"]

MANIFEST = "manifest.json"
_UNSIGNED = ("sha256", "status", "timings")


def file_sums(folder: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return length and SHA-256 of files of a folder, by name."""
    found = sorted(names)
    with ThreadPoolExecutor() as pool:  # hashing leaves Python to others
        return dict(zip(found, pool.map(_sum, (folder / name for name in found)), strict=True))


def check_sums(folder: Path, known: Mapping[str, Mapping[str, Any]]) -> None:
    """Hold files of a folder against what is known of them.

    Raises
    ------
    InputError
        If one is missing or is not as it was.
    """
    there = {name: (folder / name).stat().st_size for name in known if (folder / name).is_file()}
    bad = [name for name, noted in known.items() if there.get(name) != noted["bytes"]]
    if not bad:
        found = file_sums(folder, known)
        bad = [name for name, noted in known.items() if found[name]["sha256"] != noted["sha256"]]
    if bad:
        raise InputError(
            f"expected the files in {folder} as they were written, got {len(bad):,} missing or changed "
            f"({examples(bad)}): restore them from a copy, or run the analysis again"
        )


def write_manifest(folder: Path) -> None:
    """Note in a folder what is in it, at any depth."""
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    text = json.dumps(file_sums(folder, names), indent=1) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def check_folder(folder: Path) -> None:
    """Hold a folder against its manifest, if it has one.

    Raises
    ------
    InputError
        If a file is missing or is not as it was, or the manifest itself.
    """
    manifest = folder / MANIFEST
    if not manifest.exists():
        return
    try:
        files = json.loads(manifest.read_text(encoding="utf-8")).items()
        known = {str(name): {"bytes": int(noted["bytes"]), "sha256": str(noted["sha256"])} for name, noted in files}
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise InputError(
            f"expected the list of the files in {folder} as it was written, got a damaged {MANIFEST}: restore it from "
            "a copy, or run the analysis again"
        ) from error
    check_sums(folder, known)


def record_sum(record: Mapping[str, Any]) -> str:
    """SHA-256 of a record of plain values without its status, its timings and its own sum."""
    kept = {name: value for name, value in record.items() if name not in _UNSIGNED}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def file_sum(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk (fsync)."""
    if os.name == "nt":
        return  # which has no such call for what is open to read, nor for folders
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sum(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": file_sum(path)}

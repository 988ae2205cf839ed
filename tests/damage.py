"""Files damaged in the ways of disks and of people: deleted, cut off, a bit flipped."""

from __future__ import annotations

import shutil

import numpy as np


def delete(path, rng):
    path.unlink()


def truncate(path, rng):
    path.write_bytes(path.read_bytes()[: rng.integers(path.stat().st_size)])


def flip(path, rng):
    data = bytearray(path.read_bytes())
    if data:
        data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
    path.write_bytes(data)


DAMAGE = {"deleted": delete, "truncated": truncate, "flipped": flip}


def mutants(folder, seed, share=1.0, other=None):
    """Yield each file of a folder (or some) in its turn, damaged there or in a copy, and mend it again."""
    rng = np.random.default_rng(seed)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if rng.random() >= share:
            continue
        data = path.read_bytes()
        for kind, damage in DAMAGE.items():
            if other is not None:
                shutil.copytree(folder, other)
            damage(path if other is None else other / path.relative_to(folder), rng)
            yield f"{kind} {path.relative_to(folder)}"
            path.write_bytes(data)
            if other is not None:
                shutil.rmtree(other)

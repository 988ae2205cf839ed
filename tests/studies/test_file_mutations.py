"""Damaged study files, registries and records: InputError, or they are read; BAYES_LMMLASSO_MUTATIONS says how many."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from small_run import finished_run
from small_study import STUDIES, write_study

import bayes_lmmlasso as bl
from bayes_lmmlasso.cohort import read_registry
from bayes_lmmlasso.cohort.public import datasets
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.report.cautions import cautions
from bayes_lmmlasso.run.folder import read_record
from bayes_lmmlasso.studies import read_study

N_MUTATIONS = int(os.environ.get("BAYES_LMMLASSO_MUTATIONS", "100"))
JUNK = [
    b'"',
    b"'",
    b"[",
    b"]",
    b"{",
    b"}",
    b"=",
    b"\n",
    b"\0",
    b"\xff",
    b"nan",
    b"-1",
    b"1e999",
    b"true",
    b"null",
    b"[]",
    b'""',
]


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Damage a few places: bytes, pieces, words or lines."""
    for _ in range(rng.integers(1, 3)):
        start, lines = rng.integers(0, len(data) + 1), data.split(b"\n")
        end = start + rng.integers(1, 9)
        match rng.integers(6):
            case 0:
                data = data[:start] + rng.bytes(1) + data[start + 1 :]
            case 1:
                data = data[:start] + JUNK[rng.integers(len(JUNK))] + data[start:]
            case 2:
                data = data[:start] + data[end:]
            case 3:
                data = data[: max(start, 1)]
            case 4:
                data = b"\n".join(lines[i] for i in np.sort(rng.permutation(len(lines))[1:]))
            case 5:
                words = data.split()
                data = data.replace(words[rng.integers(len(words))], JUNK[rng.integers(len(JUNK))], 1)
    return data


def outcomes(path: Path, read) -> int:
    """Read mutations of a file, and count those that are refused; nothing but InputError may come."""
    original, rng, refused = path.read_bytes(), np.random.default_rng(7), 0
    for _ in range(N_MUTATIONS):
        path.write_bytes(mutated(original, rng))
        try:
            read(path)
        except InputError:
            refused += 1
    path.write_bytes(original)
    read(path)
    return refused


@pytest.mark.parametrize("kind", STUDIES)
def test_a_damaged_study_file(kind, tmp_path):
    assert N_MUTATIONS / 4 < outcomes(write_study(tmp_path / "study.toml", kind), read_study) < N_MUTATIONS


def test_a_damaged_registry(tmp_path):
    path = tmp_path / "registry.toml"
    path.write_bytes(Path(datasets.__file__).with_name("datasets.toml").read_bytes())
    assert N_MUTATIONS / 8 < outcomes(path, read_registry) < N_MUTATIONS


def test_a_damaged_record(tmp_path):
    """What is told of a run from its record alone."""
    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / "run.json"
    path.write_bytes((finished_run().folder / "run.json").read_bytes())

    def read(path: Path) -> None:
        record = read_record(path.parent)
        cautions(record)
        assert bl.Analysis(path.parent).record == record

    assert N_MUTATIONS / 8 < outcomes(path, read) < N_MUTATIONS

"""Random damage to kinship files and pedigrees: a result or an `InputError`, never anything else."""

from __future__ import annotations

import contextlib
import zlib

import numpy as np
import pandas as pd
import pytest
from kinship_files import WITH_IDS, WITHOUT_IDS

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm.files.fit import fit_to_snps
from bayes_lmmlasso.lmm.files.read import read_cross_kinship, read_given_kinship

N = 100
PIECES = [
    b"",
    b"\t",
    b" ",
    b",",
    b";",
    b"\n",
    b'"',
    b"'",
    b"#",
    b"-",
    b"0",
    b"1",
    b"9",
    b".",
    b"e",
    b"NA",
    b"nan",
    b"inf",
]
PIECES += [
    b"1e308",
    b"-1e308",
    b"1e999",
    b"_",
    b"\x00",
    b"\xff",
    b"\xc3\xa9",
    b"\r",
    b"*",
    b"a",
    b"s3",
    b"-9",
    b"2147483648",
]


def pedigree(folder, ids, K):
    rows = [f"{name} {'s0' if i > 1 else 0} {'s1' if i > 1 else '*'}" for i, name in enumerate(ids["iid"])]
    (folder / "p.txt").write_text("\n".join(["iid sire dam", *rows]) + "\n")
    return folder / "p.txt"


def fam(folder, ids, K):
    rows = [f"{f} {n} {'s0' if i > 1 else 0} {'s1' if i > 1 else 0} 0 -9" for i, (f, n) in enumerate(ids.to_numpy())]
    (folder / "p.fam").write_text("\n".join(rows) + "\n")
    return folder / "p.fam"


KINDS = WITH_IDS | WITHOUT_IDS | {"pedigree": pedigree, "fam": fam}


def mutated(data, rng):
    """Damage bytes in one to three places."""
    for _ in range(rng.integers(1, 4)):
        at, length = int(rng.integers(0, len(data) + 1)), int(rng.integers(0, 9))
        match rng.integers(0, 6):
            case 0:
                data = data[:at] + PIECES[rng.integers(len(PIECES))] + data[at + length :]
            case 1:
                data = data[:at] + bytes(rng.integers(0, 256, length, dtype=np.uint8)) + data[at + length :]
            case 2:
                data = data[:at] if rng.integers(4) == 0 else data[:at] + data[at + length :]
            case 3:
                lines = data.split(b"\n")
                one, other = rng.integers(0, len(lines), 2)
                lines[one] = lines[other]
                data = b"\n".join(lines)
            case 4:
                lines = data.split(b"\n")
                del lines[rng.integers(0, len(lines))]
                data = b"\n".join(lines)
            case 5:
                other = int(rng.integers(0, len(data) + 1))
                data = data[: min(at, other)] + data[max(at, other) :] + data[min(at, other) : max(at, other)]
    return data


def refused(folder, kind, n):
    """Damage the files of a kind n times, and count the sentences."""
    rng = np.random.default_rng(zlib.crc32(kind.encode()))
    W = rng.normal(size=(8, 12))
    ids = pd.DataFrame({"fid": [f"f{i // 2}" for i in range(8)], "iid": [f"s{i}" for i in range(8)]})
    path = KINDS[kind](folder, ids, W @ W.T / 12)
    sound = {file: file.read_bytes() for file in sorted(folder.iterdir())}
    choice = f"pedigree:{path}" if kind in ("pedigree", "fam") else str(path)
    count = 0
    for _ in range(n):
        for file, data in sound.items():
            file.write_bytes(data)
        file = list(sound)[rng.integers(len(sound))]
        file.write_bytes(mutated(sound[file], rng))
        try:
            raw = read_given_kinship(choice, ids, ids)
            assert raw.matrix.shape == (8, 8)
            assert np.isfinite(raw.matrix).all()
            fit_to_snps(raw.matrix, W, np.ones(12), choice)
        except InputError:
            count += 1
        with contextlib.suppress(InputError):
            read_cross_kinship(choice, ids.iloc[5:], ids.iloc[:5])
    return count


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_give_a_sentence_or_a_result(tmp_path, kind):
    assert 0 < refused(tmp_path, kind, N) <= N

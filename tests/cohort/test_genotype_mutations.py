"""Files with random damage are refused with a sentence, or give genotypes that are some."""

from __future__ import annotations

import os
import shutil
import zlib

import numpy as np
import pytest
from genotype_codings import by_sample, hapmap, matrix, store, toy_cohort, vcf
from genotype_files import write_bfile, write_bimbam, write_pgen

from bayes_lmmlasso.cohort import read_genotypes
from bayes_lmmlasso.errors import InputError

N_MUTATIONS = int(os.environ.get("BAYES_LMMLASSO_MUTATIONS", "60"))
"""A file is damaged so many times; more are tried by hand."""

TOKENS = [b"\t", b"\n", b"\r", b" ", b",", b'"', b"0", b"-9", b"NA", b"nan", b"inf", b"1e400", b"1.5", b"\xff", b"\x00"]
TOKENS += [
    b".",
    b"/",
    b"|",
    b"#",
    b"A",
    b"<DEL>",
    b"\xc3\xa9",
    b"99999999999999999999",
    b"2147483648",
    b"-1",
    b"''",
    b"",
]

WRITERS = {
    "bfile": ("bfile", write_bfile),
    "pgen": ("pgen", write_pgen),
    "vcf": ("vcf", lambda c, d: vcf(c, d / "g.vcf")),
    "vcf.gz": ("vcf", lambda c, d: vcf(c, d / "g.vcf.gz")),
    "vcf_zarr": ("vcf_zarr", lambda c, d: store(c, d / "g.vcz")),
    "bimbam": ("bimbam", write_bimbam),
    "matrix": ("matrix", lambda c, d: matrix(c, d / "g.csv", separator=",")),
    "matrix.zst": ("matrix", lambda c, d: matrix(c, d / "g.csv.zst", separator=",")),
    "by sample": ("matrix", lambda c, d: by_sample(c, d / "g.tsv")),
    "hapmap": ("matrix", lambda c, d: hapmap(c, d / "g.hmp.txt")),
}


def damaged(data, rng):
    """The bytes of a file with one to three random changes."""
    for _ in range(rng.integers(1, 4)):
        a, b = sorted(int(i) for i in rng.integers(0, len(data) + 1, 2))
        b = min(b, a + int(rng.integers(1, 30)))
        token = TOKENS[rng.integers(len(TOKENS))]
        lines = data.split(b"\n")
        i, j = (int(k) for k in rng.integers(0, len(lines), 2))
        lines[i], lines[j] = lines[j], lines[i]
        flipped = bytes([data[a] ^ (1 << int(rng.integers(8)))]) if a < len(data) else b""
        changes = [
            data[:a] + data[b:],
            data[:b] + data[a:],
            data[:a] + token + data[a:],
            data[:a] + token + data[b:],
            data[:a] + flipped + data[a + 1 :],
            data[:a],
            b"\n".join(lines),
            b"\n".join([*lines[:i], *lines[i + 1 :]]),
        ]
        data = changes[rng.integers(len(changes))]
    return data


@pytest.mark.parametrize("name", list(WRITERS))
def test_damage_is_told_or_harmless(name, tmp_path):
    format_name, write = WRITERS[name]
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    dosage = rng.integers(-1, 3, (6, 9)).astype(float)
    (tmp_path / "whole").mkdir()
    path = write(toy_cohort(np.where(dosage < 0, np.nan, dosage)), tmp_path / "whole")
    files = sorted(file.relative_to(tmp_path / "whole") for file in (tmp_path / "whole").rglob("*") if file.is_file())
    refused = 0
    for _ in range(N_MUTATIONS):
        copy = shutil.copytree(tmp_path / "whole", tmp_path / "copy")
        spoilt = copy / files[rng.integers(len(files))]
        spoilt.write_bytes(damaged(spoilt.read_bytes(), rng))
        try:
            counts = read_genotypes(copy / path.relative_to(tmp_path / "whole"), format_name)["call_dosage"].values
        except InputError:
            refused += 1
        else:
            assert counts.size
            assert ((counts >= 0) & (counts <= 2) | np.isnan(counts)).all()
        shutil.rmtree(copy)
    assert refused > 0

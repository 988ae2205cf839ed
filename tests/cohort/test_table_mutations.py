"""Damaged tables end in an InputError or a frame that keeps its promises; BAYES_LMMLASSO_MUTATIONS says how many."""

from __future__ import annotations

import gzip
import os

import numpy as np
import pytest
import zstandard

from bayes_lmmlasso.cohort import read_table
from bayes_lmmlasso.cohort.tables import use_columns
from bayes_lmmlasso.errors import InputError

N_MUTATIONS = int(os.environ.get("BAYES_LMMLASSO_MUTATIONS", "200"))
N_ROWS = 12
FIELDS = (
    '"|\\|\0|\r|\n|\t|,|;| |#|1,5|-9|1e999|-|nan|inf|12 cm|2024-01-01|1+2j|Ünï|\ufeff|0x1|iid|""|\'|é\u0301|1_0|TRUE'
)
JUNK = [field.encode() for field in FIELDS.split("|")] + [
    b"\xff\xfe",
    b"\x1f\x8b",
    b"PK\x03\x04",
    b"\xf6",
    b"",
    b"#" * 40,
]

TABLES = {
    "traits": [["fid", "iid", "height", "case"], *([f"f{i % 3}", f"s{i}", 1.5 * i, i % 2] for i in range(N_ROWS))],
    "covariates": [["iid", "age", "site"], *([f"s{i}", 40 + i, "NSEW"[i % 4]] for i in range(N_ROWS))],
}
DIALECTS = {
    "tabs": lambda rows: lines_of(rows, "\t"),
    "quoted commas": lambda rows: lines_of([[f'"{field}"' for field in row] for row in rows], ",", "\r\n"),
    "semicolons": lambda rows: lines_of(rows, ";").replace(b"\n", b";;\n") + b";;;\n",
    "row names": lambda rows: lines_of([rows[0], *([f'"{i}"', *row] for i, row in enumerate(rows[1:]))], " "),
    "UTF-16": lambda rows: lines_of(rows, "\t").decode().encode("utf-16"),
    "gz": lambda rows: gzip.compress(lines_of(rows, "\t"), mtime=0),
    "zst": lambda rows: zstandard.compress(lines_of(rows, "\t")),
}


def lines_of(rows, separator, end="\n"):
    return "".join(separator.join(map(str, row)) + end for row in rows).encode()


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Damage a few places: bytes, pieces, fields or lines."""
    for _ in range(rng.integers(1, 3)):
        start = rng.integers(0, len(data) + 1)
        end = start + rng.integers(1, 9)
        lines = data.split(b"\n")
        match rng.integers(7):
            case 0:
                data = data[:start] + rng.bytes(1) + data[start + 1 :]
            case 1:
                data = data[:start] + JUNK[rng.integers(len(JUNK))] + data[start:]
            case 2:
                data = data[:start] + data[end:]
            case 3:
                data = data[:start] + data[start:end] * 2 + data[end:]
            case 4:
                data = data[: max(start, 1)]
            case 5:
                data = b"\n".join(lines[i] for i in rng.permutation(len(lines))[1:])
            case 6:
                field = data.replace(b"\n", b"\t").split(b"\t")[0 if rng.random() < 0.2 else -2 :][0]
                data = data.replace(field or b"s", JUNK[rng.integers(len(JUNK))], int(rng.integers(1, 3)))
    return data


@pytest.mark.parametrize("what", TABLES)
def test_damaged_tables_are_read_or_refused(tmp_path, what):
    rng = np.random.default_rng(5)
    refusals = []
    for i in range(N_MUTATIONS):
        dialect = list(DIALECTS)[i % len(DIALECTS)]
        (tmp_path / "t").write_bytes(mutated(DIALECTS[dialect](TABLES[what]), rng))
        try:
            table = read_table(tmp_path / "t", what)
            use_columns(table, table.columns)
        except InputError as error:
            refusals.append(str(error))
            continue
        assert not table.filter(["fid", "iid"]).duplicated().any()
        for name in table:
            values = table[name]
            assert name.strip() == name != ""
            assert values.dtype == np.float64 or set(map(type, values)) <= {str, type(None)}
            assert name not in ("fid", "iid") or values.notna().all()
    assert [text for text in refusals if str(tmp_path) not in text or "\n" in text] == []
    assert N_MUTATIONS / 4 < len(refusals) < N_MUTATIONS

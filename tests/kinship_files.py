"""Writers of one kinship in every kind of file, with plain loops."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

Writer = Callable[[Path, pd.DataFrame, np.ndarray], Path]


def _id_file(path: Path, ids: pd.DataFrame, header: str = "") -> None:
    path.write_text(header + "".join(f"{fid}\t{iid}\n" for fid, iid in ids[["fid", "iid"]].to_numpy()))


def _text(path: Path, lines: list[str]) -> Path:
    data = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def _rows(K: np.ndarray, separator: str) -> list[str]:
    return [separator.join(f"{value:.17g}" for value in row) for row in K]


def _lower(K: np.ndarray) -> list[float]:
    return [K[i, k] for i in range(len(K)) for k in range(i + 1)]


def npz(folder: Path, ids: pd.DataFrame, K: np.ndarray) -> Path:
    np.savez(folder / "k.npz", K=K, fid=ids["fid"].to_numpy("U"), iid=ids["iid"].to_numpy("U"))
    return folder / "k.npz"


def npy_with_ids(folder: Path, ids: pd.DataFrame, K: np.ndarray) -> Path:
    np.save(folder / "k.npy", K)
    _id_file(folder / "k.npy.id", ids)
    return folder / "k.npy"


def grm_bin(folder: Path, ids: pd.DataFrame, K: np.ndarray) -> Path:
    (folder / "k.grm.bin").write_bytes(np.array(_lower(K), "<f4").tobytes())
    _id_file(folder / "k.grm.id", ids)
    return folder / "k.grm.bin"


def grm_gz(folder: Path, ids: pd.DataFrame, K: np.ndarray) -> Path:
    _id_file(folder / "k.grm.id", ids)
    n = len(K)
    lines = [f"{i + 1}\t{k + 1}\t600\t{K[i, k]:.17g}" for i in range(n) for k in range(i + 1)]
    return _text(folder / "k.grm.gz", lines)


def rel_square(folder: Path, ids: pd.DataFrame, K: np.ndarray) -> Path:
    _id_file(folder / "k.rel.id", ids, "#FID\tIID\n")
    return _text(folder / "k.rel", _rows(K, "\t"))


def rel_square0(folder: Path, ids: pd.DataFrame, K: np.ndarray) -> Path:
    _id_file(folder / "k.rel.id", ids)
    return _text(folder / "k.rel.gz", _rows(np.tril(K), "\t"))


def rel_triangle(folder: Path, ids: pd.DataFrame, K: np.ndarray) -> Path:
    _id_file(folder / "k.rel.id", ids)
    return _text(folder / "k.rel", ["\t".join(f"{v:.17g}" for v in K[i, : i + 1]) for i in range(len(K))])


def rel_bin(folder: Path, ids: pd.DataFrame, K: np.ndarray) -> Path:
    _id_file(folder / "k.rel.id", ids)
    (folder / "k.rel.bin").write_bytes(K.astype("<f8").tobytes())
    return folder / "k.rel.bin"


def rel_bin_triangle(folder: Path, ids: pd.DataFrame, K: np.ndarray) -> Path:
    _id_file(folder / "k.rel.id", ids)
    (folder / "k.rel.bin").write_bytes(np.array(_lower(K), "<f8").tobytes())
    return folder / "k.rel.bin"


def rel_bin4(folder: Path, ids: pd.DataFrame, K: np.ndarray) -> Path:
    _id_file(folder / "k.rel.id", ids)
    (folder / "k.rel.bin").write_bytes(K.astype("<f4").tobytes())
    return folder / "k.rel.bin"


def gemma_pairs(folder: Path, ids: pd.DataFrame, K: np.ndarray) -> Path:
    n, name = len(K), ids["iid"].tolist()
    lines = [f"{name[k]} {name[i]} {K[i, k]:.17g}" for i in range(n) for k in range(i + 1)]
    return _text(folder / "k.km2.txt", lines[::-1])


def r_csv(folder: Path, ids: pd.DataFrame, K: np.ndarray) -> Path:
    head = ",".join(['""', *(f'"{name}"' for name in ids["iid"])])
    rows = [f'"{name}",{row}' for name, row in zip(ids["iid"], _rows(K, ","), strict=True)]
    return _text(folder / "k.csv", [head, *rows])


def r_table(folder: Path, ids: pd.DataFrame, K: np.ndarray) -> Path:
    rows = [f"{name} {row}" for name, row in zip(ids["iid"], _rows(K, " "), strict=True)]
    return _text(folder / "k.txt", [" ".join(ids["iid"]), *rows])


def header_alone(folder: Path, ids: pd.DataFrame, K: np.ndarray) -> Path:
    return _text(folder / "k.csv.gz", [",".join(ids["iid"]), *_rows(K, ",")])


def gapit(folder: Path, ids: pd.DataFrame, K: np.ndarray) -> Path:
    return _text(folder / "k.csv", [f"{n},{row}" for n, row in zip(ids["iid"], _rows(K, ","), strict=True)])


def tassel(folder: Path, ids: pd.DataFrame, K: np.ndarray) -> Path:
    rows = [f"{name}\t{row}" for name, row in zip(ids["iid"], _rows(K, "\t"), strict=True)]
    return _text(folder / "k.txt", ["##Matrix_Type=Centered_IBS", str(len(K)), *rows])


def semicolons(folder: Path, ids: pd.DataFrame, K: np.ndarray) -> Path:
    rows = [f"{name};{row}" for name, row in zip(ids["iid"], _rows(K, ";"), strict=True)]
    return _text(folder / "k.csv", [";".join(["taxa", *ids["iid"]]), *rows])


WITH_IDS: dict[str, Writer] = {
    writer.__name__: writer
    for writer in (
        npz,
        npy_with_ids,
        grm_bin,
        grm_gz,
        rel_square,
        rel_square0,
        rel_triangle,
        rel_bin,
        rel_bin_triangle,
        rel_bin4,
        gemma_pairs,
        r_csv,
        r_table,
        header_alone,
        gapit,
        tassel,
        semicolons,
    )
}
"""Files with ids, by name."""

FLOAT32 = ("grm_bin", "rel_bin4")
"""Those of them in single precision."""


def plain_text(folder: Path, ids: pd.DataFrame, K: np.ndarray) -> Path:
    return _text(folder / "k.cXX.txt", _rows(K, "\t"))


def plain_npy(folder: Path, ids: pd.DataFrame, K: np.ndarray) -> Path:
    np.save(folder / "k.npy", K)
    return folder / "k.npy"


WITHOUT_IDS: dict[str, Writer] = {"plain_text": plain_text, "plain_npy": plain_npy}
"""Files without ids, by name."""

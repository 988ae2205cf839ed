"""The files of genotypes: which of ``NAME.end``, ``NAME.end.gz`` and ``NAME.end.zst`` is there, and what is missing.

Traits may lie beside genotypes as ``NAME.pheno.tsv`` or ``NAME.pheno.txt``, a table with ``iid`` (and ``fid``).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from bayes_lmmlasso.errors import InputError

__all__ = ["file_set", "require_files", "stem_of", "traits_beside"]

_COMPRESSED = (".gz", ".zst")
_ENDINGS = {
    "--bfile": (".bed",),
    "--pgen": (".pgen",),
    "--vcf": (".vcf", ".vcf.gz", ".vcf.bgz", ".bcf"),
    "--bimbam": (".geno.txt", ".geno.txt.gz"),
    "--matrix": (".traw", ".raw", ".hmp.txt", ".csv", ".tsv"),
}
_SUFFIXES = (".gz", ".zst", ".bgz", *(f".{end}" for end in "vcf bcf vcz zarr txt csv tsv geno bimbam mgt hmp".split()))


def file_set(prefix: str | os.PathLike[str], endings: tuple[str, ...]) -> tuple[Path, ...]:
    """Paths of a file set; the prefix may have the first ending, and every other file may be compressed."""
    stem = os.fspath(prefix).removesuffix(endings[0])
    first, *others = (Path(f"{stem}{ending}") for ending in endings)
    found = [next((file for file in _spellings(path) if file.is_file()), path) for path in others]
    return (first, *found)


def require_files(paths: Iterable[Path], option: str) -> None:
    """Raise InputError if one of the files is missing, with what is there that may be meant."""
    for path in paths:
        if path.is_dir():
            raise InputError(f"expected a file {path}, got a folder: check the path")
        if not path.is_file():
            raise InputError(f"expected genotypes by {option}, got no file {path}: {_meant(path, option)}")


def stem_of(path: Path) -> str:
    """Name of a file without the endings of genotypes."""
    name = path.name
    while (bare := next((name.removesuffix(end) for end in _SUFFIXES if name.endswith(end)), name)) not in (name, ""):
        name = bare
    return name


def traits_beside(path: Path) -> Path | None:
    """Return the table of traits beside a file or prefix of genotypes."""
    tables = (path.with_name(f"{stem_of(path)}.pheno.{ending}") for ending in ("tsv", "txt"))
    return next((table for table in tables if table.is_file()), None)


def _spellings(path: Path) -> tuple[Path, ...]:
    return (path, *(path.with_name(f"{path.name}{ending}") for ending in _COMPRESSED))


def _meant(path: Path, option: str) -> str:
    """Say what may be meant by a path that is not there."""
    for packed in _spellings(path)[1:]:
        if packed.is_file():
            return f"decompress {packed.name}"
    bare = path.with_name(path.name.removesuffix(path.suffix)) if path.suffix in (".bed", ".pgen") else path
    for other, endings in _ENDINGS.items():
        for ending in endings:
            file = bare.with_name(f"{bare.name}{ending}")
            if other != option and file.is_file():
                return f"{file.name} is there, give it by {other}"
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}; check the path"
    close = get_close_matches(path.name, [file.name for file in path.parent.iterdir()], n=2, cutoff=0.8)
    return f"is {' or '.join(close)} meant? Check the path" if close else "check the path"

"""Public data sets by name, from a registry: a table of addresses and SHA-256 (``datasets.toml`` beside this module).

A registry is a TOML file with a table for each data set:

    [NAME]
    about = "one line"
    base = "https://host/folder/"
    traits = ["height"]                  # optional: names of the columns of the .fam from the sixth on
    [NAME.files]
    "genotypes.bed" = "SHA-256"

so that a laboratory can keep its own beside its data. Of ``traits``, the table ``phenotypes.tsv`` is written.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import requests

from bayes_lmmlasso.cohort.download import download
from bayes_lmmlasso.cohort.tables import write_table
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.progress import Progress, silent

__all__ = ["DataSet", "fetch", "read_registry"]

_TIMEOUT = 30.0
_PHENOTYPES = "phenotypes.tsv"


@dataclass(frozen=True)
class DataSet:
    """An entry of a registry.

    Attributes
    ----------
    name, about
        Its name, and one line about it.
    base
        Address of the folder of its files.
    files
        SHA-256 of each file by name.
    traits
        Names of the columns of its .fam from the sixth on; empty for none.
    """

    name: str
    about: str
    base: str
    files: Mapping[str, str]
    traits: tuple[str, ...] = ()


def read_registry(where: str | Path | None = None) -> dict[str, DataSet]:
    """Read a registry of data sets.

    Parameters
    ----------
    where
        Path or http(s) address; None for the registry of this package.

    Raises
    ------
    InputError
        If it cannot be read or an entry is not as the module docstring says.
    """
    source = str(where or "datasets.toml")
    try:
        if where is None:
            text = Path(__file__).with_name(source).read_text(encoding="utf-8")
        elif source.startswith(("http://", "https://")):
            response = requests.get(source, timeout=_TIMEOUT)
            response.raise_for_status()
            text = response.content.decode()
        else:
            text = Path(source).read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except (requests.RequestException, OSError, ValueError) as error:
        raise InputError(f"expected a registry of data sets (TOML) at {source}, got {error}: check it") from error
    return {name: _entry(name, table, source) for name, table in tables.items()}


def fetch(
    name: str,
    out: str | Path | None = None,
    *,
    registry: str | Path | None = None,
    timeout: float = _TIMEOUT,
    pause: float = 1.0,
    progress: Progress = silent,
) -> list[Path]:
    """Fetch a data set; files that are there already are verified and kept, interrupted ones resumed.

    Parameters
    ----------
    name
        A data set of the registry.
    out
        Folder for the files, made if need be; None for one with the name of the data set.
    registry
        As for `read_registry`.
    timeout, pause
        As for `bayes_lmmlasso.cohort.download.download`.
    progress
        Told of the bytes of each file.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    InputError
        For an unknown name, a bad registry, or a file that cannot be fetched or is not the one expected.
    """
    known = read_registry(registry)
    if name not in known:
        raise InputError(
            f"expected a data set of {registry or 'the registry'} ({', '.join(known)}), got {name!r}: choose one of "
            "these or give another registry"
        )
    entry, folder = known[name], Path(name if out is None else out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"expected a folder {folder} for {name}, got {error}: choose another") from error
    paths = [folder / file for file in entry.files]
    for path, sha256 in zip(paths, entry.files.values(), strict=True):
        download(f"{entry.base}{path.name}", path, sha256, timeout=timeout, pause=pause, progress=progress)
    if entry.traits:
        (fam,) = (path for path in paths if path.suffix == ".fam")
        _write_phenotypes(fam, entry.traits)
        paths.append(folder / _PHENOTYPES)
    return paths


def _entry(name: str, table: Any, source: str) -> DataSet:
    """Check an entry; file names must not lead out of the folder."""
    try:
        entry = DataSet(
            name, str(table["about"]), str(table["base"]), dict(table["files"]), tuple(table.get("traits", ()))
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{source}: expected about, base and files of {name}, got no good {error}: add it") from error
    if not re.fullmatch(r"https?://.*/", entry.base):
        raise InputError(f"{source}: expected an address http(s)://.../ as base of {name}, got {entry.base!r}: mend it")
    for file, sha256 in entry.files.items():
        if not re.fullmatch(r"\w[\w.+-]*", file) or not re.fullmatch(r"[0-9a-f]{64}", str(sha256)):
            raise InputError(
                f"{source}: expected plain file names with a SHA-256 of 64 hexadecimal digits in {name}, got "
                f"{file!r} = {sha256!r}: mend it"
            )
    if entry.traits and sum(file.endswith(".fam") for file in entry.files) != 1:
        raise InputError(f"{source}: expected one .fam in {name}, which names its traits, got none or several: mend it")
    return entry


def _write_phenotypes(fam: Path, traits: tuple[str, ...]) -> None:
    """Write the table of traits that a .fam with several of them holds."""
    fields = pd.read_csv(fam, sep=r"\s+", header=None, dtype=str, keep_default_na=False)
    if fields.shape[1] != 5 + len(traits):
        raise InputError(f"expected {len(traits)} traits in {fam}, got {fields.shape[1] - 5}: mend the registry")
    columns = {"fid": fields[0], "iid": fields[1]} | {trait: fields[5 + k] for k, trait in enumerate(traits)}
    write_table(pd.DataFrame(columns), fam.with_name(_PHENOTYPES))

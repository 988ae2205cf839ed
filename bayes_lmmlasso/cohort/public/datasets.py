"""Public data sets by name, from a registry: a table of addresses and SHA-256 (``datasets.toml`` beside this module).

A registry is a TOML file with a table for each data set:

    [NAME]
    about = "one line"
    base = "https://host/folder/"
    traits = ["height"]                  # optional: names of the columns of the .fam from the sixth on
    [NAME.files]
    "genotypes.bed" = "SHA-256"

so that a laboratory can keep its own beside its data. Of ``traits``, the table ``phenotypes.tsv`` is written.

Where the public files are of another form, an entry has in place of ``base``

    recipe = "naturalgwas"               # one of this package: it makes the files of the sources
    sources = ["https://host/file.rda"]

and the SHA-256 are those of the files that the recipe makes.
"""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from bayes_lmmlasso.arguments import check_path, check_type
from bayes_lmmlasso.cohort.public.naturalgwas import write_naturalgwas
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.integrity import file_sum, sync
from bayes_lmmlasso.lock import LOCK, one_writer
from bayes_lmmlasso.progress import Progress, silent

__all__ = ["DataSet", "fetch", "read_registry"]

_TIMEOUT = 30.0
_PHENOTYPES = "phenotypes.tsv"
_MADE = ".made"  # folder of what a recipe makes, a name that no source can have
_NAME = r"\w[\w.+-]*"
_RECIPES: dict[str, Callable[[Sequence[Path], Path], None]] = {"naturalgwas": write_naturalgwas}


@dataclass(frozen=True)
class DataSet:
    """An entry of a registry.

    Attributes
    ----------
    name, about
        Its name, and one line about it.
    base
        Address of the folder of its files; empty if they are made.
    files
        SHA-256 of each file by name.
    traits
        Names of the columns of its .fam from the sixth on; empty for none.
    recipe, sources
        How its files are made, and the addresses of what they are made of.
    """

    name: str
    about: str
    base: str
    files: Mapping[str, str]
    traits: tuple[str, ...] = ()
    recipe: str = ""
    sources: tuple[str, ...] = ()


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
            import requests  # for what comes from the web alone

            response = requests.get(source, timeout=_TIMEOUT)
            response.raise_for_status()
            text = response.content.decode()
        else:
            text = Path(source).read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except (OSError, ValueError) as error:
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
        As for `bayes_lmmlasso.cohort.public.download.download`.
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

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> files = bl.fetch("mouse_hs1940", "mice")  # doctest: +SKIP
    """
    from bayes_lmmlasso.cohort.public.download import download

    known = read_registry(registry)
    if check_type(name, str, "the name of a data set", f"choose among {', '.join(known)}") not in known:
        raise InputError(
            f"expected a data set of {registry or 'the registry'} ({', '.join(known)}), got {name!r}: choose one of "
            "these or give another registry"
        )
    entry, folder = known[name], check_path(name if out is None else out, "a folder")
    paths = [folder / file for file in (*entry.files, *([_PHENOTYPES] if entry.traits else []))]
    get = partial(download, timeout=timeout, pause=pause, progress=progress)
    try:
        if not _is_complete(entry, folder):
            with one_writer(folder):
                _fetch(entry, folder, get)
    except OSError as error:
        raise InputError(f"expected a folder {folder} for {name}, got {error}: choose another") from error
    return paths


def _entry(name: str, table: Any, source: str) -> DataSet:
    """Check an entry; file names must not lead out of the folder."""
    if not re.fullmatch(_NAME, name):
        raise InputError(
            f"{source}: expected a plain name of a data set, of letters, digits and ._+-, got {name!r}: mend it"
        )
    recipe = str(table.get("recipe", "")) if isinstance(table, dict) else ""
    try:
        entry = DataSet(
            name,
            str(table["about"]),
            "" if recipe else str(table["base"]),
            dict(table["files"]),
            tuple(table.get("traits", ())),
            recipe,
            tuple(map(str, table["sources"])) if recipe else (),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        needed = "about, sources and files" if recipe else "about, base and files"
        raise InputError(f"{source}: expected {needed} of {name}, got no good {error}: add it") from error
    if recipe and recipe not in _RECIPES:
        raise InputError(f"{source}: expected a recipe ({', '.join(_RECIPES)}) for {name}, got {recipe!r}: mend it")
    if not recipe and not re.fullmatch(r"https?://.*/", entry.base):
        raise InputError(f"{source}: expected an address http(s)://.../ as base of {name}, got {entry.base!r}: mend it")
    for url in entry.sources:
        if not re.fullmatch(rf"https?://.*/{_NAME}", url):
            raise InputError(
                f"{source}: expected addresses http(s)://.../FILE as sources of {name}, got {url!r}: mend it"
            )
    for file, sha256 in entry.files.items():
        own = file.endswith(".part") or (entry.traits and file == _PHENOTYPES)  # names of what the fetcher writes
        if own or not re.fullmatch(_NAME, file) or not re.fullmatch(r"[0-9a-f]{64}", str(sha256)):
            raise InputError(
                f"{source}: expected plain file names with a SHA-256 of 64 hexadecimal digits in {name}, got "
                f"{file!r} = {sha256!r}: mend it"
            )
    if entry.traits and sum(file.endswith(".fam") for file in entry.files) != 1:
        raise InputError(f"{source}: expected one .fam in {name}, which names its traits, got none or several: mend it")
    return entry


def _is_complete(entry: DataSet, folder: Path) -> bool:
    """Whether there is nothing left to do, which needs no leave to write."""
    if any((folder / left).exists() for left in (LOCK, f"{entry.name}.sources")) or not _all_there(entry, folder):
        return False
    return not entry.traits or _has_traits(entry, folder)


def _has_traits(entry: DataSet, folder: Path) -> bool:
    """Whether the table of traits is there; InputError if another one is."""
    table = folder / _PHENOTYPES
    if not table.exists():
        return False
    if table.read_text(encoding="utf-8", errors="replace") != _traits(entry, folder):
        raise InputError(f"expected no other table at {table}, got one with other traits: move it away")
    return True


def _fetch(entry: DataSet, folder: Path, get: Callable[[str, Path, str | None], None]) -> None:
    """Bring or make what is missing."""
    if entry.recipe:
        _make_from_sources(entry, folder, get)
    else:
        for file, sha256 in entry.files.items():
            get(f"{entry.base}{file}", folder / file, sha256)
    if entry.traits and not _has_traits(entry, folder):
        part = folder / f"{_PHENOTYPES}.part"
        part.write_text(_traits(entry, folder), encoding="utf-8", newline="\n")
        sync(part)
        part.replace(folder / _PHENOTYPES)


def _make_from_sources(entry: DataSet, folder: Path, get: Callable[[str, Path, None], None]) -> None:
    """Make the files of their sources; they get their names once all are the ones expected."""
    downloads = folder / f"{entry.name}.sources"
    if not _all_there(entry, folder):
        begun = downloads.exists()
        downloads.mkdir(exist_ok=True)
        wrong = _make(entry, downloads, get)
        if wrong and begun:  # what was left of sources whose SHA-256 nobody knows may be the reason
            downloads.mkdir()
            wrong = _make(entry, downloads, get)
        if wrong:
            raise InputError(
                f"expected the files of {entry.name} to come of {' and '.join(entry.sources)}, got {wrong}: try again; "
                "if it stays so, what is there has changed"
            )
        for file in entry.files:
            sync(downloads / _MADE / file)
            (downloads / _MADE / file).replace(folder / file)
    if downloads.is_dir():
        shutil.rmtree(downloads)


def _make(entry: DataSet, downloads: Path, get: Callable[[str, Path, None], None]) -> str:
    """Make files beside their sources; if they are not the ones expected, remove all and say what is wrong."""
    sources = [downloads / url.rpartition("/")[2] for url in entry.sources]
    for url, path in zip(entry.sources, sources, strict=True):
        get(url, path, None)
    made = downloads / _MADE
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    try:
        _RECIPES[entry.recipe](sources, made)
        others = [file for file, sha256 in entry.files.items() if file_sum(made / file) != sha256]
        wrong = f"another {', '.join(others)}" if others else ""
    except Exception as error:  # whatever a reader says of bytes that are not what it reads
        if isinstance(error, InputError) or getattr(error, "errno", None):
            raise
        wrong = f"{type(error).__name__}: {error}"
    if wrong:
        shutil.rmtree(downloads)
    return wrong


def _all_there(entry: DataSet, folder: Path) -> bool:
    """Whether all files are there; InputError if one is another."""
    from bayes_lmmlasso.cohort.public.download import is_fetched

    there = [is_fetched(folder / file, sha256) for file, sha256 in entry.files.items()]
    return all(there)


def _traits(entry: DataSet, folder: Path) -> str:
    """Return the table of traits that a .fam with several of them holds."""
    (fam,) = (folder / file for file in entry.files if file.endswith(".fam"))
    fields = pd.read_csv(fam, sep=r"\s+", header=None, dtype=str, keep_default_na=False)
    if fields.shape[1] != 5 + len(entry.traits):
        raise InputError(f"expected {len(entry.traits)} traits in {fam}, got {fields.shape[1] - 5}: mend the registry")
    columns = {"fid": fields[0], "iid": fields[1]} | {trait: fields[5 + k] for k, trait in enumerate(entry.traits)}
    return str(pd.DataFrame(columns).to_csv(sep="\t", index=False, lineterminator="\n"))

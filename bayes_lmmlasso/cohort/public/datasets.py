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
import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from bayes_lmmlasso.arguments import check_path, check_type
from bayes_lmmlasso.cohort.public.naturalgwas import write_naturalgwas
from bayes_lmmlasso.cohort.tables import write_table
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.progress import Progress, silent

__all__ = ["DataSet", "fetch", "read_registry"]

_TIMEOUT = 30.0
_PHENOTYPES = "phenotypes.tsv"
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
            import requests  # as pooch, for what comes from the web alone

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
    paths = [folder / file for file in entry.files]
    get = partial(download, timeout=timeout, pause=pause, progress=progress)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if entry.recipe:
            _make_from_sources(entry, folder, get)
    except OSError as error:
        raise InputError(f"expected a folder {folder} for {name}, got {error}: choose another") from error
    if not entry.recipe:
        for path, sha256 in zip(paths, entry.files.values(), strict=True):
            get(f"{entry.base}{path.name}", path, sha256)
    if entry.traits:
        (fam,) = (path for path in paths if path.suffix == ".fam")
        _write_phenotypes(fam, entry.traits)
        paths.append(folder / _PHENOTYPES)
    return paths


def _entry(name: str, table: Any, source: str) -> DataSet:
    """Check an entry; file names must not lead out of the folder."""
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
        if not re.fullmatch(r"https?://.*/\w[\w.+-]*", url):
            raise InputError(
                f"{source}: expected addresses http(s)://.../FILE as sources of {name}, got {url!r}: mend it"
            )
    for file, sha256 in entry.files.items():
        if not re.fullmatch(r"\w[\w.+-]*", file) or not re.fullmatch(r"[0-9a-f]{64}", str(sha256)):
            raise InputError(
                f"{source}: expected plain file names with a SHA-256 of 64 hexadecimal digits in {name}, got "
                f"{file!r} = {sha256!r}: mend it"
            )
    if entry.traits and sum(file.endswith(".fam") for file in entry.files) != 1:
        raise InputError(f"{source}: expected one .fam in {name}, which names its traits, got none or several: mend it")
    return entry


def _make_from_sources(entry: DataSet, folder: Path, get: Callable[[str, Path, None], None]) -> None:
    """Make the files of their sources; they get their names once all are the ones expected."""
    from pooch import file_hash

    from bayes_lmmlasso.cohort.public.download import is_fetched

    there = [is_fetched(folder / file, sha256) for file, sha256 in entry.files.items()]
    if all(there):
        return
    downloads = folder / f"{entry.name}.sources"
    downloads.mkdir(exist_ok=True)
    sources = [downloads / url.rpartition("/")[2] for url in entry.sources]
    for url, path in zip(entry.sources, sources, strict=True):
        get(url, path, None)
    with tempfile.TemporaryDirectory(dir=folder) as made:
        try:
            _RECIPES[entry.recipe](sources, Path(made))
            wrong = [file for file, sha256 in entry.files.items() if file_hash(f"{made}/{file}") != sha256]
            found = f"another {', '.join(wrong)}"
        except Exception as error:  # whatever a reader says of bytes that are not what it reads
            if isinstance(error, InputError) or getattr(error, "errno", None):
                raise
            wrong, found = list(entry.files), f"{type(error).__name__}: {error}"
        shutil.rmtree(downloads)
        if wrong:
            raise InputError(
                f"expected the files of {entry.name} to come of {' and '.join(entry.sources)}, got {found}: try again; "
                "if it stays so, what is there has changed"
            )
        for file in entry.files:
            Path(made, file).replace(folder / file)


def _write_phenotypes(fam: Path, traits: tuple[str, ...]) -> None:
    """Write the table of traits that a .fam with several of them holds."""
    fields = pd.read_csv(fam, sep=r"\s+", header=None, dtype=str, keep_default_na=False)
    if fields.shape[1] != 5 + len(traits):
        raise InputError(f"expected {len(traits)} traits in {fam}, got {fields.shape[1] - 5}: mend the registry")
    columns = {"fid": fields[0], "iid": fields[1]} | {trait: fields[5 + k] for k, trait in enumerate(traits)}
    write_table(pd.DataFrame(columns), fam.with_name(_PHENOTYPES))

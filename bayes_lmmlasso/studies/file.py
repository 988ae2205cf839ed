"""STUDY.toml, the file that states a study.

    name = "figure1"              title; by default the name of the file
    kind = "simulation"           simulation, prediction, selection or dissection
    seed = 0
    traits = ["LN16"]
    methods = ["lm", "spike_slab-pip"]

    [data]                        bfile, pheno, and covar, kinship, maf, missing, transform (`DataSettings`)
    [simulation]                  settings of the kind
    [method.spike_slab-pip]       settings of a method that differ from its defaults

Paths are relative to the file; ``$NAME`` stands for an environment variable.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import KinshipMethod
from bayes_lmmlasso.studies.data import DataSettings
from bayes_lmmlasso.studies.kinds.dissection import DISSECTION
from bayes_lmmlasso.studies.kinds.prediction import PREDICTION
from bayes_lmmlasso.studies.kinds.selection import SELECTION
from bayes_lmmlasso.studies.kinds.simulation import SIMULATION
from bayes_lmmlasso.studies.study import Kind, MethodCall, Study

__all__ = ["KINDS", "read_study"]

KINDS: dict[str, Kind] = {
    "simulation": SIMULATION,
    "prediction": PREDICTION,
    "selection": SELECTION,
    "dissection": DISSECTION,
}
"""Name -> kind of study."""

_TYPES = {str: "text", int: "a whole number", float: "a number", Path: "a path", NoneType: "nothing"}


def read_study(path: Path, changes: Mapping[str, Any] | None = None) -> Study:
    """Read a study.

    Parameters
    ----------
    path
        The file.
    changes
        Settings of the kind that replace those of the file, such as ``{"replicates": 2}``.

    Raises
    ------
    InputError
        If the file cannot be read, or a key is unknown, missing or has a value that makes no sense.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"expected a study at {path}, got {error.strerror}: check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: expected TOML, got text that is none: {error}") from error
    kind = given.get("kind")
    if kind not in KINDS:
        raise InputError(f"{path}: expected kind to be {', '.join(KINDS)}, got {kind!r}: choose one of these")
    known = ("name", "kind", "seed", "traits", "methods", "data", kind, "method")
    for key in given:
        if key not in known:
            raise InputError(f"{path}: expected keys among {', '.join(known)}, got {key!r}: remove or correct it")
    names = {key: _names(path, given, key) for key in ("traits", "methods")}
    own = _table(path, given, kind) | dict(changes or {})
    data = _table(path, given, "data")
    if isinstance(data.get("kinship"), str) and data["kinship"] not in get_args(KinshipMethod):
        data["kinship"] = str(_path(f"{path}, [data]: ", "kinship", data["kinship"], path.parent))
    return Study(
        name=_value(f"{path}: ", "name", given.get("name", path.stem), str, path.parent),
        kind=kind,
        seed=_value(f"{path}: ", "seed", given.get("seed", 0), int, path.parent),
        data=_section(path, "data", data, DataSettings),
        traits=names["traits"],
        methods=_methods(path, names["methods"], _table(path, given, "method"), KINDS[kind]),
        settings=_section(path, kind, own, KINDS[kind].settings),
    )


def _names(path: Path, given: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return what is named under a key, each once."""
    if key not in given:
        raise InputError(f"{path}: expected the key {key!r}, got none: add it")
    names: tuple[str, ...] = _value(f"{path}: ", key, given[key], tuple[str, ...], path.parent)
    if not names or len(set(names)) < len(names):
        twice = next((repr(name) for name in names if names.count(name) > 1), "none")
        raise InputError(f"{path}: expected {key} to name at least one, each once, got {twice}: correct the list")
    return names


def _table(path: Path, given: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = given.get(name, {})
    if not isinstance(table, dict):
        raise InputError(f"{path}: expected a table [{name}], got {table!r}: write its keys below [{name}]")
    return table


def _methods(path: Path, names: tuple[str, ...], given: Mapping[str, Any], kind: Kind) -> tuple[MethodCall, ...]:
    """Return the methods with their settings, each checked against the type of its default."""
    for name in (*names, *given):
        if name not in kind.methods:
            raise InputError(f"{path}: expected methods among {', '.join(kind.methods)}, got {name!r}: choose of these")
    calls = []
    for name in names:
        known = {key: default for key, default in kind.methods[name].items() if key != "seed"}
        settings = {}
        for key, value in _table(path, given, name).items():
            where = f"{path}, [method.{name}]: "
            if key not in known:
                choices = ", ".join(known) or "none"
                raise InputError(f"{where}expected keys among {choices}, got {key!r}: remove or correct it")
            hint = int if known[key] is None else type(known[key])
            settings[key] = _value(where, key, value, hint, path.parent)
        calls.append(MethodCall(name, tuple(sorted(settings.items()))))
    return tuple(calls)


def _section(path: Path, name: str, given: Mapping[str, Any], settings: type) -> Any:
    """Make a frozen dataclass from a table of the file."""
    where = f"{path}, [{name}]: "
    hints, known = get_type_hints(settings), {field.name: field for field in fields(settings)}
    for key in given:
        if key not in known:
            raise InputError(f"{where}expected keys among {', '.join(known)}, got {key!r}: remove or correct it")
    for key, field in known.items():
        if key not in given and _is_required(field):
            raise InputError(f"{where}expected the key {key!r}, got none: add it")
    values = {key: _value(where, key, value, hints[key], path.parent) for key, value in given.items()}
    try:
        return settings(**values)
    except InputError as error:
        raise InputError(f"{where}{error}") from error


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _value(where: str, key: str, value: Any, hint: Any, folder: Path) -> Any:
    """Return a value as its type asks: lists become tuples, whole numbers floats, texts paths."""
    if get_origin(hint) is tuple:
        item = get_args(hint)[0]
        if not isinstance(value, list):
            raise InputError(f"{where}expected {key} to be a list, got {value!r}: put it in brackets")
        return tuple(_value(where, key, each, item, folder) for each in value)
    options = [option for option in (get_args(hint) or (hint,)) if option is not NoneType]
    for option in options:
        if option is Path and isinstance(value, str):
            return _path(where, key, value, folder)
        if option is float and isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, option) and not isinstance(value, bool):
            return value
    raise InputError(f"{where}expected {key} to be {_TYPES[options[0]]}, got {value!r}: correct it")


def _path(where: str, key: str, text: str, folder: Path) -> Path:
    expanded = os.path.expandvars(text)
    if "$" in expanded:
        raise InputError(f"{where}expected environment variables that are set in {key}, got {text!r}: set them first")
    return folder / expanded

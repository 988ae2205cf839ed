"""STUDY.toml, the file that states a study.

    name = "figure1"              title; by default the name of the file
    kind = "simulation"           simulation, prediction, selection, dissection or replication
    seed = 0
    traits = ["LN16"]
    methods = ["lm", "spike_slab-pip"]

    [data]                        genotypes, pheno, covar, kinship, maf, missing, transform (`CohortSettings`)
    [simulation]                  settings of the kind
    [method.spike_slab-pip]       settings of a method that differ from its defaults

Paths are relative to the file; ``$NAME`` stands for an environment variable.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import create_model

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.run.settings import CohortSettings
from bayes_lmmlasso.settings import LARGEST_SEED, Settings, knob
from bayes_lmmlasso.studies.kinds.dissection import DISSECTION
from bayes_lmmlasso.studies.kinds.prediction import PREDICTION
from bayes_lmmlasso.studies.kinds.replication import REPLICATION
from bayes_lmmlasso.studies.kinds.selection import SELECTION
from bayes_lmmlasso.studies.kinds.simulation import SIMULATION
from bayes_lmmlasso.studies.study import Kind, MethodCall, Study

__all__ = ["KINDS", "StudyHead", "read_study"]

KINDS: dict[str, Kind] = {
    "simulation": SIMULATION,
    "prediction": PREDICTION,
    "selection": SELECTION,
    "dissection": DISSECTION,
    "replication": REPLICATION,
}
"""Name -> kind of study."""


class StudyHead(Settings):
    """What a study's file says above its tables."""

    name: str = knob(..., "Title.")
    kind: str = knob(..., "Kind of study.", choices=KINDS)
    seed: int = knob(0, "Seed of everything random.", at_least=0, at_most=LARGEST_SEED)
    traits: tuple[str, ...] = knob(..., "Columns of the trait table.")
    methods: tuple[str, ...] = knob(..., "What is compared.")


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
    tables = {name: _table(path, given.pop(name, {}), name) for name in ("data", "method", *KINDS)}
    head = _group(str(path), {"name": path.stem, **given}, StudyHead, path.parent)
    if foreign := [name for name in KINDS if tables[name] and name != head.kind]:
        raise InputError(f"{path}: expected the table [{head.kind}] for this kind, got [{foreign[0]}]: remove it")
    kind = KINDS[head.kind]
    own = tables[head.kind] | dict(changes or {})
    return Study(
        name=head.name,
        kind=head.kind,
        seed=head.seed,
        data=_group(f"{path}, [data]", tables["data"], CohortSettings, path.parent),
        traits=_distinct(path, "traits", head.traits),
        methods=_methods(path, _distinct(path, "methods", head.methods), tables["method"], kind),
        settings=_group(f"{path}, [{head.kind}]", own, kind.settings, path.parent),
    )


def _table(path: Path, table: Any, name: str) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise InputError(f"{path}: expected a table [{name}], got {table!r}: write its keys below [{name}]")
    return table


def _group[G: Settings](where: str, given: Mapping[str, Any], group: type[G], folder: Path) -> G:
    """Read a group of settings from a table of the file."""
    try:
        return group.read(given, folder=folder)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def _distinct(path: Path, key: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse names that are given twice, or none."""
    if not names or len(set(names)) < len(names):
        twice = next((repr(name) for name in names if names.count(name) > 1), "none")
        raise InputError(f"{path}: expected {key} to name at least one, each once, got {twice}: correct the list")
    return names


def _methods(path: Path, names: tuple[str, ...], given: Mapping[str, Any], kind: Kind) -> tuple[MethodCall, ...]:
    """Return the methods with their settings, each of the type of its default."""
    for name in (*names, *given):
        if name not in kind.methods:
            raise InputError(f"{path}: expected methods among {', '.join(kind.methods)}, got {name!r}: choose of these")
    calls = []
    for name in names:
        own = _table(path, given.get(name, {}), f"method.{name}")
        group = _group(f"{path}, [method.{name}]", own, _method_settings(kind.methods[name]), path.parent)
        calls.append(MethodCall(name, tuple(sorted((key, getattr(group, key)) for key in own))))
    return tuple(calls)


def _method_settings(defaults: Mapping[str, Any]) -> type[Settings]:
    """Return a group with the settings of a method; its seed is the study's."""
    types = {key: int | None if default is None else type(default) for key, default in defaults.items()}
    fields: dict[str, Any] = {key: (types[key], knob(defaults[key], key)) for key in defaults if key != "seed"}
    return cast(type[Settings], create_model("MethodSettings", __base__=Settings, **fields))

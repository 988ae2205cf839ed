"""What a study is: a kind, data, traits, methods and the kind's own settings, from which follow its cells.

A cell is the smallest piece that is computed by itself, a pure function of its content: one trait, one method, and one
replicate or fold. A kind of study says which cells there are and which tables their results make.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from bayes_lmmlasso.run.settings import CohortSettings
from bayes_lmmlasso.settings import Settings
from bayes_lmmlasso.studies.execution import Runnable

__all__ = ["Cell", "Kind", "MethodCall", "Results", "Study", "derived_seed"]


@dataclass(frozen=True)
class MethodCall:
    """A method of the registry with settings that differ from its defaults, in alphabetical order."""

    name: str
    settings: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Study:
    """A study.

    Attributes
    ----------
    name, kind
        Title, and the kind of study.
    seed
        Seed of everything random.
    data
        Files and filters.
    traits
        Columns of the trait table.
    methods
        What is compared.
    settings
        Those of the kind.
    """

    name: str
    kind: str
    seed: int
    data: CohortSettings
    traits: tuple[str, ...]
    methods: tuple[MethodCall, ...]
    settings: Any


class Cell(Runnable, Protocol):
    """One piece of a study; picklable."""

    @property
    def trait(self) -> str:
        """Trait whose data it needs."""

    def labels(self) -> dict[str, Any]:
        """Return what tells it from the other cells, for tables."""

    def content(self) -> dict[str, Any]:
        """Return what its result depends on besides data and code, as plain values."""


Results = list[tuple[dict[str, Any], dict[str, Any]]]
"""Labels and result of every cell that succeeded, in the order of the study."""


@dataclass(frozen=True)
class Kind:
    """A kind of study.

    Attributes
    ----------
    settings
        Group of its own settings.
    methods
        Methods to choose from: name -> settings with their defaults.
    cells
        Function of a study that returns its cells.
    tables
        Function of a study and its results that returns tables by file name.
    """

    settings: type[Settings]
    methods: Mapping[str, Mapping[str, Any]]
    cells: Callable[[Study], list[Cell]]
    tables: Callable[[Study, Results], dict[str, pd.DataFrame]]


def derived_seed(*parts: object) -> int:
    """Seed from whatever identifies a piece of work: the same for all that share it, unrelated otherwise."""
    digest = hashlib.sha256(":".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1

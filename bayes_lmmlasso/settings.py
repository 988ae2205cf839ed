"""Knobs described once: a frozen class of fields, each with its help text, range and default.

A group of settings is a class of `Settings`; its fields are the options of the command line (`bayes_lmmlasso.options`),
the keys of a table in STUDY.toml and keyword arguments in Python. `knob` states what a field means and which values it
takes. Whatever is wrong with a value ends in one sentence: what was expected, what came, what to do.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from bayes_lmmlasso.errors import InputError

__all__ = [
    *("GENOTYPES", "LARGEST_SEED", "TRAIT", "Settings", "as_option", "expand_path", "knob", "reading", "shown"),
]

GENOTYPES, TRAIT = "Genotypes (one file)", "Trait"
"""The sections of help that come first."""

LARGEST_SEED = 2**63 - 1

_KINDS = {str: "text", int: "a whole number", float: "a number", Path: "a path"}


def knob(
    default: Any,
    help: str,  # noqa: A002
    *,
    choices: Iterable[str] = (),
    at_least: float | None = None,
    at_most: float | None = None,
    between: tuple[float, float] | None = None,
    several: bool = False,
    **shown: str,
) -> Any:
    """Describe a field of `Settings`.

    Parameters
    ----------
    default
        Its default; ``...`` where it must be given.
    help
        What it means.
    choices, at_least, at_most
        The values it takes, if they can be listed, or their range; of a list, those of its items.
    between
        A range without its ends.
    several
        Whether a text may name several of the choices, with commas.
    **shown
        What help and messages show: ``metavar`` for the value, ``unset`` for a default of None, ``remedy`` for a value
        out of range, ``title`` of another section of help than the group's.
    """
    extra: dict[str, Any] = {
        "choices": tuple(choices),
        "at_least": at_least,
        "at_most": at_most,
        "between": between,
        "several": several,
        **shown,
    }
    return Field(default, description=help, json_schema_extra=extra)


def shown(field: FieldInfo, name: str) -> Any:
    """Return what `knob` was told of a field beside its default and help; None if nothing."""
    extra = field.json_schema_extra
    return extra.get(name) if isinstance(extra, Mapping) else None


def as_option(name: str) -> str:
    """Return the option of the command line for a field."""
    return f"--{name.replace('_', '-')}"


def expand_path(text: str, folder: Path | None) -> Path:
    """Return a path; with a folder it is relative to that, and ``$NAME`` stands for an environment variable.

    Raises
    ------
    InputError
        If such a variable is not set.
    """
    if folder is None:
        return Path(text)
    expanded = os.path.expandvars(text)
    if "$" in expanded:
        raise InputError(f"expected environment variables that are set, got {text!r}: set them first")
    return folder / expanded


@dataclass(frozen=True)
class Reading:
    """How values are read: what messages call a field, and what paths are relative to."""

    called: Callable[[str], str] = as_option
    folder: Path | None = None


_READING = ContextVar("_READING", default=Reading())  # noqa: B039  # frozen


def reading() -> Reading:
    """Return how the values at hand are read."""
    return _READING.get()


class Settings(BaseModel):
    """A group of settings.

    Raises
    ------
    InputError
        If a value is not as its field asks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    one_of: ClassVar[tuple[str, ...]] = ()
    """Fields of which the command line asks for one."""
    title: ClassVar[str] = "Options"
    """What help calls the group."""

    if not TYPE_CHECKING:  # type checkers make the constructor of the fields

        def __init__(self, **values: Any) -> None:
            try:
                super().__init__(**values)
            except ValidationError as error:
                raise InputError(_sentence(error, type(self))) from None

    @classmethod
    def read(cls, values: Mapping[str, Any], *, called: Callable[[str], str] = str, folder: Path | None = None) -> Self:
        """Make a group of plain values, as a file or a caller has them.

        Parameters
        ----------
        values
            Values by field.
        called
            How messages call a field.
        folder
            What paths are relative to; see `expand_path`.

        Raises
        ------
        InputError
            If a value is not as its field asks.
        """
        before = _READING.set(Reading(called, folder))
        try:
            return cls(**values)
        finally:
            _READING.reset(before)

    @field_validator("*", mode="before")
    @classmethod
    def _take_plain_values(cls, value: Any, info: ValidationInfo) -> Any:
        """Take texts for paths, lists for tuples, and NumPy's numbers for Python's."""
        annotation = cls.model_fields[info.field_name or ""].annotation
        if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
            return value.item()
        if isinstance(value, str) and Path in (annotation, *get_args(annotation)):
            return expand_path(value, reading().folder)
        if isinstance(value, list) and get_origin(annotation) is tuple:
            return tuple(value)
        return value

    @field_validator("*", mode="after")
    @classmethod
    def _check_value(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse a value that is none of the choices, or out of range."""
        key = info.field_name or ""
        name = reading().called(key)
        for item in value if isinstance(value, tuple) else (value,):
            if item is not None:
                _check_item(item, cls.model_fields[key], name)
        return value


def _check_item(value: Any, field: FieldInfo, name: str) -> None:
    """Refuse a value that is none of a field's choices, or out of its range."""
    choices, between = shown(field, "choices"), shown(field, "between")
    least, most = shown(field, "at_least"), shown(field, "at_most")
    remedy = shown(field, "remedy")
    wanted = value.split(",") if shown(field, "several") else [value]
    if choices and not set(wanted) <= set(choices):
        raise InputError(f"expected {name} to be one of {', '.join(choices)}, got {value!r}: choose one of these")
    if len(set(wanted)) < len(wanted):
        raise InputError(f"expected different values of {name}, got {value!r}: name each once")
    if between is not None and not between[0] < value < between[1]:
        wanted = f"between {between[0]:g} and {between[1]:g}"
        raise InputError(f"expected {name} {wanted}, got {value:g}: {remedy or 'give a number between these'}")
    if isinstance(value, float) and least is not None and most is not None and not least <= value <= most:
        raise InputError(f"expected {name} between {least:g} and {most:g}, got {value:g}: {remedy or 'give a share'}")
    if least is not None and not value >= least:
        raise InputError(
            f"expected {name} of at least {_digits(least)}, got {_digits(value)}: {remedy or 'give a larger number'}"
        )
    if most is not None and not value <= most:
        raise InputError(
            f"expected {name} of at most {_digits(most)}, got {_digits(value)}: {remedy or 'give a smaller number'}"
        )


def _digits(number: float) -> str:
    """Write a number: whole ones with all their digits."""
    return str(number) if isinstance(number, int) else f"{number:g}"


def _sentence(error: ValidationError, settings: type[Settings]) -> str:
    """Say what is wrong with the first value that is, and what to do."""
    called = reading().called
    details = error.errors(include_url=False)[0]
    kind, value = details["type"], details["input"]
    if kind == "value_error":  # one of our own
        return str(details["ctx"]["error"])
    key = str(details["loc"][0])
    if kind == "extra_forbidden":
        return f"expected keys among {', '.join(settings.model_fields)}, got {key!r}: remove or correct it"
    if kind == "missing":
        return f"expected {called(key)}, got none: add it"
    field = settings.model_fields[key]
    annotation, choices = field.annotation, shown(field, "choices")
    if get_origin(annotation) is tuple and len(details["loc"]) == 1:
        return f"expected {called(key)} to be a list, got {value!r}: put it in brackets"
    if choices:
        return f"expected {called(key)} to be one of {', '.join(choices)}, got {value!r}: choose one of these"
    types = (annotation, *get_args(annotation))
    wanted = next((_KINDS[each] for each in types if each in _KINDS), getattr(annotation, "__name__", "another value"))
    return f"expected {called(key)} to be {wanted}, got {value!r}: correct it"

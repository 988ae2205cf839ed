"""Packages that only some formats need."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from bayes_lmmlasso.errors import InputError

__all__ = ["optional_package"]


def optional_package(module: str, extra: str) -> ModuleType:
    """Import a module that the optional extra ``extra`` of this package installs.

    Raises
    ------
    InputError
        If it is not installed, with the command that installs it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise InputError(
            f"expected the package {module} for this format, got none ({error}); install it with "
            f"`python3 -m pip install 'bayes-lmmlasso[{extra}]'`"
        ) from error

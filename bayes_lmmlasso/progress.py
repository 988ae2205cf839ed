"""The hook through which long work reports how far it is.

Library code never prints: a function that takes long has a parameter ``progress`` and calls it with
the stage, the units done, the units in all and a short remark. The command line draws bars from it.
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "silent"]


class Progress(Protocol):
    """Anything that can be told about progress."""

    def __call__(self, stage: str, done: int, total: int, remark: str = "") -> None:
        """Report that ``done`` of ``total`` units of ``stage`` are finished."""


def silent(stage: str, done: int, total: int, remark: str = "") -> None:
    """Report nothing (the default everywhere)."""

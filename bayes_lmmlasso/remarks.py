"""What is told about data: one sentence each, some of them a call for caution.

Readers, filters and checks return remarks beside their results. Every command shows them, ``run.json`` and the file
beside a table keep them, and those that call for caution stand among the cautions of a run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["N_EXAMPLES", "Remark", "counted", "examples"]

N_EXAMPLES = 2
"""Cases that are named where more are counted."""


@dataclass(frozen=True)
class Remark:
    """A sentence about the data.

    Attributes
    ----------
    text
        What was seen, how often, examples, and the way out where there is something to get out of.
    caution
        Whether results should be read with it in mind.
    """

    text: str
    caution: bool = False


def examples(values: Iterable[object], n: int = N_EXAMPLES) -> str:
    """Name the first values, and say whether there are more."""
    listed = [str(value) for value in values]
    return ", ".join(listed[:n]) + (", ..." if len(listed) > n else "")


def counted(n: int, what: str) -> str:
    """Count things: "1 value", "2 values"."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"

"""Rows as Markdown."""

from __future__ import annotations

__all__ = ["markdown"]


def markdown(rows: list[dict]) -> str:
    """A table of rows with the same keys: numbers to the right, three digits."""
    head = list(rows[0])
    numbers = [all(isinstance(row[key], int | float) for row in rows) for key in head]
    body = [" | ".join(_cell(row[key]) for key in head) for row in rows]
    rule = " | ".join("---:" if number else "---" for number in numbers)
    return "\n".join(f"| {line} |" for line in (" | ".join(head), rule, *body)) + "\n"


def _cell(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
def planted_tables(found): return {}

"""Bokeh models as one JSON text that a page carries: equal models give equal text.

Bokeh numbers its models as they are made in a process; here they are numbered anew. Text from the data is in JSON
strings in which no tag can begin.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from bokeh.document import Document
from bokeh.models import UIElement

__all__ = ["embed", "glue", "library", "script_hash"]

_COMPONENTS = ("bokeh", "bokeh-widgets", "bokeh-tables")


def embed(models: Mapping[str, UIElement]) -> str:
    """Return the JSON of linked models, by the id of the element that each is shown in."""
    document = Document()
    for model in models.values():
        document.add_root(model)
    numbers: dict[str, str] = {}
    content = _renumbered(document.to_json(deferred=False), numbers)
    roots = {numbers[model.id]: name for name, model in models.items()}
    text = json.dumps({"document": {"report": content}, "roots": roots}, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def library() -> list[str]:
    """Return the scripts of Bokeh, which a page carries."""
    folder = files("bokeh") / "server" / "static" / "js"
    return [(folder / f"{name}.min.js").read_text(encoding="utf-8") for name in _COMPONENTS]


def glue() -> str:
    """Return the script that shows the models, and links what Bokeh does not."""
    return (files("bayes_lmmlasso.report") / "interactive" / "glue.js").read_text(encoding="utf-8")


def script_hash(script: str) -> str:
    """Return the hash by which a page's security policy knows a script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode('ascii')}'"


def _renumbered(part: Any, numbers: dict[str, str]) -> Any:
    """Return a part of a document with ids that count from 1 in order of appearance; plain mappings have no key id."""
    if isinstance(part, dict):
        return {
            key: numbers.setdefault(value, f"m{len(numbers) + 1}")
            if key == "id" and isinstance(value, str)
            else _renumbered(value, numbers)
            for key, value in part.items()
        }
    return [_renumbered(item, numbers) for item in part] if isinstance(part, list | tuple) else part

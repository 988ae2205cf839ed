"""Each public name has a docstring with its parts; what is owed is listed in `owed.txt`, which may only shrink."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import bayes_lmmlasso as bl

OWED = Path(__file__).with_name("owed.txt")


def public_things():
    """Each function and class of the stubs, by the name that users write."""
    rooms = [name for name in bl.__all__ if inspect.ismodule(getattr(bl, name))]
    for room in rooms:
        module = getattr(bl, room)
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isroutine(thing) or inspect.isclass(thing):
                yield f"{room}.{name}", thing


def missing_parts(thing):
    """Which parts the docstring of a function or class lacks."""
    doc = inspect.getdoc(thing) or ""
    parts = {"summary": bool(doc.split("\n")[0].strip().endswith(".")), "Examples": ">>>" in doc}
    if inspect.isroutine(thing):
        signature = inspect.signature(thing)
        parts["Parameters"] = not signature.parameters or "Parameters\n---" in doc
        parts["Returns"] = signature.return_annotation in (None, "None") or "Returns\n---" in doc
        source = inspect.getsource(thing)
        parts["Raises"] = "raise InputError" not in source or "Raises\n---" in doc
    else:
        parts["Attributes"] = bool(re.search(r"(Attributes|Parameters)\n---", doc))
    return sorted(part for part, there in parts.items() if not there)


def owed():
    """Names and the parts that they still owe."""
    rows = (line.split(": ") for line in OWED.read_text(encoding="utf-8").splitlines())
    return {name: parts.split(", ") for name, parts in rows}


@pytest.mark.parametrize(("name", "thing"), [pytest.param(*pair, id=pair[0]) for pair in public_things()])
def test_public_names_have_all_parts_but_those_owed(name, thing):
    assert set(missing_parts(thing)) <= set(owed().get(name, []))


def test_what_is_owed_is_public():
    assert set(owed()) <= {name for name, _ in public_things()}

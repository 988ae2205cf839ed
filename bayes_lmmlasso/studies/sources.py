"""The sources that a module computes with: its own, and those of the package that they import, and so on.

Imports are read, not executed, wherever they stand in a source. ``from bayes_lmmlasso.lasso import lasso_path`` leads
to ``bayes_lmmlasso.lasso.path``, where the room's stub ``__init__.pyi`` says that the name is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

__all__ = ["find_source", "read_source", "sources_of"]

_ROOT = Path(__file__).parents[1]


@cache
def sources_of(module: str) -> tuple[str, ...]:
    """Names of the modules of the package whose sources a module computes with, itself among them, sorted."""
    found, waiting = set(), [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _imported(read_source(name))
    return tuple(sorted(found))


@cache
def read_source(module: str) -> bytes:
    """Source of a module of the package."""
    source = find_source(module)
    if source is None:
        raise ModuleNotFoundError(f"no source of {module}", name=module)
    return source.read_bytes()


def _imported(source: bytes) -> Iterator[str]:
    """Modules of the package that a source names in its imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [_home(node.module, alias.name) for alias in node.names]
        else:
            continue
        yield from (name for name in names if find_source(name))


def _home(module: str, name: str) -> str:
    """Return the module where a name that is imported from a module stands."""
    inner = f"{module}.{name}"
    if find_source(inner) and name not in _exports(module):
        return inner
    return _exports(module).get(name, module)


@cache
def _exports(module: str) -> dict[str, str]:
    """Return the modules that the names in a package's stub come from; empty for what is no package."""
    source = find_source(module)
    if source is None or not source.with_suffix(".pyi").exists():
        return {}
    stub = ast.parse(source.with_suffix(".pyi").read_bytes())
    statements = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: _home(f"{module}.{node.module}", alias.name) for node in statements for alias in node.names}


def find_source(module: str) -> Path | None:
    """File of a module, or of a package's ``__init__``; None where there is no such module in the package."""
    first, *rest = module.split(".")
    if first != _ROOT.name:
        return None
    place = _ROOT.joinpath(*rest)
    return next((file for file in (place / "__init__.py", place.with_suffix(".py")) if file.is_file()), None)

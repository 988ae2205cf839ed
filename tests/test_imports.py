"""What an import brings, and what it does not: names are found when they are used."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from types import ModuleType

import pytest

ROOMS = [
    f"bayes_lmmlasso.{room}"
    for room in "models numerics cohort lmm lasso scan posterior plots compare report run studies".split()
]


@pytest.mark.parametrize("name", ["bayes_lmmlasso", *ROOMS])
def test_every_public_name_is_there_and_is_no_module(name):
    # a module of the same name would take the name's place once it is imported
    room = importlib.import_module(name)
    for module in pkgutil.iter_modules(room.__path__):
        importlib.import_module(f"{name}.{module.name}")
    modules = {n: getattr(room, n).__name__ for n in room.__all__ if isinstance(getattr(room, n), ModuleType)}
    rooms = {full.removeprefix("bayes_lmmlasso."): full for full in ROOMS}
    assert modules == (rooms if name == "bayes_lmmlasso" else {})


def test_every_room_is_reachable_from_the_package_and_imported_when_used():
    program = (
        "import sys, bayes_lmmlasso as bl; "
        "assert not {'numpy', 'pandas', 'jax'} & sys.modules.keys(); "
        f"print(*(room for room in {ROOMS} if getattr(bl, room.rpartition('.')[2]).__all__))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ROOMS


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("bayes_lmmlasso", {"numpy", "jaxlib", "pandas"}),
        ("bayes_lmmlasso.cli", {"jaxlib", "msprime"}),
        ("bayes_lmmlasso.run.stages", {"jaxlib", "msprime", "matplotlib", "sklearn", "arviz_stats"}),
        ("bayes_lmmlasso.__main__", {"numpy", "jaxlib", "pandas"}),
        ("bayes_lmmlasso.run.processes", {"numpy", "jaxlib", "pandas"}),
        ("bayes_lmmlasso.run.sample_step", {"jaxlib", "numba", "matplotlib"}),
        ("bayes_lmmlasso.posterior.sampler.draw", {"pandas", "xarray", "numba", "matplotlib"}),
        ("bayes_lmmlasso.run.write", {"jaxlib", "msprime"}),
    ],
)
def test_processes_import_what_they_need(module, absent):
    program = f"import sys, {module}; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert absent & set(found.stdout.split()) == set()

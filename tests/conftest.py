"""Shared fixtures: the development data and seeded random numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np
import pytest


@pytest.fixture(scope="session", autouse=True)
def _compile_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep compiled functions for the session: most of the time of a small sampling test is compilation.

    Neither dtypes nor ranks are promoted silently.

    The environment tells the processes that tests start.
    """
    options = {
        "jax_compilation_cache_dir": str(tmp_path_factory.mktemp("jax")),
        "jax_persistent_cache_min_compile_time_secs": 0.2,
        "jax_numpy_dtype_promotion": "strict",
        "jax_numpy_rank_promotion": "raise",
    }
    with pytest.MonkeyPatch.context() as environment:
        for name, value in options.items():
            jax.config.update(name, value)
            environment.setenv(name.upper(), str(value))
        yield


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the development data, or skip: it is no part of the repository."""
    where = os.environ.get("BAYES_LMMLASSO_DATA")
    if not where:
        pytest.skip("BAYES_LMMLASSO_DATA is not set: the development data is not part of the repository")
    path = Path(where)
    if not path.is_dir():
        pytest.fail(f"BAYES_LMMLASSO_DATA names {path}, which is not a folder")
    return path


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20130129)


@pytest.fixture
def x64() -> Iterator[None]:
    """Run the test with JAX in float64."""
    with jax.enable_x64(True):
        yield

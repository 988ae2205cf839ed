"""Cells survive what happens to the processes that compute them; failures stay with the cell that failed."""

from __future__ import annotations

import math
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

import bayes_lmmlasso as bl
from bayes_lmmlasso.numerics.threads import one_thread, thread_map
from bayes_lmmlasso.studies.cache import CellCache, content_key
from bayes_lmmlasso.studies.execution import CellResult, compute_on_cluster, compute_on_processes, perform


@dataclass(frozen=True)
class Square:
    """A cell that squares, fails, or kills its process the first ``deaths`` times, counted by files in a folder."""

    value: int
    folder: Path | None = None
    deaths: int = 0

    def run(self):
        if self.value < 0:
            raise ValueError("negative\nvalue")
        if self.folder is not None:
            before = len(list(self.folder.glob(f"{self.value}-*")))
            (self.folder / f"{self.value}-{before}").touch()
            if before < self.deaths:
                os.kill(os.getpid(), signal.SIGKILL)
        return {"square": self.value**2, "threads": os.environ.get("OPENBLAS_NUM_THREADS")}


def test_processes_survive_their_death_and_each_failure_stays_with_its_cell(tmp_path, monkeypatch):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)  # a Dask cluster of another test leaves it
    cells = {str(k): Square(k) for k in range(6)}
    cells |= {"fails": Square(-1), "dies once": Square(7, tmp_path, 1), "always dies": Square(8, tmp_path, 99)}
    results = dict(compute_on_processes(cells, workers=2))
    assert results.keys() == cells.keys()
    assert [results[str(k)].result["square"] for k in range(6)] == [k**2 for k in range(6)]
    assert results["0"].result["threads"] == "1"
    assert results["fails"].error == "ValueError: negative value"
    assert results["fails"].result is None
    assert results["dies once"].result["square"] == 49
    assert "died" in results["always dies"].error
    assert len(list(tmp_path.glob("8-*"))) in (1, 2)  # alone, and before that if it had begun when the other died
    assert "OPENBLAS_NUM_THREADS" not in os.environ


def test_bad_input_is_told_as_it_is():
    class Bad:
        def run(self):
            raise bl.InputError("expected one, got two: give one")

    result = perform(Bad())
    assert result.error == "expected one, got two: give one"
    assert result.seconds >= 0


def test_cells_compute_in_one_thread():
    import threading

    with one_thread():
        names = thread_map(lambda _: threading.current_thread().name, range(8))
    assert set(names) == {threading.current_thread().name}
    assert len(thread_map(lambda item: item, range(8))) == 8


def test_outcomes_are_found_by_content_and_never_half_written(tmp_path):
    cache = CellCache(tmp_path / "cells")
    key = content_key({"a": 1, "b": [0.1, "x"]})
    assert key == content_key({"b": [0.1, "x"], "a": 1})
    assert key != content_key({"b": [0.1, "y"], "a": 1})
    assert cache.get(key) is None
    cache.put(key, CellResult({"value": 0.1 + 0.2, "nothing": math.nan}, None, 2.5))
    found = cache.get(key)
    assert found.result["value"] == 0.1 + 0.2
    assert math.isnan(found.result["nothing"])
    assert found.seconds == 2.5
    (file,) = [path for path in (tmp_path / "cells").rglob("*") if path.is_file()]
    file.write_text(file.read_text()[:10])  # such as a disk that was full
    assert cache.get(key) is None


def test_a_scheduler_that_does_not_answer():
    with pytest.raises(bl.InputError, match=r"expected a Dask scheduler at --scheduler 'tcp://127.0.0.1:9'"):
        list(compute_on_cluster({"a": Square(1)}, "tcp://127.0.0.1:9", patience="1s"))


def test_without_dask_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(bl.InputError, match=r"install 'bayes-lmmlasso\[cluster\]'"):
        list(compute_on_cluster({"a": Square(1)}, "tcp://127.0.0.1:9"))

"""Steps in processes of their own: the same results, errors that come through, and an end with their parent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from small_run import cohort_folder, contents, finished_run, settings

import bayes_lmmlasso as bl
from bayes_lmmlasso.progress import StageClock
from bayes_lmmlasso.run import pipeline, run
from bayes_lmmlasso.run.processes import InOneProcess, InOwnProcesses

PARENT = """
import sys
from pathlib import Path
from bayes_lmmlasso.progress import StageClock
from bayes_lmmlasso.run.processes import InOwnProcesses

sys.path.insert(0, {tests!r})
folder = Path({folder!r})
InOwnProcesses(StageClock(), folder / "handover").do({module!r}, "say_and_wait", folder / "pid")
"""

# steps that the processes import from here


def double(values, clock):
    with clock("doubling") as remark:
        remark("twice")
    return {"doubled": 2 * values, "pid": os.getpid()}


def pair(clock):
    return np.arange(3.0), "text"


def try_to_write(values, clock):
    values["doubled"][0] = 1.0


def address(values, clock):
    return [array.ctypes.data % 64 for array in values]


def same(values, clock):
    return values


def refuse(clock):
    raise bl.InputError("expected more, got less: add some")


def die(clock):
    os.kill(os.getpid(), signal.SIGKILL)


def say_and_wait(path, clock):
    sys.stdout.write("not for the parent\n")
    sys.stdout.flush()
    path.write_text(str(os.getpid()))
    time.sleep(60)


@pytest.fixture
def steps(tmp_path):
    return InOwnProcesses(StageClock(), tmp_path / "handover")


def test_results_and_progress_come_from_another_process(tmp_path):
    told = []
    clock = StageClock(lambda *report: told.append(report))
    steps = InOwnProcesses(clock, tmp_path)
    values = np.linspace(0, 1, 1000)
    result = steps.value(steps.do(__name__, "double", values))
    np.testing.assert_array_equal(result["doubled"], 2 * values)
    assert result["pid"] != os.getpid()
    assert told == [("doubling", 0, 1), ("doubling", 1, 1, "twice")]
    assert list(clock.seconds) == ["doubling"]
    plain = InOneProcess(StageClock())
    np.testing.assert_array_equal(plain.value(plain.do(__name__, "double", values))["doubled"], result["doubled"])


def test_a_run_in_processes_writes_the_same_files(tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "InOwnProcesses", InOwnProcesses)
    own = run(settings(covar=cohort_folder() / "covar.tsv"), tmp_path / "run", own_processes=True)
    one = finished_run()
    assert len(own.inclusion) == len(one.inclusion)
    files, expected = contents(own.folder), contents(one.folder)
    records = [json.loads(found.pop("run.json")) for found in (files, expected)]
    assert files == expected
    assert [record.pop("timings").keys() for record in records] == [{"started", "seconds"}] * 2
    assert records[0] == records[1]


def test_what_one_step_returns_another_takes_in_parts(steps):
    numbers, text = steps.do(__name__, "pair")
    assert steps.value(text) == "text"
    assert steps.value(steps.do(__name__, "double", numbers))["doubled"].tolist() == [0.0, 2.0, 4.0]


def test_arrays_are_mapped_where_jax_takes_them_as_they_are(steps):
    arrays = [np.zeros(3, np.int8), np.ones((5, 7)), np.ones((5, 7), np.float32, order="F"), np.empty(0)]
    stored = steps.do(__name__, "same", arrays)
    assert steps.value(steps.do(__name__, "address", stored)) == [0, 0, 0, 0]


def test_arrays_of_another_step_cannot_be_changed(steps):
    doubled = steps.do(__name__, "double", np.ones(3))
    with pytest.raises(ValueError, match="read-only"):
        steps.do(__name__, "try_to_write", doubled)


def test_errors_come_through_with_their_place(steps):
    with pytest.raises(bl.InputError, match="expected more, got less: add some") as caught:
        steps.do(__name__, "refuse")
    assert "in refuse" in "".join(caught.value.__notes__)


def test_a_killed_process_is_told_in_a_sentence(steps):
    with pytest.raises(ChildProcessError, match="step `die` to end by itself, got status -9: if it was killed"):
        steps.do(__name__, "die")


def test_processes_end_with_their_parent(tmp_path):
    path = tmp_path / "pid"
    program = PARENT.format(tests=str(Path(__file__).parent), folder=str(tmp_path), module=__name__)
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE) as parent:
        while not (path.exists() and path.read_text()):
            assert parent.poll() is None
            time.sleep(0.05)
        child = int(path.read_text())
        parent.kill()
        assert parent.stderr.read() == b"not for the parent\n"  # all of it, once the child has ended too
    deadline = time.monotonic() + 10
    while running(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def running(pid):
    try:
        return "zombie" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False

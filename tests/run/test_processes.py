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
from bayes_lmmlasso.models import RotatedData
from bayes_lmmlasso.progress import StageClock
from bayes_lmmlasso.run import run, sample_step
from bayes_lmmlasso.run.processes import in_own_process

PARENT = """
import sys
from pathlib import Path
from bayes_lmmlasso.progress import StageClock
from bayes_lmmlasso.run.processes import in_own_process

if __name__ == "__main__":
    sys.path[:0] = {tests!r}
    from {module} import say_and_wait
    in_own_process(say_and_wait, Path({path!r}), clock=StageClock())
"""

# steps that the processes import from here


def double(values, clock):
    with clock("doubling") as remark:
        remark("twice")
    return {"doubled": 2 * values, "pid": os.getpid()}


def refuse(clock):
    raise bl.InputError("expected more, got less: add some")


def die(clock):
    os.kill(os.getpid(), signal.SIGKILL)


def say_and_wait(path, clock):
    sys.stdout.write("not for the parent\n")
    sys.stdout.flush()
    path.write_text(str(os.getpid()))  # before the parent hears of it
    with clock("waiting"):
        time.sleep(60)


def test_results_and_progress_come_from_another_process():
    told = []
    clock = StageClock(lambda *report: told.append(report))
    values = np.linspace(0, 1, 1000)
    result = in_own_process(double, values, clock=clock)
    np.testing.assert_array_equal(result["doubled"], 2 * values)
    assert result["pid"] != os.getpid()
    assert told == [("doubling", 0, 1), ("doubling", 1, 1, "twice")]
    assert list(clock.seconds) == ["doubling"]
    np.testing.assert_array_equal(double(values, StageClock())["doubled"], result["doubled"])


def test_a_run_in_processes_writes_the_same_files(tmp_path):
    own = run(settings(covar=cohort_folder() / "covar.tsv"), tmp_path / "run", own_processes=True)
    one = finished_run()
    assert len(own.inclusion) == len(one.inclusion)
    files, expected = contents(own.folder), contents(one.folder)
    records = [json.loads(found.pop("run.json")) for found in (files, expected)]
    assert files == expected
    assert [record.pop("timings").keys() for record in records] == [{"started", "seconds"}] * 2
    assert records[0] == records[1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_sampler_takes_mapped_snps_as_they_are_and_cannot_change_them(tmp_path, dtype):
    X = np.random.default_rng(1).standard_normal((5, 7)).astype(dtype)
    np.save(tmp_path / "XT.npy", X)
    taken = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sample_step, "sample", lambda settings, data, order, store, clock: taken.append(data))
        data = RotatedData(y=None, Z=None, XT=X[:0], S=None, U=None, sigma=None)
        sample_step.sample_mapped(settings(), data, tmp_path / "XT.npy", None, tmp_path, StageClock())
    (data,) = taken
    np.testing.assert_array_equal(data.XT, X)
    assert data.XT.ctypes.data % 64 == 0  # from where JAX computes without a copy
    with pytest.raises(ValueError, match="read-only"):
        data.XT[0] = 1.0


def test_errors_come_through_with_their_place():
    with pytest.raises(bl.InputError, match="expected more, got less: add some") as caught:
        in_own_process(refuse, clock=StageClock())
    assert "in refuse" in str(caught.value.__cause__)


def test_a_killed_process_is_told_in_a_sentence():
    with pytest.raises(ChildProcessError, match="step `die` to end by itself, but it died: if it was killed"):
        in_own_process(die, clock=StageClock())


def test_processes_end_with_their_parent(tmp_path):
    path = tmp_path / "pid"
    program = tmp_path / "parent.py"
    program.write_text(
        PARENT.format(tests=[str(folder) for folder in Path(__file__).parents[:2]], path=str(path), module=__name__)
    )
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, program], **pipes) as parent:
        child = started(parent, path)
        parent.kill()
        assert parent.stderr.read().startswith(b"not for the parent\n")  # all of it, once the child has ended too
        assert parent.stdout.read() == b""
    wait_for_end(child)


def test_ctrl_c_ends_them_at_once(tmp_path):
    path = tmp_path / "pid"

    def interrupt(stage, done, total, remark=""):
        raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        in_own_process(say_and_wait, path, clock=StageClock(interrupt))
    assert time.monotonic() - began < 30
    wait_for_end(int(path.read_text()))


def started(parent, path):
    """Return the pid that a child has written."""
    while not (path.exists() and path.read_text()):
        assert parent.poll() is None
        time.sleep(0.05)
    return int(path.read_text())


def wait_for_end(child):
    deadline = time.monotonic() + 10
    while running(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def running(pid):
    try:
        return "zombie" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False

"""Memory that one stage needed is the system's again when the next begins."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bayes_lmmlasso as bl
from bayes_lmmlasso.memory import count_maps, release_memory
from bayes_lmmlasso.posterior.sampler import programs
from bayes_lmmlasso.progress import StageClock

pytestmark = pytest.mark.skipif(not hasattr(ctypes.pythonapi, "malloc_trim"), reason="the C library cannot trim")

MEGABYTE = 2**20

SAMPLING = """
import tempfile
from pathlib import Path
import numpy as np
import bayes_lmmlasso as bl
from bayes_lmmlasso.posterior.sampler import programs

programs._LARGE = 0

def status(name):
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1])

rng = np.random.default_rng(1)
X = bl.cohort.standardise(rng.binomial(2, 0.3, (40, 60)).astype(float))
basis = bl.Eigenbasis.from_kinship(bl.gower_scale(bl.kinship(X)))
data = bl.rotate(X, basis, y=rng.standard_normal(40), covariates=np.ones((40, 1)))
before = status("VmRSS")
with tempfile.TemporaryDirectory() as folder:
    bl.sample_posterior(data, "spike_slab", chains=1, warmup=1, draws=4, seed=1, store=folder)
print(before, status("VmHWM"), status("VmRSS"))
"""


def resident():
    """Return the bytes of this process that are in memory."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return 1024 * int(line.split()[1])


def scattered():
    """Use 200 MB in pieces, the last of which stays in use: the C library keeps what lies below it."""
    pieces = [str(k).encode() * 1000 for k in range(10_000, 50_000)]
    return pieces[-1]


def test_free_pages_are_given_back():
    release_memory()
    before = resident()
    last = scattered()
    assert resident() - before > 150 * MEGABYTE
    release_memory()
    assert resident() - before < 20 * MEGABYTE
    assert last


def test_a_stage_leaves_no_free_pages_behind():
    release_memory()
    before, clock = resident(), StageClock()
    with clock("stage"):
        last = scattered()
        assert resident() - before > 150 * MEGABYTE
    assert resident() - before < 20 * MEGABYTE
    assert last


def test_sampling_keeps_little_of_what_compiling_takes():
    """Of the growth in between, traces and the compiler's workspace, most is gone at the end; all stays otherwise."""
    done = subprocess.run([sys.executable, "-c", SAMPLING], capture_output=True, text=True, check=True)
    before, peak, after = map(int, done.stdout.split())
    assert peak - before > 100 * 1024
    assert after - before < 0.7 * (peak - before)


def test_programs_for_data_of_many_shapes_do_not_pile_up(monkeypatch):
    """Each has hundreds of memory maps, and a process that has all it may crashes."""
    monkeypatch.setattr(programs, "_MANY_MAPS", 0)
    rng, maps = np.random.default_rng(1), []
    for n in (20, 21, 22):
        X = bl.cohort.standardise(rng.binomial(2, 0.3, (n, 10)).astype(float))
        basis = bl.Eigenbasis.from_kinship(bl.gower_scale(bl.kinship(X)))
        data = bl.rotate(X, basis, y=rng.standard_normal(n), covariates=np.ones((n, 1)))
        bl.sample_posterior(data, "laplace", chains=1, warmup=1, draws=4)
        maps.append(count_maps())
    assert maps[2] - maps[1] < 100

"""LAPACK called from compiled functions, by many threads at once."""

from __future__ import annotations

import os
import subprocess
import sys

THREADS = """
import numpy as np
from bayes_lmmlasso.numerics.lapack import LAPACK
from bayes_lmmlasso.numerics.threads import thread_slices
from bayes_lmmlasso.lmm.tridiagonal import _reduce

rng = np.random.default_rng(0)
X = rng.standard_normal((180, 400))
K, B, m = X @ X.T / 400, 100, 90
rows = np.stack([rng.permutation(180)[:m] for _ in range(B)])
vectors = rng.standard_normal((B, 2, m))

def reduce(threads):
    W, diagonal, off_diagonal = vectors.copy(), np.empty((B, m)), np.empty((B, m - 1))
    def work(part):
        _reduce(LAPACK, K, rows[part], W[part], diagonal[part], off_diagonal[part])
    thread_slices(work, B) if threads else work(slice(0, B))
    return np.concatenate([W.ravel(), diagonal.ravel(), off_diagonal.ravel()])

expected = reduce(False)
print(sum(not np.array_equal(reduce(True), expected) for _ in range(20)))
"""


def test_arrays_live_until_lapack_returns():
    # with one arena for all threads, memory that is free too early is soon another thread's
    result = subprocess.run(
        [sys.executable, "-c", THREADS],
        env=os.environ | {"MALLOC_ARENA_MAX": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == "0"

"""Candidates from a few checkpoints against plain float64 products at every point."""

from __future__ import annotations

import numpy as np
import pytest

from bayes_lmmlasso.lasso.genotypes import Genotypes
from bayes_lmmlasso.lasso.solver.screening import Checkpoints, snps_above


def curve(rng, n, points):
    """Points s_t of a smooth path that grows, as scaled residuals do."""
    start, bend, end = rng.standard_normal((3, n)) * [[0.2], [0.1], [0.35]]
    t = np.linspace(0.0, 1.0, points)
    return np.outer(start, 1 - t) + np.outer(end, t) + np.outer(bend, np.sin(3 * t))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("block_bytes", [2**20, 2_000])
@pytest.mark.parametrize("weighted", [False, True])
def test_no_violator_is_missed(rng, dtype, block_bytes, weighted):
    X = rng.standard_normal((50, 900)).astype(dtype)
    weights = rng.uniform(0.5, 2.0, 900) if weighted else np.ones(900)
    genotypes = Genotypes.of(X, block_bytes=block_bytes)
    genotypes = genotypes.weighted(weights) if weighted else genotypes
    paths = [curve(rng, 50, 30) for _ in range(4)]
    checkpoints = [Checkpoints.of(S, genotypes.norm) for S in paths]
    assert all(points.floor.size < 30 for points in checkpoints)
    for S, above in zip(paths, snps_above(genotypes, checkpoints, tile=3), strict=True):
        found = np.unique(above.snps)
        exact = np.abs((X / weights).T.astype(float) @ S).max(axis=1)
        violators = np.flatnonzero(exact > 1.0)
        assert violators.size > 10
        assert set(violators) <= set(found)
        assert found.size < 900


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_ratios_are_those_of_each_checkpoint(rng, dtype):
    X = rng.standard_normal((30, 200)).astype(dtype)
    paths = [Checkpoints(rng.standard_normal((30, c)), rng.uniform(2.0, 8.0, c)) for c in (2, 0, 1)]
    for points, above in zip(paths, snps_above(Genotypes.of(X), paths), strict=True):
        exact = np.abs(X.T.astype(float) @ points.S) / points.floor
        snps = np.nonzero(exact.T > 1.0)[1]
        np.testing.assert_array_equal(np.sort(above.snps), np.sort(snps))
        np.testing.assert_allclose(np.sort(above.ratio), np.sort(exact[exact > 1.0]), rtol=1e-5)
    assert all(above.snps.size == 0 for above in snps_above(Genotypes.of(X), paths[1:2]))


def test_a_violator_between_the_ends_is_found(rng):
    """A SNP that violates at one inner point only, far from both ends."""
    S = np.zeros((40, 21))
    S[0], S[1] = np.linspace(0.1, 0.2, 21), np.sin(np.linspace(0, np.pi, 21))
    X = 0.3 * rng.standard_normal((40, 60))
    X[:, 7] = 0.0
    X[1, 7] = 1.01
    genotypes = Genotypes.of(X)
    assert 7 in snps_above(genotypes, [Checkpoints.of(S, genotypes.norm)])[0].snps
    assert 7 not in snps_above(genotypes, [Checkpoints.of(S[:, [0, 20]], genotypes.norm)])[0].snps


def test_floor_accounts_for_every_point_between_two_checkpoints(rng):
    S = curve(rng, 30, 40)
    points = Checkpoints.of(S, 2.0)
    place = [int(np.flatnonzero((column[:, None] == S).all(axis=0))[0]) for column in points.S.T]
    assert place[0] == 0
    assert place[-1] == 39
    for _ in range(200):
        x = rng.standard_normal(30)
        x *= 2.0 / np.linalg.norm(x)
        value = np.abs(x @ S)
        for a, b, low, high in zip(place[:-1], place[1:], points.floor[:-1], points.floor[1:], strict=True):
            ends = max(value[a] - low, value[b] - high)
            assert value[a : b + 1].max() <= 1.0 + max(ends, 0.0) + 1e-9 or ends > 0.0


def test_candidates_are_representatives(rng):
    X = rng.standard_normal((20, 30))
    X[:, 20] = -X[:, 3]
    S = X[:, [3]] / (X[:, 3] @ X[:, 3]) * 1.5
    found = snps_above(Genotypes.of(X), [Checkpoints.of(S, 10.0)])[0].snps
    assert 3 in found
    assert 20 not in found

"""Pruning against PLINK 2 and against its own promise; clumping against a plain loop over all pairs."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest

import bayes_lmmlasso as bl
from bayes_lmmlasso.cohort import linkage


@pytest.fixture(scope="module")
def cohort():
    return bl.simulate_cohort(n_samples=80, n_variants=700, contig_length=1_000_000, seed=4)  # of several chromosomes


@pytest.fixture
def genotypes(cohort):
    chromosomes = cohort["contig_id"].values[cohort["variant_contig"].values].astype("U")
    return cohort["call_dosage"].values.T, cohort["variant_position"].values, chromosomes


def squared_correlations(X):
    varies = np.ptp(X, axis=0) > 0
    r2 = np.zeros((X.shape[1], X.shape[1]))
    r2[np.ix_(varies, varies)] = np.corrcoef(X[:, varies].T.astype(float)) ** 2
    return r2


@pytest.mark.skipif(shutil.which("plink2") is None, reason="plink2 is not installed")
@pytest.mark.parametrize(
    ("plink", "r2", "window"),
    [(["50", "1"], 0.2, 49), (["7", "1"], 0.5, 6), (["100kb"], 0.3, 1e5), (["2kb"], 0.1, 2e3)],
)
def test_plink_keeps_the_same_snps(tmp_path, cohort, plink, r2, window):
    bl.cohort.write_plink(cohort, tmp_path / "x")
    command = ["plink2", "--bfile", "x", "--allow-extra-chr", "--indep-pairwise", *plink, str(r2), "--out", "x"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    X = cohort["call_dosage"].values.T
    positions = cohort["variant_position"].values if plink[0].endswith("kb") else None
    keep = bl.cohort.ld_prune(X, positions, cohort["variant_contig"].values, r2=r2, window=window)
    varies = np.ptp(X, axis=0) > 0
    kept = np.isin(cohort["variant_id"].values, (tmp_path / "x.prune.in").read_text().split())
    np.testing.assert_array_equal(keep, kept & varies)
    assert 20 < keep.sum() < 600


@pytest.mark.parametrize("window", [20_000, 300_000])
def test_no_linked_pair_is_left_and_none_removed_without_reason(genotypes, window):
    X, positions, chromosomes = genotypes
    keep = bl.cohort.ld_prune(X, positions, chromosomes, r2=0.3, window=window)
    near = (np.abs(positions - positions[:, None]) <= window) & (chromosomes == chromosomes[:, None])
    linked = (squared_correlations(X) > 0.3) & near & ~np.eye(len(positions), dtype=bool)
    assert not linked[np.ix_(keep, keep)].any()
    frequency = np.minimum(X.mean(axis=0), 2 - X.mean(axis=0)) / 2
    better = linked & (frequency >= frequency[:, None] - 1e-12)
    assert (better.any(axis=1) | (np.ptp(X, axis=0) == 0))[~keep].all()


def test_chunks_and_codings_do_not_matter(genotypes, monkeypatch):
    X, positions, chromosomes = genotypes
    keep = bl.cohort.ld_prune(X, positions, chromosomes, r2=0.2, window=50_000)
    each = [chromosomes == name for name in dict.fromkeys(chromosomes)]
    parts = [bl.cohort.ld_prune(X[:, on], positions[on], r2=0.2, window=50_000) for on in each]
    assert len(parts) > 1
    np.testing.assert_array_equal(np.concatenate(parts), keep)
    monkeypatch.setattr(linkage, "_CHUNK", 1)
    np.testing.assert_array_equal(bl.cohort.ld_prune(X.astype(np.int8), positions, chromosomes, window=50_000), keep)
    maf = np.minimum(X.mean(axis=0), 2 - X.mean(axis=0)) / 2
    np.testing.assert_array_equal(bl.cohort.ld_prune(3 * X - 1, positions, chromosomes, window=50_000, maf=maf), keep)


def clumps_by_loops(p, r2, near, p1, p2, threshold):
    clump, index = {}, []
    for j in sorted(range(len(p)), key=lambda j: (np.isnan(p[j]), p[j], j)):
        if p[j] <= p1 and j not in clump:
            for i in range(len(p)):
                if i not in clump and near[i, j] and p[i] <= p2 and r2[i, j] >= threshold:
                    clump[i] = len(index)
            clump[j] = len(index)
            index.append(j)
    return index, [clump.get(j, -1) for j in range(len(p))]


def test_clumps_equal_a_loop_over_all_pairs(genotypes, rng):
    X, positions, chromosomes = genotypes
    p = rng.uniform(size=700) ** 6
    p[[3, 77]] = np.nan
    near = (np.abs(positions - positions[:, None]) <= 60_000) & (chromosomes == chromosomes[:, None])
    index, clump = clumps_by_loops(p, squared_correlations(X), near, 0.01, 0.3, 0.2)
    found = bl.cohort.ld_clump(p, X, positions, chromosomes, r2=0.2, window=60_000, p1=0.01, p2=0.3)
    np.testing.assert_array_equal(found.index, index)
    np.testing.assert_array_equal(found.clump, clump)
    assert found.index.size > 50
    assert np.bincount(found.clump + 1).max() > 5
    assert bl.cohort.ld_clump(np.ones(700), X).index.size == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, at, on: {"X": X * 2}, "expected dosages between 0 and 2"),
        (lambda X, at, on: {"X": np.where(X == 2, np.nan, X)}, "expected finite values"),
        (lambda X, at, on: {"X": X[0]}, r"expected samples x SNPs, got shape \(700,\)"),
        (lambda X, at, on: {"positions": at[::-1]}, "expected ascending ones on each chromosome, got a step back on"),
        (lambda X, at, on: {"positions": at[1:]}, "positions: expected a position for each of 700 SNPs"),
        (lambda X, at, on: {"chromosomes": np.roll(on, 9)}, "expected the SNPs of each one together"),
        (lambda X, at, on: {"chromosomes": on[1:]}, "chromosomes: expected one for each of 700 SNPs"),
        (lambda X, at, on: {"r2": 2.0}, "expected r2 between 0 and 1, got 2"),
        (lambda X, at, on: {"maf": np.full(700, np.nan)}, "maf: expected a frequency for each of 700 SNPs"),
    ],
)
def test_bad_input_is_refused(genotypes, change, message):
    X, positions, chromosomes = genotypes
    given = {"X": X, "positions": positions, "chromosomes": chromosomes} | change(*genotypes)
    with pytest.raises(bl.InputError, match=message):
        bl.cohort.ld_prune(**given)

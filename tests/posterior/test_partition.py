"""Windows on the genetic map and blocks of linkage disequilibrium."""

from __future__ import annotations

import numpy as np
import pytest

import bayes_lmmlasso as bl
from bayes_lmmlasso.posterior.summaries.partition import _across, assign_windows, windows_of


def test_windows_on_the_genetic_map_are_of_equal_genetic_width():
    chrom = np.repeat(["1", "2"], [6, 3])
    position = np.array([10, 20, 30, 40, 50, 60, 10, 20, 30])
    cm = np.array([0, 0.9, 2.0, 0, 4.5, 9.0, 0, 0, 0])  # the fourth halfway between its neighbours: 3.25
    table = assign_windows(chrom, position, "2cM", cm=cm)
    assert [list(members) for members in table["members"]] == [[0, 1], [2, 3], [4], [5], [6, 7, 8]]
    assert table[["chrom", "start", "end", "n_snps"]].to_numpy().tolist() == [
        ["1", 10, 20, 2],
        ["1", 30, 40, 2],
        ["1", 50, 50, 1],
        ["1", 60, 60, 1],
        ["2", 10, 30, 3],  # no map on this chromosome: 100 SNPs
    ]
    halves = assign_windows(chrom, position, "0.5cM", cm=cm)["members"]
    assert [list(members) for members in halves[:3]] == [[0, 1], [2], [3]]  # 0 is unknown, and 0.9 its neighbour


def test_windows_in_cm_need_a_map():
    for cm in (None, np.zeros(2)):
        with pytest.raises(bl.InputError, match=r"column 3 of the \.bim"):
            assign_windows(np.array(["1", "1"]), np.array([1, 2]), "1cM", cm=cm)
    with pytest.raises(bl.InputError, match="pass XT"):
        assign_windows(np.array(["1", "1"]), np.array([1, 2]), "ld")


@pytest.fixture
def blocks(rng):
    """Three blocks of 30, 40 and 25 SNPs with a common factor each; one SNP inside the second is unlinked."""
    sizes, n = (30, 40, 25), 300
    XT = np.vstack([rng.normal(size=(1, n)) + 0.7 * rng.normal(size=(size, n)) for size in sizes])
    XT[50] = rng.normal(size=n)
    return XT, np.cumsum(sizes)[:-1]


def test_blocks_end_where_linkage_does(blocks):
    XT, ends = blocks
    chrom, position = np.repeat("1", len(XT)), np.arange(1, len(XT) + 1) * 7
    table = assign_windows(chrom, position, "ld", XT=XT)
    assert table["n_snps"].tolist() == [30, 40, 25]
    assert table["start"].tolist() == [7, *((ends + 1) * 7)]
    assert table["end"].tolist() == [*(ends * 7), len(XT) * 7]
    backwards = assign_windows(chrom, position, "ld", XT=XT[::-1])
    assert backwards["n_snps"].tolist() == [25, 40, 30]
    two = assign_windows(np.repeat(["1", "2"], [50, len(XT) - 50]), position, "ld", XT=XT)
    assert two["n_snps"].tolist() == [30, 20, 20, 25]


def test_linkage_across_a_gap_by_its_definition(rng):
    XT = np.repeat(rng.normal(size=(200, 40)), 3, axis=0)[:553] + 0.5 * rng.normal(size=(553, 40))
    r2 = np.corrcoef(XT) ** 2
    expected = [r2[j - 10 : j, j : j + 10].mean() for j in range(10, 544)]
    np.testing.assert_allclose(_across(XT), expected, rtol=1e-9)


def test_without_linkage_only_the_threshold_holds_a_block_together(rng):
    XT = np.repeat(rng.normal(size=(1, 50)), 60, axis=0) + 0.01 * rng.normal(size=(60, 50))
    chrom, position = np.repeat("1", 60), np.zeros(60, int)
    table = assign_windows(chrom, position, "ld0.9", XT=XT)
    assert table[["start", "end", "n_snps"]].to_numpy().tolist() == [[1, 60, 60]]
    assert len(assign_windows(chrom[:1], position[:1], "ld", XT=XT[:1])) == 1


@pytest.mark.parametrize("window", ["0cM", "cM", "ld3", "ld1.0", "2.5snps", "-1cM"])
def test_a_window_that_makes_no_sense_is_told(window):
    with pytest.raises(bl.InputError, match="expected a window such as '1Mb'"):
        assign_windows(np.array(["1"]), np.array([1]), window, cm=np.ones(1), XT=np.ones((1, 3)))


@pytest.mark.parametrize("window", ["1Mb", "20snps", "ld"])
def test_snps_are_found_in_their_windows_again(window):
    """With a chromosome without positions and SNPs without a place."""
    rng = np.random.default_rng(4)
    chrom = np.repeat(["2", "1", "3", "0"], [60, 250, 150, 30])
    position = np.concatenate([rng.permutation(60) * 99_001 + 5, np.arange(250) * 30_000 + 1, np.zeros(180, dtype=int)])
    windows = assign_windows(chrom, position, window, XT=rng.normal(size=(490, 20)))
    shuffled = windows.sample(frac=1, random_state=2, ignore_index=True)
    found = windows_of(chrom, position, shuffled, window)
    for row, members in enumerate(shuffled["members"]):
        assert np.flatnonzero(found.row == row).tolist() == sorted(members)

"""The order of the genome, and SNPs without a place on it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayes_lmmlasso.cohort.genome import UNPLACED, genome_groups, genome_order, placement_remarks, unplaced


def groups(chrom, position):
    return [(name, on.tolist()) for name, on in genome_groups(chrom, position)]


def test_chromosomes_keep_their_order_and_snps_on_them_are_sorted():
    chrom, position = np.array(["2", "10", "2", "10", "2"]), np.array([30, 5, 10, 4, 30])
    assert groups(chrom, position) == [("2", [2, 0, 4]), ("10", [3, 1])]
    np.testing.assert_array_equal(genome_order(chrom, position), [2, 0, 4, 3, 1])


def test_a_file_in_order_is_left_alone():
    chrom, position = np.array(["3", "3", "1", "X", "X"]), np.array([1, 1, 9, 0, 0])
    assert genome_order(chrom, position) is None
    assert groups(chrom, position) == [("3", [0, 1]), ("1", [2]), ("X", [3, 4])]
    assert not placement_remarks(pd.DataFrame({"chrom": chrom, "pos": position, "snp": list("abcde")}))


def test_snps_without_a_place_are_a_group_behind_the_last_chromosome():
    chrom = np.array(["0", "1", "1", "1", "0", "MT", "2"])
    position = np.array([7, 20, 0, 10, 0, 0, 3])
    np.testing.assert_array_equal(np.flatnonzero(unplaced(chrom, position)), [0, 2, 4])
    assert groups(chrom, position) == [("1", [3, 1]), ("MT", [5]), ("2", [6]), (UNPLACED, [0, 2, 4])]
    table = pd.DataFrame({"chrom": chrom, "pos": position, "snp": [f"s{k}" for k in range(7)]})
    places, order = placement_remarks(table)
    assert places.text.startswith("3 of 7 SNPs have no place on the genome (chromosome 0 or bp 0: s0, s2, ...)")
    assert order.text.startswith("the SNPs of the file are not sorted")


def test_without_any_chromosome_there_is_one():
    chrom = np.repeat("0", 3)
    assert groups(chrom, np.zeros(3, int)) == [("0", [0, 1, 2])]
    assert groups(chrom, np.array([5, 0, 2])) == [("0", [2, 0]), (UNPLACED, [1])]

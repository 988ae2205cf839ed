"""The horizontal axis of a Manhattan plot."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_lmmlasso.plots.genome import Genome


@pytest.fixture
def table():
    return pd.DataFrame({"chrom": ["1"] * 3 + ["2"] * 2, "pos": [10, 40, 110, 50, 90]})


def test_snps_without_a_place_stand_behind_the_last_chromosome(table):
    placed = Genome.of(table)
    assert placed.unit == "positions in bp"
    lost = pd.DataFrame({"chrom": ["1", "0"], "pos": [0, 77]})
    genome = Genome.of(pd.concat([table.iloc[:2], lost, table.iloc[2:]], ignore_index=True))
    assert genome.unit == placed.unit
    np.testing.assert_array_equal(genome.x[[0, 1, 4, 5, 6]], placed.x)
    np.testing.assert_array_equal(genome.number, [0, 0, 2, 2, 0, 1, 1])
    assert placed.x.max() < genome.x[2] < genome.x[3] < genome.length
    assert genome.labels == ["1", "2", "unplaced"]


def test_the_order_of_the_file_does_not_matter(table):
    mixed = [4, 0, 2, 1, 3]
    genome = Genome.of(table.iloc[mixed])
    assert genome.labels == ["2", "1"]
    on_first = genome.number == 1
    distance = genome.x[on_first] - genome.x[on_first].min()
    np.testing.assert_array_equal(distance, table["pos"].to_numpy()[mixed][on_first] - 10)


def test_a_chromosome_without_positions_has_its_snps_in_order(table):
    genome = Genome.of(pd.concat([pd.DataFrame({"chrom": ["MT"] * 2, "pos": [0, 0]}), table], ignore_index=True))
    assert genome.unit == "positions in bp"
    assert genome.labels == ["MT", "1", "2"]
    assert (np.diff(genome.x) > 0).all()
    assert Genome.of(table.assign(pos=0)).unit == "SNPs in order"

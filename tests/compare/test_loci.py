"""Causal loci: what tags a causal SNP, and how a ranking of SNPs becomes one of loci."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayes_lmmlasso as bl
from bayes_lmmlasso.errors import InputError


@pytest.fixture
def variants():
    return pd.DataFrame(
        {"chrom": ["1"] * 6 + ["2"] * 4, "pos": [1000, 2000, 9000, 11_000, 50_000, 0, 1500, 2500, 0, 0]}
    )


def test_window_rule_by_hand(variants):
    loci = bl.compare.causal_loci([1, 8], 10, variants=variants, window_kb=7)
    assert [tags.tolist() for tags in loci.tags] == [[0, 1, 2], [8]]  # 8 has no position: itself alone
    assert np.flatnonzero(loci.tagging).tolist() == [0, 1, 2, 8]
    assert loci.found(np.arange(10) == 2).tolist() == [True, False]


def test_correlation_rule_against_numpy(rng):
    raw = rng.integers(0, 3, size=(60, 30))
    raw[:, 10] = 2 - raw[:, 4]  # r = -1
    raw[:, 20] = np.where(rng.random(60) < 0.85, raw[:, 4], raw[:, 20])
    X = bl.cohort.standardise(raw)
    r2 = np.corrcoef(raw.T) ** 2
    loci = bl.compare.causal_loci([4, 7], 30, X=X, r2=0.3)
    for c, tags in zip((4, 7), loci.tags, strict=True):
        assert tags.tolist() == np.flatnonzero(r2[c] >= 0.3).tolist()
    assert {4, 10, 20} <= set(loci.tags[0])
    chrom = pd.DataFrame({"chrom": np.where(np.arange(30) < 15, "1", "2"), "pos": np.arange(30) + 1})
    assert 20 not in bl.compare.causal_loci([4], 30, X=X, r2=0.3, variants=chrom).tags[0]
    both = bl.compare.causal_loci([4], 30, X=X, r2=0.3, variants=chrom, window_kb=0.001).tags[0]
    assert {3, 4, 5, 10} <= set(both)


def count_by_definition(score, threshold, causal, tags, units):
    """True and false positives among the SNPs at or above a threshold, counted one by one."""
    called = {j for j in range(len(score)) if score[j] >= threshold}
    found = [c for c, members in zip(causal, tags, strict=True) if called & set(members)]
    harmless = set().union(*map(set, tags))
    return len(found), len({units[j] for j in called - harmless})


@pytest.mark.parametrize("grouped", [False, True])
def test_items_count_as_the_definition_says_at_every_threshold(rng, grouped):
    p, causal = 40, np.array([5, 7, 30])
    variants = pd.DataFrame({"chrom": "1", "pos": np.arange(1, p + 1) * 1000})
    loci = bl.compare.causal_loci(causal, p, variants=variants, window_kb=2)  # 5 and 7 share their neighbours
    score = np.round(rng.random(p), 1)  # many ties
    units = np.arange(p) // 4 if grouped else np.arange(p)
    items = loci.items(score, units if grouped else None)
    for threshold in np.unique(score):
        called = items.score >= threshold
        expected = count_by_definition(score, threshold, causal, loci.tags, units)
        assert ((called & items.positive).sum(), (called & ~items.positive).sum()) == expected


def test_more_hits_in_a_causal_locus_change_nothing(variants):
    loci = bl.compare.causal_loci([1], 10, variants=variants, window_kb=7)
    few, many = np.zeros(10), np.zeros(10)
    few[[1, 7]], many[[0, 1, 2, 7]] = (0.9, 0.5), (0.8, 0.9, 0.7, 0.5)
    for a, b in zip(
        (loci.items(few).score, loci.items(few).positive),
        (loci.items(many).score, loci.items(many).positive),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


def test_without_rules_the_ranking_is_that_of_snps(rng):
    score, causal = rng.random(50), np.array([3, 40])
    items = bl.compare.causal_loci(causal, 50).items(score)
    truth = np.isin(np.arange(50), causal)
    assert bl.compare.ranking_curves(items.score, items.positive).average_precision == pytest.approx(
        bl.compare.ranking_curves(score, truth).average_precision
    )


def test_refusals(variants):
    for causal in ([1, 1], [-1], [10], [], [0.5]):
        with pytest.raises(InputError, match="distinct causal columns from 0 to 9"):
            bl.compare.causal_loci(causal, 10)
    with pytest.raises(InputError, match="`variants` for window_kb and `X` for r2"):
        bl.compare.causal_loci([1], 10, window_kb=5)
    with pytest.raises(InputError, match=r"r2 in \(0, 1\], got None and 0"):
        bl.compare.causal_loci([1], 10, r2=0)
    loci = bl.compare.causal_loci([1], 10, variants=variants, window_kb=5)
    with pytest.raises(InputError, match="got 1 NaN"):
        loci.items(np.append(np.nan, np.zeros(9)))
    with pytest.raises(InputError, match="each of 10 SNPs, got shape"):
        loci.items(np.zeros(9))

"""Candidate genes: distances, rotation test and adjacent pairs, against brute force and the published table."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import bayes_lmmlasso as bl
from bayes_lmmlasso.errors import InputError


@pytest.fixture
def genome(rng):
    pos = np.sort(rng.integers(1, 200_000, size=(2, 60)), axis=1)
    return pd.DataFrame({"chrom": np.repeat(["1", "2"], 60), "pos": pos.ravel(), "snp": [f"s{j}" for j in range(120)]})


@pytest.fixture
def genes():
    return pd.DataFrame(
        {
            "chrom": ["1", "1", "2", "3"],
            "start": [20_000, 90_000, 50_000, 10],
            "end": [25_000, 91_000, 52_000, 20],
            "gene": ["A", "B", "C", "D"],
        }
    )


def distances(snp, genes):
    """Distances of one SNP to the genes of its chromosome, one by one."""
    return {
        gene.gene: 0 if gene.start <= snp.pos <= gene.end else min(abs(snp.pos - gene.start), abs(snp.pos - gene.end))
        for gene in genes.itertuples()
        if gene.chrom == snp.chrom
    }


def test_distances_one_by_one(genome, genes):
    found = bl.compare.gene_distances(genome, genes)
    for snp, row in zip(genome.itertuples(), found.itertuples(), strict=True):
        each = distances(snp, genes)
        assert row.distance == min(each.values())
        assert each[row.gene] == row.distance
    unknown = bl.compare.gene_distances(genome.assign(pos=0), genes)
    assert np.isinf(unknown["distance"]).all()
    assert unknown["gene"].isna().all()


def test_rotation_test_by_brute_force(genome, genes, rng):
    hits = np.sort(rng.choice(120, size=9, replace=False))
    found = bl.compare.candidate_enrichment(hits, genome, genes, window=8000)
    near = np.array([min(distances(snp, genes).values()) <= 8000 for snp in genome.itertuples()])
    counts = [sum(near[(j + shift) % 120] for j in hits) for shift in range(120)]
    assert (found.n_hits, found.n_near) == (9, counts[0])
    assert found.p_value == pytest.approx(np.mean(np.array(counts) >= counts[0]))
    assert found.share_of_snps == pytest.approx(near.mean())
    assert found.hits["snp"].tolist() == [f"s{j}" for j in hits]
    assert found.hits["near"].tolist() == near[hits].tolist()


def test_p_values_are_valid_for_hits_at_random_and_small_for_hits_in_genes(genome, genes, rng):
    values = [
        bl.compare.candidate_enrichment(rng.choice(120, 6, replace=False), genome, genes, 8000).p_value
        for _ in range(300)
    ]
    for level in (0.05, 0.2, 0.5):  # never more often than the level, up to 3 standard errors of 300 trials
        assert np.mean(np.array(values) <= level) <= level + 3 * np.sqrt(level * (1 - level) / 300)
    inside = np.flatnonzero(bl.compare.gene_distances(genome, genes)["distance"] <= 8000)
    assert bl.compare.candidate_enrichment(inside, genome, genes, 8000).p_value == pytest.approx(1 / 120)


def test_adjacent_pairs_one_by_one(genome, genes, rng):
    X = bl.cohort.standardise(rng.integers(0, 3, size=(50, 120)))
    hits = rng.permutation(120)[:40]
    pairs = bl.compare.adjacent_pairs(hits, genome, 3000, X=X, genes=genes)
    expected = []
    for chrom in ("1", "2"):
        own = sorted(j for j in hits if genome["chrom"][j] == chrom)
        for a, b in pairwise(own):
            if genome["pos"][b] - genome["pos"][a] <= 3000:
                expected.append((f"s{a}", f"s{b}", np.corrcoef(X[:, a], X[:, b])[0, 1]))
    assert list(zip(pairs["first"], pairs["second"], strict=True)) == [pair[:2] for pair in expected]
    np.testing.assert_allclose(pairs["r"], [pair[2] for pair in expected], atol=1e-5)
    assert set(pairs["gene"]) <= {"A", "B", "C"}
    assert len(expected) > 5
    assert bl.compare.adjacent_pairs([3], genome).empty


def test_refusals(genome, genes):
    for hits in ([], [1, 1], [120], [0.5]):
        with pytest.raises(InputError, match="distinct hits as columns from 0 to 119"):
            bl.compare.candidate_enrichment(hits, genome, genes)
    with pytest.raises(InputError, match="genes with a column 'gene'"):
        bl.compare.candidate_enrichment([1], genome, genes.drop(columns="gene"))
    with pytest.raises(InputError, match="window of at least 0 bp, got -1"):
        bl.compare.candidate_enrichment([1], genome, genes, -1)


def published(data_dir):
    names = {"chromosome": "chrom", "start_tair8": "start", "end_tair8": "end", "locus": "gene"}
    genes = pd.read_csv(data_dir / "flowering_genes.tsv", sep="\t").rename(columns=names)
    table = pd.read_csv(
        data_dir / "published_results" / "rakitsch2013_table_s1_snps_near_candidate_genes.tsv", sep="\t"
    )
    return genes, table.rename(columns={"chromosome": "chrom", "pos_tair8": "pos"})


def test_published_distances_are_found_again(data_dir):
    genes, table = published(data_dir)
    own = genes[genes["in_paper_table_s1"] == 1]
    for gene, part in table.groupby("gene"):
        distance = bl.compare.gene_distances(part, own[own["gene"] == gene])["distance"].to_numpy()
        allowed = float(own.loc[own["gene"] == gene, "paper_distance_discrepancy_bp"].iloc[0])
        assert np.abs(distance - part["dist_bp"]).max() <= max(allowed, 1.0)
        assert (distance <= 10_000).all()


def test_published_chromosome_5_hits_are_enriched(data_dir):
    genes, table = published(data_dir)
    cohort = bl.read_plink(data_dir / "arabidopsis_chr5" / "arabidopsis_chr5_181", dtype="int8", variants=slice(None))
    variants = bl.cohort.variant_frame(cohort)
    mine = table.loc[table["chrom"] == 5, "pos"].unique()
    hits = np.flatnonzero(variants["pos"].isin(mine))
    assert len(table.loc[table["chrom"] == 5]) == 13
    assert len(hits) == len(mine)  # every one is among the SNPs
    found = bl.compare.candidate_enrichment(hits, variants, genes)
    assert found.n_near == found.n_hits
    assert found.share_of_snps < 0.1
    assert found.p_value < 0.01  # they are those of the published hits that are near a gene

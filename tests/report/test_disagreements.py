"""SNPs about which stability, posterior and single-SNP test disagree, with the reason."""

from __future__ import annotations

import numpy as np
import pandas as pd
from small_run import sparse_run

from bayes_lmmlasso import read_tree
from bayes_lmmlasso.posterior.tree.linkage import snp_correlations
from bayes_lmmlasso.report.disagreements import find_disagreements


def table(**columns):
    p = len(columns["pip"])
    frame = pd.DataFrame({"snp": [f"rs{j}" for j in range(p)], "chrom": "1", "pos": np.arange(p), "p_lmm": np.nan})
    return frame.assign(**columns)


def block(*linked):
    """Linkage in which some SNPs correlate with each other by 0.9, and no others."""

    def correlations(snp, others):
        return np.where(np.isin(others, linked) & (snp in linked), 0.9, 0.0)

    return correlations


def reasons(frame, linkage, threshold=0.6):
    return find_disagreements(frame, threshold, linkage).table.set_index("snp")["reason"]


def test_a_partner_takes_the_place_of_a_stable_snp():
    frame = table(pip=[0.005, 0.98, 0.01], stability=[0.91, 0.7, 0.0])
    found = reasons(frame, block(0, 1))
    assert list(found.index) == ["rs0"]
    assert found["rs0"].startswith("rs1 (r = 0.90, pip 0.98) takes its place")


def test_a_signal_may_be_shared_by_many():
    frame = table(pip=[0.05, 0.3, 0.25, 0.2], stability=[0.8, 0.1, 0.0, 0.0])
    assert "shared with 3 SNPs" in reasons(frame, block(0, 1, 2, 3))["rs0"]
    assert "nothing is left" in reasons(frame, block())["rs0"]


def test_stability_may_be_divided():
    frame = table(pip=[1.0, 0.0, 0.0], stability=[0.18, 0.4, 0.35])
    assert "frequencies add up to 0.75: stability is divided" in reasons(frame, block(0, 1, 2))["rs0"]
    assert "has few places" in reasons(frame, block())["rs0"]


def test_a_test_by_itself_may_miss_what_the_model_finds_and_the_reverse():
    frame = table(pip=[0.99, 0.0], stability=[0.9, 0.0], p_lmm=[0.2, 1e-9])
    found = reasons(frame, block())
    assert "--loco" in found["rs0"]
    assert "nothing is left" in found["rs1"]


def test_where_all_agree_there_is_nothing_to_say():
    found = find_disagreements(table(pip=[0.99, 0.2], stability=[0.9, 0.3]), 0.6, block())
    assert (found.n_found, len(found.table)) == (0, 0)


def test_the_widest_gaps_come_first_and_all_are_counted():
    stability = np.linspace(0.65, 1, 30)
    found = find_disagreements(table(pip=np.zeros(30), stability=stability), 0.6, block())
    assert found.n_found == 30
    assert list(found.table["stability"]) == sorted(stability)[::-1][:12]


def test_linkage_is_the_correlation_of_the_genotypes():
    tree = read_tree(sparse_run().folder / "posterior.zarr")
    X = tree["constant_data"]["X"].values
    wanted = np.corrcoef(X[[3, 7, 50]])[0, 1:]
    np.testing.assert_allclose(snp_correlations(tree, 3, np.array([7, 50])), wanted, atol=1e-6)

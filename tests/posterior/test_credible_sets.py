"""Credible sets against brute force on a posterior that is known exactly, and on linkage that is extreme."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from draw_trees import tree_of

import bayes_lmmlasso as bl

COLUMNS = "chrom start end n_snps coverage coverage_mcse purity n_included top_snp top_snp_pip snps"


def standardised(X):
    return (X - X.mean(axis=0)) / X.std(axis=0)


def exact_configurations(X, y, pi=0.2, slab=1.0, noise=1.0):
    """Every configuration of included SNPs with its posterior probability, b_j ~ N(0, slab) given inclusion."""
    n, p = X.shape
    configurations = np.array(list(product([False, True], repeat=p)))
    log_posterior = np.empty(len(configurations))
    for k, chosen in enumerate(configurations):
        V = noise * np.eye(n) + slab * X[:, chosen] @ X[:, chosen].T
        log_posterior[k] = -0.5 * (np.linalg.slogdet(V)[1] + y @ np.linalg.solve(V, y))
        log_posterior[k] += chosen.sum() * np.log(pi) + (~chosen).sum() * np.log1p(-pi)
    weight = np.exp(log_posterior - log_posterior.max())
    return configurations, weight / weight.sum()


def sets_by_definition(X, configurations, weight, coverage, purity):
    """The definition of the module docstring, on probabilities instead of draws."""
    pip = weight @ configurations
    r = np.abs(np.corrcoef(X.T))
    order, used, sets = np.argsort(-pip, kind="stable"), set(), []
    for lead in order:
        if lead in used:
            continue
        members = [lead]
        for snp in order:
            if weight @ configurations[:, members].any(axis=1) >= coverage:
                break
            if snp not in used and snp not in members and (r[snp, members] >= purity).all():
                members.append(snp)
        if weight @ configurations[:, members].any(axis=1) >= coverage:
            sets.append(members)
            used |= set(members)
    return sets, pip, r


@pytest.mark.parametrize("seed", range(4))
def test_sets_of_a_posterior_known_by_enumeration(seed):
    """Draws in the exact proportions of the posterior: 20,000 of them, so that rounding changes no decision here."""
    rng = np.random.default_rng(seed)
    n, p = 80, 9
    factors = rng.normal(size=(n, 3))
    X = standardised(np.repeat(factors, 3, axis=1) + 0.45 * rng.normal(size=(n, p)))
    y = 0.5 * X[:, 1] - 0.45 * X[:, 5] + rng.normal(size=n)
    configurations, weight = exact_configurations(X, y)
    counts = np.floor(weight * 20_000).astype(int)
    counts[np.argsort(-(weight * 20_000 - counts), kind="stable")[: 20_000 - counts.sum()]] += 1
    draws = np.repeat(configurations, counts, axis=0)
    rng.shuffle(draws)
    weight = counts / 20_000
    expected, pip, r = sets_by_definition(X, configurations, weight, 0.9, 0.5)
    assert expected
    table = bl.credible_sets(tree_of(X, draws[None].astype(float)), coverage=0.9)
    assert " ".join(table.columns) == COLUMNS
    assert table["snps"].tolist() == [",".join(f"s{j}" for j in members) for members in expected]
    for (_, row), members in zip(table.iterrows(), expected, strict=True):
        inside = configurations[:, members]
        assert row["coverage"] == pytest.approx(weight @ inside.any(axis=1), abs=1e-9)
        assert row["n_included"] == pytest.approx(weight @ inside.sum(axis=1), abs=1e-9)
        assert row["purity"] == pytest.approx(r[np.ix_(members, members)].min(), abs=1e-6)
        assert row["top_snp_pip"] == pytest.approx(pip[members[0]], abs=1e-9)
        assert (row["start"], row["end"]) == (min(members) + 1, max(members) + 1)
        assert row["coverage_mcse"] == pytest.approx(np.sqrt(row["coverage"] * (1 - row["coverage"]) / 20_000), rel=0.5)


def test_twins_make_one_set_of_both(rng):
    """Two identical SNPs that take turns: neither has a pip of more than a half, together they are certain."""
    X = standardised(rng.normal(size=(40, 6)))
    X[:, 4] = X[:, 1]
    b = np.zeros((2, 100, 6))
    b[:, ::2, 1] = b[:, 1::2, 4] = 0.5
    b[:, ::10, 3] = 0.1
    table = bl.credible_sets(tree_of(X.astype(np.float32), b), min_purity=1.0)
    (row,) = table.to_dict("records")
    assert (row["snps"], row["n_snps"], row["coverage"], row["n_included"]) == ("s1,s4", 2, 1.0, 1.0)
    assert row["purity"] == pytest.approx(1, abs=1e-6)
    assert 0 < row["coverage_mcse"] < 0.01
    opposite = X * np.array([1, 1, 1, 1, -1, 1])
    assert bl.credible_sets(tree_of(opposite, b))["snps"].tolist() == ["s1,s4"]
    apart = bl.credible_sets(tree_of(X, b, chrom=np.array(list("111122"))))
    assert apart.empty
    assert " ".join(apart.columns) == COLUMNS


def test_a_member_must_correlate_with_every_member(rng):
    """s1 and s2 both correlate with the lead, in opposite directions of the plane: they cannot be in one set."""
    lead, other = np.linalg.qr(np.column_stack([np.ones(40), rng.normal(size=(40, 2))]))[0].T[1:]
    X = standardised(np.column_stack([lead, lead + other, lead - other]))
    b = np.zeros((1, 1000, 3))
    b[0, :600, 0] = b[0, 600:980, 1] = b[0, 980:, 2] = 1
    table = bl.credible_sets(tree_of(X, b))
    assert table["snps"].tolist() == ["s0,s1"]
    b[0, 900:980] = [0, 0, 1]
    assert bl.credible_sets(tree_of(X, b)).empty
    assert bl.credible_sets(tree_of(X, b), min_purity=1e-6)["n_snps"].tolist() == [3]


def test_coverage_counts_draws_not_probabilities(rng):
    """Two SNPs that are in together, in 0.6 of the draws: 0.6 that any is, though the pips add up to 1.2."""
    X = standardised(rng.normal(size=(40, 3)))
    X[:, 1] = X[:, 0]
    b = np.zeros((1, 100, 3))
    b[:, :60, :2] = 0.5
    assert bl.credible_sets(tree_of(X, b)).empty
    b[:, 60:97, 1] = 0.5  # and now P(any) is 0.97
    (row,) = bl.credible_sets(tree_of(X, b)).to_dict("records")
    assert (row["snps"], row["coverage"]) == ("s1", 0.97)


def test_unknown_positions_do_not_count_as_the_start(rng):
    X = standardised(rng.normal(size=(40, 2)))
    X[:, 1] = X[:, 0]
    b = np.zeros((1, 40, 2))
    b[0, ::2, 0] = b[0, 1::2, 1] = 1
    table = bl.credible_sets(tree_of(X, b, pos=np.array([0, 500])))
    assert table[["start", "end"]].to_numpy().tolist() == [[500, 500]]
    assert bl.credible_sets(tree_of(X, b, pos=np.array([0, 0])))["end"].tolist() == [0]


def test_refusals(rng):
    X, b = standardised(rng.normal(size=(20, 3))), np.ones((1, 40, 3))
    with pytest.raises(bl.InputError, match="model with exact zeros, got 'normal'"):
        bl.credible_sets(tree_of(X, b, exact_zeros=False))
    with pytest.raises(bl.InputError, match="coverage above 0 and at most 1, got 95"):
        bl.credible_sets(tree_of(X, b), coverage=95)

"""A given kinship against the SNPs: in the right order it fits, in another it does not, and real ones fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from kinship_files import plain_text, rel_square

import bayes_lmmlasso as bl
from bayes_lmmlasso.lmm.files import fit
from bayes_lmmlasso.lmm.relatedness import analysis_kinship


def standardised(X):
    X = np.asarray(X, dtype=float)
    X = X[:, X.std(axis=0) > 0]
    return (X - X.mean(axis=0)) / X.std(axis=0)


def fit_to_snps(K, X, source, sd=None):
    return fit.fit_to_snps(K, X, np.ones(X.shape[1]) if sd is None else sd, source)


@pytest.fixture(scope="module")
def analysis():
    cohort = bl.simulate_cohort(n_samples=120, n_variants=600, seed=2)
    cohort = cohort.assign(height=("samples", bl.simulate_trait(cohort, n_causal=3, seed=2).y))
    return bl.prepare(cohort, "height", maf=0.05)


@pytest.mark.parametrize("method", ["rrm", "centred", "ibs"])
def test_a_kinship_of_the_same_samples_fits(analysis, method):
    K = bl.kinship(analysis.dosages(), method)
    remark = fit_to_snps(K, analysis.X, "k.txt")
    assert remark.text.startswith("k.txt: correlation 0.9" if method != "rrm" else "k.txt: correlation 1.00")
    assert not remark.caution
    half = analysis.X[:, ::2]
    assert not fit_to_snps(half @ half.T, analysis.X[:, 1::2], "k.txt").caution


@pytest.mark.parametrize("change", [lambda rng, n: rng.permutation(n), lambda _, n: np.arange(n)[::-1]])
@pytest.mark.parametrize("method", ["rrm", "centred"])
def test_a_file_without_ids_in_another_order_is_told(tmp_path, analysis, rng, change, method):
    K = np.round(bl.kinship(analysis.dosages(), method), 4)  # reversed, it keeps the two populations together
    assert not any(r.caution for r in analysis_kinship(analysis, str(plain_text(tmp_path, None, K))).remarks)
    order = change(rng, len(K))
    path = plain_text(tmp_path, None, K[np.ix_(order, order)])
    told = [remark for remark in analysis_kinship(analysis, str(path)).remarks if remark.caution]
    assert len(told) == 1
    assert "it does not fit the genotypes" in told[0].text


def test_a_rel_in_another_order_beside_its_ids_is_used_by_id(tmp_path, analysis, rng):
    K = bl.kinship(analysis.X)
    order = rng.permutation(len(K))
    path = rel_square(tmp_path, analysis.samples.iloc[order], K[np.ix_(order, order)])
    raw = analysis_kinship(analysis, str(path))
    np.testing.assert_array_equal(raw.matrix, K)
    assert [remark.caution for remark in raw.remarks] == [False, False]
    assert raw.remarks[1].text.endswith("correlation 1.00 with the SNPs' own kinship")


def test_where_the_snps_tell_nothing_no_alarm_is_given(rng):
    X = standardised(rng.binomial(2, 0.3, (150, 400)))  # unrelated samples, SNPs in equilibrium
    other = standardised(rng.binomial(2, 0.3, (150, 400)))
    remark = fit_to_snps(other @ other.T / 400, X, "k.txt")
    assert not remark.caution
    assert "too little relatedness" in remark.text
    K = X @ X.T / 400
    assert not fit_to_snps(K, X, "k.txt").caution
    assert fit_to_snps(K[::-1, ::-1], X, "k.txt").caution  # its rows are those of other samples


def test_clones_are_not_taken_for_others(rng):
    X = np.repeat(standardised(rng.binomial(2, 0.3, (60, 400))), 2, axis=0)
    for K in (X @ X.T / 400, np.round(X @ X.T / 400, 3)):
        assert not fit_to_snps(K, X, "k.txt").caution


@pytest.mark.parametrize("K", [np.eye(150), np.eye(150) + 0.5])
def test_a_kinship_without_relatedness_is_not_compared(rng, K):
    remark = fit_to_snps(K, standardised(rng.binomial(2, 0.3, (150, 400))), "k.txt")
    assert not remark.caution
    assert "no check by the SNPs" in remark.text


def test_pedigrees_and_half_genomes_of_real_data_fit(data_dir):
    wheat = np.load(data_dir / "wheat_bglr" / "wheat.npz")
    mouse = bl.read_plink(data_dir / "mouse_bglr" / "mouse_bglr")["call_dosage"].values.T
    pedigree = np.load(data_dir / "mouse_bglr" / "pedigree_relationship.npz")["A"]
    lines = bl.read_plink(data_dir / "arabidopsis_genome" / "arabidopsis_genome_84")["call_dosage"].values.T
    half = standardised(lines[:, : lines.shape[1] // 2])
    rng = np.random.default_rng(0)
    for K, X in (
        (wheat["A"], wheat["X"]),
        (pedigree, mouse),
        (pedigree[:150, :150], mouse[:150]),
        (half @ half.T, lines[:, lines.shape[1] // 2 :]),
    ):
        matrix, snps = K.astype(float), standardised(X)
        assert not fit_to_snps(matrix, snps, "k.txt").caution
        order = rng.permutation(len(matrix))
        assert fit_to_snps(matrix[np.ix_(order, order)], snps, "pedigree:k.txt").caution


def test_the_remarks_come_with_the_relatedness(tmp_path, analysis):
    from bayes_lmmlasso.lmm.relatedness import Relatedness

    raw = analysis_kinship(analysis, str(plain_text(tmp_path, pd.DataFrame(), bl.kinship(analysis.X))))
    assert Relatedness.of(raw).remarks == raw.remarks
    assert analysis_kinship(analysis, "rrm").remarks == ()


@pytest.mark.parametrize("n_new", [1, 5, 60])
@pytest.mark.parametrize("method", ["rrm", "centred"])
def test_a_kinship_of_new_samples_fits_in_their_order_alone(analysis, rng, n_new, method):
    order = rng.permutation(len(analysis.X))
    new, old = np.sort(order[:n_new]), np.sort(order[n_new:])
    cross = bl.kinship(analysis.dosages(), method)[np.ix_(new, old)]
    X = analysis.X
    fits = fit.cross_fit_to_snps(cross, X[new], X[old], "k.txt")
    assert fits.text.startswith("k.txt: correlation 0.9" if method == "centred" else "k.txt: correlation 1.00")
    assert not fits.caution
    spoilt = fit.cross_fit_to_snps(cross[:, rng.permutation(len(old))], X[new], X[old], "k.txt")
    assert spoilt.caution
    assert "it does not fit the genotypes" in spoilt.text


def test_a_kinship_of_new_samples_that_tells_nothing_is_not_checked(analysis):
    X = analysis.X
    assert "no check by the SNPs" in fit.cross_fit_to_snps(np.ones((9, 50)), X[:9], X[9:59], "k.txt").text

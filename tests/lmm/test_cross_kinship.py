"""Kinship of new samples: an analysed sample taken as a new one has its row of the kinship matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayes_lmmlasso as bl


@pytest.fixture(scope="module")
def analysis():
    cohort = bl.simulate_cohort(n_samples=50, n_variants=300, seed=2)
    calls = cohort["call_dosage"].values.astype(np.float32)
    calls[np.random.default_rng(1).random(calls.shape) < 0.02] = np.nan
    cohort = cohort.assign(call_dosage=(("variants", "samples"), calls))
    y = bl.simulate_trait(bl.simulate_cohort(n_samples=50, n_variants=300, seed=2), n_causal=2, seed=3).y
    return bl.prepare(cohort.assign(y=("samples", y)), "y")


@pytest.mark.parametrize("method", ["rrm", "centred", "ibs"])
def test_analysed_samples_reproduce_their_rows(analysis, method):
    K = bl.kinship(analysis.X if method == "rrm" else analysis.dosages(), method)
    some = [3, 0, 17]
    new = bl.lmm.cross_kinship(analysis.X[some], analysis.X, method, mean=analysis.mean, sd=analysis.sd)
    np.testing.assert_allclose(new.cross, K[some], atol=2e-6)
    np.testing.assert_allclose(new.diagonal, np.diag(K)[some], atol=2e-6)
    twice = new.scaled(2.0)
    np.testing.assert_allclose(twice.cross, 2 * K[some], atol=4e-6)


@pytest.mark.parametrize("method", ["centred", "ibs"])
def test_new_samples_are_the_rest_of_the_larger_matrix(rng, method):
    """A centred matrix over all samples differs by its mean; IBS has none, and centring both sides removes it."""
    dosage = rng.integers(0, 3, size=(30, 400)).astype(float)
    dosage[:, :50] = rng.uniform(0, 2, size=(30, 50))  # dosages that are not whole
    train, new = dosage[:20], dosage[20:]
    mean, sd = train.mean(axis=0), train.std(axis=0)
    cross = bl.lmm.cross_kinship((new - mean) / sd, (train - mean) / sd, method, mean=mean, sd=sd)
    if method == "ibs":
        whole = bl.kinship(dosage, "ibs")
        np.testing.assert_allclose(cross.cross, whole[20:, :20], atol=1e-12)
        np.testing.assert_allclose(cross.diagonal, 1.0, atol=1e-12)
    else:
        np.testing.assert_allclose(cross.cross, (new - mean) @ (train - mean).T / 400, atol=1e-12)
        np.testing.assert_allclose(cross.diagonal, np.square(new - mean).mean(axis=1), atol=1e-12)


@pytest.fixture
def ids():
    names = pd.DataFrame({"fid": [f"f{i}" for i in range(7)], "iid": [f"i{i}" for i in range(7)]})
    return names.iloc[:4], names.iloc[4:]


def test_files_give_both_blocks(tmp_path, rng, ids):
    train, new = ids
    factor = rng.normal(size=(7, 9))
    K = factor @ factor.T
    order = rng.permutation(7)
    everyone = pd.concat([train, new]).iloc[order]
    np.savez(tmp_path / "k.npz", K=K[np.ix_(order, order)], **{c: everyone[c].to_numpy("U") for c in everyone})
    np.savetxt(tmp_path / "k.txt", K[4:], fmt="%.17g")
    for name in ("k.npz", "k.txt"):
        given = bl.lmm.read_cross_kinship(tmp_path / name, new, train)
        np.testing.assert_allclose(given.cross, K[4:, :4], rtol=1e-12)
        np.testing.assert_allclose(given.diagonal, np.diag(K)[4:], rtol=1e-12)
        (told,) = (remark.text for remark in given.scaled(2.0).remarks)
        assert ("by id, of 7 in the file" if name == "k.npz" else "no ids: its rows are taken to be the new") in told


def test_files_that_do_not_fit_are_refused(tmp_path, ids):
    train, new = ids
    np.savetxt(tmp_path / "k.txt", np.ones((3, 4)))
    with pytest.raises(bl.InputError, match=r"expected shape \(3, 7\).*got \(3, 4\)"):
        bl.lmm.read_cross_kinship(tmp_path / "k.txt", new, train)
    np.savez(tmp_path / "k.npz", K=np.eye(6), iid=np.array([f"i{i}" for i in range(6)]))
    with pytest.raises(bl.InputError, match=r"expected all 3 new samples, got none of 1 \(i6\)"):
        bl.lmm.read_cross_kinship(tmp_path / "k.npz", new, train)
    with pytest.raises(bl.InputError, match="does not exist"):
        bl.lmm.read_cross_kinship(tmp_path / "none.npz", new, train)
    np.savetxt(tmp_path / "k.txt", np.full((3, 7), np.nan))
    with pytest.raises(bl.InputError, match="expected finite values, got 15 others"):
        bl.lmm.read_cross_kinship(tmp_path / "k.txt", new, train)


def test_shapes_are_checked(rng):
    with pytest.raises(bl.InputError, match="expected 5 SNPs of the new samples, got 4"):
        bl.lmm.cross_kinship(np.ones((2, 4)), np.ones((3, 5)), "rrm", mean=np.ones(5), sd=np.ones(5))
    with pytest.raises(bl.InputError, match=r"got \(2, 3\) and \(3,\)"):
        bl.lmm.CrossKinship(np.ones((2, 3)), np.ones(3))

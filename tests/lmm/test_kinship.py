"""Kinship estimators against their definitions, scaling, checks and files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import gower_scale, kinship, read_kinship
from bayes_lmmlasso.lmm.kinship import validate_kinship


@pytest.fixture
def dosages(rng):
    return rng.binomial(2, rng.uniform(0.1, 0.9, 60), (25, 60)).astype(float)


def test_rrm_and_centred_are_their_definitions(dosages):
    centred = dosages - dosages.mean(axis=0)
    standardised = centred / dosages.std(axis=0)
    np.testing.assert_allclose(kinship(dosages, "rrm"), standardised @ standardised.T / 60, atol=1e-13)
    np.testing.assert_allclose(kinship(dosages, "centred"), centred @ centred.T / 60, atol=1e-13)


@pytest.mark.parametrize("whole", [True, False])
def test_ibs_is_the_mean_share_of_alleles(dosages, rng, whole):
    if not whole:  # imputed dosages in some SNPs
        dosages[:, ::3] = rng.uniform(0, 2, dosages[:, ::3].shape)
    expected = np.mean(1.0 - np.abs(dosages[:, None, :] - dosages[None, :, :]) / 2.0, axis=2)
    np.testing.assert_allclose(kinship(dosages, "ibs"), expected, atol=1e-13)


@pytest.mark.parametrize("method", ["rrm", "centred", "ibs"])
@pytest.mark.parametrize("convert", [np.float32, np.int8, np.asfortranarray])
def test_dtype_layout_and_blocks_do_not_matter(dosages, method, convert):
    expected = kinship(dosages, method)
    array = convert(dosages) if convert is np.asfortranarray else dosages.astype(convert)
    np.testing.assert_allclose(kinship(array, method, block_bytes=8 * 25 * 7), expected, atol=1e-12)


def test_gower_scale_sets_the_centred_trace(dosages):
    K = gower_scale(kinship(dosages, "ibs"))
    P = np.eye(25) - 1.0 / 25
    assert np.trace(P @ K @ P) == pytest.approx(24.0, rel=1e-12)
    np.testing.assert_allclose(gower_scale(7.0 * K), K, rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "method", "message"),
    [
        (lambda x: x, "pearson", "rrm, centred or ibs, got 'pearson'"),
        (lambda x: x[0], "rrm", r"got shape \(60,\)"),
        (lambda x: np.where(x == x[3, 4], np.nan, x), "rrm", "expected finite values, got nan in sample"),
        (lambda x: np.where(np.arange(60) == 5, 1.0, x), "rrm", "got 1 constant ones"),
        (lambda x: x - 1.0, "ibs", "between 0 and 2 for the ibs kinship, got -1"),
    ],
)
def test_bad_genotypes_are_refused(dosages, change, method, message):
    with pytest.raises(InputError, match=message):
        kinship(change(dosages), method)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.ones((3, 4)), r"expected a square matrix .* got shape \(3, 4\)"),
        (np.eye(4), "expected 3 x 3 for the 3 analysed samples, got 4 x 4"),
        (np.diag([1.0, np.nan, 1.0]), "expected finite values, got nan in row 2, column 2"),
        (np.triu(np.ones((3, 3))), "expected a symmetric matrix, got 1 in row 1, column 2 but 0"),
        (np.diag([2.0, 1.0, -0.5]), "got smallest eigenvalue -0.5"),
        (np.zeros((3, 3)), "got largest eigenvalue 0"),
    ],
)
def test_matrices_that_are_no_kinship_are_refused(matrix, message):
    with pytest.raises(InputError, match=f"K.txt: .*{message}"):
        validate_kinship(matrix, 3, "K.txt")


def test_identical_samples_cannot_be_scaled():
    with pytest.raises(InputError, match="positive trace after centring"):
        gower_scale(np.ones((4, 4)))


@pytest.fixture
def samples(dosages):
    ids = pd.DataFrame({"fid": [f"f{i % 3}" for i in range(25)], "iid": [f"s{i}" for i in range(25)]})
    return ids, kinship(dosages)


@pytest.mark.parametrize("with_family", [True, False])
def test_npz_is_joined_by_id(tmp_path, samples, with_family):
    ids, K = samples
    arrays = {"A": K, "iid": ids.iid.to_numpy(str)} | ({"fid": ids.fid.to_numpy(str)} if with_family else {})
    np.savez(tmp_path / "K.npz", **arrays)
    order = [7, 3, 20]
    read = read_kinship(tmp_path / "K.npz", ids.iloc[order])
    np.testing.assert_allclose(read, K[np.ix_(order, order)])
    np.testing.assert_allclose(read_kinship(tmp_path / "K.npz"), K)


@pytest.mark.parametrize(("name", "separator"), [("K.txt", "\t"), ("K.csv", ","), ("K.cXX.txt.gz", " ")])
def test_text_has_the_order_of_the_samples(tmp_path, samples, name, separator):
    ids, K = samples
    np.savetxt(tmp_path / name, K, delimiter=separator)
    np.testing.assert_allclose(read_kinship(tmp_path / name, ids), K)
    with pytest.raises(InputError, match="expected 24 x 24"):
        read_kinship(tmp_path / name, ids.iloc[:24])


def test_bad_kinship_files_are_refused(tmp_path, samples):
    ids, K = samples
    iid = ids.iid.to_numpy(str)
    files = {
        "lacking.npz": ({"A": K[1:, 1:], "iid": iid[1:]}, r"expected all 25 analysed samples, got none of 1 \(s0\)"),
        "twice.npz": (
            {"A": K, "iid": np.r_[iid[:1], iid[:-1]]},
            r"expected every sample once in .*twice.npz, got iid = 's0' in rows 1, 2",
        ),
        "two.npz": ({"A": K, "B": K, "iid": iid}, "got A, B"),
        "short.npz": ({"A": K, "iid": iid[1:]}, "expected 24 x 24 for its 24 ids"),
    }
    for name, (arrays, message) in files.items():
        np.savez(tmp_path / name, **arrays)
        with pytest.raises(InputError, match=message):
            read_kinship(tmp_path / name, ids)
    (tmp_path / "cut.npz").write_bytes((tmp_path / "two.npz").read_bytes()[:500])
    (tmp_path / "words.txt").write_text("iid a b\na 1 0\n")
    (tmp_path / "empty.txt").write_text("")
    for name in ("cut.npz", "words.txt", "empty.txt", "absent.txt"):
        with pytest.raises(InputError, match=name):
            read_kinship(tmp_path / name, ids)
    np.savez(tmp_path / "good.npz", A=K, iid=iid)
    with pytest.raises(InputError, match="expected every sample once in the analysed samples"):
        read_kinship(tmp_path / "good.npz", ids.iloc[[0, 0]])

"""One kinship in every kind of file and in any order is one matrix; what is said of files that are something else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from kinship_files import FLOAT32, WITH_IDS, WITHOUT_IDS, grm_bin, r_csv, rel_triangle

from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import find_kinship, kinship_files, read_cross_kinship, read_kinship
from bayes_lmmlasso.lmm.files.read import read_given_kinship


@pytest.fixture
def samples(rng):
    factor = rng.normal(size=(9, 30))
    ids = pd.DataFrame({"fid": [f"f{i // 2}" for i in range(9)], "iid": [f"s{i}" for i in range(9)]})
    return ids, factor @ factor.T / 30


def tolerance(name):
    return {"rtol": 1e-6, "atol": 1e-7} if name in FLOAT32 else {"rtol": 0, "atol": 0}


@pytest.mark.parametrize("name", WITH_IDS)
@pytest.mark.parametrize("names", ["words", "numbers"])
def test_ids_tell_the_order_whatever_the_file(tmp_path, samples, rng, name, names):
    ids, K = samples
    if names == "numbers":
        ids = ids.assign(iid=[str(1000 + 7 * i) for i in range(9)])
    order = rng.permutation(9)
    path = WITH_IDS[name](tmp_path, ids.iloc[order], K[np.ix_(order, order)])
    np.testing.assert_allclose(read_kinship(path, ids), K, **tolerance(name))
    wanted = [7, 2, 4]
    given = read_given_kinship(path, ids.iloc[wanted])
    np.testing.assert_allclose(given.matrix, K[np.ix_(wanted, wanted)], **tolerance(name))
    (remark,) = given.remarks
    assert remark.text == f"{path}: the 3 analysed samples by id, of 9 in the file"
    cross = read_cross_kinship(path, ids.iloc[7:], ids.iloc[:7])
    np.testing.assert_allclose(cross.cross, K[7:, :7], **tolerance(name))


@pytest.mark.parametrize("name", WITHOUT_IDS)
def test_the_order_of_a_file_without_ids_is_told(tmp_path, samples, name):
    ids, K = samples
    given = read_given_kinship(WITHOUT_IDS[name](tmp_path, ids, K), ids, ids)
    np.testing.assert_array_equal(given.matrix, K)
    assert "has no ids: its 9 rows are taken to be the analysed samples in their order" in given.remarks[0].text
    given = read_given_kinship(WITHOUT_IDS[name](tmp_path, ids, K), ids.iloc[2:5], ids)
    np.testing.assert_array_equal(given.matrix, K[2:5, 2:5])
    assert "its 9 rows are taken to be all samples of the genotypes in their order" in given.remarks[0].text


@pytest.mark.parametrize("name", WITH_IDS)
def test_a_sample_that_the_file_lacks_is_named_with_the_likely_reason(tmp_path, samples, name):
    ids, K = samples
    path = WITH_IDS[name](tmp_path, ids.assign(iid=ids["iid"].replace({"s3": "S3", "s4": "S4"}), fid="0"), K)
    with pytest.raises(
        InputError, match=r"all 9 analysed samples, got none of 2 \(s3, s4\) - 2 would match in the same"
    ):
        read_kinship(path, ids)


@pytest.mark.parametrize("name", ["rel_square", "grm_gz", "grm_bin", "npz"])
def test_family_0_is_none(tmp_path, samples, name):
    ids, K = samples
    np.testing.assert_allclose(read_kinship(WITH_IDS[name](tmp_path, ids.assign(fid="0"), K), ids), K, atol=1e-6)
    np.testing.assert_allclose(read_kinship(WITH_IDS[name](tmp_path, ids, K), ids.assign(fid="0")), K, atol=1e-6)


def test_a_prefix_is_the_file_that_begins_with_it(tmp_path, samples):
    ids, K = samples
    path = grm_bin(tmp_path, ids, K)
    assert find_kinship(tmp_path / "k") == path
    assert kinship_files(tmp_path / "k") == [path, tmp_path / "k.grm.id"]
    np.testing.assert_allclose(read_kinship(tmp_path / "k", ids), K, atol=1e-6)
    rel_triangle(tmp_path, ids, K)
    with pytest.raises(InputError, match=r"one kinship that begins with .*k, got k\.grm\.bin, k\.rel: give"):
        find_kinship(tmp_path / "k")
    assert find_kinship(tmp_path / "none") is None
    assert kinship_files(f"pedigree:{path}") == [path, tmp_path / "k.grm.id"]


def test_columns_in_another_order_than_the_rows_follow_their_names(tmp_path, samples):
    ids, K = samples
    frame = pd.DataFrame(K, index=ids["iid"], columns=ids["iid"])
    frame.iloc[:, ::-1].to_csv(tmp_path / "k.csv")
    np.testing.assert_array_equal(read_kinship(tmp_path / "k.csv", ids), K)
    frame.rename(columns={"s3": "X3"}).to_csv(tmp_path / "k.csv")
    with pytest.raises(
        InputError, match=r"names of the rows to be those of the columns, got row 's3' and columns s0, s1"
    ):
        read_kinship(tmp_path / "k.csv", ids)


def test_pairs_that_are_absent_are_unrelated_and_told(tmp_path, samples):
    ids, _ = samples
    lines = [f"{name} {name} 1" for name in ids["iid"]] + ["s1 s0 0.5"]
    (tmp_path / "k.txt").write_text("id1 id2 kinship\n" + "\n".join(lines))
    given = read_given_kinship(tmp_path / "k.txt", ids)
    expected = np.eye(9)
    expected[0, 1] = expected[1, 0] = 0.5
    np.testing.assert_array_equal(given.matrix, expected)
    assert "35 of 36 pairs have no line: taken as unrelated (0)" in given.remarks[0].text


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("k.txt", "1,0 0,5\n0,5 1,0\n", "got '1,0' in line 1, column 1: write decimal points, not commas"),
        ("k.csv", "a;1,0;0,5\nb;0,5;1,0\n", "got '1,0' in line 1, column 2: write decimal points"),
        ("k.txt", "1 0.5\n0.5\n", "rows of one length, got 2 values in line 1 and 1 in line 2"),
        ("k.txt", "1 x\nx 1\n", "expected a number, got 'x' in line 1, column 2"),
        ("k.txt", "1 1_0\n1_0 1\n", "expected a number, got '1_0'"),
        ("k.csv", ",a,\na,1,0\n,0,1\n", "got an empty one"),
        ("k.csv", ',a,b\na,1,"0\nb,0,1\n', "a stray quote in line 2"),
        ("k.txt", "a a 1\na b 0.5\nb a 0.6\nb b 1\nc c 1\n", "one value for each pair, got two for a b"),
        ("k.txt", "a a 1\na b 0.5\na c 0.5\nc b 0.6\nc c 1\n", "each sample with itself, got none for b"),
        ("k.grm", "1 1 5 1\n2 1 5 0\n", "each of the 3 pairs of 2 samples once, got 1 never"),
        ("k.grm", "1 1 5 1\n2 1 5 0\n3 2 5 1\n", "rows from 1 to 2, .* got 3 2 in line 3"),
        ("k.grm", "1 1 1\n2 1 0\n2 2 1\n", "expected 4 columns, i j N value, got 3"),
        ("k.grm", "1 1 5 one\n", "lines `i j N value`"),
        ("k.king", "0.5 0\n0 0.5\n", "KING-robust coefficients, which are no covariance: use plink2 --make-rel"),
        ("k.mdist", "0 1\n1 0\n", "with distances"),
        ("k.grm.N.bin", "", r"numbers of SNPs: give the \.grm\.bin"),
        ("k.txt", "", "got an empty file"),
    ],
)
def test_other_texts_are_refused_in_a_sentence(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    (tmp_path / "k.grm.id").write_text("0 a\n0 b\n")
    with pytest.raises(InputError, match=message):
        read_kinship(tmp_path / name)


def test_other_bytes_are_refused_in_a_sentence(tmp_path, samples):
    ids, K = samples
    path = r_csv(tmp_path, ids, K)
    text = path.read_text()
    for data, message in (
        (text.encode("utf-16"), "got UTF-16: save it as UTF-8"),
        (b"\x28\xb5\x2f\xfd rest", "Zstandard data: unpack it"),
        (b"\x1f\x8b rest", "copy the file again"),
        ("é".encode("latin-1") + text.encode(), r"got byte 0xe9 at position 0: .*write\.csv"),
    ):
        path.write_bytes(data)
        with pytest.raises(InputError, match=message):
            read_kinship(path, ids)
    np.savez(tmp_path / "words.npz", K=np.array([["a", "b"], ["b", "a"]]))
    with pytest.raises(InputError, match="expected a matrix of real numbers, got <U1"):
        read_kinship(tmp_path / "words.npz")
    np.savez(tmp_path / "ids.npz", K=K, iid=ids["iid"].to_numpy("U"), fid=np.array(["f"]))
    with pytest.raises(InputError, match="expected one id for each sample"):
        read_kinship(tmp_path / "ids.npz", ids)

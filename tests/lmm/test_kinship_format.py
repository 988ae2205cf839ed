"""Ready-made kinship files: those of GCTA, PLINK 2 and GEMMA, and what is said of broken ones."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from small_run import cohort_folder
from typer.testing import CliRunner

import bayes_lmmlasso as bl
from bayes_lmmlasso.cli import app
from bayes_lmmlasso.cohort import GenotypeSource
from bayes_lmmlasso.lmm.files.formats import load_kinship
from bayes_lmmlasso.report.tables import read_tsv


@pytest.fixture
def samples(rng):
    factor = rng.normal(size=(6, 9))
    ids = pd.DataFrame({"fid": [f"f{i % 2}" for i in range(6)], "iid": [f"s{i}" for i in range(6)]})
    return ids, factor @ factor.T / 9


def write_grm(prefix, ids, K, header=""):
    """The lower triangle row by row, written with plain loops."""
    triangle = [K[i, j] for i in range(len(K)) for j in range(i + 1)]
    prefix.with_name(f"{prefix.name}.grm.bin").write_bytes(np.array(triangle, "<f4").tobytes())
    lines = "".join(f"{'\t'.join(row)}\n" for row in ids.to_numpy())
    prefix.with_name(f"{prefix.name}.grm.id").write_text(header + lines)
    return prefix.with_name(f"{prefix.name}.grm.bin")


@pytest.mark.parametrize("header", ["", "#FID\tIID\n"])
def test_a_grm_is_joined_by_id(tmp_path, samples, header):
    ids, K = samples
    path = write_grm(tmp_path / "k", ids, K, header)
    order = [4, 0, 3]
    read = bl.lmm.read_kinship(path, ids.iloc[order])
    np.testing.assert_allclose(read, K[np.ix_(order, order)], rtol=1e-6, atol=1e-7)  # float32
    np.testing.assert_array_equal(read, read.T)
    cross = bl.lmm.read_cross_kinship(path, ids.iloc[4:], ids.iloc[:4])
    np.testing.assert_allclose(cross.cross, K[4:, :4], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(cross.diagonal, np.diag(K)[4:], rtol=1e-6)


def test_a_grm_of_plink_2_with_individual_ids_alone(tmp_path, samples):
    ids, K = samples
    path = write_grm(tmp_path / "k", ids[["iid"]], K, "#IID\n")
    assert list(load_kinship(path).ids) == ["iid"]
    np.testing.assert_allclose(bl.lmm.read_kinship(path, ids), K, rtol=1e-6, atol=1e-7)


def test_broken_grms_are_refused(tmp_path, samples):
    ids, K = samples
    path = write_grm(tmp_path / "k", ids, K)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(bl.InputError, match=r"k\.grm\.bin: expected 84 bytes.* 6 samples .* got 81"):
        bl.lmm.read_kinship(path, ids)
    for text, message in (("f s\nf\n", "got 1 in line 2"), ("", "expected a line `fid iid`"), ("#FID\tIID\n", "none")):
        path.with_name("k.grm.id").write_text(text)
        with pytest.raises(bl.InputError, match=message):
            bl.lmm.read_kinship(path, ids)
    path.with_name("k.grm.id").unlink()
    with pytest.raises(bl.InputError, match=r"expected the ids of a kinship matrix .*k\.grm\.id, which does not exist"):
        bl.lmm.read_kinship(path, ids)


def test_a_matrix_without_ids_may_have_the_order_of_the_fam(tmp_path, samples):
    ids, K = samples
    np.savetxt(tmp_path / "k.cXX.txt", K, fmt="%.17g")
    order = [1, 2, 5]
    read = bl.lmm.read_kinship(tmp_path / "k.cXX.txt", ids.iloc[order], ids)
    np.testing.assert_array_equal(read, K[np.ix_(order, order)])
    np.testing.assert_array_equal(bl.lmm.read_kinship(tmp_path / "k.cXX.txt", ids.iloc[::-1], ids), K)  # as it stands
    with pytest.raises(bl.InputError, match=r"3 analysed samples or of all 5 of the genotypes, got 6 x 6"):
        bl.lmm.read_kinship(tmp_path / "k.cXX.txt", ids.iloc[order], ids.iloc[:5])


def call(folder, *arguments):
    subprocess.run([str(argument) for argument in arguments], cwd=folder, check=True, capture_output=True)


def null_pve(tmp_path, kinship):
    """PVE of the command null, which drops the two samples without the trait."""
    data = ["--bfile", cohort_folder() / "small", "--pheno", cohort_folder() / "pheno.tsv", "--trait", "height"]
    arguments = ["null", *data, "--kinship", kinship, "--maf", 0, "--out", tmp_path / "null.tsv"]
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    (row,) = read_tsv(tmp_path / "null.tsv").to_dict("records")
    assert row["n_samples"] == 58
    return row["pve"]


@pytest.mark.skipif(shutil.which("plink2") is None, reason="plink2 is not installed")
def test_a_grm_written_by_plink_2(tmp_path):
    prefix = cohort_folder() / "small"
    call(tmp_path, "plink2", "--bfile", prefix, "--make-grm-bin", "--nonfounders", "--bad-freqs", "--out", "k")
    cohort = bl.read_plink(prefix)
    dosage = cohort["call_dosage"].values.T.astype(float)
    frequency = dosage.mean(axis=0) / 2
    varies = (frequency > 0) & (frequency < 1)
    scaled = ((dosage - 2 * frequency) / np.sqrt(2 * frequency * (1 - frequency)))[:, varies]
    K = scaled @ scaled.T / varies.sum()  # GCTA's equation 3
    ids = bl.cohort.sample_frame(cohort)
    np.testing.assert_allclose(bl.lmm.read_kinship(tmp_path / "k.grm.bin", ids), K, atol=2e-5)  # its sums are float32
    np.savez(tmp_path / "k.npz", K=K, fid=ids["fid"].to_numpy("U"), iid=ids["iid"].to_numpy("U"))
    assert null_pve(tmp_path, tmp_path / "k.grm.bin") == pytest.approx(null_pve(tmp_path, tmp_path / "k.npz"), abs=1e-4)


@pytest.mark.skipif(shutil.which("gemma") is None, reason="gemma is not installed")
def test_a_matrix_written_by_gemma(tmp_path):
    for suffix in ("bed", "bim"):
        shutil.copy(cohort_folder() / f"small.{suffix}", tmp_path / f"small.{suffix}")
    fam = pd.read_csv(cohort_folder() / "small.fam", sep=r"\s+", header=None)
    fam[5] = np.arange(60) % 7 * 1.5
    fam.to_csv(tmp_path / "small.fam", sep=" ", header=False, index=False)
    call(tmp_path, "gemma", "-bfile", "small", "-gk", "1", "-maf", "0", "-o", "k")
    path = tmp_path / "output" / "k.cXX.txt"
    dosage = bl.read_plink(cohort_folder() / "small")["call_dosage"].values.T
    dosage = dosage[:, dosage.std(axis=0) > 0]
    ids = GenotypeSource("bfile", cohort_folder() / "small").samples()
    K = bl.kinship(dosage, "centred")
    np.testing.assert_allclose(bl.lmm.read_kinship(path, ids.iloc[10:], ids), K[10:, 10:], atol=1e-8)
    np.savez(tmp_path / "k.npz", K=K, iid=ids["iid"].to_numpy("U"))
    assert null_pve(tmp_path, path) == pytest.approx(null_pve(tmp_path, tmp_path / "k.npz"), abs=1e-6)

"""The exact scan gives GEMMA's p-values (`-lmm 1`, p_wald) on the mouse cross."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bed_reader import open_bed

import bayes_lmmlasso as bl

# gemma -bfile mouse_hs1940 -gk 1 -o mouse; gemma -bfile mouse_hs1940 -k output/mouse.cXX.txt -lmm 1 -o mouse
# (GEMMA 0.98.5): SNP -> l_remle (= 1 / delta), p_wald
GOLD = {
    "CEL-1_32161591": (4.308636e00, 9.243834e-02),
    "rs13476013": (4.317194e00, 4.441488e-02),
    "rs8245216": (4.351519e00, 5.667401e-01),
    "rs13476553": (4.346078e00, 4.974925e-01),
    "rs6305730": (4.348811e00, 7.026601e-01),
    "rs3664735": (4.303161e00, 2.643397e-01),
    "rs8264884": (4.349392e00, 8.705207e-01),
    "rs13476888": (4.342371e00, 6.687733e-01),
    "rs13477246": (4.352423e00, 9.999200e-01),
    "CEL-4_51526276": (4.356645e00, 8.359819e-01),
    "rs3726250": (4.367601e00, 3.795954e-01),
    "rs6377392": (4.360198e00, 8.970632e-01),
    "CEL-5_56325748": (4.340230e00, 3.066551e-01),
    "gnf05.070.195": (4.358571e00, 7.702557e-01),
    "rs13478344": (4.336323e00, 4.628332e-01),
    "rs13478445": (4.342995e00, 6.317322e-01),
    "rs3672354": (4.357178e00, 8.050127e-01),
    "rs3668014": (4.356756e00, 9.680192e-01),
    "rs3721559": (4.380333e00, 2.198805e-01),
    "rs6386601": (4.346985e00, 9.323034e-01),
    "rs3669548": (4.355380e00, 7.373909e-01),
    "rs4135796": (4.374006e00, 6.012791e-01),
    "rs13481018": (4.384072e00, 5.308025e-01),
    "rs3677499": (4.322570e00, 4.232172e-01),
    "CEL-12_87414636": (4.370860e00, 1.327602e-01),
    "rs13482005": (4.375025e00, 1.772782e-01),
    "rs3711814": (4.329155e00, 3.450427e-01),
    "CEL-17_31214920": (3.596908e00, 6.378478e-14),
    "rs13459151": (3.638935e00, 3.887206e-14),
    "rs3705058": (3.647886e00, 5.020764e-14),
    "rs6249614": (3.653924e00, 1.300371e-14),
    "UT_17_33.238924": (3.641127e00, 3.578963e-14),
    "rs3665150": (3.628133e00, 8.128978e-14),
    "mCV22965443": (3.929012e00, 2.577727e-17),
    "rs13482967": (3.911178e00, 3.899270e-14),
    "rs13482968": (3.927796e00, 6.451925e-15),
}


@dataclass(frozen=True)
class Mouse:
    """CD8 of 1,410 mice, best-guess genotypes, and the centred kinship of all 1,940 among them."""

    prefix: Path
    snps: list[str]
    X: np.ndarray
    y: np.ndarray
    K: np.ndarray
    sex: np.ndarray
    all_sex: np.ndarray


@pytest.fixture(scope="module")
def mouse(data_dir):
    prefix = data_dir / "mouse_hs1940" / "mouse_hs1940"
    with open_bed(f"{prefix}.bed") as bed:
        G = bed.read(dtype="float32")
        names, sex = bed.sid, bed.sex
    y = pd.read_csv(prefix.with_name("phenotypes.tsv"), sep="\t", na_values="NA")["cd8"].to_numpy()
    has = np.isfinite(y)
    frequency = G[has].mean(axis=0) / 2.0
    common = np.minimum(frequency, 1.0 - frequency) >= 0.01  # GEMMA's default filter
    K = bl.kinship(G[:, common], "centred")[np.ix_(has, has)]
    return Mouse(prefix, names[common].tolist(), G[np.ix_(has, common)], y[has], K, sex[has], sex)


@pytest.fixture(scope="module")
def gemma_kinship(mouse, tmp_path_factory):
    """GEMMA's own centred kinship of all mice."""
    if shutil.which("gemma") is None:
        pytest.skip("gemma is not on the PATH: install GEMMA to compare all p-values")
    folder = tmp_path_factory.mktemp("gemma")
    command = ["gemma", "-bfile", mouse.prefix, "-outdir", folder, "-o", "mouse", "-gk", "1"]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "mouse.cXX.txt"


def relative(log10_p: np.ndarray, p_gemma: np.ndarray) -> float:
    """Largest difference of -log10 p, relative to max(1, -log10 p)."""
    reference = -np.log10(p_gemma)
    return float((np.abs(-log10_p - reference) / np.maximum(1.0, reference)).max())


def exact(mouse, X, Z):
    return bl.scan.scan(X, mouse.y, mouse.K, covariates=Z, method="lmm-exact")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_stored_p_values(mouse, dtype):
    columns = [mouse.snps.index(snp) for snp in GOLD]
    result = exact(mouse, mouse.X[:, columns].astype(dtype), np.ones((mouse.y.size, 1)))
    l_remle, p_wald = np.array(list(GOLD.values())).T
    assert relative(result.log10_p, p_wald) < 2e-5  # GEMMA stops its search at a relative step of 1e-5 or so
    np.testing.assert_allclose(result.log_delta, -np.log(l_remle), atol=1e-4)


@pytest.mark.parametrize("with_sex", [False, True])
def test_all_p_values(mouse, gemma_kinship, tmp_path, with_sex):
    Z = np.ones((mouse.y.size, 1))
    options = ["-outdir", tmp_path, "-o", "mouse", "-k", gemma_kinship, "-lmm", "1"]
    if with_sex:
        Z = np.column_stack([Z, mouse.sex])
        np.savetxt(tmp_path / "sex.txt", np.column_stack([np.ones(mouse.all_sex.size), mouse.all_sex]), fmt="%d")
        options += ["-c", tmp_path / "sex.txt"]
    subprocess.run(["gemma", "-bfile", mouse.prefix, *options], check=True, capture_output=True)
    table = pd.read_csv(tmp_path / "mouse.assoc.txt", sep="\t", dtype={"chr": str})
    assert table["rs"].tolist() == mouse.snps
    assert len(table) == 10_768
    assert relative(exact(mouse, mouse.X, Z).log10_p, table["p_wald"].to_numpy()) < 2e-5

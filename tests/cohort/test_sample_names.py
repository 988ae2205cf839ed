"""Names that programs paste of fid and iid, and ids that no file should hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from genotype_codings import by_sample, hapmap, matrix, store, toy_cohort, vcf

from bayes_lmmlasso.cohort import read_genotypes, read_matrix, sample_frame
from bayes_lmmlasso.cohort.dataset import remarks_of
from bayes_lmmlasso.errors import InputError

DOSAGE = np.array([[0, 1, 2, 1], [2, 1, 0, 0]], dtype=float)
FORMATS = {
    "vcf": lambda c, d: vcf(c, d / "a.vcf"),
    "vcf_zarr": lambda c, d: store(c, d / "a.vcz"),
    "matrix": lambda c, d: matrix(c, d / "a.tsv"),
    "hapmap": lambda c, d: hapmap(c, d / "a.hmp.txt"),
}
NAMES = {  # names in the genotypes, and how a table has the same samples
    "fid_iid": (
        ["f_1_a", "f_1_b", "g_a_x", "g_c"],
        pd.DataFrame({"fid": ["f_1", "f_1", "g", "g"], "iid": ["a", "b", "c", "a_x"]}),
    ),
    "doubled": (["a_1_a_1", "b_b", "c_c", "d_d"], pd.DataFrame({"iid": ["a_1", "b", "c", "d"]})),
    "0_iid": (["0_a_1", "0_b", "0_c", "0_d"], pd.DataFrame({"fid": "0", "iid": ["a_1", "b", "c", "d"]})),
    "family_iid": (["f_a", "f_b", "g_c", "g_d"], pd.DataFrame({"iid": ["a", "b", "c", "d"]})),
    "whole": (["GR_0", "GR_1", "GR_2", "GR_3"], pd.DataFrame({"iid": ["GR_0", "GR_1", "GR_2", "GR_3"]})),
}


def named(names):
    cohort = toy_cohort(DOSAGE)
    cohort["sample_id"].values[:] = names
    return cohort


@pytest.mark.parametrize("name", list(FORMATS))
@pytest.mark.parametrize("kind", list(NAMES))
def test_pasted_names_are_joined(name, kind, tmp_path):
    names, table = NAMES[kind]
    path = FORMATS[name](named(names), tmp_path)
    format_name = "matrix" if name == "hapmap" else name
    got = read_genotypes(path, format_name, table.assign(y=[1.0, 2.0, 3.0, 4.0]), "y")
    assert set(got["sample_id"].values) == set(table["iid"])
    of_name = {"fid_iid": [1.0, 2.0, 4.0, 3.0]}.get(kind, [1.0, 2.0, 3.0, 4.0])
    assert got["y"].values.tolist() == of_name
    told = [remark.text for remark in remarks_of(got)]
    assert len(told) == (kind != "whole")
    assert read_genotypes(path, format_name)["sample_id"].values.tolist() == names


@pytest.mark.parametrize(
    ("names", "iids", "fids"),
    [
        (["0_GR_0", "0_GR_1"], ["GR_0", "GR_1"], ["GR_0", "GR_1"]),
        (["a_1_a_1", "b_b"], ["a_1", "b"], ["a_1", "b"]),
        (["f_a", "g_a"], ["a", "a"], ["f", "g"]),
        (["f_a_1", "g_b"], ["f_a_1", "g_b"], ["f_a_1", "g_b"]),
    ],
)
def test_names_of_a_traw(names, iids, fids, tmp_path):
    (tmp_path / "a.traw").write_text(
        "\t".join(["CHR\tSNP\t(C)M\tPOS\tCOUNTED\tALT", *names]) + "\n1\ts\t0\t5\tA\tG\t0\t2\n"
    )
    samples = sample_frame(read_matrix(tmp_path / "a.traw"))
    assert samples["iid"].tolist() == iids
    assert samples["fid"].tolist() == fids
    whole = read_matrix(tmp_path / "a.traw", pd.DataFrame({"iid": names, "y": [1.0, 2.0]}))
    assert whole["sample_id"].values.tolist() == names


@pytest.mark.parametrize("name", list(FORMATS))
def test_an_id_that_is_there_twice_is_told(name, tmp_path):
    path = FORMATS[name](named(["a", "b", "a", "c"]), tmp_path)
    with pytest.raises(InputError, match=r"every sample once in .*'a'|cannot be read after the header"):
        read_genotypes(path, "matrix" if name == "hapmap" else name)


@pytest.mark.parametrize("name", ["vcf_zarr", "matrix", "hapmap"])
def test_a_sample_without_an_id_is_told(name, tmp_path):
    path = FORMATS[name](named(["a", "", "b", "c"]), tmp_path)
    with pytest.raises(
        InputError, match=r"an id for every sample of .*, got none for 1, the first in row or column \d"
    ):
        read_genotypes(path, "matrix" if name == "hapmap" else name)


def test_a_file_without_samples_is_told(tmp_path):
    by_sample(toy_cohort(DOSAGE), tmp_path / "a.tsv")
    (tmp_path / "a.tsv").write_text((tmp_path / "a.tsv").read_text().splitlines()[0] + "\n")
    with pytest.raises(InputError, match=r"at least one sample in .*a.tsv, got none"):
        read_matrix(tmp_path / "a.tsv")

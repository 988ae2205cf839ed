"""Studies read what a run reads: every format of genotypes, every kind of kinship."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from genotype_files import write_pgen, write_vcf
from small_run import cohort_folder
from small_study import STUDIES, tables

import bayes_lmmlasso as bl
from bayes_lmmlasso.cohort import GenotypeSource
from bayes_lmmlasso.lmm import gower_scale, kinship, pedigree_kinship
from bayes_lmmlasso.report.tables import read_tsv
from bayes_lmmlasso.run.settings import CohortSettings
from bayes_lmmlasso.studies import compute as compute_module
from bayes_lmmlasso.studies.data import data_content, load, load_fold
from bayes_lmmlasso.studies.execution import perform
from bayes_lmmlasso.studies.folder import run_study
from bayes_lmmlasso.studies.intake import read_intakes, study_intake_lines

KIND = "prediction"


@pytest.fixture(autouse=True)
def _cells_in_this_process(monkeypatch):
    def compute(cells, workers):
        for key, cell in cells.items():
            yield key, perform(cell)

    monkeypatch.setattr(compute_module, "compute_on_processes", compute)


def study_tables(folder: Path, genotypes: str, kinship: str = "rrm") -> dict[str, bytes]:
    """Tables of the small study of prediction, of given genotypes and kinship."""
    folder.mkdir()
    lines = [line.strip() for line in STUDIES[KIND].strip().splitlines()]
    data = f'[data]\n{genotypes}\npheno = "{cohort_folder() / "pheno.tsv"}"\nkinship = "{kinship}"\n'
    (folder / "study.toml").write_text(f'kind = "{KIND}"\n' + "\n".join(lines) + "\n" + data)
    run_study(folder / "study.toml", folder / "out")
    return {name: table for name, table in tables(folder / "out").items() if name != "data.tsv"}  # it names files


PLINK = f'bfile = "{cohort_folder() / "small"}"'


def ids():
    return GenotypeSource("bfile", cohort_folder() / "small").samples()


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plink")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            compute_module, "compute_on_processes", lambda cells, workers: ((k, perform(c)) for k, c in cells.items())
        )
        return study_tables(folder / "study", PLINK)


@pytest.mark.parametrize("form", ["vcf", "pgen"])
def test_a_study_of_another_format_equals_that_of_plink(form, tmp_path, expected):
    cohort = bl.read_plink(cohort_folder() / "small")
    path = (write_vcf if form == "vcf" else write_pgen)(cohort, tmp_path)
    assert study_tables(tmp_path / "study", f'{form} = "{path}"') == expected


def test_what_a_study_takes_in_is_in_a_table_and_in_words(tmp_path):
    """A kinship that has nothing to do with the SNPs is a caution there as well."""
    samples, rng = ids(), np.random.default_rng(1)
    factor = rng.standard_normal((len(samples), 90))
    np.savetxt(tmp_path / "all.cXX.txt", factor @ factor.T / 90)
    study_tables(tmp_path / "study", PLINK, str(tmp_path / "all.cXX.txt"))
    row = read_tsv(tmp_path / "study" / "out" / "data.tsv").set_index("trait").loc["height"]
    assert (row["n_samples"], row["n_snps"]) == (58, 200)
    assert "no trait 2" in row["samples_left_out"]
    assert "has no ids: its 60 rows are taken to be all samples of the genotypes" in row["notes"]
    assert "does not fit the genotypes" in row["cautions"]
    intakes = read_intakes(
        CohortSettings(bfile=cohort_folder() / "small", pheno=cohort_folder() / "pheno.tsv"), ["height", "nobody"]
    )
    lines = study_intake_lines(intakes, tmp_path / "data.tsv")
    assert lines[0] == "height: 58 of 60 samples, 200 SNPs"
    assert lines[2].startswith("nobody: expected a known trait, got 'nobody'")
    assert lines[-1] == f"data of 2 traits: {tmp_path / 'data.tsv'}"


def test_a_kinship_of_all_samples_in_the_order_of_the_genotypes_is_that_with_ids(tmp_path):
    samples, rng = ids(), np.random.default_rng(1)
    factor = rng.standard_normal((len(samples), 90))
    K = factor @ factor.T / 90
    np.savetxt(tmp_path / "all.cXX.txt", K)
    order = rng.permutation(len(samples))
    names = {name: samples[name].to_numpy(str)[order] for name in ("fid", "iid")}
    np.savez(tmp_path / "named.npz", K=np.loadtxt(tmp_path / "all.cXX.txt")[np.ix_(order, order)], **names)
    vcf = f'vcf = "{write_vcf(bl.read_plink(cohort_folder() / "small"), tmp_path)}"'
    found = study_tables(tmp_path / "plain", PLINK, str(tmp_path / "all.cXX.txt"))
    assert found == study_tables(tmp_path / "ids", PLINK, str(tmp_path / "named.npz"))
    assert found == study_tables(tmp_path / "vcf", vcf, str(tmp_path / "all.cXX.txt"))


def test_a_pedigree_gives_the_kinship_that_its_matrix_gives(tmp_path, expected):
    samples = ids()
    parents = pd.DataFrame({"iid": samples["iid"], "sire": "0", "dam": "0"})
    for k in range(10, len(parents)):
        parents.loc[k, ["sire", "dam"]] = parents["iid"].iloc[[k % 5, 5 + k % 4]].to_numpy()
    parents.to_csv(tmp_path / "parents.tsv", sep="\t", index=False)
    pedigree = pedigree_kinship(tmp_path / "parents.tsv")
    np.savez(tmp_path / "A.npz", A=pedigree.matrix, iid=np.array(pedigree.ids, dtype=str))
    found = study_tables(tmp_path / "pedigree", PLINK, f"pedigree:{tmp_path / 'parents.tsv'}")
    assert found == study_tables(tmp_path / "matrix", PLINK, str(tmp_path / "A.npz"))
    assert found != expected


def test_a_kinship_of_the_analysed_samples_alone_serves_a_run_and_folds(tmp_path):
    settings = CohortSettings(bfile=cohort_folder() / "small", pheno=cohort_folder() / "pheno.tsv")
    analysis = load(settings, "height").analysis
    assert len(analysis.samples) < len(ids())
    K = kinship(analysis.X)
    np.savetxt(tmp_path / "K.txt", K)
    given = CohortSettings(**dict(settings) | {"kinship": str(tmp_path / "K.txt")})
    np.testing.assert_allclose(load(given, "height").K, load(settings, "height").K, atol=1e-12)
    fold = load_fold(given, "height", 3, 0, 1)
    rows = pd.MultiIndex.from_frame(analysis.samples).get_indexer(pd.MultiIndex.from_frame(fold.analysis.samples))
    np.testing.assert_allclose(fold.K, gower_scale(K[np.ix_(rows, rows)]), atol=1e-12)


def test_what_data_are_depends_on_files_and_not_on_their_place(tmp_path):
    settings = CohortSettings(bfile=cohort_folder() / "small", pheno=cohort_folder() / "pheno.tsv")
    for suffix in ("bed", "bim", "fam"):
        (tmp_path / f"g.{suffix}").write_bytes((cohort_folder() / f"small.{suffix}").read_bytes())
    moved = CohortSettings(bfile=tmp_path / "g", pheno=cohort_folder() / "pheno.tsv")
    assert data_content(moved, "height") == data_content(settings, "height")
    other = CohortSettings(**dict(settings) | {"maf": 0.1})
    assert data_content(other, "height") != data_content(settings, "height")

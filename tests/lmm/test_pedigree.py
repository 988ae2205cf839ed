"""Pedigree kinship against every way in which alleles can be handed down, a textbook's matrix and a published one."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from small_run import cohort_folder
from typer.testing import CliRunner

import bayes_lmmlasso as bl
from bayes_lmmlasso.cli import app
from bayes_lmmlasso.cohort import GenotypeSource


def by_gene_dropping(parents):
    """A_ik = sum over the alleles of i and of k of P(identical by descent) / 2, over all outcomes of all meioses."""
    names = list(parents)  # parents first
    drawn = [(name, side) for name in names for side in (0, 1) if parents[name][side] is not None]
    total = np.zeros((len(names), len(names)))
    for outcome in itertools.product((0, 1), repeat=len(drawn)):
        chosen = dict(zip(drawn, outcome, strict=True))
        alleles = {}
        for name in names:
            alleles[name] = [
                (name, side) if parents[name][side] is None else alleles[parents[name][side]][chosen[name, side]]
                for side in (0, 1)
            ]
        same = [[sum(x == y for x in alleles[i] for y in alleles[k]) / 2 for k in names] for i in names]
        total += np.array(same)
    return total / 2 ** len(drawn)


PEDIGREE = {
    "a": (None, None),
    "b": (None, None),
    "half": ("a", None),  # one parent unknown
    "c": ("a", "b"),
    "d": ("a", "b"),
    "inbred": ("c", "d"),  # of full sibs
    "selfed": ("inbred", "inbred"),
    "last": ("half", "selfed"),
}


@pytest.mark.parametrize("reverse", [False, True])
def test_equals_exact_gene_dropping(tmp_path, reverse):
    names = list(reversed(PEDIGREE)) if reverse else list(PEDIGREE)
    lines = [f"{name},{PEDIGREE[name][0] or '0'},{PEDIGREE[name][1] or 'NA'}" for name in names]
    (tmp_path / "parents.csv").write_text("\n".join(["iid,sire,dam", *lines]))
    found = bl.lmm.pedigree_kinship(tmp_path / "parents.csv")
    order = [found.ids.tolist().index(name) for name in PEDIGREE]
    assert found.ids.tolist() == names
    np.testing.assert_array_equal(found.matrix[np.ix_(order, order)], by_gene_dropping(PEDIGREE))  # dyadic fractions
    assert found.inbreeding[names.index("inbred")] == 0.25
    assert found.inbreeding[names.index("selfed")] == 0.625
    bl.lmm.validate_kinship(found.matrix)


def test_a_textbook_example_with_parents_that_have_no_row():
    """Example 2.1 of Mrode, Linear Models for the Prediction of Animal Breeding Values (2005); sire 1, dam 2."""
    table = pd.DataFrame({"iid": [6, 5, 4, 3], "sire": [5.0, 4.0, 1.0, 1.0], "dam": [2.0, 3.0, np.nan, 2.0]})
    found = bl.lmm.pedigree_kinship(table)
    order = np.argsort(found.ids)
    assert sorted(found.ids) == list("123456")
    expected = [
        [1, 0, 0.5, 0.5, 0.5, 0.25],
        [0, 1, 0.5, 0, 0.25, 0.625],
        [0.5, 0.5, 1, 0.25, 0.625, 0.5625],
        [0.5, 0, 0.25, 1, 0.625, 0.3125],
        [0.5, 0.25, 0.625, 0.625, 1.125, 0.6875],
        [0.25, 0.625, 0.5625, 0.3125, 0.6875, 1.125],
    ]
    np.testing.assert_array_equal(found.matrix[np.ix_(order, order)], expected)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("iid sire\na 0\n", "expected columns iid, sire and dam in .*: add dam"),
        ("iid sire dam\na 0 0\na b 0\n", "expected every sample once in .*iid = a in rows 2, 3"),
        ("iid sire dam\na b 0\nx a 0\nb c 0\nc a 0\n", "without cycles in .*, got [abc] among its own ancestors"),
        ("iid sire dam\na 0 a\n", "got a among its own ancestors"),
        ("iid sire dam\n0 a b\n", "expected ids other than 0"),
    ],
)
def test_bad_pedigrees_are_refused(tmp_path, rows, message):
    (tmp_path / "parents.txt").write_text(rows)
    with pytest.raises(bl.InputError, match=message.replace("iid = a", "iid = 'a'")):
        bl.lmm.pedigree_kinship(tmp_path / "parents.txt")


def test_mouse_parents_give_the_published_matrix(data_dir):
    """The .fam of one source names the parents; another source publishes A."""
    fam = pd.read_csv(data_dir / "mouse_hs1940" / "mouse_hs1940.fam", sep=r"\s+", header=None, dtype=str)
    found = bl.lmm.pedigree_kinship(pd.DataFrame({"iid": fam[1], "sire": fam[2], "dam": fam[3]}))
    with np.load(data_dir / "mouse_bglr" / "pedigree_relationship.npz") as published:
        rows = pd.Index(found.ids).get_indexer(published["iid"].astype(str))
        np.testing.assert_array_equal(found.matrix[np.ix_(rows, rows)], published["A"])


def null(tmp_path, kinship):
    data = ["--bfile", cohort_folder() / "small", "--pheno", cohort_folder() / "pheno.tsv", "--trait", "height"]
    arguments = ["null", *data, "--kinship", kinship, "--out", tmp_path / "null.tsv"]
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_commands_take_a_table_of_parents(tmp_path):
    iid = GenotypeSource("bfile", cohort_folder() / "small").samples()["iid"]
    table = pd.DataFrame(
        {"iid": iid, "sire": [f"s{i % 6}" for i in range(60)], "dam": [f"d{i % 9}" for i in range(60)]}
    )
    bl.cohort.write_table(table, tmp_path / "parents.tsv")
    result = null(tmp_path, f"pedigree:{tmp_path / 'parents.tsv'}")
    assert result.exit_code == 0, result.output
    given = (tmp_path / "null.tsv").read_bytes()
    np.savez(tmp_path / "k.npz", K=bl.lmm.pedigree_kinship(table).matrix, iid=bl.lmm.pedigree_kinship(table).ids)
    assert null(tmp_path, tmp_path / "k.npz").exit_code == 0
    assert (tmp_path / "null.tsv").read_bytes() == given
    bl.cohort.write_table(table.iloc[5:], tmp_path / "parents.tsv")
    result = null(tmp_path, f"pedigree:{tmp_path / 'parents.tsv'}")
    assert result.exit_code == 2
    assert "expected all 58 analysed samples, got none of" in result.stderr
    result = null(tmp_path, "pedigree:nowhere.tsv")
    assert result.exit_code == 2
    assert "'pedigree:nowhere.tsv', which is none of these" in result.stderr


def test_new_samples_are_related_through_the_pedigree(tmp_path):
    lines = [f"{name} {sire or 0} {dam or 0}" for name, (sire, dam) in PEDIGREE.items()]
    (tmp_path / "parents.txt").write_text("\n".join(["iid sire dam", *lines]))
    ids = pd.DataFrame({"fid": "f", "iid": list(PEDIGREE)})
    cross = bl.lmm.read_cross_kinship(f"pedigree:{tmp_path / 'parents.txt'}", ids.iloc[6:], ids.iloc[:6])
    A = by_gene_dropping(PEDIGREE)
    np.testing.assert_array_equal(cross.cross, A[6:, :6])
    np.testing.assert_array_equal(cross.diagonal, np.diag(A)[6:])

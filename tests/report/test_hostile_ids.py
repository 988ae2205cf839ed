"""Ids that look like markup, quotes or formulas stay text: on the page in a browser, and in tables as they came."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest
from browser import shown
from small_run import copy_cohort, finished_run, settings, skip_sampling

from bayes_lmmlasso.report.tables import read_tsv, write_tsv
from bayes_lmmlasso.run import run

HOSTILE = (
    "<script>document.title='taken'</script>",
    "\"><img/src=x/onerror=document.title='taken'>",
    "</td></table><svg/onload=document.title='taken'>",
    "{{7*7}}&lt;b&gt;",
    '=HYPERLINK("http://127.0.0.1/","x")',
    "@SUM(1+1)*cmd|'/C",
    "'\";--",
)
TRAIT = "<script>document.title='taken'</script>"


@pytest.fixture(scope="module")
def hostile_run(tmp_path_factory):
    """The small run with such ids of SNPs and such a name of its trait."""
    folder = copy_cohort(tmp_path_factory.mktemp("hostile") / "cohort")
    ids = names(200)
    bim = pd.read_csv(folder / "small.bim", sep="\t", header=None, dtype=str)
    lines = ["\t".join(row) for row in bim.assign(**{"1": ids}).drop(columns=1).loc[:, [0, "1", 2, 3, 4, 5]].values]
    (folder / "small.bim").write_text("\n".join(lines) + "\n", encoding="utf-8")
    pheno = (folder / "pheno.tsv").read_text().replace("height", TRAIT, 1)
    (folder / "pheno.tsv").write_text(pheno)
    with pytest.MonkeyPatch.context() as patch:
        skip_sampling(patch, finished_run().folder)
        files = {"bfile": folder / "small", "pheno": folder / "pheno.tsv", "covar": folder / "covar.tsv"}
        return run(settings(**files, trait=TRAIT), folder / "run")


@cache
def names(n):
    return [f"{HOSTILE[k % len(HOSTILE)]}{k}" for k in range(n)]


def test_a_browser_shows_hostile_ids_as_text(hostile_run, tmp_path):
    page = hostile_run.folder / "report.html"
    document = shown(page, tmp_path)
    assert "<title>taken" not in document
    assert document.count("<img ") == 5  # the figures
    for tag in ("<script", "<svg", "onerror=document.title='taken'>", "<img/src"):
        assert tag not in document
    assert "&lt;script&gt;document.title='taken'&lt;/script&gt;" in document
    assert "7*7" in document
    assert ">49" not in document


def test_tables_have_hostile_ids_as_they_came(hostile_run):
    inclusion = read_tsv(hostile_run.folder / "inclusion.tsv")
    assert inclusion["snp"].tolist() == names(200)
    assert set(read_tsv(hostile_run.folder / "windows.tsv")["top_snp"]) <= set(names(200))


def test_a_table_of_hostile_text_comes_back_as_it_was(tmp_path):
    ids = [*HOSTILE, "NA", "nan", "", "1e5", "007", 'a"b"', "tab\there", "line\nbreak", "carriage\rreturn", " blank "]
    table = pd.DataFrame({"snp": ids, "pip": 0.5})
    write_tsv(table, tmp_path / "t.tsv")
    assert read_tsv(tmp_path / "t.tsv")["snp"].tolist() == ids

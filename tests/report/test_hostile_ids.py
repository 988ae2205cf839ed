"""Ids that look like markup, quotes or formulas stay text: on the page in a browser, and in tables as they came."""

from __future__ import annotations

import csv
import json
from functools import cache

import pandas as pd
import pytest
from browser import chromium, opened
from small_run import copy_cohort, finished_run, settings, skip_sampling

from bayes_lmmlasso.report.tables import read_tsv, write_tsv
from bayes_lmmlasso.run import run
from bayes_lmmlasso.studies import compute
from bayes_lmmlasso.studies.execution import perform
from bayes_lmmlasso.studies.folder import run_study

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
def hostile_cohort(tmp_path_factory):
    """The folder of the small cohort with such ids of SNPs and such a name of its trait."""
    folder = copy_cohort(tmp_path_factory.mktemp("hostile") / "cohort")
    ids = names(200)
    bim = pd.read_csv(folder / "small.bim", sep="\t", header=None, dtype=str)
    lines = ["\t".join(row) for row in bim.assign(**{"1": ids}).drop(columns=1).loc[:, [0, "1", 2, 3, 4, 5]].values]
    (folder / "small.bim").write_text("\n".join(lines) + "\n", encoding="utf-8")
    pheno = (folder / "pheno.tsv").read_text().replace("height", TRAIT, 1)
    (folder / "pheno.tsv").write_text(pheno)
    return folder


@pytest.fixture(scope="module")
def hostile_run(hostile_cohort):
    """The small run of it."""
    folder = hostile_cohort
    with pytest.MonkeyPatch.context() as patch:
        skip_sampling(patch, finished_run().folder)
        files = {"bfile": folder / "small", "pheno": folder / "pheno.tsv", "covar": folder / "covar.tsv"}
        return run(settings(**files, trait=TRAIT), folder / "run").folder


@pytest.fixture(scope="module")
def hostile_study(hostile_cohort, tmp_path_factory):
    """The folder of a study of it that finds genes and published SNPs of such names."""
    folder = tmp_path_factory.mktemp("study")
    positions = pd.read_csv(hostile_cohort / "small.bim", sep="\t", header=None, quoting=csv.QUOTE_NONE)[3]
    genes = pd.DataFrame({"name": HOSTILE, "chrom": 1, "start": positions[::25][:7], "end": positions[::25][:7] + 99})
    write_tsv(genes, folder / "genes.tsv")
    write_tsv(pd.DataFrame({"trait": TRAIT, "chrom": 1, "pos": genes["start"], "gene": HOSTILE}), folder / "hits.tsv")
    (folder / "study.toml").write_text(
        f"""name = {json.dumps(TRAIT)}
        kind = "selection"
        traits = [{json.dumps(TRAIT)}]
        methods = ["lmm-lasso-stability"]
        [selection]
        threshold = 0.1
        window_kb = 20
        genes = "genes.tsv"
        published = "hits.tsv"
        published_columns = ["trait", "chrom", "pos", "gene"]
        [method.lmm-lasso-stability]
        n_active = 8
        subsamples = 10
        [data]
        bfile = "{hostile_cohort / "small"}"
        pheno = "{hostile_cohort / "pheno.tsv"}"
        """
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compute, "compute_on_processes", lambda cells, _: ((k, perform(cells[k])) for k in cells))
        return run_study(folder / "study.toml", folder / "out").folder


@cache
def names(n):
    return [f"{HOSTILE[k % len(HOSTILE)]}{k}" for k in range(n)]


_INTRUDERS = """() => {
  const found = [], search = (root) => {
    found.push(...[...root.querySelectorAll("img[src=x], [onload], [onerror]")].map((each) => each.outerHTML));
    for (const each of root.querySelectorAll("*")) if (each.shadowRoot) search(each.shadowRoot);
  };
  search(document);
  return found;
}"""


@pytest.mark.parametrize("kind", ["run", "study"])
def test_a_browser_shows_hostile_ids_as_text(request, kind):
    folder = request.getfixturevalue(f"hostile_{kind}")
    with chromium() as browser, opened(browser, folder / "report.html") as tab:
        assert tab.title() != "taken"
        assert tab.evaluate(_INTRUDERS) == []
        assert tab.locator("script").count() == 5  # the page's own
        assert tab.locator("img").count() == {"run": 5, "study": 1}[kind]  # the figures
        text = tab.inner_text("body")
    assert TRAIT in text
    assert "{{7*7}}&lt;b&gt;" in text
    assert "49&lt;" not in text


def test_tables_have_hostile_ids_as_they_came(hostile_run):
    inclusion = read_tsv(hostile_run / "inclusion.tsv")
    assert inclusion["snp"].tolist() == names(200)
    assert set(read_tsv(hostile_run / "windows.tsv")["top_snp"]) <= set(names(200))


def test_tables_of_a_study_have_hostile_ids_as_they_came(hostile_study):
    published, selected = (read_tsv(hostile_study / f"{name}.tsv") for name in ("published", "selected"))
    assert published["gene"].tolist() == list(HOSTILE)
    assert set(published["trait"]) == {TRAIT}
    assert len(selected)
    assert set(selected["snp"]) <= set(names(200))


def test_a_table_of_hostile_text_comes_back_as_it_was(tmp_path):
    ids = [*HOSTILE, "NA", "nan", "", "1e5", "007", 'a"b"', "tab\there", "line\nbreak", "carriage\rreturn", " blank "]
    table = pd.DataFrame({"snp": ids, "pip": 0.5})
    write_tsv(table, tmp_path / "t.tsv")
    assert read_tsv(tmp_path / "t.tsv")["snp"].tolist() == ids

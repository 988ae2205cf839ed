"""The report page: complete, self-contained, honest."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from small_run import finished_copy, finished_run, quiet_record

from bayes_lmmlasso import read_tree
from bayes_lmmlasso.models import MODELS, ModelSpec
from bayes_lmmlasso.models.laplace import laplace
from bayes_lmmlasso.posterior import hyper_table
from bayes_lmmlasso.report import report_html
from bayes_lmmlasso.report.cautions import cautions
from bayes_lmmlasso.report.definitions import REFERENCES, column_definitions
from bayes_lmmlasso.report.evidence import SamplingEvidence
from bayes_lmmlasso.report.page import page_template
from bayes_lmmlasso.report.tables import read_tsv, write_json


class Page(HTMLParser):
    """Collects the elements and the visible text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def page() -> Page:
    return Page((finished_run().folder / "report.html").read_text(encoding="utf-8"))


def changed(tmp_path, **changes) -> Page:
    """The page of a run whose record says something else: changes are `section__name=value`."""
    folder = finished_copy(tmp_path / "changed")
    record = json.loads((folder / "run.json").read_text())
    for key, value in changes.items():
        *sections, name = key.split("__")
        place = record
        for section in sections:
            place = place[section]
        place[name] = value
    write_json(record, folder / "run.json")
    return Page(report_html(folder))


def test_nothing_is_loaded_from_outside(page):
    tags = [tag for tag, _ in page.elements]
    assert tags.count("img") == 5
    assert not {"iframe", "object", "embed"} & set(tags)
    assert not [attrs for tag, attrs in page.elements if tag == "script" and "src" in attrs]
    loaded = [attrs.get("src") or attrs.get("href") for tag, attrs in page.elements if tag in ("img", "link")]
    assert all(source.startswith("data:") for source in loaded)


def test_windows_come_before_snps(page):
    assert page.text.index("What to do next") < page.text.index("Windows") < page.text.index("First by stability")


def test_windows_are_told_best_first_and_what_was_left_out(page):
    windows = read_tsv(finished_run().folder / "windows.tsv")
    windows = windows.sort_values(["bayes_factor", "window_pip", "variance_share"], ascending=False)
    section = page.text[page.text.index("Read these first") :]
    assert section.index(windows.iloc[0]["top_snp"]) < section.index(windows.iloc[1]["top_snp"])
    assert "58 samples" in page.text
    assert "no trait: 2" in page.text


def test_every_column_is_explained():
    record = finished_run().record
    for file, columns in column_definitions(record).items():
        explained = {name.strip() for names in columns for name in names.split(",")}
        table = read_tsv(finished_run().folder / file)
        wanted = set(table.columns) - {"parameter"}
        if file == "hyper.tsv":
            wanted |= {name.split("[")[0] + ("[…]" if "[" in name else "") for name in table["parameter"]}
        assert wanted <= explained


def test_inclusion_is_never_called_a_probability_of_not_zero(page):
    assert "so this is not P(b ≠ 0)" in page.text
    assert "P(b² > 0.001 | y)" in page.text


def test_a_point_mass_at_zero_changes_what_inclusion_means(monkeypatch):
    monkeypatch.setitem(MODELS, "point_mass", ModelSpec("point_mass", laplace, exact_zeros=True))
    record = quiet_record()
    record["arguments"]["model"] = "point_mass"
    meaning = column_definitions(record)
    assert meaning["inclusion.tsv"]["pip"].startswith("P(b ≠ 0 | y)")
    assert "any of its SNPs is included" in meaning["windows.tsv"]["window_pip"]


def test_statements_carry_their_assumptions(page, tmp_path):
    assert "if samples are independent and the SNPs without an effect exchangeable" in page.text
    assert "in trait units: models of the same samples and trait compare" in page.text
    ranks = changed(tmp_path, arguments__transform="rank-normal").text
    assert "of normal scores: no other transform compares with it" in ranks
    assert "in trait units: models" not in ranks
    assert "Before any data it is" in page.text


def test_references_have_dois(page):
    links = {attrs["href"] for tag, attrs in page.elements if tag == "a"}
    sections = {f"#{attrs['id']}" for _, attrs in page.elements if "id" in attrs}
    assert links - sections == {f"https://doi.org/{doi}" for _, doi in REFERENCES}


def test_text_from_the_data_is_escaped(tmp_path):
    page = changed(tmp_path, data__trait="<b>x</b> & $y_{")
    assert "b" not in [tag for tag, _ in page.elements]
    assert "<b>x</b> & $y_{" in page.text


def test_text_and_its_heading_are_aligned_left():
    frame = pd.DataFrame({"gene": [np.nan, "G1"], "n": [1, 2]})
    html = str(page_template("macros.html.j2").module.table(frame, ["gene", "n"]))
    assert '<th class="text">gene</th><th>n</th>' in html
    assert '<td class="text">NA</td><td>1</td>' in html
    assert '<td class="text">G1</td><td>2</td>' in html


def test_doubts_stand_at_the_top(tmp_path):
    page = changed(
        tmp_path,
        evidence__sampling__r_hat=1.234,
        evidence__sampling__divergences=7,
        null_model__at_bound=True,
        null_model__log_delta=5.0,
        null_model__pve_se=None,
    )
    alert = page.text[: page.text.index("What to do next")]
    assert "Read with caution" in alert
    for part in ("is 1.234", "Divergent transitions: 7", "at the bound of its search (log delta = 5)"):
        assert part in alert


def test_draws_that_stand_still_leave_no_elpd(tmp_path):
    tree = read_tree(finished_run().folder / "posterior.zarr").load()
    tree["log_likelihood"]["y"][:] = -1.0
    evidence = SamplingEvidence.of(tree, hyper_table(tree))
    assert evidence.elpd_loo is None
    assert "Leave one outThe draws are too alike" in changed(tmp_path, evidence__sampling__elpd_loo=None).text


@pytest.mark.parametrize(
    ("section", "name", "value", "words"),
    [
        ("sampling", "ess_bulk", 12.0, "Few effective draws: 12"),
        ("sampling", "divergences", 1, "Divergent transitions: 1"),
        ("sampling", "elpd_loo", None, "Leave-one-out could not be computed"),
        ("selection", "path_duality_gap", 1e-3, "not exact"),
        ("selection", "path_n_active", 4, "ended with 4 active SNPs"),
    ],
)
def test_each_cause_gives_one_doubt(section, name, value, words):
    record = quiet_record()
    record["evidence"][section][name] = value
    (caution,) = cautions(record)
    assert words in caution


@pytest.mark.parametrize("skewness", [1.3, -1.3])
def test_a_skewed_trait_is_told_unless_nothing_can_be_done(skewness):
    record = quiet_record()
    assert abs(record["data"]["trait_skewness"]) < 1
    record["data"]["trait_skewness"] = skewness
    (caution,) = cautions(record)
    assert f"The trait is skewed (skewness {skewness})" in caution
    record["arguments"]["transform"] = "rank-normal"
    assert cautions(record) == []


def test_sweeps_are_advised_where_there_are_any():
    record = quiet_record()
    record["evidence"]["sampling"]["ess_bulk"] = 12.0
    assert cautions(record)[0].endswith("Draw more, with --draws, or with --sweeps.")
    record["evidence"]["sampling"]["sampler"] = "nuts"
    assert cautions(record)[0].endswith("Draw more, with --draws.")

"""The pages in a real browser: hover, zoom, sort, search, links, dark, narrow, accessible, large."""

from __future__ import annotations

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import chromium, opened
from small_run import quiet_record, sparse_run

from bayes_lmmlasso.posterior.summaries.windows import rank_windows
from bayes_lmmlasso.report import page as report_page
from bayes_lmmlasso.report.interactive.thinning import MOST_DRAWN
from bayes_lmmlasso.report.page import report_html
from bayes_lmmlasso.report.tables import read_tsv, write_json, write_tsv

# where the SNP of a row of the table of SNPs is drawn in the panel of pip, in pixels of the window
_PLACE = """(row) => {
  const doc = Bokeh.documents[0], source = doc.get_model_by_name("snps table").source;
  const panel = [...doc.all_models].find((m) => m.type === "Figure" && m.left[0]?.axis_label === "pip");
  const view = Bokeh.index.find_one(panel);
  view.el.scrollIntoView({block: "center", behavior: "instant"});
  const box = view.el.getBoundingClientRect();
  return [box.left + view.frame.x_scale.compute(source.data.x[row]),
          box.top + view.frame.y_scale.compute(source.data.pip[row])];
}"""
_RANGE = """() => [...Bokeh.documents[0].all_models].filter((m) => m.type === "Figure").slice(0, 4)
  .map((m) => [m.x_range.start, m.x_range.end])"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def tab(browser):
    with opened(browser, sparse_run().folder / "report.html") as tab:
        yield tab


@pytest.fixture(scope="module")
def windows():
    return rank_windows(read_tsv(sparse_run().folder / "windows.tsv")).reset_index(drop=True)


def rows(tab, name):
    """The first cells of the rows that a table shows, from top to bottom."""
    found = tab.locator(f"#{name} .slick-row").all()
    lines = [(row.bounding_box()["y"], row.locator(".slick-cell").all_inner_texts()) for row in found]
    return [cells for _, cells in sorted(lines)]


def test_pointing_at_a_snp_tells_its_name_and_numbers(tab):
    first = read_tsv(sparse_run().folder / "inclusion.tsv").sort_values("pip", ascending=False, kind="stable").iloc[0]
    x, y = tab.evaluate(_PLACE, 0)
    tab.mouse.move(x - 30, y)
    tab.mouse.move(x, y)
    tip = tab.locator(".bk-tooltip-content").first
    tip.wait_for()
    assert first["snp"] in tip.inner_text()
    assert f"{first['pip']:.3f}" in tip.inner_text()
    tab.mouse.move(5, 5)


def test_a_click_marks_the_snp_and_shows_its_region(tab, windows):
    tab.locator("#windows .slick-row").nth(1).click()
    x, y = tab.evaluate(_PLACE, 0)
    tab.mouse.click(x, y)
    top = read_tsv(sparse_run().folder / "inclusion.tsv").sort_values("pip", ascending=False, kind="stable").iloc[0]
    home = windows[(windows["start"] <= top["pos"]) & (top["pos"] <= windows["end"])].iloc[0]
    assert f"{home['start']:,} to {home['end']:,}" in tab.locator("#region-title").inner_text()
    assert "selected" in (tab.locator("#snps .slick-row").first.locator(".slick-cell").first.get_attribute("class"))


def test_zooming_one_panel_zooms_all(tab):
    before = tab.evaluate(_RANGE)
    x, y = tab.evaluate(_PLACE, 0)
    tab.mouse.move(x - 60, y + 60)
    tab.mouse.down()
    tab.mouse.move(x + 20, y + 10, steps=4)
    tab.mouse.move(x + 60, y + 20, steps=4)
    tab.mouse.up()
    tab.wait_for_timeout(200)
    after = tab.evaluate(_RANGE)
    assert after[0][1] - after[0][0] < 0.5 * (before[0][1] - before[0][0])
    assert all(each == after[0] for each in after)


def test_a_table_sorts_by_a_heading(tab, windows):
    assert rows(tab, "windows")[0][8] == windows.loc[0, "top_snp"]
    tab.locator("#windows .slick-header-column", has_text="start").first.click()
    assert rows(tab, "windows")[0][1] == f"{windows['start'].min():,}"


def test_a_search_leaves_the_rows_that_hold_the_words(tab):
    name = rows(tab, "snps")[3][0]
    tab.get_by_label("Search").nth(1).fill(name)
    assert rows(tab, "snps")[0][0] == name
    count = tab.locator("#snps-count").inner_text()
    assert count.endswith(f" of {len(read_tsv(sparse_run().folder / 'inclusion.tsv'))}")
    tab.get_by_label("Search").nth(1).fill("no such SNP")
    assert rows(tab, "snps") == []
    tab.get_by_label("Search").nth(1).fill("")


def test_commands_name_the_folder_of_the_page(tab):
    folder = str(sparse_run().folder)
    commands = tab.locator("pre.command").all_inner_texts()
    assert commands
    assert any(folder in command for command in commands)
    assert not any("DIR" in command.split() for command in commands)


@pytest.mark.parametrize("view", [{}, {"dark": True}, {"width": 420}], ids=["light", "dark", "narrow"])
def test_axe_finds_no_serious_violation_and_nothing_sticks_out(browser, view):
    with opened(browser, sparse_run().folder / "report.html", **view) as tab:
        found = Axe().run(tab).response["violations"]
        assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= view.get("width", 1100)
        ink = tab.evaluate(
            "[...Bokeh.documents[0].all_models].find((m) => m.type === 'LinearAxis').axis_label_text_color"
        )
        assert ink == ("#e6eaee" if view.get("dark") else "#1f2933")


def test_on_paper_pictures_stand_for_what_moves(tab):
    tab.emulate_media(media="print")
    assert not tab.locator("#genome").is_visible()
    assert tab.locator("figure.print img").is_visible()
    tab.emulate_media(media="screen")
    assert tab.locator("#genome").is_visible()


def large_tables(p):
    """Tables of a run of p SNPs on five chromosomes, of which one stands out."""
    rng = np.random.default_rng(3)
    snps = read_tsv(sparse_run().folder / "inclusion.tsv").sample(p, replace=True, random_state=1, ignore_index=True)
    snps = snps.assign(snp=[f"rs{j}" for j in range(p)], chrom=np.sort(rng.integers(1, 6, p)).astype(str))
    snps["pos"] = snps.groupby("chrom").cumcount() * 550 + 1
    snps["pip"], snps["stability"], snps["p_lmm"] = rng.beta(0.02, 2, p), rng.beta(0.02, 3, p), rng.random(p)
    snps.loc[100_000, ["pip", "stability", "p_lmm"]] = [0.97, 0.1, 1e-12]
    windows = snps[["chrom"]].assign(start=snps["pos"] // 100_000 * 100_000 + 1, top_snp=snps["snp"])
    windows = windows.drop_duplicates(["chrom", "start"], ignore_index=True)
    numbers = {"n_snps": 180, "window_pip": 0.3, "window_pip_mcse": 0.01, "window_pip_prior": 0.3, "bayes_factor": 1.0}
    numbers |= {"variance_share": 0.001, "top_snp_pip": 0.1, "r_hat": 1.0}
    return snps, windows.assign(end=windows["start"] + 99_999, **numbers)


def test_a_page_of_216100_snps_draws_those_that_stand_out(browser, tmp_path, monkeypatch):
    snps, windows = large_tables(216_100)
    record = quiet_record(sparse_run())
    record["data"]["snps"]["kept"] = len(snps)
    write_json(record, tmp_path / "run.json")
    for name in ("hyper.tsv", "posterior.zarr"):
        (tmp_path / name).symlink_to(sparse_run().folder / name)
    write_tsv(snps, tmp_path / "inclusion.tsv")
    write_tsv(windows, tmp_path / "windows.tsv")
    monkeypatch.setattr(report_page, "snp_correlations", lambda tree, snp, others: np.zeros(len(others)))
    text = report_html(tmp_path)
    assert len(text.encode()) < 15e6
    (tmp_path / "report.html").write_text(text, encoding="utf-8")
    with opened(browser, tmp_path / "report.html") as tab:
        drawn = tab.evaluate("Bokeh.documents[0].get_model_by_name('snps table').source.data.snp")
        assert len(drawn) < 3 * MOST_DRAWN
        for chosen in (snps.nlargest(1000, "pip"), snps.nlargest(1000, "stability"), snps.nsmallest(1000, "p_lmm")):
            assert set(chosen["snp"]) <= set(drawn)
        assert f"{len(drawn):,} are drawn and in the table" in tab.content()
        assert rows(tab, "snps")[0][0] == snps.loc[snps["pip"].idxmax(), "snp"]

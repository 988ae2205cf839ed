"""How large the page of a genome is and how soon a browser has drawn it: Bokeh, as reports have it, beside Plotly.

Both show the same SNPs, those that stand out of 216,100, in panels of pip, stability and p-values that zoom together,
and the same table; every page is one file that loads nothing. Medians of pairs of runs in headless Chromium.

    python benchmarks/pages.py [--snps 216100] [--repeats 5]
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from bokeh.layouts import column
from playwright.sync_api import Browser, sync_playwright
from plotly.subplots import make_subplots

from bayes_lmmlasso.report.interactive.embed import embed, glue, library
from bayes_lmmlasso.report.interactive.genome import manhattan_panels
from bayes_lmmlasso.report.interactive.sources import Sources
from bayes_lmmlasso.report.interactive.tables import linked_table

COLUMNS = ("snp", "chrom", "pos", "eaf", "pip", "stability", "p_lmm", "beta_mean", "beta_lo", "beta_hi", "r_hat")


def tables(p: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables of SNPs and of windows like those of a run."""
    rng = np.random.default_rng(0)
    snps = pd.DataFrame({"snp": [f"rs{j}" for j in range(p)], "chrom": np.sort(rng.integers(1, 6, p)).astype(str)})
    snps["pos"] = snps.groupby("chrom").cumcount() * 550 + 1
    numbers = {name: rng.normal(size=p) * 0.01 for name in ("beta_map", "beta_mean", "beta_lo", "beta_hi")}
    numbers |= {"pip": rng.beta(0.02, 2, p), "stability": rng.beta(0.02, 3, p), "p_lmm": rng.random(p)}
    numbers |= {name: rng.random(p) for name in ("eaf", "lfsr", "selection_freq")}
    snps = snps.assign(effect_allele="A", r_hat=1.0, **numbers)
    windows = snps[["chrom"]].assign(start=snps["pos"] // 100_000 * 100_000 + 1, top_snp=snps["snp"])
    windows = windows.drop_duplicates(["chrom", "start"], ignore_index=True)
    more = dict.fromkeys(("window_pip", "window_pip_prior", "variance_share", "top_snp_pip"), 0.3)
    return snps, windows.assign(end=windows["start"] + 99_999, n_snps=180, r_hat=1.0, bayes_factor=1.0, **more)


def bokeh_page(sources: Sources) -> str:
    """The panels and the table as a report has them."""
    panels = manhattan_panels(sources, 0.6)
    shown = {
        "genome": column(*(panels[name] for name in ("pip", "stability", "scan")), sizing_mode="stretch_width"),
        "snps": linked_table(sources.snps, COLUMNS, "snps"),
    }
    scripts = "".join(f"<script>{script}</script>" for script in (*library(), glue()))
    data = f'<script type="application/json" id="figures">{embed(shown)}</script>'
    places = '<div class="plot" id="genome"></div><div class="plot" id="snps"></div>'
    colours = "<style>:root { --ink: #222222; --soft: #555555; --line: #dddddd; }</style>"
    return f'<!doctype html><meta charset="utf-8"><title>Bokeh</title>{colours}{places}{data}{scripts}'


def plotly_page(sources: Sources) -> str:
    """The same by Plotly."""
    data = sources.snps.data
    panels = make_subplots(rows=3, shared_xaxes=True)
    for row, name in enumerate(("pip", "stability", "logp"), start=1):
        dots = {"size": 5, "color": data["colour"]}
        trace = go.Scattergl(x=data["x"], y=data[name], mode="markers", marker=dots, text=data["snp"])
        panels.add_trace(trace, row=row, col=1)
    table = go.Figure(go.Table(header={"values": COLUMNS}, cells={"values": [data[name] for name in COLUMNS]}))
    parts = panels.to_html(full_html=False, include_plotlyjs=True) + table.to_html(
        full_html=False, include_plotlyjs=False
    )
    ready = "<script>document.documentElement.dataset.ready = 'yes';</script>"
    return f'<!doctype html><meta charset="utf-8"><title>Plotly</title>{parts}{ready}'


def drawn_after(browser: Browser, page: Path) -> float:
    """Seconds until a page is drawn."""
    tab = browser.new_page(viewport={"width": 1100, "height": 900})
    began = time.perf_counter()
    tab.goto(page.as_uri())
    tab.wait_for_function("document.documentElement.dataset.ready === 'yes'", timeout=120_000)
    tab.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    seconds = time.perf_counter() - began
    tab.close()
    return seconds


def main() -> None:
    """Measure, and write pages.md."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--snps", type=int, default=216_100)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    snps, windows = tables(asked.snps)
    sources = Sources.of(snps, windows, "100kb", None, lambda snp, others: np.zeros(len(others)))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        pages = {"Bokeh": Path(folder, "bokeh.html"), "Plotly": Path(folder, "plotly.html")}
        pages["Bokeh"].write_text(bokeh_page(sources), encoding="utf-8")
        pages["Plotly"].write_text(plotly_page(sources), encoding="utf-8")
        program = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        seconds: dict[str, list[float]] = {name: [] for name in pages}
        for _ in range(asked.repeats):
            for name, page in pages.items():
                seconds[name].append(drawn_after(browser, page))
        browser.close()
        lines = [
            f"{sources.n_drawn:,} of {asked.snps:,} SNPs in panels and a table, medians of {asked.repeats} pairs.",
            "",
            "| library | MB | seconds to drawn |",
            "| --- | --- | --- |",
            *(
                f"| {name} | {page.stat().st_size / 1e6:.1f} | {statistics.median(seconds[name]):.2f} |"
                for name, page in pages.items()
            ),
        ]
    text = "\n".join(lines) + "\n"
    print(text)
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

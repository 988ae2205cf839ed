"""``report.html``: one self-contained page made from the files of a run.

The page loads nothing: figures, tables and the scripts that link them are within it, and its security policy lets no
other script run. Equal files give equal bytes.
"""

from __future__ import annotations

import base64
import json
import math
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from matplotlib.figure import Figure

from bayes_lmmlasso.plots.prior import prior_figure
from bayes_lmmlasso.plots.run import effects_figure, manhattan_figure, trace_figure, variance_figure
from bayes_lmmlasso.plots.style import png
from bayes_lmmlasso.posterior import read_tree
from bayes_lmmlasso.posterior.summaries.shares import share_table
from bayes_lmmlasso.posterior.summaries.windows import rank_windows
from bayes_lmmlasso.posterior.tree.linkage import snp_correlations
from bayes_lmmlasso.progress import StageClock
from bayes_lmmlasso.report.cautions import R_HAT_LIMIT, SNP_R_HAT_LIMIT, cautions, disagreement
from bayes_lmmlasso.report.checks import report_checks
from bayes_lmmlasso.report.commands import command
from bayes_lmmlasso.report.definitions import REFERENCES, column_definitions
from bayes_lmmlasso.report.disagreements import find_disagreements
from bayes_lmmlasso.report.findings import discoveries, first_snps, largest_effect, named_regions, several_signals
from bayes_lmmlasso.report.interactive.embed import glue, library, script_hash
from bayes_lmmlasso.report.interactive.explorer import Explorer
from bayes_lmmlasso.report.model_formulas import LIKELIHOOD, PRIORS
from bayes_lmmlasso.report.prior_evidence import prior_tables
from bayes_lmmlasso.report.priors import priors_section
from bayes_lmmlasso.report.tables import RECORD, priors_of, read_tsv, write_text
from bayes_lmmlasso.report.verdict import FDR, LEAST_BAYES_FACTOR, Verdict

__all__ = ["page_template", "png_text", "report_html", "write_report"]

_TEMPLATE = "page.html.j2"
_N_WINDOWS = 15
_WINDOW_COLUMNS = (
    *("chrom", "start", "end", "n_snps", "bayes_factor", "window_pip", "window_pip_mcse", "window_pip_prior"),
    *("variance_share", "top_snp", "top_snp_pip", "r_hat"),
)
_SNP_COLUMNS = (
    *("snp", "chrom", "pos", "effect_allele", "eaf", "beta_map", "stability"),
    *("beta_mean", "beta_lo", "beta_hi", "pip", "lfsr", "r_hat", "selection_freq"),
)
_SET_COLUMNS = (
    *("chrom", "start", "end", "n_snps", "coverage", "coverage_mcse", "purity", "n_included"),
    *("top_snp", "top_snp_pip"),
)
_OWN_DIGITS = {"window_pip_mcse", "coverage_mcse", "window_pip_prior", "bayes_factor"}
_DECIMALS = (
    dict.fromkeys({*_WINDOW_COLUMNS, *_SNP_COLUMNS, *_SET_COLUMNS, "mean", "sd", "eti95_lb", "eti95_ub"}, 3)
    | dict.fromkeys(("weight", "snp_share", "snp_lo", "snp_hi"), 3)
    | dict.fromkeys(("elpd_loo", "elpd_loo_se", "elpd_behind", "behind_se"), 1)
)


def report_html(folder: Path) -> str:
    """Return the report of the run whose tables, posterior and record are in ``folder``.

    Raises
    ------
    InputError
        If a table or the posterior is missing.
    """
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    inclusion, windows, hyper = (read_tsv(folder / f"{name}.tsv") for name in ("inclusion", "windows", "hyper"))
    sets = read_tsv(folder / "credible_sets.tsv") if (folder / "credible_sets.tsv").exists() else None
    tree = read_tree(folder / "posterior.zarr")
    threshold = record["evidence"]["selection"]["threshold"]
    linkage, window = partial(snp_correlations, tree), record["arguments"]["window"]
    verdict = Verdict.of(record, windows)
    scripts = [*library(), glue()]
    return page_template(_TEMPLATE).render(
        record=record,
        model=priors_of(record)[0],
        likelihood=LIKELIHOOD,
        formula=PRIORS.get(priors_of(record)[0]),
        verdict=verdict,
        named=named_regions(verdict.regions, inclusion),
        fdr=FDR,
        least_bayes_factor=LEAST_BAYES_FACTOR,
        several=several_signals(verdict.regions, inclusion, window),
        priors=priors_section(folder, record, windows),
        cautions=cautions(record),
        shares=share_table(tree).to_dict("index"),
        disagreement=disagreement(record),
        disagreements=find_disagreements(inclusion, threshold, linkage),
        explorer=Explorer.of(inclusion, windows, window, sets, threshold, linkage),
        windows=rank_windows(windows).head(_N_WINDOWS),
        n_windows=len(windows),
        average_window=windows["variance_share"].mean(),
        tops=first_snps(inclusion),
        stable=inclusion.iloc[int(inclusion["stability"].to_numpy().argmax())],
        largest=largest_effect(inclusion),
        sets=sets,
        set_columns=_SET_COLUMNS,
        discoveries=[discoveries("windows", windows, "window_pip"), discoveries("SNPs", inclusion, "pip")],
        hyper=hyper,
        window_columns=_WINDOW_COLUMNS,
        snp_columns=_SNP_COLUMNS,
        r_hat_limit=R_HAT_LIMIT,
        snp_r_hat_limit=SNP_R_HAT_LIMIT,
        snp_r_hat=inclusion["r_hat"].max(),
        snp_ess=inclusion["ess_bulk"].min(),
        plots=_figures(tree, inclusion, windows, threshold),
        prior=record["evidence"].get("prior"),
        prior_tables=prior_tables(record["evidence"].get("prior")),
        checks=report_checks(record),
        definitions=column_definitions(record),
        references=REFERENCES,
        again=None if "cohort" in record else command(record, out="DIR-again"),
        scripts=scripts,
        script_hashes=[script_hash(script) for script in scripts],
    )


def write_report(folder: Path, clock: StageClock) -> None:
    """Write the report of a run into its folder."""
    with clock("report"):
        write_text(report_html(folder), folder / "report.html")


def page_template(name: str) -> Template:
    """Return a template of this folder, with the filters that templates use."""
    environment = Environment(
        loader=PackageLoader("bayes_lmmlasso", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "cell": _cell,
        "count": "{:,}".format,
        "percent": "{:.0%}".format,
        "share": "{:.1%}".format,
        "texts": _texts,
    }
    return environment.get_template(name)


def _figures(tree: xr.DataTree, inclusion: pd.DataFrame, windows: pd.DataFrame, threshold: float) -> dict[str, str]:
    """Return the figures that are pictures, as text."""
    figures = {
        "manhattan": manhattan_figure(inclusion, threshold, windows),
        "variance": variance_figure(tree),
        "effects": effects_figure(inclusion),
        "trace": trace_figure(tree),
    }
    if "prior" in tree.children:
        figures["prior"] = prior_figure(tree)
    return {name: png_text(figure) for name, figure in figures.items()}


def _cell(value: Any, column: str = "") -> str:
    """Format a value for reading, by what its column holds; NA where there is none."""
    if isinstance(value, str):
        return value
    column = column.split(" (")[0]  # of a prior
    if value is None or math.isnan(value):
        return "NA"
    if column.startswith("ess_") or isinstance(value, int):
        return f"{value:,.0f}"
    decimals = None if column in _OWN_DIGITS else _DECIMALS.get(column)
    return f"{value:.3g}" if decimals is None else f"{value:.{decimals}f}"


def _texts(table: pd.DataFrame) -> list[str]:
    """Return the names of the columns that hold text, which is aligned left."""
    return [str(name) for name in table if any(isinstance(value, str) for value in table[name])]


def png_text(figure: Figure, dpi: int = 130) -> str:
    """Return a figure as base64 text."""
    return base64.b64encode(png(figure, dpi)).decode("ascii")

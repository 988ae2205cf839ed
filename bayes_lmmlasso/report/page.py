"""``report.html``: one self-contained page made from the files of a run.

The page needs no script and loads nothing: figures are PNG data within it. Equal files give equal bytes.
"""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from matplotlib.figure import Figure

from bayes_lmmlasso.plots.prior import prior_figure
from bayes_lmmlasso.plots.run import effects_figure, manhattan_figure, trace_figure, variance_figure
from bayes_lmmlasso.plots.style import png
from bayes_lmmlasso.posterior import bayesian_fdr, read_tree
from bayes_lmmlasso.posterior.summaries.shares import share_table
from bayes_lmmlasso.posterior.summaries.windows import rank_windows
from bayes_lmmlasso.progress import StageClock
from bayes_lmmlasso.report.cautions import R_HAT_LIMIT, SNP_R_HAT_LIMIT, cautions, disagreement
from bayes_lmmlasso.report.definitions import REFERENCES, column_definitions
from bayes_lmmlasso.report.prior_evidence import prior_tables
from bayes_lmmlasso.report.priors import priors_section
from bayes_lmmlasso.report.tables import RECORD, priors_of, read_tsv, write_text

__all__ = ["page_template", "png_text", "report_html", "write_report"]

_TEMPLATE = "page.html.j2"
_N_WINDOWS, _N_SNPS = 15, 10
_LIKELY = 0.9
_FDR = 0.05
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
    sets = folder / "credible_sets.tsv"
    tree = read_tree(folder / "posterior.zarr")
    selection = record["evidence"]["selection"]
    return page_template(_TEMPLATE).render(
        record=record,
        model=priors_of(record)[0],
        priors=priors_section(folder, record, windows),
        cautions=cautions(record),
        shares=share_table(tree).to_dict("index"),
        disagreement=disagreement(record),
        windows=rank_windows(windows).head(_N_WINDOWS),
        n_windows=len(windows),
        average_window=windows["variance_share"].mean(),
        likely=_LIKELY,
        n_likely=int((windows["window_pip"] >= _LIKELY).sum()),
        tops=_top_snps(inclusion),
        sets=read_tsv(sets) if sets.exists() else None,
        set_columns=_SET_COLUMNS,
        discoveries=[_discoveries("windows", windows, "window_pip"), _discoveries("SNPs", inclusion, "pip")],
        hyper=hyper,
        window_columns=_WINDOW_COLUMNS,
        snp_columns=_SNP_COLUMNS,
        r_hat_limit=R_HAT_LIMIT,
        snp_r_hat_limit=SNP_R_HAT_LIMIT,
        snp_r_hat=inclusion["r_hat"].max(),
        snp_ess=inclusion["ess_bulk"].min(),
        plots={
            "manhattan": png_text(manhattan_figure(inclusion, selection["threshold"], windows)),
            "variance": png_text(variance_figure(tree)),
            "effects": png_text(effects_figure(inclusion)),
            "trace": png_text(trace_figure(tree)),
        }
        | ({"prior": png_text(prior_figure(tree))} if "prior" in tree.children else {}),
        prior=record["evidence"].get("prior"),
        prior_tables=prior_tables(record["evidence"].get("prior")),
        definitions=column_definitions(record),
        references=REFERENCES,
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


def _discoveries(what: str, table: pd.DataFrame, column: str) -> str:
    """Say how many discoveries a Bayesian false discovery rate allows, and how many are expected to be false."""
    rates = bayesian_fdr(table[column])
    threshold = rates.threshold_for(_FDR)
    if math.isinf(threshold):
        return f"No {what} can be called: the first by {column} alone is false with probability {rates.fdr[0]:.2g}."
    k = int((rates.threshold >= threshold).sum()) - 1
    return (
        f"{what[0].upper()}{what[1:]} with {column} of at least {_at_least(threshold)}: {rates.n_selected[k]:,}, of "
        f"which {rates.expected_false[k]:.2g} are expected to be false."
    )


def _at_least(probability: float) -> str:
    """Write a bound with three decimals that does not exceed it: 0.9997 is not at least 1."""
    return f"{math.floor(1000 * probability) / 1000:.3g}"


def _top_snps(inclusion: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the first SNPs by stability, by absolute posterior mean and by pip."""
    keys = {
        "stability frequency": inclusion["stability"],
        "absolute posterior mean effect": inclusion["beta_mean"].abs(),
        "posterior inclusion (pip)": inclusion["pip"],
    }
    order = {name: key.sort_values(ascending=False, kind="stable").index for name, key in keys.items()}
    return {name: inclusion.loc[rows[:_N_SNPS]] for name, rows in order.items()}


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


def png_text(figure: Figure) -> str:
    """Return a figure as base64 text."""
    return base64.b64encode(png(figure)).decode("ascii")

"""From files to files: a whole run, its folder, its figures and its report."""

from __future__ import annotations

from bayes_lmmlasso.report.demo import run_demo
from bayes_lmmlasso.report.page import report_html
from bayes_lmmlasso.report.pipeline import RunResult, rebuild_report, resume, run, run_sampling
from bayes_lmmlasso.report.plots import effects_figure, manhattan_figure, png, trace_figure, variance_figure
from bayes_lmmlasso.report.settings import RunSettings

__all__ = [
    "RunResult",
    "RunSettings",
    "effects_figure",
    "manhattan_figure",
    "png",
    "rebuild_report",
    "report_html",
    "resume",
    "run",
    "run_demo",
    "run_sampling",
    "trace_figure",
    "variance_figure",
]

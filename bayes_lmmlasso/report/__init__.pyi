from .demo import run_demo
from .outcome import RunResult
from .page import report_html
from .pipeline import rebuild_report, resume, run, run_sampling
from .plots import effects_figure, manhattan_figure, png, trace_figure, variance_figure
from .settings import RunSettings

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

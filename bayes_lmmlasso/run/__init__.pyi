from .analysis import Analysis, open_run
from .commands.demo import run_demo
from .one_call import analyse
from .pipeline import rebuild_report, resume, run, run_sampling
from .result import RunResult
from .settings import RunSettings

__all__ = [
    "Analysis",
    "RunResult",
    "RunSettings",
    "analyse",
    "open_run",
    "rebuild_report",
    "resume",
    "run",
    "run_demo",
    "run_sampling",
]

from .demo import run_demo
from .pipeline import rebuild_report, resume, run, run_sampling
from .result import RunResult
from .settings import RunSettings

__all__ = [
    "RunResult",
    "RunSettings",
    "rebuild_report",
    "resume",
    "run",
    "run_demo",
    "run_sampling",
]

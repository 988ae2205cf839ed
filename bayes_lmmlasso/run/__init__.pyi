from .demo import run_demo
from .outcome import RunResult
from .pipeline import rebuild_report, resume, run, run_sampling
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

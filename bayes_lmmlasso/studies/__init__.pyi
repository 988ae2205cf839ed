from .cache import CellCache
from .compute import StudyOutcome, compute_study
from .file import read_study
from .study import Study

__all__ = [
    "CellCache",
    "Study",
    "StudyOutcome",
    "compute_study",
    "read_study",
]

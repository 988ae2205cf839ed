from .cache import CellCache
from .compute import StudyResult, compute_study
from .file import read_study
from .study import Study

__all__ = [
    "CellCache",
    "Study",
    "StudyResult",
    "compute_study",
    "read_study",
]

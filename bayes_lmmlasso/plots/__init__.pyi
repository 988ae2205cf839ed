from .prior import prior_figure
from .run import effects_figure, manhattan_figure, png, trace_figure, variance_figure

__all__ = [
    "effects_figure",
    "manhattan_figure",
    "png",
    "prior_figure",
    "trace_figure",
    "variance_figure",
]

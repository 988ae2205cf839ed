from .along_genome import manhattan, stacked_manhattan
from .association import effects, lasso_path, null_likelihood, qq, stability_against_pip
from .checking import ecdf, loo_pit, ranks, trace
from .densities import n_included, prior_posterior, variance_shares
from .performance import calibration, dissection, precision_recall, predicted, roc
from .prior import prior_figure
from .regional import region
from .relatedness import kinship, principal_coordinates
from .run import effects_figure, manhattan_figure, trace_figure, variance_figure
from .style import dark, png

__all__ = [
    "calibration",
    "dark",
    "dissection",
    "ecdf",
    "effects",
    "effects_figure",
    "kinship",
    "lasso_path",
    "loo_pit",
    "manhattan",
    "manhattan_figure",
    "n_included",
    "null_likelihood",
    "png",
    "precision_recall",
    "predicted",
    "principal_coordinates",
    "prior_figure",
    "prior_posterior",
    "qq",
    "ranks",
    "region",
    "roc",
    "stability_against_pip",
    "stacked_manhattan",
    "trace",
    "trace_figure",
    "variance_figure",
    "variance_shares",
]

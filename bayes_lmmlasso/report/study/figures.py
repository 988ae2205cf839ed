"""Which figures a study of each kind has."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
from matplotlib.figure import Figure

from bayes_lmmlasso.plots.studies import (
    calibration_figure,
    curves_figure,
    differences_figure,
    dissection_figure,
    means_figure,
    replication_figure,
    sweep_figure,
    traits_figure,
)

__all__ = ["STUDY_FIGURES"]


def _simulation(tables: dict[str, pd.DataFrame]) -> dict[str, Figure | None]:
    summary, curves = tables["summary"], tables["curves"]
    figures: dict[str, Figure | None] = {
        "Area under the precision-recall curve: mean over replicates and 95% interval.": means_figure(
            summary, "average_precision"
        ),
        "The same along the axes that were varied.": sweep_figure(summary),
        "Precision by recall, mean over replicates.": curves_figure(curves, "precision_by_recall"),
        "True by false positive rate, mean over replicates.": curves_figure(curves, "true_by_false_positive_rate"),
    }
    if "calibration" in tables:
        figures["How often SNPs of a claimed share are causal, with 95% intervals."] = calibration_figure(
            tables["calibration"]
        )
    return figures


def _prediction(tables: dict[str, pd.DataFrame]) -> dict[str, Figure | None]:
    figures: dict[str, Figure | None] = {}
    if "traits" in tables:
        figures["Differences in the share of variance explained in unseen samples, by trait, with 95% intervals."] = (
            differences_figure(tables["traits"])
        )
    return figures | {
        "Share of variance explained in samples that a method has not seen, by trait.": traits_figure(
            tables["accuracy"], "r2", "r2"
        ),
        "SNPs in the models, mean over folds, by trait.": traits_figure(
            tables["accuracy"].dropna(subset="size"), "size", "SNPs in the model"
        ),
        "Mean over traits with 95% interval.": means_figure(tables["summary"], "r2"),
    }


def _selection(tables: dict[str, pd.DataFrame]) -> dict[str, Figure | None]:
    return {"SNPs selected, by trait.": traits_figure(tables["hits"], "selected", "SNPs selected")}


def _dissection(tables: dict[str, pd.DataFrame]) -> dict[str, Figure | None]:
    if "shares" not in tables:
        return {}
    return {
        "Share of variance explained in samples that the models have not seen, along the number of active SNPs.": (
            dissection_figure(tables["shares"], "unseen")
        ),
        "The same in the samples of training.": dissection_figure(tables["shares"], "training"),
    }


def _replication(tables: dict[str, pd.DataFrame]) -> dict[str, Figure | None]:
    return {
        "Replication failure rate of each method with its exact 95% interval; the stroke is what is expected of it.": (
            replication_figure(tables["rfr"])
        )
    }


STUDY_FIGURES: dict[str, Callable[[dict[str, pd.DataFrame]], dict[str, Figure | None]]] = {
    "simulation": _simulation,
    "prediction": _prediction,
    "selection": _selection,
    "dissection": _dissection,
    "replication": _replication,
}
"""Kind of study -> function of its tables that returns figures by caption."""

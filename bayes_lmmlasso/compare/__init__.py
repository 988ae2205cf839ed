"""Baselines to compare with, and the evaluation of rankings, probabilities and predictions against a known truth."""

from __future__ import annotations

from bayes_lmmlasso.compare.baselines import BASELINES, Baseline
from bayes_lmmlasso.compare.bootstrap import Interval, bootstrap_interval, method_means, paired_differences
from bayes_lmmlasso.compare.calibration import Calibration, calibration_curve, fdr_calibration
from bayes_lmmlasso.compare.loci import CausalLoci, RankedItems, causal_loci
from bayes_lmmlasso.compare.mlmm import MLMM, MLMMStep, mlmm
from bayes_lmmlasso.compare.ranking import RankingCurves, ranking_curves
from bayes_lmmlasso.compare.scan import Scan, ScanMethod, scan, scan_by_chromosome

__all__ = [
    "BASELINES",
    "MLMM",
    "Baseline",
    "Calibration",
    "CausalLoci",
    "Interval",
    "MLMMStep",
    "RankedItems",
    "RankingCurves",
    "Scan",
    "ScanMethod",
    "bootstrap_interval",
    "calibration_curve",
    "causal_loci",
    "fdr_calibration",
    "method_means",
    "mlmm",
    "paired_differences",
    "ranking_curves",
    "scan",
    "scan_by_chromosome",
]

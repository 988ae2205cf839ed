"""Methods to compare, the evaluation of what they say against a known truth, and studies of many traits x methods."""

from __future__ import annotations

from bayes_lmmlasso.compare.baselines import BASELINES, Baseline
from bayes_lmmlasso.compare.bootstrap import Interval, bootstrap_interval, method_means, paired_differences
from bayes_lmmlasso.compare.bslmm import BSLMM, bslmm, read_bslmm
from bayes_lmmlasso.compare.calibration import Calibration, calibration_curve, fdr_calibration
from bayes_lmmlasso.compare.cell_cache import CellCache
from bayes_lmmlasso.compare.cells import StudyOutcome, compute_study
from bayes_lmmlasso.compare.dissection import dissect_fit, dissect_folds
from bayes_lmmlasso.compare.enrichment import Enrichment, adjacent_pairs, candidate_enrichment, gene_distances
from bayes_lmmlasso.compare.folds import Fold, FoldPlan, plan_folds, prepare_fold
from bayes_lmmlasso.compare.loci import CausalLoci, RankedItems, causal_loci
from bayes_lmmlasso.compare.mlmm import MLMM, MLMMStep, mlmm
from bayes_lmmlasso.compare.prediction import cross_predict, prediction_rows, prediction_scores
from bayes_lmmlasso.compare.predictors import PREDICTORS, FoldPrediction, Predictor, posterior_predictor
from bayes_lmmlasso.compare.ranking import RankingCurves, ranking_curves
from bayes_lmmlasso.compare.scan import Scan, ScanMethod, scan, scan_by_chromosome
from bayes_lmmlasso.compare.study import Study
from bayes_lmmlasso.compare.study_file import read_study

__all__ = [
    "BASELINES",
    "BSLMM",
    "MLMM",
    "PREDICTORS",
    "Baseline",
    "Calibration",
    "CausalLoci",
    "CellCache",
    "Enrichment",
    "Fold",
    "FoldPlan",
    "FoldPrediction",
    "Interval",
    "MLMMStep",
    "Predictor",
    "RankedItems",
    "RankingCurves",
    "Scan",
    "ScanMethod",
    "Study",
    "StudyOutcome",
    "adjacent_pairs",
    "bootstrap_interval",
    "bslmm",
    "calibration_curve",
    "candidate_enrichment",
    "causal_loci",
    "compute_study",
    "cross_predict",
    "dissect_fit",
    "dissect_folds",
    "fdr_calibration",
    "gene_distances",
    "method_means",
    "mlmm",
    "paired_differences",
    "plan_folds",
    "posterior_predictor",
    "prediction_rows",
    "prediction_scores",
    "prepare_fold",
    "ranking_curves",
    "read_bslmm",
    "read_study",
    "scan",
    "scan_by_chromosome",
]

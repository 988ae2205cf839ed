from .baselines import BASELINES, Baseline
from .bootstrap import Interval, bootstrap_interval, method_means, paired_differences
from .calibration import Calibration, calibration_curve, fdr_calibration
from .cross_prediction import cross_predict, prediction_rows, prediction_scores
from .dissection import dissect_fit, dissect_folds
from .enrichment import Enrichment, adjacent_pairs, candidate_enrichment, gene_distances
from .folds import Fold, FoldPlan, plan_folds, prepare_fold
from .loci import CausalLoci, RankedItems, causal_loci
from .peers.bslmm import BSLMM, bslmm, read_bslmm
from .peers.susie import susie
from .predictors import PREDICTORS, FoldPrediction, Predictor, posterior_predictor
from .ranking import RankingCurves, ranking_curves
from .replication import called_snps, failure_differences, failure_rates
from .uniformity import rank_true_values, rank_uniformity, sbc_table

__all__ = [
    "BASELINES",
    "BSLMM",
    "PREDICTORS",
    "Baseline",
    "Calibration",
    "CausalLoci",
    "Enrichment",
    "Fold",
    "FoldPlan",
    "FoldPrediction",
    "Interval",
    "Predictor",
    "RankedItems",
    "RankingCurves",
    "adjacent_pairs",
    "bootstrap_interval",
    "bslmm",
    "calibration_curve",
    "called_snps",
    "candidate_enrichment",
    "causal_loci",
    "cross_predict",
    "dissect_fit",
    "dissect_folds",
    "failure_differences",
    "failure_rates",
    "fdr_calibration",
    "gene_distances",
    "method_means",
    "paired_differences",
    "plan_folds",
    "posterior_predictor",
    "prediction_rows",
    "prediction_scores",
    "prepare_fold",
    "rank_true_values",
    "rank_uniformity",
    "ranking_curves",
    "read_bslmm",
    "sbc_table",
    "susie",
]

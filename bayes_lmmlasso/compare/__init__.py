"""Baselines to compare with: scans, the stepwise multi-locus mixed model, GEMMA's BSLMM, and per-SNP scores."""

from __future__ import annotations

from bayes_lmmlasso.compare.baselines import BASELINES, Baseline
from bayes_lmmlasso.compare.bslmm import BSLMM, bslmm, read_bslmm
from bayes_lmmlasso.compare.mlmm import MLMM, MLMMStep, mlmm
from bayes_lmmlasso.compare.scan import Scan, ScanMethod, scan, scan_by_chromosome

__all__ = [
    "BASELINES",
    "BSLMM",
    "MLMM",
    "Baseline",
    "MLMMStep",
    "Scan",
    "ScanMethod",
    "bslmm",
    "mlmm",
    "read_bslmm",
    "scan",
    "scan_by_chromosome",
]

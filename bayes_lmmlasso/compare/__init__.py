"""Baselines to compare with: single-SNP scans, the stepwise multi-locus mixed model, and per-SNP scores."""

from __future__ import annotations

from bayes_lmmlasso.compare.baselines import BASELINES, Baseline
from bayes_lmmlasso.compare.mlmm import MLMM, MLMMStep, mlmm
from bayes_lmmlasso.compare.scan import Scan, ScanMethod, scan, scan_by_chromosome

__all__ = ["BASELINES", "MLMM", "Baseline", "MLMMStep", "Scan", "ScanMethod", "mlmm", "scan", "scan_by_chromosome"]

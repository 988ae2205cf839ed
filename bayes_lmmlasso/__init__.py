"""Bayesian LMM-Lasso: multi-locus association mapping with posterior uncertainty and correction for relatedness.

>>> import bayes_lmmlasso as bl
>>> cohort = bl.read_plink("mice", phenotypes="traits.tsv")  # doctest: +SKIP
>>> analysis = bl.prepare(cohort, "cd8")  # doctest: +SKIP
"""

from __future__ import annotations

from importlib.metadata import version

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)

__version__ = version("bayes-lmmlasso")

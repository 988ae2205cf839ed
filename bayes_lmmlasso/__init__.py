"""Bayesian LMM-Lasso: multi-locus association mapping with posterior uncertainty and correction for relatedness.

One call analyses a trait, from files or from arrays:

>>> import bayes_lmmlasso as bl
>>> analysis = bl.analyse("mice", "cd8", phenotypes="traits.tsv", covariates="age.tsv")  # doctest: +SKIP
>>> analysis.windows.nlargest(5, "bayes_factor")  # doctest: +SKIP
>>> analysis.report("cd8.html")  # doctest: +SKIP

Its steps are the other names here, and everything else is in the rooms: `cohort`, `lmm`, `scan`, `lasso`, `models`,
`posterior`, `plots`, `compare`, `report`, `run`, `studies`, `numerics` (``bl.compare.calibration_curve``).
"""

from __future__ import annotations

from importlib.metadata import version

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)

__version__ = version("bayes-lmmlasso")

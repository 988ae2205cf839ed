"""Methods to compare, the evaluation of what they say against a known truth, and studies of many traits x methods."""

from __future__ import annotations

from lazy_loader import attach_stub

# named as their modules, which would take their place
from bayes_lmmlasso.compare.bslmm import bslmm as bslmm
from bayes_lmmlasso.compare.mlmm import mlmm as mlmm
from bayes_lmmlasso.compare.scan import scan as scan

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)

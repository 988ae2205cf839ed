"""The Lasso in the metric of the mixed model: path, stability selection, cross-validation, estimator."""

from __future__ import annotations

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)

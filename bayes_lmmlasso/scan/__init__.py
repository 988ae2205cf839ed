"""Single-SNP tests: the linear and the mixed model, one SNP after the other or stepwise."""

from __future__ import annotations

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)

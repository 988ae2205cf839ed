"""Pages: of a run and of a study, with the evidence, the cautions and the tables that they are made from."""

from __future__ import annotations

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)

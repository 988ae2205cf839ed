"""Kinship, its eigenbasis, the null model and BLUP."""

from __future__ import annotations

from lazy_loader import attach_stub

# named as their modules, which would take their place
from bayes_lmmlasso.lmm.blup import blup as blup
from bayes_lmmlasso.lmm.cross_kinship import cross_kinship as cross_kinship
from bayes_lmmlasso.lmm.kinship import kinship as kinship

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)

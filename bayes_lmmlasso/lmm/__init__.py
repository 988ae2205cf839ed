"""Kinship, its eigenbasis, the null model and BLUP."""

from __future__ import annotations

from bayes_lmmlasso.lmm.blup import blup, polygenic_effect
from bayes_lmmlasso.lmm.contrasts import ContrastBasis
from bayes_lmmlasso.lmm.cross_kinship import CrossKinship, cross_kinship
from bayes_lmmlasso.lmm.eigenbasis import Eigenbasis
from bayes_lmmlasso.lmm.kinship import KinshipMethod, gower_scale, kinship
from bayes_lmmlasso.lmm.kinship_file import read_cross_kinship, read_kinship
from bayes_lmmlasso.lmm.loco import leave_one_chromosome_out
from bayes_lmmlasso.lmm.null_model import NullMethod, NullModel, fit_null_model
from bayes_lmmlasso.lmm.rotation import rotate
from bayes_lmmlasso.lmm.tridiagonal import DeltaEstimate, null_deltas
from bayes_lmmlasso.lmm.validation import validate_kinship

__all__ = [
    "ContrastBasis",
    "CrossKinship",
    "DeltaEstimate",
    "Eigenbasis",
    "KinshipMethod",
    "NullMethod",
    "NullModel",
    "blup",
    "cross_kinship",
    "fit_null_model",
    "gower_scale",
    "kinship",
    "leave_one_chromosome_out",
    "null_deltas",
    "polygenic_effect",
    "read_cross_kinship",
    "read_kinship",
    "rotate",
    "validate_kinship",
]

from .blup import blup, polygenic_effect
from .contrasts import ContrastBasis
from .cross_kinship import CrossKinship, cross_kinship
from .deltas import DeltaEstimate, null_deltas
from .eigenbasis import Eigenbasis
from .files.formats import PEDIGREE, find_kinship, kinship_files
from .files.read import read_cross_kinship, read_kinship
from .identification import null_remarks
from .kinship import KinshipMethod, gower_scale, kinship, validate_kinship
from .loco import leave_one_chromosome_out
from .low_rank import Basis, LowRankBasis
from .null_model import NullMethod, NullModel, NullStatus, fit_null_model
from .pedigree import PedigreeKinship, pedigree_kinship
from .rotation import rotate

__all__ = [
    "PEDIGREE",
    "Basis",
    "ContrastBasis",
    "CrossKinship",
    "DeltaEstimate",
    "Eigenbasis",
    "KinshipMethod",
    "LowRankBasis",
    "NullMethod",
    "NullModel",
    "NullStatus",
    "PedigreeKinship",
    "blup",
    "cross_kinship",
    "find_kinship",
    "fit_null_model",
    "gower_scale",
    "kinship",
    "kinship_files",
    "leave_one_chromosome_out",
    "null_deltas",
    "null_remarks",
    "pedigree_kinship",
    "polygenic_effect",
    "read_cross_kinship",
    "read_kinship",
    "rotate",
    "validate_kinship",
]

from .arrays import cohort_from_arrays
from .bimbam import read_bimbam
from .covariates import CovariateCoding, code_covariates, has_covariates
from .dataset import Cohort, sample_frame, variant_frame
from .datasets import DataSet, fetch, read_registry
from .genotypes import snp_statistics, standardise, standardise_calls
from .linkage import Clumps, ld_clump, ld_prune
from .matching import standardise_alike
from .matrix import read_matrix
from .pgen import read_pgen
from .plink import read_fam, read_plink, write_plink
from .preparation import AnalysisSet, choose_variants, prepare
from .simulated_trait import SimulatedTrait, semi_empirical_trait, simulate_trait
from .simulation import simulate_cohort
from .sources import FORMATS, GenotypeSource, read_genotypes
from .tables import read_table, write_table
from .trait_design import PRESETS, SWEEPS, EffectLaw, TraitDesign
from .transforms import TraitTransform, fit_trait_transform
from .vcf import read_vcf
from .vcf_zarr import read_vcf_zarr

__all__ = [
    "FORMATS",
    "PRESETS",
    "SWEEPS",
    "AnalysisSet",
    "Clumps",
    "Cohort",
    "CovariateCoding",
    "DataSet",
    "EffectLaw",
    "GenotypeSource",
    "SimulatedTrait",
    "TraitDesign",
    "TraitTransform",
    "choose_variants",
    "code_covariates",
    "cohort_from_arrays",
    "fetch",
    "fit_trait_transform",
    "has_covariates",
    "ld_clump",
    "ld_prune",
    "prepare",
    "read_bimbam",
    "read_fam",
    "read_genotypes",
    "read_matrix",
    "read_pgen",
    "read_plink",
    "read_registry",
    "read_table",
    "read_vcf",
    "read_vcf_zarr",
    "sample_frame",
    "semi_empirical_trait",
    "simulate_cohort",
    "simulate_trait",
    "snp_statistics",
    "standardise",
    "standardise_alike",
    "standardise_calls",
    "variant_frame",
    "write_plink",
    "write_table",
]

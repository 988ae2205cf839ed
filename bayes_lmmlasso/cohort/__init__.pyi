from .arrays import cohort_from_arrays
from .covariates import CovariateCoding, code_covariates, has_covariates
from .dataset import Cohort, sample_frame, variant_frame
from .formats.bimbam import read_bimbam
from .formats.genotype_file import GenotypeTable
from .formats.matrix import read_matrix
from .formats.pgen import read_pgen
from .formats.plink import read_plink, write_plink
from .formats.reader import GenotypeFormat
from .formats.sources import FORMATS, GenotypeSource, read_genotypes
from .formats.vcf import read_vcf
from .formats.vcf_zarr import read_vcf_zarr
from .linkage import Clumps, ld_clump, ld_prune
from .new_samples import standardise_new_samples
from .preparation import AnalysisSet, prepare
from .public.datasets import DataSet, fetch, read_registry
from .simulated.design import PRESETS, SWEEPS, EffectLaw, TraitDesign
from .simulated.population import simulate_cohort
from .simulated.trait import SimulatedTrait, semi_empirical_trait, simulate_trait
from .snp_filter import SnpFilter
from .standardise import snp_statistics, standardise, standardise_calls
from .tables import read_table, write_table
from .tables.genes import read_genes
from .transforms import TraitTransform, fit_trait_transform

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
    "GenotypeFormat",
    "GenotypeSource",
    "GenotypeTable",
    "SimulatedTrait",
    "SnpFilter",
    "TraitDesign",
    "TraitTransform",
    "code_covariates",
    "cohort_from_arrays",
    "fetch",
    "fit_trait_transform",
    "has_covariates",
    "ld_clump",
    "ld_prune",
    "prepare",
    "read_bimbam",
    "read_genes",
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
    "standardise_calls",
    "standardise_new_samples",
    "variant_frame",
    "write_plink",
    "write_table",
]

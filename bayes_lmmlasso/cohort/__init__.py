"""Genotypes, traits and covariates in; aligned, filtered and standardised arrays out."""

from __future__ import annotations

from bayes_lmmlasso.cohort.arrays import cohort_from_arrays
from bayes_lmmlasso.cohort.bimbam import read_bimbam
from bayes_lmmlasso.cohort.covariates import CovariateCoding, code_covariates, has_covariates
from bayes_lmmlasso.cohort.dataset import Cohort, sample_frame, variant_frame
from bayes_lmmlasso.cohort.datasets import DataSet, fetch, read_registry
from bayes_lmmlasso.cohort.genotypes import snp_statistics, standardise, standardise_calls
from bayes_lmmlasso.cohort.linkage import Clumps, ld_clump, ld_prune
from bayes_lmmlasso.cohort.matching import standardise_alike
from bayes_lmmlasso.cohort.matrix import read_matrix
from bayes_lmmlasso.cohort.pgen import read_pgen
from bayes_lmmlasso.cohort.plink import read_fam, read_plink, write_plink
from bayes_lmmlasso.cohort.preparation import AnalysisSet, choose_variants, prepare
from bayes_lmmlasso.cohort.simulated_trait import SimulatedTrait, semi_empirical_trait, simulate_trait
from bayes_lmmlasso.cohort.simulation import simulate_cohort
from bayes_lmmlasso.cohort.sources import FORMATS, GenotypeSource, read_genotypes
from bayes_lmmlasso.cohort.tables import read_table, write_table
from bayes_lmmlasso.cohort.trait_design import PRESETS, SWEEPS, EffectLaw, TraitDesign
from bayes_lmmlasso.cohort.transforms import TraitTransform, fit_trait_transform
from bayes_lmmlasso.cohort.vcf import read_vcf
from bayes_lmmlasso.cohort.vcf_zarr import read_vcf_zarr

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

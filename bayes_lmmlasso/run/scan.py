"""A single-SNP scan from files to a table, by the linear or the mixed model."""

from __future__ import annotations

from typing import cast, get_args

import numpy as np
import pandas as pd
from scipy.special import chdtri

from bayes_lmmlasso.cohort import AnalysisSet
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import gower_scale, leave_one_chromosome_out
from bayes_lmmlasso.progress import StageClock
from bayes_lmmlasso.run.settings import KINSHIPS, RunSettings
from bayes_lmmlasso.run.stages import estimate_kinship, kinship_genotypes, read_analysis
from bayes_lmmlasso.scan import Scan, ScanMethod, scan, scan_by_chromosome

__all__ = ["SCANS", "run_scan", "scan_lines", "scan_table"]

SCANS: tuple[str, ...] = get_args(ScanMethod)
_N_NAMED = 5


def run_scan(settings: RunSettings, method: str, loco: bool, clock: StageClock) -> tuple[AnalysisSet, Scan]:
    """Test every SNP by itself.

    Parameters
    ----------
    settings
        Data, filters and kinship.
    method
        A method of `bayes_lmmlasso.scan.association`.
    loco
        Whether the kinship of a SNP leaves out its own chromosome.

    Raises
    ------
    InputError
        If an input is not as it should be, or the kinship cannot leave a chromosome out.
    """
    if method not in SCANS:
        raise InputError(f"expected --method to be one of {', '.join(SCANS)}, got {method!r}: choose one of these")
    if loco and (method == "lm" or settings.kinship not in KINSHIPS):
        given = "--method lm" if method == "lm" else f"--kinship {settings.kinship}"
        raise InputError(
            f"expected a mixed model with a kinship estimated from the genotypes for --loco, got {given}: "
            f"choose --kinship {', '.join(KINSHIPS)} and --method lmm-p3d or lmm-exact, or leave --loco out"
        )
    model = cast(ScanMethod, method)
    analysis = read_analysis(settings, clock)
    X, y, Z = analysis.X, analysis.y, analysis.covariates
    if loco:
        with clock("scan"):
            chromosomes = analysis.variants["chrom"].to_numpy()
            genotypes, estimator = kinship_genotypes(settings.kinship, analysis)
            kinships = leave_one_chromosome_out(genotypes, chromosomes, estimator)
            scaled = ((chromosome, gower_scale(K)) for chromosome, K in kinships)
            return analysis, scan_by_chromosome(X, y, chromosomes, scaled, covariates=Z, method=model)
    K = None
    if method != "lm":
        with clock("kinship"):
            K = gower_scale(estimate_kinship(settings.kinship, analysis, settings.bfile))
    with clock("scan"):
        return analysis, scan(X, y, K, covariates=Z, method=model)


def scan_table(analysis: AnalysisSet, result: Scan) -> pd.DataFrame:
    """Return one row a SNP: its effect in trait standard deviations per standard deviation of the SNP, and its test."""
    return analysis.variants.assign(beta=result.beta, se=result.se, p=result.p)


def scan_lines(analysis: AnalysisSet, result: Scan) -> list[str]:
    """Say what was tested, how inflated the tests are, and which SNPs come first.

    The genomic inflation is the median chi-square statistic over its expectation (Devlin and Roeder 1999,
    doi:10.1111/j.0006-341X.1999.00997.x).
    """
    n, p = analysis.X.shape
    values = result.p
    inflation = chdtri(1, np.nanmedian(values)) / chdtri(1, 0.5)
    order = np.argsort(result.log10_p, kind="stable")[:_N_NAMED]
    names = analysis.variants["snp"].to_numpy()
    return [
        f"{analysis.trait_name}: {n:,} samples, {p:,} SNPs",
        f"scan ({result.method}): {np.count_nonzero(values <= 0.05 / p):,} SNPs with p at most 0.05 / {p:,}, "
        f"genomic inflation {inflation:.3f}",
        "smallest p: " + ", ".join(f"{names[j]} ({values[j]:.2g})" for j in order),
    ]

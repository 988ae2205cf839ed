"""A single-SNP scan from files to a table, by the linear or the mixed model."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, cast, get_args

import numpy as np
import pandas as pd
from scipy.special import chdtri

from bayes_lmmlasso.cohort import AnalysisSet
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lmm import KinshipMethod, gower_scale, leave_one_chromosome_out
from bayes_lmmlasso.lmm.relatedness import KINSHIPS, kinship_genotypes
from bayes_lmmlasso.progress import StageClock
from bayes_lmmlasso.run.settings import DataSettings
from bayes_lmmlasso.run.stages import raw_kinship, read_analysis
from bayes_lmmlasso.scan import Scan, ScanMethod, scan, scan_by_chromosome
from bayes_lmmlasso.settings import Settings, knob

__all__ = ["ScanSettings", "run_scan", "scan_lines", "scan_table"]

_N_NAMED = 5


class ScanSettings(Settings):
    """The tests of single SNPs."""

    title: ClassVar[str] = "Tests"
    method: ScanMethod = knob(
        "lmm-p3d",
        "Model of the tests: linear, or mixed with variances of the null model, or of each SNP.",
        choices=get_args(ScanMethod),
    )
    loco: bool = knob(False, "Leave a SNP's own chromosome out of its kinship.")


def run_scan(data: DataSettings, tests: ScanSettings, clock: StageClock) -> tuple[AnalysisSet, Scan]:
    """Test every SNP by itself.

    Parameters
    ----------
    data
        Data, filters and kinship.
    tests
        How to test.
    clock
        Told of every stage.

    Raises
    ------
    InputError
        If an input is not as it should be, or the kinship cannot leave a chromosome out.
    """
    method = tests.method
    if tests.loco and (method == "lm" or data.has_given_kinship):
        given = "--method lm" if method == "lm" else f"--kinship {data.kinship}"
        raise InputError(
            f"expected a mixed model with a kinship estimated from the genotypes for --loco, got {given}: "
            f"choose --kinship {', '.join(KINSHIPS)} and --method lmm-p3d or lmm-exact, or leave --loco out"
        )
    analysis = read_analysis(data, clock, related=method != "lm")
    X, y, Z = analysis.X, analysis.y, analysis.covariates
    if tests.loco:
        with clock("scan"):
            chromosomes = analysis.variants["chrom"].to_numpy()
            estimator = cast(KinshipMethod, data.kinship)
            kinships = leave_one_chromosome_out(kinship_genotypes(analysis, estimator), chromosomes, estimator)
            scaled = ((chromosome, gower_scale(K)) for chromosome, K in kinships)
            return analysis, scan_by_chromosome(X, y, chromosomes, scaled, covariates=Z, method=method)
    K = None
    if method != "lm":
        with clock("kinship"):
            raw = raw_kinship(data, analysis)
            K = gower_scale(raw.matrix)
        analysis = replace(analysis, intake=analysis.intake.with_remarks(*raw.remarks))
    with clock("scan"):
        return analysis, scan(X, y, K, covariates=Z, method=method)


def scan_table(analysis: AnalysisSet, result: Scan) -> pd.DataFrame:
    """Return one row a SNP: its effect in trait standard deviations per standard deviation of the SNP, and its test."""
    return analysis.variants.assign(beta=result.beta, se=result.se, p=result.p)


def scan_lines(analysis: AnalysisSet, result: Scan) -> list[str]:
    """Say what was tested, how inflated the tests are, and which SNPs come first.

    The genomic inflation is the median chi-square statistic over its expectation (Devlin and Roeder 1999,
    doi:10.1111/j.0006-341X.1999.00997.x).
    """
    p = analysis.X.shape[1]
    values = result.p
    inflation = chdtri(1, np.nanmedian(values)) / chdtri(1, 0.5)
    order = np.argsort(result.log10_p, kind="stable")[:_N_NAMED]
    names = analysis.variants["snp"].to_numpy()
    return [
        *analysis.intake.lines(),
        f"scan ({result.method}): {np.count_nonzero(values <= 0.05 / p):,} SNPs with p at most 0.05 / {p:,}, "
        f"genomic inflation {inflation:.3f}",
        "smallest p: " + ", ".join(f"{names[j]} ({values[j]:.2g})" for j in order),
    ]

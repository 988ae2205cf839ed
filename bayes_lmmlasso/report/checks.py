"""What the guidelines for Bayesian analyses and for genetic association studies ask of a report, and where it answers.

BARG: Kruschke (2021), doi:10.1038/s41562-021-01177-7. STREGA: Little et al. (2009), doi:10.1371/journal.pmed.1000022.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["report_checks"]

_BARG = (
    ("BARG 1: data, likelihood, parameters and prior, in words and formally", "model", "Data and model"),
    ("BARG 1: prior predictive check", "prior", "Prior"),
    ("BARG 2: software and sampler", "convergence", "Convergence"),
    ("BARG 2: convergence and resolution of the chains", "convergence", "Convergence"),
    ("BARG 3: posterior of the parameters, with intervals", "findings", "Tables"),
    ("BARG 4: criteria of decisions, and the prior probability behind each Bayes factor", "verdict", "Verdict"),
    ("BARG 5: sensitivity to the prior", "prior", "Prior"),
    ("BARG 6: what it takes to repeat the analysis", "repeat", "How to repeat this run"),
)
_STREGA = (
    ("STREGA: individuals and variants left out, and why", "model", "Data and model"),
    ("STREGA: relatedness of the samples", "methods", "Methods: the polygenic background with the kinship"),
    ("STREGA: population stratification", "methods", "Methods: the kinship, and the covariates where given"),
    ("STREGA: multiple comparisons", "verdict", "Verdict: all SNPs are in one model, and regions are called by FDR"),
    ("STREGA: size of effects with their uncertainty", "findings", "Tables"),
)
_ELSEWHERE = (
    ("BARG 3: posterior predictive check of the trait", "", "not on this page: bl.plots"),
    ("STREGA: Hardy-Weinberg equilibrium", "", "not examined here"),
    ("STREGA: genotyping, imputation, and where it was done", "", "of the study, not of this analysis"),
)


def report_checks(record: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return items, each with the section of the page that answers it (none if empty) and its name."""
    no_prior = "prior" not in record["evidence"]
    answered = [(item, "" if no_prior and place == "prior" else place, where) for item, place, where in _BARG + _STREGA]
    return [*((item, place, where if place else "not computed") for item, place, where in answered), *_ELSEWHERE]

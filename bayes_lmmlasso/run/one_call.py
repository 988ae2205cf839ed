"""The one call: from genotypes and a trait to an `Analysis`, with or without a folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from bayes_lmmlasso.arguments import check_path, check_type
from bayes_lmmlasso.cohort import FORMATS, Cohort, GenotypeSource
from bayes_lmmlasso.cohort.formats.finding import find_genotypes
from bayes_lmmlasso.cohort.tables import TableLike
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.progress import Progress, silent
from bayes_lmmlasso.run.analysis import Analysis, with_covariates
from bayes_lmmlasso.run.pipeline import run
from bayes_lmmlasso.run.settings import FilterSettings, RunSettings

__all__ = ["analyse"]

_DATA = {*FORMATS, "pheno", "covar"}  # which have arguments of their own
_CODING = ("ploidy", "missing_code", "covar_names", "categorical")


def analyse(
    genotypes: Cohort | GenotypeSource | str | PathLike[str],
    trait: str,
    *,
    phenotypes: TableLike | None = None,
    covariates: TableLike | Iterable[str] | None = None,
    out: str | PathLike[str] | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
    **options: Any,
) -> Analysis:
    """Analyse a trait: point estimate, stability, posterior, tables and report.

    Parameters
    ----------
    genotypes
        A cohort with the trait, from any reader or from `cohort_from_arrays`; or where the genotypes are: a PLINK
        prefix, a VCF, a VCF Zarr, BIMBAM mean genotypes or a matrix.
    trait
        Column of the trait table, or trait of the cohort.
    phenotypes
        Trait table, for genotypes from files; None takes the traits that the files bring, as a .fam does.
    covariates
        Covariate table, of which all columns are used, for genotypes from files; names of covariates for a cohort, by
        default those that it was read with.
    out
        Folder for the results; an interrupted run in it goes on with `bayes_lmmlasso.run.resume`. None keeps them in
        a temporary folder, as long as the `Analysis` lives.
    overwrite
        Whether an earlier run in ``out`` may be replaced.
    progress
        Told of every stage.
    **options
        Options of the groups in `bayes_lmmlasso.run.RunSettings`: ``kinship``, ``model``, ``maf``, ``missing``,
        ``transform``, ``n_active``, ``subsamples``, ``chains``, ``warmup``, ``draws``, ``window``, ``seed`` and so on,
        with the meaning and the defaults of ``bayes-lmmlasso run``.

    Returns
    -------
    Analysis

    Raises
    ------
    InputError
        If an argument or the data are not as they should be; ``out`` is then as it was.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> cohort = bl.simulate_cohort(n_samples=200, n_variants=1000)
    >>> truth = bl.simulate_trait(cohort, n_causal=3)
    >>> cohort = cohort.assign(height=("samples", truth.y))
    >>> analysis = bl.analyse(cohort, "height", model="spike_slab")  # doctest: +SKIP
    >>> analysis.inclusion.nlargest(3, "pip")  # doctest: +SKIP
    """
    given: dict[str, Any] = {"trait": check_type(trait, str, "the name of a trait", "name one"), "pheno": None}
    if isinstance(genotypes, Cohort):
        if coded := [name for name in _CODING if name in options]:
            raise InputError(
                f"expected {coded[0]} with genotypes from files, got it with a cohort: give it to the reader of the "
                "cohort"
            )
        cohort = with_covariates(genotypes, covariates, phenotypes)
    else:
        source = find_genotypes(genotypes)
        if covariates is not None and not isinstance(covariates, pd.DataFrame):
            covariates = check_path(covariates, "a covariate table")
        if phenotypes is not None and not isinstance(phenotypes, pd.DataFrame):
            phenotypes = check_path(phenotypes, "a trait table")
        if isinstance(phenotypes, pd.DataFrame) or isinstance(covariates, pd.DataFrame):
            coding = FilterSettings.read({name: options[name] for name in _CODING if name in options})
            source = replace(source, ploidy=coding.ploidy or source.ploidy)
            cohort = source.read(phenotypes, trait, covariates, **coding.coding)
        else:
            cohort = None
            given |= {source.format: source.path, "covar": covariates, "pheno": phenotypes}
    if own := [name for name in options if name in _DATA]:
        raise InputError(f"expected genotypes, phenotypes and covariates by these names, got {own[0]!r}: rename it")
    settings = RunSettings.of(**given, **options)
    if out is not None:
        folder = check_path(out, "a folder for the results")
        run(settings, folder, cohort=cohort, overwrite=overwrite, progress=progress)
        return Analysis(folder)
    folder = Path(tempfile.mkdtemp(prefix="bayes-lmmlasso-"))
    try:
        run(settings, folder, cohort=cohort, progress=progress)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Analysis(folder, temporary=True)

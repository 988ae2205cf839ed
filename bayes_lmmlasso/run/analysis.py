"""A finished analysis as one object, whether it has just been made or lies in a folder."""

from __future__ import annotations

import shutil
import warnings
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_lmmlasso.arguments import check_path, named
from bayes_lmmlasso.cohort import Cohort, GenotypeSource
from bayes_lmmlasso.cohort.dataset import check_cohort
from bayes_lmmlasso.cohort.formats.finding import find_genotypes
from bayes_lmmlasso.cohort.new_samples import compare_frequencies
from bayes_lmmlasso.cohort.tables import TableLike
from bayes_lmmlasso.display import Display, describe
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.lasso import Selector, StabilitySelection
from bayes_lmmlasso.lmm import CrossKinship, NullModel
from bayes_lmmlasso.posterior import (
    PointEstimate,
    predict_cohort,
    read_point_estimate,
    read_stability,
    read_training,
    read_tree,
)
from bayes_lmmlasso.posterior.summaries.shares import share_table
from bayes_lmmlasso.posterior.tree.selection import selection_group
from bayes_lmmlasso.report.cautions import cautions
from bayes_lmmlasso.report.tables import OutputFile, priors_of, read_tsv
from bayes_lmmlasso.report.verdict import Verdict
from bayes_lmmlasso.run.analysis_plots import AnalysisPlots
from bayes_lmmlasso.run.commands.predict import (
    TREE_SUMS,
    check_predictions,
    fit_of_kinship,
    kinship_of_new,
    read_new_samples,
)
from bayes_lmmlasso.run.folder import check_files, read_record
from bayes_lmmlasso.run.pipeline import rebuild_report

__all__ = ["Analysis", "open_run", "with_covariates"]


@dataclass(frozen=True, eq=False, repr=False)
class Analysis(Display):
    """A finished analysis; its parts are read from its folder when they are used, once.

    Attributes
    ----------
    folder
        Where its files are.
    temporary
        Whether the folder is deleted with this object.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> analysis = bl.open_run("results/cd8")  # doctest: +SKIP
    >>> analysis.inclusion.nlargest(10, "pip")  # doctest: +SKIP
    >>> analysis.predict("new_mice", covariates="new_ages.tsv")  # doctest: +SKIP
    """

    folder: Path
    temporary: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", check_path(self.folder, "the folder of a run"))
        if self.temporary:
            weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    @cached_property
    def record(self) -> dict[str, Any]:
        """``run.json``: arguments, versions, data, null model, evidence, timings."""
        return read_record(self.folder)

    @cached_property
    def inclusion(self) -> pd.DataFrame:
        """``inclusion.tsv``: one row a SNP, point estimate, stability and posterior side by side."""
        return self._table("inclusion").astype({"path_rank": "Int64"})

    @cached_property
    def windows(self) -> pd.DataFrame:
        """``windows.tsv``: one row a window of the genome."""
        return self._table("windows")

    @cached_property
    def hyper(self) -> pd.DataFrame:
        """``hyper.tsv``: one row a hyper-parameter, named in the index."""
        return self._table("hyper").set_index("parameter")

    @cached_property
    def credible_sets(self) -> pd.DataFrame:
        """``credible_sets.tsv``: one row a credible set.

        Raises
        ------
        InputError
            If the model has no exact zeros.
        """
        if not self.tree.attrs["exact_zeros"]:
            raise InputError(
                f"expected a model with exact zeros, such as spike_slab, for credible sets, got "
                f"{self.tree.attrs['model']}: read the windows"
            )
        return self._table("credible_sets")

    @cached_property
    def priors(self) -> pd.DataFrame:
        """``priors.tsv``: one row a prior; the analysis under each but the first is in a folder of its name.

        Raises
        ------
        InputError
            If there is one prior.
        """
        if len(priors_of(self.record)) == 1:
            raise InputError(
                f"expected an analysis under several priors, got one under {self.record['arguments']['model']}: give "
                "--model two, such as spike_slab,laplace"
            )
        return self._table("priors")

    @cached_property
    def tree(self) -> xr.DataTree:
        """``posterior.zarr`` as ArviZ reads it; arrays are loaded when used, at once if the folder is temporary."""
        check_files(self.folder, self.record, TREE_SUMS)
        tree = read_tree(self.folder / "posterior.zarr")
        return tree.load() if self.temporary else tree

    @cached_property
    def shares(self) -> pd.DataFrame:
        """Shares of variance: posterior median and 95% interval of SNP effects, polygenic background and noise."""
        return share_table(self.tree)

    @cached_property
    def path(self) -> PointEstimate:
        """The point estimate: last solution of the Lasso path, and the way to it."""
        return read_point_estimate(self.tree)

    @cached_property
    def stability(self) -> StabilitySelection:
        """The stability selection; its selector has the covariates in the precision of the tree."""
        covariates = self.tree.children["constant_data"].dataset["covariates"].values
        n_active = self.record["arguments"].get("n_active")
        return read_stability(self.tree, Selector(n_active=n_active, covariates=covariates, method="reml"))

    @cached_property
    def null_model(self) -> NullModel:
        """The null model, by REML."""
        group = selection_group(self.tree, "point_estimate")
        numbers = {name: np.nan if value is None else value for name, value in self.record["null_model"].items()}
        return NullModel(
            **numbers | {"fixed_effects": np.array(numbers["fixed_effects"], dtype=float)},
            grid=group["log_delta_grid"].values,
            profile=group["log_likelihood_profile"].values,
        )

    @property
    def verdict(self) -> Verdict:
        """Which regions are supported or suggestive, or that none is, and what to do next."""
        return Verdict.of(self.record, self.windows)

    @property
    def plots(self) -> AnalysisPlots:
        """Its figures."""
        return AnalysisPlots(self)

    @property
    def cautions(self) -> list[str]:
        """What calls for caution, in plain sentences; empty if nothing does."""
        return cautions(self.record)

    def predict(
        self,
        genotypes: Cohort | GenotypeSource | str | PathLike[str],
        *,
        covariates: TableLike | None = None,
        kinship: CrossKinship | str | PathLike[str] | None = None,
        interval: float = 0.95,
    ) -> pd.DataFrame:
        """Predict the trait of new samples, in trait units.

        Parameters
        ----------
        genotypes
            A cohort with every analysed SNP and the covariates, or the file with the genotypes.
        covariates
            Table with the covariates of the analysis, for genotypes from a file.
        kinship
            Kinship of the new samples with the analysed ones, or the file that holds it, where the analysis was given
            a kinship.
        interval
            Probability of the interval ``lo`` to ``hi``.

        Returns
        -------
        pandas.DataFrame
            Columns fid, iid, mean, sd, lo, hi; samples that lack a covariate are left out.

        Raises
        ------
        InputError
            If the genotypes, covariates or kinship are not those that the analysis needs.

        Warns
        -----
        UserWarning
            If allele frequencies look as if alleles were swapped, or the kinship is not that of the genotypes.
        """
        training = read_training(self.tree)
        if isinstance(genotypes, Cohort):
            cohort = with_covariates(genotypes, covariates)
        else:
            cohort = read_new_samples(training, find_genotypes(genotypes), covariates, self.record["arguments"])
        for remark in compare_frequencies(cohort, training.variants, training.mean):
            warnings.warn(remark.text, stacklevel=2)
        given = kinship if kinship is None or isinstance(kinship, CrossKinship) else check_path(kinship, "a kinship")
        kin = kinship_of_new(training, cohort, given)
        if kin is not None:
            fit = fit_of_kinship(self.tree, cohort, kin, named(kinship))
            if fit.caution:
                warnings.warn(fit.text, stacklevel=2)
        return check_predictions(predict_cohort(self.tree, cohort, kin, interval=interval))

    def report(self, path: str | PathLike[str] | None = None) -> Path:
        """Write the analysis as one page of HTML, by default ``report.html`` in its folder, and return its path.

        Raises
        ------
        InputError
            If the posterior was only sampled, or by another version, or the path cannot be written.
        """
        target = None if path is None else OutputFile(check_path(path, "a page")).path
        return rebuild_report(self.folder, target)

    def _repr_html_(self) -> str:
        if self.record["command"] != "run":
            return super()._repr_html_()

        from bayes_lmmlasso.report.card import analysis_card  # Matplotlib

        return analysis_card(self.record, self.inclusion, self.windows, self.cautions)

    def _table(self, name: str) -> pd.DataFrame:
        check_files(self.folder, self.record, f"{name}.tsv")
        return read_tsv(self.folder / f"{name}.tsv")

    def _described(self) -> Iterator[tuple[str, str]]:
        data, arguments = self.record["data"], self.record["arguments"]
        yield "trait", data["trait"]
        yield "data", f"{data['samples']['kept']:,} samples, {data['snps']['kept']:,} SNPs"
        yield "model", f"{arguments['model']}, kinship {arguments['kinship']}, seed {self.record['seed']}"
        for name, row in self.shares.iterrows():
            yield str(name), f"{row['median']:.1%} [{row['lo']:.1%}, {row['hi']:.1%}] of the variance"
        if self.record["command"] == "run":
            yield "inclusion", describe(self.inclusion)
            yield "windows", describe(self.windows)
            yield "verdict", describe(self.verdict.sentence)
        for k, caution in enumerate(self.cautions):
            yield f"caution {k + 1}", describe(caution)
        yield "folder", f"{self.folder}{' (temporary)' if self.temporary else ''}"


def open_run(folder: str | PathLike[str]) -> Analysis:
    """Open the folder of a finished run.

    Parameters
    ----------
    folder
        What was given to ``--out`` of ``bayes-lmmlasso run`` or to ``out`` of `analyse`. That of ``bayes-lmmlasso
        sample`` has neither tables of SNPs and windows nor point estimate.

    Raises
    ------
    InputError
        If there is no run, or it has not finished.

    Examples
    --------
    >>> import bayes_lmmlasso as bl
    >>> bl.open_run("results/cd8").cautions  # doctest: +SKIP
    """
    analysis = Analysis(check_path(folder, "the folder of a run"))
    _ = analysis.record
    return analysis


def with_covariates(cohort: Cohort, covariates: object, phenotypes: object = None) -> Cohort:
    """Return a cohort that names its covariates.

    Raises
    ------
    InputError
        If tables are given, which the cohort has been joined with already.
    """
    if phenotypes is not None or isinstance(covariates, str | PathLike | pd.DataFrame):
        raise InputError(
            f"expected a cohort with its trait and covariates, got a table beside it as well ("
            f"{named(covariates if phenotypes is None else phenotypes)}): give the tables to the reader of the "
            "cohort, and here the names of covariates"
        )
    if covariates is None:
        return check_cohort(cohort).assign_attrs(covariates=cohort.attrs.get("covariates", []))
    if not isinstance(covariates, Iterable):
        raise InputError(f"expected names of covariates, got {named(covariates)}: name columns of the cohort")
    return check_cohort(cohort).assign_attrs(covariates=list(covariates))

"""What a run finds: tables, the posterior, and the evidence for them."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from bayes_lmmlasso.posterior import (
    Projection,
    add_point_estimate,
    add_prior,
    add_stability,
    add_training,
    compact,
    credible_sets,
    hyper_table,
    inclusion_table,
    project_posterior,
    window_table,
    write_tree,
)
from bayes_lmmlasso.posterior.sampler.folder_store import stored_sites
from bayes_lmmlasso.posterior.sampler.record import SamplingRecord
from bayes_lmmlasso.posterior.summaries.shares import share_table
from bayes_lmmlasso.posterior.tree.build import build_tree
from bayes_lmmlasso.progress import StageClock
from bayes_lmmlasso.report.evidence import ProjectionEvidence, SamplingEvidence, SelectionEvidence
from bayes_lmmlasso.report.prior_evidence import PriorEvidence
from bayes_lmmlasso.report.tables import write_tsv
from bayes_lmmlasso.run.folder import CHECKPOINT
from bayes_lmmlasso.run.record import SNP_VARIANCE_SHARE, WINDOW_VARIANCE_SHARE, data_record, null_record
from bayes_lmmlasso.run.result import RunResult, SamplingResult
from bayes_lmmlasso.run.settings import RunSettings
from bayes_lmmlasso.run.stages import MixedModel, Selection

__all__ = ["write_results", "write_samples"]


def write_results(
    settings: RunSettings,
    record: dict[str, Any],
    mixed: MixedModel,
    selection: Selection,
    sampled: SamplingRecord,
    store: Path,
    clock: StageClock,
) -> RunResult:
    """Write all tables of a run into its store.

    Parameters
    ----------
    settings
        What was asked for.
    record
        What ``run.json`` says of it.
    mixed, selection, sampled
        What the steps before have found.
    store
        The folder, which holds the draws already.
    clock
        Told of every stage.
    """
    path, stability = selection.path, selection.stability
    tree = _posterior(settings, mixed, sampled, store)
    add_point_estimate(tree, path, mixed.null_model)
    add_stability(tree, stability)
    projection = _project(tree, clock)
    with clock("windows"):
        windows = window_table(
            tree, settings.windows.window, WINDOW_VARIANCE_SHARE, snp_variance_share=SNP_VARIANCE_SHARE
        )
        write_tsv(windows, store / "windows.tsv")
    tree = _store_posterior(tree, settings, store, clock)
    with clock("tables"):
        hyper = _write_hyper(tree, store)
        inclusion = inclusion_table(
            tree,
            path=path,
            stability=stability,
            scan=pd.DataFrame({"p": selection.scan.p}),
            variance_share=SNP_VARIANCE_SHARE,
            selection_freq=projection.frequency,
        )
        write_tsv(inclusion, store / "inclusion.tsv")
    if tree.attrs["exact_zeros"]:
        with clock("credible sets"):
            write_tsv(credible_sets(tree), store / "credible_sets.tsv")
    with clock("evidence"):
        evidence = {
            "selection": asdict(SelectionEvidence.of(path, stability)),
            "projection": asdict(ProjectionEvidence.of(projection)),
            "sampling": asdict(SamplingEvidence.of(tree, hyper, inclusion, SNP_VARIANCE_SHARE)),
            "prior": asdict(PriorEvidence.of(tree, settings.windows.window)),
        }
        record = record | _found(settings, mixed, evidence)
    return RunResult(store, record, hyper, share_table(tree), inclusion, windows)


def write_samples(
    settings: RunSettings,
    record: dict[str, Any],
    mixed: MixedModel,
    sampled: SamplingRecord,
    store: Path,
    clock: StageClock,
) -> SamplingResult:
    """Write the posterior and the table of hyper-parameters into the store; parameters as of `write_results`."""
    tree = _posterior(settings, mixed, sampled, store)
    tree = _store_posterior(tree, settings, store, clock)
    with clock("tables"):
        hyper = _write_hyper(tree, store)
    with clock("evidence"):
        record = record | _found(settings, mixed, {"sampling": asdict(SamplingEvidence.of(tree, hyper))})
    return SamplingResult(store, record, hyper, share_table(tree))


def _posterior(settings: RunSettings, mixed: MixedModel, sampled: SamplingRecord, store: Path) -> xr.DataTree:
    """Return the tree of a run's draws."""
    tree = build_tree(sampled, stored_sites(store / CHECKPOINT), mixed.analysis.X.T, mixed.analysis)
    add_training(tree, mixed.analysis, settings.data.kinship, mixed.kinship_scale)
    add_prior(tree)
    return tree


def _project(tree: xr.DataTree, clock: StageClock) -> Projection:
    """Select SNPs on every draw of the signal, as many as the point estimate has and in its metric."""
    with clock("projection") as remark:
        projection = project_posterior(tree, progress=clock.progress)
        remark(f"{len(projection.n_selected)} draws")
    return projection


def _store_posterior(tree: xr.DataTree, settings: RunSettings, store: Path, clock: StageClock) -> xr.DataTree:
    """Write ``posterior.zarr``, and return what was written."""
    if settings.sampling.effects == "summary":
        with clock("summaries"):
            tree = compact(tree, SNP_VARIANCE_SHARE)
    with clock("posterior"):
        shutil.rmtree(store / "posterior.zarr", ignore_errors=True)  # of an attempt that was interrupted
        write_tree(tree, store / "posterior.zarr")
    return tree


def _write_hyper(tree: xr.DataTree, store: Path) -> pd.DataFrame:
    """Write and return the table of hyper-parameters."""
    hyper = hyper_table(tree)
    write_tsv(hyper.rename_axis("parameter").reset_index(), store / "hyper.tsv")
    return hyper


def _found(settings: RunSettings, mixed: MixedModel, evidence: dict[str, Any]) -> dict[str, Any]:
    """Return what ``run.json`` says besides the starting_record, the timings and that the run is finished."""
    return {
        "data": data_record(settings, mixed),
        "null_model": null_record(mixed.null_model),
        "evidence": evidence,
    }

"""The command line: options in, one call, a few lines out.

Results go to stdout, progress and errors to stderr. Bad input ends with one sentence and status 2.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from bayes_lmmlasso.cohort import fetch as fetch_files
from bayes_lmmlasso.cohort import read_registry
from bayes_lmmlasso.cohort.intake import intake_lines
from bayes_lmmlasso.options import Command, Commands, takes_groups
from bayes_lmmlasso.progress import StageClock
from bayes_lmmlasso.report.tables import OutputFile
from bayes_lmmlasso.run import RunResult, RunSettings, rebuild_report, run_demo, run_sampling
from bayes_lmmlasso.run import resume as resume_analysis
from bayes_lmmlasso.run import run as run_analysis
from bayes_lmmlasso.run.commands.scan import ScanSettings, run_scan, scan_lines, scan_table
from bayes_lmmlasso.run.commands.simulate import DesignSettings, SimulationSettings, run_simulation, simulation_lines
from bayes_lmmlasso.run.commands.stage_tables import null_table, path_table, stability_table
from bayes_lmmlasso.run.commands.summary import (
    demo_lines,
    null_lines,
    path_lines,
    prediction_lines,
    run_lines,
    sampling_lines,
    stability_lines,
)
from bayes_lmmlasso.run.folder import can_resume
from bayes_lmmlasso.run.settings import (
    DataSettings,
    GenotypeSettings,
    LassoSettings,
    PathSettings,
    SamplingSettings,
    SeedSettings,
    WindowSettings,
)
from bayes_lmmlasso.run.stages import find_path, find_stability, fit_mixed_model
from bayes_lmmlasso.terminal import stage_bars, stoppable, tell

__all__ = ["app", "main"]

app = typer.Typer(
    name="bayes-lmmlasso",
    cls=Commands,
    help="Bayesian LMM-Lasso: association mapping with posterior uncertainty and correction for relatedness.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

OutDir = Annotated[Path, typer.Option(help="Folder for the results.", metavar="DIR")]
OutFile = Annotated[Path, typer.Option(help="Tab-separated file for the result.", metavar="FILE")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an earlier run in DIR.")]
Folder = Annotated[Path, typer.Argument(help="Folder of a finished run.", metavar="DIR")]


def _command(function: Callable[..., None]) -> Callable[..., None]:
    """Make a command of a function that takes groups of settings."""
    return app.command(cls=Command)(takes_groups(function))


@_command
def demo(random: SeedSettings, out: OutDir = Path("bayes-lmmlasso-demo")) -> None:
    """Simulate a structured cohort, analyse it, and say what was recovered (about a minute)."""
    with stage_bars() as progress:
        result = run_demo(out, seed=random.seed, progress=progress)
    tell(demo_lines(result))


@_command
def run(
    data: DataSettings,
    out: OutDir,
    lasso: LassoSettings,
    sampling: SamplingSettings,
    windows: WindowSettings,
    random: SeedSettings,
    overwrite: Overwrite = False,
) -> None:
    """Analyse one trait: point estimate, stability, posterior, tables and report in DIR."""
    settings = RunSettings(data=data, lasso=lasso, sampling=sampling, windows=windows, random=random)
    with stoppable(out, can_resume) as progress:
        result = run_analysis(settings, out, overwrite=overwrite, own_processes=True, progress=progress)
    tell(run_lines(result))


@_command
def sample(
    data: DataSettings, out: OutDir, sampling: SamplingSettings, random: SeedSettings, overwrite: Overwrite = False
) -> None:
    """Sample the posterior alone: posterior.zarr, hyper.tsv and run.json in DIR."""
    settings = RunSettings(data=data, sampling=sampling, random=random)
    with stoppable(out, can_resume) as progress:
        result = run_sampling(settings, out, overwrite=overwrite, own_processes=True, progress=progress)
    tell([*intake_lines(result.record["data"]), *sampling_lines(result), f"posterior: {out / 'posterior.zarr'}"])


@_command
def resume(
    folder: Annotated[Path, typer.Argument(help="Folder of an interrupted or finished run.", metavar="DIR")],
    draws: Annotated[int | None, typer.Option(help="Draws of each chain to keep, in place of the run's.")] = None,
    until: Annotated[str | None, typer.Option(help="Targets, in place of the run's.", metavar="TARGETS")] = None,
) -> None:
    """Go on with an interrupted run as if it had not been, or add draws to a finished one."""
    with stoppable(folder, can_resume) as progress:
        result = resume_analysis(folder, draws=draws, until=until, own_processes=True, progress=progress)
    tell(run_lines(result) if isinstance(result, RunResult) else sampling_lines(result))


@_command
def null(data: DataSettings, out: OutFile) -> None:
    """Fit the null model by REML: heritability and variances, one row in FILE."""
    target = OutputFile(out)
    with stage_bars() as progress:
        mixed = fit_mixed_model(data, StageClock(progress))
    tell(target.write(null_table(mixed), null_lines(mixed)))


@_command
def scan(data: DataSettings, tests: ScanSettings, out: OutFile) -> None:
    """Test every SNP by itself, in the linear or the mixed model, one row a SNP in FILE."""
    target = OutputFile(out)
    with stage_bars() as progress:
        analysis, result = run_scan(data, tests, StageClock(progress))
    tell(target.write(scan_table(analysis, result), scan_lines(analysis, result)))


@_command
def path(data: DataSettings, lasso: PathSettings, out: OutFile) -> None:
    """Follow the LMM-Lasso path: point estimate and order of entry, one row a SNP in FILE."""
    target = OutputFile(out)
    with stage_bars() as progress:
        clock = StageClock(progress)
        mixed = fit_mixed_model(data, clock)
        solution = find_path(lasso, mixed, clock)
    tell(target.write(path_table(mixed, solution), [*null_lines(mixed), *path_lines(mixed, solution)]))


@_command
def stability(data: DataSettings, lasso: LassoSettings, random: SeedSettings, out: OutFile) -> None:
    """Select SNPs on many subsamples: selection frequency, one row a SNP in FILE."""
    target = OutputFile(out)
    with stage_bars() as progress:
        clock = StageClock(progress)
        mixed = fit_mixed_model(data, clock)
        selection = find_stability(lasso, random.seed, mixed, clock)
    mixed = mixed.with_remarks(*selection.remarks)
    tell(target.write(stability_table(mixed, selection), [*null_lines(mixed), *stability_lines(mixed, selection)]))


@_command
def simulate(
    out: OutDir,
    simulation: SimulationSettings,
    design: DesignSettings,
    random: SeedSettings,
    overwrite: Overwrite = False,
) -> None:
    """Simulate traits with known causal SNPs on real or simulated genotypes, with the truth, in DIR."""
    made = design.design()
    with stage_bars() as progress:
        simulated = run_simulation(simulation, made, random.seed, out, overwrite=overwrite, progress=progress)
    tell(simulation_lines(simulated, simulation, made, out))


@_command
def report(folder: Folder) -> None:
    """Make report.html of a finished run again, from its tables and posterior."""
    tell([f"report: {rebuild_report(folder)}"])


@_command
def compare(
    studies: Annotated[list[Path], typer.Argument(help="Files that state a study each.", metavar="STUDY.toml...")],
    out: OutDir,
    scheduler: Annotated[
        str | None, typer.Option(help="Dask scheduler to compute on, such as tcp://127.0.0.1:8786.", metavar="ADDRESS")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=10_000, help="Processes.", show_default="cores")] = None,
    replicates: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="Simulated traits for each setting, for a trial.")
    ] = None,
) -> None:
    """Compare methods as STUDY.toml says; cells that DIR knows are not computed again.

    Of several studies each has a folder of its own in DIR, named after its file.
    """
    from bayes_lmmlasso.studies.folder import run_studies, study_lines  # seconds, and hundreds of megabytes

    changes = {} if replicates is None else {"replicates": replicates}
    with stage_bars() as progress:
        results = run_studies(studies, out, scheduler=scheduler, workers=workers, changes=changes, progress=progress)
    tell([line for result in results for line in study_lines(result)])


@_command
def predict(
    folder: Folder,
    genotypes: GenotypeSettings,
    out: OutFile,
    covar: Annotated[Path | None, typer.Option(help="Table with the covariates of the run.", metavar="FILE")] = None,
    kinship: Annotated[
        Path | None,
        typer.Option(help="Kinship of new with analysed samples, if the run was given one.", metavar="FILE"),
    ] = None,
) -> None:
    """Predict the trait of genotyped samples: mean, sd and 95% interval, one row a sample in FILE."""
    from bayes_lmmlasso.run.commands.predict import predict_run  # ArviZ and more

    target = OutputFile(out)
    prediction = predict_run(folder, genotypes.genotypes, covar, kinship)
    tell(target.write(prediction.table, prediction_lines(prediction)))


@_command
def fetch(
    name: Annotated[str | None, typer.Argument(help="A data set; without one, all are listed.", metavar="NAME")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the files; NAME by default.", metavar="DIR")] = None,
    registry: Annotated[str | None, typer.Option(help="Another registry of data sets.", metavar="FILE|URL")] = None,
) -> None:
    """Fetch a public data set; an interrupted download goes on, every file is verified."""
    if name is None:
        tell(f"{entry.name}: {entry.about}" for entry in read_registry(registry).values())
        return
    with stage_bars() as progress:
        paths = fetch_files(name, out, registry=registry, progress=progress)
    tell(f"file: {path}" for path in paths)


def main() -> None:
    """Run the command line."""
    app()

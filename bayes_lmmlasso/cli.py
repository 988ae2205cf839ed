"""The command line: options in, one call, a few lines out.

Results go to stdout, progress and errors to stderr. Bad input ends with one sentence and status 2.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

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
from bayes_lmmlasso.run.commands.findings import result_found, rows, table_found
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
from bayes_lmmlasso.run.result import SamplingResult
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
from bayes_lmmlasso.terminal import OUTPUT, PROGRAM, repeatable, stage_bars, stoppable, tell

__all__ = ["app", "main"]

app = typer.Typer(
    name=PROGRAM,
    cls=Commands,
    help="Bayesian LMM-Lasso: association mapping with posterior uncertainty and correction for relatedness.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

OutDir = Annotated[Path, typer.Option(help="Folder for the results.", metavar="DIR", rich_help_panel=OUTPUT)]
OutFile = Annotated[
    Path, typer.Option(help="Tab-separated file for the result.", metavar="FILE", rich_help_panel=OUTPUT)
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an earlier run in DIR.", rich_help_panel=OUTPUT)]
Folder = Annotated[Path, typer.Argument(help="Folder of a finished run.", metavar="DIR", rich_help_panel="Arguments")]

START, STEPS, AFTER, METHODS = "From data to report", "Single steps", "With a finished run", "Studies and data sets"
_DATA = "--bfile mice --pheno traits.tsv --trait cd8"


def _command(section: str, *examples: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a command of a function that takes groups of settings: its section of help, and how it is called."""

    def make(function: Callable[..., None]) -> Callable[..., None]:
        command = takes_groups(function)
        vars(command)["examples"] = examples
        return app.command(cls=Command, rich_help_panel=section)(command)

    return make


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{PROGRAM} {version(PROGRAM)}")
        raise typer.Exit


@app.callback()
def start(
    _: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", is_eager=True, callback=_tell_version)
    ] = False,
) -> None:
    """Bayesian LMM-Lasso: association mapping with posterior uncertainty and correction for relatedness.

    Begin with `bayes-lmmlasso demo`; `bayes-lmmlasso COMMAND --help` has examples of each command.
    """


@_command(START, "demo", "demo --out first-try --seed 7")
def demo(random: SeedSettings, out: OutDir = Path("bayes-lmmlasso-demo")) -> None:
    """Simulate a structured cohort, analyse it, and say what was recovered (two to three minutes)."""
    with repeatable() as progress:
        result = run_demo(out, seed=random.seed, progress=progress)
    tell(demo_lines(result), **_of_folder(result.run))


@_command(
    START,
    f"run {_DATA} --out results/cd8",
    f"run {_DATA} --model spike_slab,laplace --until minutes=30 --out results/cd8",
    "run --vcf lines.vcf.gz --ploidy 1 --pheno traits.csv --trait height --window 200kb --out results/height",
)
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
    tell(run_lines(result), **_of_folder(result))


@_command(START, "resume results/cd8", "resume results/cd8 --draws 2000")
def resume(
    folder: Annotated[Path, typer.Argument(help="Folder of an interrupted or finished run.", metavar="DIR")],
    draws: Annotated[int | None, typer.Option(help="Draws of each chain to keep, in place of the run's.")] = None,
    until: Annotated[str | None, typer.Option(help="Targets, in place of the run's.", metavar="TARGETS")] = None,
) -> None:
    """Go on with an interrupted run as if it had not been, or add draws to a finished one."""
    with stoppable(folder, can_resume) as progress:
        result = resume_analysis(folder, draws=draws, until=until, own_processes=True, progress=progress)
    tell(run_lines(result) if isinstance(result, RunResult) else sampling_lines(result), **_of_folder(result))


@_command(AFTER, "report results/cd8")
def report(folder: Folder) -> None:
    """Make report.html of a finished run again, from its tables and posterior."""
    page = rebuild_report(folder)
    tell([f"report: {page}"], files={"report": page})


@_command(
    AFTER,
    "predict results/cd8 --bfile new_mice --out predicted.tsv",
    "predict results/cd8 --bfile new_mice --covar new_ages.tsv --out predicted.tsv",
)
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
    lines = target.write(prediction.table, prediction_lines(prediction))
    tell(lines, found={"trait": prediction.trait_name, "samples": len(prediction.table)}, files=_of_table(target))


@_command(STEPS, f"null {_DATA} --out null.tsv")
def null(data: DataSettings, out: OutFile) -> None:
    """Fit the null model by REML: heritability and variances, one row in FILE."""
    target = OutputFile(out)
    with stage_bars() as progress:
        mixed = fit_mixed_model(data, StageClock(progress))
    table = null_table(mixed)
    tell(target.write(table, null_lines(mixed)), found=rows(table)[0], files=_of_table(target))


@_command(
    STEPS,
    f"scan {_DATA} --loco --out scan.tsv",
    f"scan {_DATA} --method lmm-exact --kinship kinship.txt --out scan.tsv",
)
def scan(data: DataSettings, tests: ScanSettings, out: OutFile) -> None:
    """Test every SNP by itself, in the linear or the mixed model, one row a SNP in FILE."""
    target = OutputFile(out)
    with stage_bars() as progress:
        analysis, result = run_scan(data, tests, StageClock(progress))
    table = scan_table(analysis, result)
    found = table_found(table, "p", smallest=True)
    tell(target.write(table, scan_lines(analysis, result)), found=found, files=_of_table(target))


@_command(STEPS, f"path {_DATA} --n-active 30 --out path.tsv")
def path(data: DataSettings, lasso: PathSettings, out: OutFile) -> None:
    """Follow the LMM-Lasso path: point estimate and order of entry, one row a SNP in FILE."""
    target = OutputFile(out)
    with stage_bars() as progress:
        clock = StageClock(progress)
        mixed = fit_mixed_model(data, clock)
        solution = find_path(lasso, mixed, clock)
    table, lines = path_table(mixed, solution), [*null_lines(mixed), *path_lines(mixed, solution)]
    tell(target.write(table, lines), found=table_found(table, "beta_map"), files=_of_table(target))


@_command(STEPS, f"stability {_DATA} --subsamples 200 --out stability.tsv")
def stability(data: DataSettings, lasso: LassoSettings, random: SeedSettings, out: OutFile) -> None:
    """Select SNPs on many subsamples: selection frequency, one row a SNP in FILE."""
    target = OutputFile(out)
    with stage_bars() as progress:
        clock = StageClock(progress)
        mixed = fit_mixed_model(data, clock)
        selection = find_stability(lasso, random.seed, mixed, clock)
    mixed = mixed.with_remarks(*selection.remarks)
    table, lines = stability_table(mixed, selection), [*null_lines(mixed), *stability_lines(mixed, selection)]
    tell(target.write(table, lines), found=table_found(table, "stability"), files=_of_table(target))


@_command(STEPS, f"sample {_DATA} --model laplace --out posterior/cd8")
def sample(
    data: DataSettings, out: OutDir, sampling: SamplingSettings, random: SeedSettings, overwrite: Overwrite = False
) -> None:
    """Sample the posterior alone: posterior.zarr, hyper.tsv and run.json in DIR."""
    settings = RunSettings(data=data, sampling=sampling, random=random)
    with stoppable(out, can_resume) as progress:
        result = run_sampling(settings, out, overwrite=overwrite, own_processes=True, progress=progress)
    lines = [*intake_lines(result.record["data"]), *sampling_lines(result), f"posterior: {out / 'posterior.zarr'}"]
    tell(lines, **_of_folder(result))


@_command(
    METHODS,
    "simulate --samples 500 --variants 5000 --replicates 20 --out simulated",
    "simulate --bfile mice --n-causal 10 --share-snps 0.5 --out simulated",
)
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
    found = {"causal": simulated.truth.to_dict("records")}
    tell(simulation_lines(simulated, simulation, made, out), found=found, files=_in_folder(out))


@_command(
    METHODS,
    "compare study.toml --out studies/first",
    "compare study.toml --replicates 2 --workers 4 --out trial",
)
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
    with repeatable() as progress:
        results = run_studies(studies, out, scheduler=scheduler, workers=workers, changes=changes, progress=progress)
    tell(
        [line for result in results for line in study_lines(result)],
        found={each.result.study.name: {"conclusions": each.conclusions} for each in results},
        files={f"{each.result.study.name}/{path.name}": path for each in results for path in _files(each.folder)},
    )


@_command(METHODS, "fetch", "fetch mouse_hs1940 --out data/mice")
def fetch(
    name: Annotated[str | None, typer.Argument(help="A data set; without one, all are listed.", metavar="NAME")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the files; NAME by default.", metavar="DIR")] = None,
    registry: Annotated[str | None, typer.Option(help="Another registry of data sets.", metavar="FILE|URL")] = None,
) -> None:
    """Fetch a public data set; an interrupted download goes on, every file is verified."""
    if name is None:
        known = {entry.name: entry.about for entry in read_registry(registry).values()}
        tell([f"{entry}: {about}" for entry, about in known.items()], found=known)
        return
    with repeatable() as progress:
        paths = fetch_files(name, out, registry=registry, progress=progress)
    tell([f"file: {path}" for path in paths], files={path.name: path for path in paths})


def _of_folder(result: SamplingResult) -> dict[str, dict[str, Any]]:
    """Return what a program is told of a run."""
    return {"found": result_found(result), "files": _in_folder(result.folder)}


def _in_folder(folder: Path) -> dict[str, Path]:
    """Return the results in a folder by name."""
    return {"folder": folder} | {path.name: path for path in _files(folder)}


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _of_table(target: OutputFile) -> dict[str, Path]:
    """Return a table and what is said of it."""
    return {"table": target.path, "log": target.log}


def main() -> None:
    """Run the command line."""
    app()

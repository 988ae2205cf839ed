"""The command line: options in, one call, a few lines out.

Results go to stdout, progress and errors to stderr. Bad input ends with one sentence and status 2.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from rich.console import Console
from typer.core import TyperGroup

from bayes_lmmlasso.bars import StageBars
from bayes_lmmlasso.cohort import FORMATS, PRESETS, EffectLaw, GenotypeSource, TraitDesign, read_registry
from bayes_lmmlasso.cohort import fetch as fetch_files
from bayes_lmmlasso.errors import InputError
from bayes_lmmlasso.models import MODELS, SAMPLERS
from bayes_lmmlasso.progress import StageClock
from bayes_lmmlasso.report.tables import OutputFile
from bayes_lmmlasso.run import RunResult, RunSettings, rebuild_report, run_demo, run_sampling
from bayes_lmmlasso.run import resume as resume_analysis
from bayes_lmmlasso.run import run as run_analysis
from bayes_lmmlasso.run.folder import can_resume
from bayes_lmmlasso.run.scan import SCANS, run_scan, scan_lines, scan_table
from bayes_lmmlasso.run.settings import EFFECTS, KINSHIPS, PRECISIONS, TRANSFORMS
from bayes_lmmlasso.run.simulate import BACKGROUNDS, SimulationSettings, run_simulation, simulation_lines
from bayes_lmmlasso.run.stage_tables import null_table, path_table, stability_table
from bayes_lmmlasso.run.stages import find_path, find_stability, fit_mixed_model
from bayes_lmmlasso.run.summary import (
    demo_lines,
    null_lines,
    path_lines,
    prediction_lines,
    run_lines,
    sampling_lines,
    stability_lines,
)

__all__ = ["app", "main"]


class _Commands(TyperGroup):
    """Commands whose bad input is told in one sentence on stderr, with status 2."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (InputError, ChildProcessError) as error:
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(2 if isinstance(error, InputError) else 1) from error


app = typer.Typer(
    name="bayes-lmmlasso",
    cls=_Commands,
    help="Bayesian LMM-Lasso: association mapping with posterior uncertainty and correction for relatedness.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

_DATA, _LASSO, _POSTERIOR = "Data", "Lasso", "Posterior"
_GENOTYPES = {
    "bfile": ("PLINK 1 file set PREFIX.bed/.bim/.fam.", "PREFIX"),
    "pgen": ("PLINK 2 file set PREFIX.pgen/.pvar/.psam.", "PREFIX"),
    "vcf": ("VCF, counted by DS or GT.", "FILE"),
    "vcf_zarr": ("VCF Zarr of bio2zarr.", "DIR"),
    "bimbam": ("BIMBAM mean genotypes NAME.geno.txt[.gz], with NAME.samples.txt and NAME.anno.txt beside.", "FILE"),
    "matrix": ("Delimited matrix of dosages with a header.", "FILE"),
}
GivenGenotypes = dict[str, Path | None]
Pheno = Annotated[Path, typer.Option(help="Table of traits with columns fid iid, or iid.", metavar="FILE")]
Trait = Annotated[str, typer.Option(help="Column of the trait table.", metavar="NAME")]
Covar = Annotated[Path | None, typer.Option(help="Table of covariates; all are used.", metavar="FILE")]
Kinship = Annotated[
    str,
    typer.Option(
        help="Estimator, file of a kinship, or table of parents.",
        metavar="|".join((*KINSHIPS, "FILE", "pedigree:FILE")),
    ),
]
Maf = Annotated[float, typer.Option(help="Least minor-allele frequency.")]
Missing = Annotated[float, typer.Option(help="Largest share of missing calls of a SNP.")]
Transform = Annotated[str, typer.Option(help="Transform of the trait.", metavar="|".join(TRANSFORMS))]
NActive = Annotated[int, typer.Option(help="SNPs in the Lasso solution, and in each subsample's.")]
Subsamples = Annotated[int, typer.Option(help="Subsamples for stability selection.")]
Fraction = Annotated[float, typer.Option(help="Share of the samples in each subsample.")]
Model = Annotated[str, typer.Option(help="Prior of the SNP effects.", metavar="|".join(MODELS))]
Chains = Annotated[int, typer.Option(help="Markov chains.")]
Warmup = Annotated[int | None, typer.Option(help="Draws of each chain to discard.", show_default="as the model needs")]
Draws = Annotated[int | None, typer.Option(help="Draws of each chain to keep.", show_default="as the model needs")]
Sampler = Annotated[str, typer.Option(help="How the posterior is sampled.", metavar="|".join(SAMPLERS))]
Sweeps = Annotated[
    int | None,
    typer.Option(help="Sweeps over the SNPs in each draw (composite sampler).", show_default="as the model needs"),
]
Until = Annotated[
    str | None, typer.Option(help="Stop when reached: rhat=1.01, mcse=0.02, minutes=15, or several with commas.")
]
Effects = Annotated[
    str, typer.Option(help="Draws of the effects to keep in posterior.zarr.", metavar="|".join(EFFECTS))
]
Precision = Annotated[str, typer.Option(help="Floating-point type of the sampler.", metavar="|".join(PRECISIONS))]
Devices = Annotated[int, typer.Option(help="Devices to spread the SNPs over.")]
Window = Annotated[str, typer.Option(help="Windows, such as 500kb, 2cM, 100snps, or ld for LD blocks.")]
Share = Annotated[float | None, typer.Option(help="Share of variance.", show_default="preset")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
OutDir = Annotated[Path, typer.Option(help="Folder for the results.", metavar="DIR")]
OutFile = Annotated[Path, typer.Option(help="Tab-separated file for the result.", metavar="FILE")]
Method = Annotated[str, typer.Option(help="Model of the tests.", metavar="|".join(SCANS))]
Loco = Annotated[bool, typer.Option("--loco", help="Leave a SNP's own chromosome out of its kinship.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an earlier run in DIR.")]


def _with_genotypes(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each format in place of its parameter ``genotypes``, which receives them all."""
    signature = inspect.signature(command, eval_str=True)
    own = [parameter for name, parameter in signature.parameters.items() if name != "genotypes"]
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_format_option(name))
        for name in FORMATS
    ]

    @wraps(command)
    def with_options(**given: Any) -> None:
        command(genotypes={name: given.pop(name) for name in FORMATS}, **given)

    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    with_options.__signature__ = signature.replace(parameters=[*options, *parameters])  # type: ignore[attr-defined]
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in (*options, *parameters)}
    return with_options


def _format_option(name: str) -> Any:
    text, metavar = _GENOTYPES[name]
    return Annotated[Path | None, typer.Option(help=text, metavar=metavar)]


@app.command()
def demo(out: OutDir = Path("bayes-lmmlasso-demo"), seed: Seed = 0) -> None:
    """Simulate a structured cohort, analyse it, and say what was recovered (about a minute)."""
    with _bars() as progress:
        result = run_demo(out, seed=seed, progress=progress)
    _tell(demo_lines(result))


@app.command()
@_with_genotypes
def run(
    genotypes: GivenGenotypes,
    pheno: Pheno,
    trait: Trait,
    out: OutDir,
    covar: Covar = None,
    kinship: Kinship = "rrm",
    model: Model = "laplace",
    maf: Maf = 0.01,
    missing: Missing = 0.05,
    transform: Transform = "none",
    n_active: NActive = 20,
    subsamples: Subsamples = 100,
    subsample_fraction: Fraction = 0.5,
    chains: Chains = 4,
    warmup: Warmup = None,
    draws: Draws = None,
    sampler: Sampler = "auto",
    sweeps: Sweeps = None,
    until: Until = None,
    effects: Effects = "summary",
    precision: Precision = "float32",
    devices: Devices = 1,
    window: Window = "1Mb",
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Analyse one trait: point estimate, stability, posterior, tables and report in DIR."""
    settings = _settings(locals())
    with _stoppable(out) as progress:
        result = run_analysis(settings, out, overwrite=overwrite, own_processes=True, progress=progress)
    _tell(run_lines(result))


@app.command()
@_with_genotypes
def sample(
    genotypes: GivenGenotypes,
    pheno: Pheno,
    trait: Trait,
    out: OutDir,
    covar: Covar = None,
    kinship: Kinship = "rrm",
    model: Model = "laplace",
    maf: Maf = 0.01,
    missing: Missing = 0.05,
    transform: Transform = "none",
    chains: Chains = 4,
    warmup: Warmup = None,
    draws: Draws = None,
    sampler: Sampler = "auto",
    sweeps: Sweeps = None,
    until: Until = None,
    effects: Effects = "summary",
    precision: Precision = "float32",
    devices: Devices = 1,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Sample the posterior alone: posterior.zarr, hyper.tsv and run.json in DIR."""
    settings = _settings(locals())
    with _stoppable(out) as progress:
        result = run_sampling(settings, out, overwrite=overwrite, own_processes=True, progress=progress)
    _tell([*sampling_lines(result), f"posterior: {out / 'posterior.zarr'}"])


@app.command()
def resume(
    folder: Annotated[Path, typer.Argument(help="Folder of an interrupted or finished run.", metavar="DIR")],
    draws: Draws = None,
    until: Until = None,
) -> None:
    """Go on with an interrupted run as if it had not been, or add draws to a finished one."""
    with _stoppable(folder) as progress:
        result = resume_analysis(folder, draws=draws, until=until, own_processes=True, progress=progress)
    _tell(run_lines(result) if isinstance(result, RunResult) else sampling_lines(result))


@app.command()
@_with_genotypes
def null(
    genotypes: GivenGenotypes,
    pheno: Pheno,
    trait: Trait,
    out: OutFile,
    covar: Covar = None,
    kinship: Kinship = "rrm",
    maf: Maf = 0.01,
    missing: Missing = 0.05,
    transform: Transform = "none",
) -> None:
    """Fit the null model by REML: heritability and variances, one row in FILE."""
    settings, target = _settings(locals()), OutputFile(out)
    with _bars() as progress:
        mixed = fit_mixed_model(settings, StageClock(progress))
    target.write(null_table(mixed))
    _tell([*null_lines(mixed), f"table: {out}"])


@app.command()
@_with_genotypes
def scan(
    genotypes: GivenGenotypes,
    pheno: Pheno,
    trait: Trait,
    out: OutFile,
    covar: Covar = None,
    method: Method = "lmm-p3d",
    kinship: Kinship = "rrm",
    loco: Loco = False,
    maf: Maf = 0.01,
    missing: Missing = 0.05,
    transform: Transform = "none",
) -> None:
    """Test every SNP by itself, in the linear or the mixed model, one row a SNP in FILE."""
    settings, target = _settings(locals()), OutputFile(out)
    with _bars() as progress:
        analysis, result = run_scan(settings, method, loco, StageClock(progress))
    target.write(scan_table(analysis, result))
    _tell([*scan_lines(analysis, result), f"table: {out}"])


@app.command()
@_with_genotypes
def path(
    genotypes: GivenGenotypes,
    pheno: Pheno,
    trait: Trait,
    out: OutFile,
    covar: Covar = None,
    kinship: Kinship = "rrm",
    maf: Maf = 0.01,
    missing: Missing = 0.05,
    transform: Transform = "none",
    n_active: NActive = 20,
) -> None:
    """Follow the LMM-Lasso path: point estimate and order of entry, one row a SNP in FILE."""
    settings, target = _settings(locals()), OutputFile(out)
    with _bars() as progress:
        clock = StageClock(progress)
        mixed = fit_mixed_model(settings, clock)
        solution = find_path(settings, mixed, clock)
    target.write(path_table(mixed, solution))
    _tell([*null_lines(mixed), *path_lines(mixed, solution), f"table: {out}"])


@app.command()
@_with_genotypes
def stability(
    genotypes: GivenGenotypes,
    pheno: Pheno,
    trait: Trait,
    out: OutFile,
    covar: Covar = None,
    kinship: Kinship = "rrm",
    maf: Maf = 0.01,
    missing: Missing = 0.05,
    transform: Transform = "none",
    n_active: NActive = 20,
    subsamples: Subsamples = 100,
    subsample_fraction: Fraction = 0.5,
    seed: Seed = 0,
) -> None:
    """Select SNPs on many subsamples: selection frequency, one row a SNP in FILE."""
    settings, target = _settings(locals()), OutputFile(out)
    with _bars() as progress:
        clock = StageClock(progress)
        mixed = fit_mixed_model(settings, clock)
        selection = find_stability(settings, mixed, clock)
    target.write(stability_table(mixed, selection))
    _tell([*null_lines(mixed), *stability_lines(mixed, selection), f"table: {out}"])


@app.command()
def simulate(
    out: OutDir,
    bfile: Annotated[
        Path | None,
        typer.Option(help="PLINK file set.", metavar="PREFIX", show_default="simulated genotypes"),
    ] = None,
    pheno: Annotated[Path | None, typer.Option(help="Table with the real trait.", metavar="FILE")] = None,
    trait: Annotated[str | None, typer.Option(help="Real trait behind the background.", metavar="NAME")] = None,
    covar: Covar = None,
    background: Annotated[
        str, typer.Option(help="Background: drawn, the real trait, or its BLUP.", metavar="|".join(BACKGROUNDS))
    ] = "drawn",
    kinship: Kinship = "rrm",
    preset: Annotated[str, typer.Option(help="Settings of the traits.", metavar="|".join(PRESETS))] = "balanced",
    n_causal: Annotated[int | None, typer.Option(help="Causal SNPs.", show_default="preset")] = None,
    effect_law: Annotated[
        str | None,
        typer.Option(help="Law of the effects.", metavar="|".join(get_args(EffectLaw)), show_default="preset"),
    ] = None,
    share_snps: Share = None,
    share_structure: Share = None,
    share_noise: Share = None,
    min_distance: Annotated[
        int | None, typer.Option(help="Least distance of causal SNPs in bp.", show_default="preset")
    ] = None,
    replicates: Annotated[int, typer.Option(help="Number of traits.")] = 1,
    maf: Maf = 0.01,
    missing: Missing = 0.05,
    samples: Annotated[int, typer.Option(help="Samples of simulated genotypes.")] = 300,
    variants: Annotated[int, typer.Option(help="SNPs of simulated genotypes.")] = 2000,
    populations: Annotated[int, typer.Option(help="Populations of simulated genotypes.")] = 3,
    chromosomes: Annotated[int, typer.Option(help="Chromosomes of simulated genotypes.")] = 3,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Simulate traits with known causal SNPs on real or simulated genotypes, with the truth, in DIR."""
    options = locals()
    if preset not in PRESETS:
        raise InputError(f"expected --preset {', '.join(PRESETS)}, got {preset!r}: choose one of these")
    changes = {field.name: options[field.name] for field in fields(TraitDesign)}
    design = replace(PRESETS[preset], **{name: value for name, value in changes.items() if value is not None})
    taken = {field.name: options[field.name] for field in fields(SimulationSettings) if field.name != "design"}
    settings = SimulationSettings(**taken, design=design)
    with _bars() as progress:
        truth = run_simulation(settings, out, overwrite=overwrite, progress=progress)
    _tell(simulation_lines(truth, settings, out))


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished run.", metavar="DIR")],
) -> None:
    """Make report.html of a finished run again, from its tables and posterior."""
    _tell([f"report: {rebuild_report(folder)}"])


@app.command()
def compare(
    studies: Annotated[list[Path], typer.Argument(help="Files that state a study each.", metavar="STUDY.toml...")],
    out: OutDir,
    scheduler: Annotated[
        str | None, typer.Option(help="Dask scheduler to compute on, such as tcp://127.0.0.1:8786.", metavar="ADDRESS")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes.", show_default="cores")] = None,
    replicates: Annotated[
        int | None, typer.Option(min=1, help="Simulated traits for each setting, for a trial.")
    ] = None,
) -> None:
    """Compare methods as STUDY.toml says; cells that DIR knows are not computed again.

    Of several studies each has a folder of its own in DIR, named after its file.
    """
    from bayes_lmmlasso.studies.folder import run_studies, study_lines  # seconds, and hundreds of megabytes

    changes = {} if replicates is None else {"replicates": replicates}
    with _bars() as progress:
        results = run_studies(studies, out, scheduler=scheduler, workers=workers, changes=changes, progress=progress)
    _tell([line for result in results for line in study_lines(result)])


@app.command()
@_with_genotypes
def predict(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished run.", metavar="DIR")],
    genotypes: GivenGenotypes,
    out: OutFile,
    covar: Covar = None,
    kinship: Annotated[
        Path | None,
        typer.Option(help="Kinship of new with analysed samples, if the run was given one.", metavar="FILE"),
    ] = None,
) -> None:
    """Predict the trait of genotyped samples: mean, sd and 95% interval, one row a sample in FILE."""
    from bayes_lmmlasso.run.predict import predict_run  # ArviZ and more

    target = OutputFile(out)
    prediction = predict_run(folder, GenotypeSource.of(genotypes), covar, kinship)
    target.write(prediction.table)
    _tell([*prediction_lines(prediction), f"table: {out}"])


@app.command()
def fetch(
    name: Annotated[str | None, typer.Argument(help="A data set; without one, all are listed.", metavar="NAME")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the files; NAME by default.", metavar="DIR")] = None,
    registry: Annotated[str | None, typer.Option(help="Another registry of data sets.", metavar="FILE|URL")] = None,
) -> None:
    """Fetch a public data set; an interrupted download goes on, every file is verified."""
    if name is None:
        _tell(f"{entry.name}: {entry.about}" for entry in read_registry(registry).values())
        return
    with _bars() as progress:
        paths = fetch_files(name, out, registry=registry, progress=progress)
    _tell(f"file: {path}" for path in paths)


def main() -> None:
    """Run the command line."""
    app()


def _settings(options: dict[str, Any]) -> RunSettings:
    """Take those of a command's options that say what is analysed."""
    own = ("out", "overwrite", "method", "loco", "genotypes")
    return RunSettings(**options["genotypes"], **{name: value for name, value in options.items() if name not in own})


def _bars() -> StageBars:
    return StageBars(Console(stderr=True))


@contextmanager
def _stoppable(folder: Path) -> Iterator[StageBars]:
    """Draw progress; after Ctrl-C say how to go on, if there is something to go on with."""
    try:
        with _bars() as progress:
            yield progress
    except KeyboardInterrupt:
        if can_resume(folder):
            typer.echo(f"Stopped: `bayes-lmmlasso resume {folder}` goes on from here.", err=True)
            raise typer.Exit(130) from None
        raise


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)

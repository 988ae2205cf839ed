"""Commands that end before a chosen change of their folder, which then does not happen, nor does any later one.

Then they are resumed or repeated, and their files are compared with those of a command that nothing stopped. The
analysis is real but small; a file that was about to be written is there, with other bytes.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from crash import count_changes, crash_at
from small_run import cohort_folder, contents, finished_run, settings
from small_study import tables, write_study

from bayes_lmmlasso import InputError
from bayes_lmmlasso.cohort import GenotypeSource
from bayes_lmmlasso.report.tables import OutputFile
from bayes_lmmlasso.run import resume, run
from bayes_lmmlasso.run.commands.predict import predict_run
from bayes_lmmlasso.run.commands.simulate import DesignSettings, SimulationSettings, run_simulation
from bayes_lmmlasso.studies.folder import run_study

Work = Callable[[Path], object]
LESS = {"model": "laplace", "draws": 30, "chains": 1, "warmup": 10, "sweeps": 1}


def start(folder: Path) -> None:
    """Leave nothing."""


def finish(folder: Path) -> None:
    """Leave a finished run."""
    if not (kept := folder.with_name("finished")).exists():
        small(kept)
    shutil.copytree(kept, folder)


def stop(folder: Path) -> None:
    """Leave a run that was stopped at its draws."""
    if not (kept := folder.with_name("stopped")).exists():

        def interrupt(stage: str, *_: object) -> None:
            if stage == "projection":
                raise KeyboardInterrupt

        with suppress(KeyboardInterrupt):
            run(settings(**LESS), kept, progress=interrupt)
    shutil.copytree(kept, folder)


def small(folder: Path, *, overwrite: bool = False) -> None:
    """Make a run, of more draws than the one that it replaces."""
    run(settings(**LESS | ({"draws": 35} if overwrite else {})), folder, overwrite=overwrite)


def simulate(folder: Path) -> None:
    design = DesignSettings(n_causal=2)
    run_simulation(SimulationSettings(samples=20, variants=50), design.design(), 1, folder)


def compare(folder: Path) -> None:
    study = write_study(folder.parent / "study.toml", "prediction")
    run_study(study, folder, workers=1)


def predict(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    source = GenotypeSource("bfile", cohort_folder() / "small")
    prediction = predict_run(finished_run().folder, source, cohort_folder() / "covar.tsv")
    OutputFile(folder / "predictions.tsv").write(prediction.table, [])


COMMANDS: dict[str, tuple[Work, Work, Work]] = {
    "run": (start, small, resume),
    "resume": (stop, resume, resume),
    "resume --draws": (finish, partial(resume, draws=40), resume),
    "run --overwrite": (finish, partial(small, overwrite=True), resume),
    "simulate": (start, simulate, simulate),
    "compare": (start, compare, compare),
    "predict": (start, predict, predict),
}


def results(folder: Path) -> object:
    """What must be the same: all files, records without timings, tables of a study without theirs."""
    files = contents(folder)
    if "study.json" in files:
        return tables(folder), sorted(name for name in files if not name.startswith("cells/"))
    records = {name: json.loads(files.pop(name)) for name in ("run.json",) if name in files}
    for record in records.values():
        record.pop("timings")
    return files, records


def count(name: str, folder: Path, every: int) -> tuple[int, int, int]:
    """Return changes, kills, and how many of these ended with the same files."""
    before, command, go_on = COMMANDS[name]
    whole, killed = folder / "whole", folder / "killed"
    before(whole)
    changes = count_changes(whole, lambda: command(whole))
    wanted, same, kills = results(whole), 0, 0
    for k in range(0, changes, every):
        before(killed)
        kills += crash_at(k, killed, lambda: command(killed), torn=True)
        for step in (go_on, command):
            try:
                step(killed)
            except InputError as error:
                refusal = str(error)
        try:
            same += results(killed) == wanted
        except (OSError, KeyError):
            print(f"{name}, change {k}: {refusal}", file=sys.stderr)
        shutil.rmtree(killed, ignore_errors=True)
    return changes, kills, same

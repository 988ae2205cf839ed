"""Files of a run deleted, cut off at a random place, or with a bit flipped, and then read: each file in each way.

What a reader returns from damaged files is held against what it returned from whole ones.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
from damage import mutants
from faults_crash import finish, results, stop
from small_run import cohort_folder
from typer.testing import CliRunner

from bayes_lmmlasso import InputError, open_run
from bayes_lmmlasso.cli import app
from bayes_lmmlasso.run import resume

Read = Callable[[Path], object]


def predict(folder: Path) -> object:
    """Predict by the command line; whatever it says but one sentence and a status is an outcome of its own."""
    table = folder.with_name("predictions.tsv")
    table.unlink(missing_ok=True)
    call = ["predict", str(folder), f"--bfile={cohort_folder() / 'small'}", f"--out={table}"]
    done = CliRunner().invoke(app, call)
    if done.exit_code:
        if re.fullmatch(r"Error: expected .*\n", done.stderr) and done.exit_code == 2 and not table.exists():
            raise InputError(done.stderr)
        return done.exit_code, done.output, done.exception
    numbers = pd.read_csv(table, sep="\t")[["mean", "sd", "lo", "hi"]]
    return table.read_bytes(), bool(numbers.notna().all(axis=None))


def open_all(folder: Path) -> object:
    """Read all that a run has for its reader, the page among it."""
    analysis = open_run(folder)
    page = folder.with_name("page.html")
    analysis.report(page)
    tables = [table.to_csv() for table in (analysis.inclusion, analysis.windows, analysis.hyper)]
    arrays = {
        (node.path, name): (values.dtype, values.values.tobytes())
        for node in analysis.tree.subtree
        for name, values in node.to_dataset().variables.items()
    }
    return tables, page.read_bytes(), arrays


def go_on(folder: Path, draws: int | None = None) -> object:
    """Go on with draws."""
    resume(folder, draws)
    return results(folder)


READERS: dict[str, tuple[Callable[[Path], None], str, Read]] = {
    "a finished run, `predict`": (finish, ".", predict),
    "a finished run, `bl.open_run`: tables, posterior, page": (finish, ".", open_all),
    "the draws of a finished run, `resume --draws`": (finish, "checkpoint", partial(go_on, draws=32)),
    "an unfinished run, `resume`": (stop, ".", go_on),
}


def count(name: str, folder: Path, seed: int) -> tuple[int, int, int, int]:
    """Return damaged inputs, how many were refused in a sentence or read as they were written, and the others."""
    begin, damaged, read = READERS[name]
    whole, other = folder / "whole", folder / "other" / "run"
    begin(whole)
    shutil.copytree(whole, other)
    wanted, inputs, refused, right = read(other), 0, 0, 0
    shutil.rmtree(other)
    for mutant in mutants(whole, seed, other=other):
        if not (damaged == "." or f" {damaged}/" in mutant):
            continue
        inputs += 1
        try:
            found = read(other)
        except InputError:
            refused += 1
        except Exception as error:  # what a user would see as a traceback
            print(f"{name}: {mutant}: {error!r}", file=sys.stderr, flush=True)
        else:
            right += found == wanted
            if found != wanted:
                print(f"{name}: {mutant}: read otherwise", file=sys.stderr, flush=True)
    return inputs, refused, right, inputs - refused - right

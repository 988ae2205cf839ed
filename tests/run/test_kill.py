"""A run that is killed at any moment ends, once resumed, with the files of one that was not."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from small_run import cohort_folder, contents, finished_copy, finished_run, settings
from typer.testing import CliRunner

import bayes_lmmlasso as bl
from bayes_lmmlasso.cli import app
from bayes_lmmlasso.run import publish as publish_module
from bayes_lmmlasso.run import resume, run
from bayes_lmmlasso.terminal import StageBars

COMMAND = Path(sys.executable).with_name("bayes-lmmlasso")
OPTIONS = {"model": "spike_slab", "chains": 2, "warmup": 30, "draws": 600, "n_active": 5, "subsamples": 10}


def start(*arguments):
    return subprocess.Popen([COMMAND, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def run_arguments(out):
    files = {"bfile": cohort_folder() / "small", "pheno": cohort_folder() / "pheno.tsv", "trait": "height", "out": out}
    return ["run", *(f"--{name.replace('_', '-')}={value}" for name, value in (files | OPTIONS).items())]


def results(folder):
    """All files, run.json without its timings."""
    files = contents(folder)
    record = json.loads(files.pop("run.json"))
    record.pop("timings")
    return files, record


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    began = time.monotonic()
    assert start(*run_arguments(folder)).wait() == 0
    return folder, time.monotonic() - began


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_at_random_moments_and_resumed_the_run_ends_with_the_same_files(uninterrupted, tmp_path, kills):
    whole, seconds = uninterrupted
    rng, out, finished = np.random.default_rng(kills), tmp_path / "run", 0
    while kills or not finished:
        continues = (out / ".unfinished" / "checkpoint" / "chain-0.npz").exists()
        process = start("resume", out) if continues else start(*run_arguments(out), "--overwrite")
        if kills:
            time.sleep(rng.uniform(0.2, 0.8) * seconds)
            process.kill()
        if process.wait() == -signal.SIGKILL:
            kills -= 1
        else:
            assert process.returncode == 0
            assert results(out) == results(whole)
            finished += 1


def stop_at(count):
    """Progress hook that stands for Ctrl-C after so many blocks of draws."""
    left = iter(range(count))

    def report(stage, done, total, remark=""):
        if stage == "sampling" and next(left, None) is None:
            raise KeyboardInterrupt

    return report


def test_ctrl_c_keeps_the_draws_and_resume_goes_on(tmp_path, monkeypatch):
    given, out = settings(covar=cohort_folder() / "covar.tsv"), tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        run(given, out, progress=stop_at(4))
    assert sorted(path.name for path in out.iterdir()) == [".unfinished", "run.json"]
    assert statuses(out) == ["stopped", "stopped"]
    with pytest.raises(bl.InputError, match=r"an unfinished run: .* continue it with `bayes-lmmlasso resume .*run`"):
        run(given, out)
    seen = []

    def stop(*_):
        seen.extend(statuses(out))
        raise KeyboardInterrupt

    monkeypatch.setattr(StageBars, "__call__", stop)
    stopped = CliRunner().invoke(app, ["resume", str(out)])
    assert seen == ["running", "running"]
    assert statuses(out) == ["stopped", "stopped"]
    assert stopped.exit_code == 130
    assert f"`bayes-lmmlasso resume {out}` goes on from here" in stopped.stderr
    monkeypatch.undo()
    resumed = CliRunner().invoke(app, ["resume", str(out)])
    assert resumed.exit_code == 0, resumed.output
    assert bl.open_run(out).verdict.sentence in resumed.stdout
    assert results(out) == results(finished_run().folder)


def statuses(out):
    """Status of an unfinished run as its folder and as its store say."""
    return [json.loads((folder / "run.json").read_text())["status"] for folder in (out, out / ".unfinished")]


def stop_at_first():
    raise KeyboardInterrupt


@pytest.mark.parametrize("place", ["report", "publishing"])
def test_a_run_that_stops_at_its_very_end_goes_on(tmp_path, monkeypatch, place):
    covar, out = cohort_folder() / "covar.tsv", tmp_path / "run"

    def stop(stage, done, total, remark=""):
        if stage == "report" and place == "report":
            raise KeyboardInterrupt

    if place == "publishing":
        monkeypatch.setattr(publish_module, "publish", lambda *_: stop_at_first())
    with pytest.raises(KeyboardInterrupt):
        run(settings(covar=covar), out, progress=stop)
    monkeypatch.undo()
    resume(out)
    assert results(out) == results(finished_run().folder)


def test_draws_are_added_to_a_finished_run(tmp_path):
    out = tmp_path / "run"
    run(settings(covar=cohort_folder() / "covar.tsv", draws=35), out)
    resume(out, draws=50)
    assert results(out) == results(finished_run().folder)
    with pytest.raises(bl.InputError, match="finished with 50 draws of each chain: pass --draws to add some"):
        resume(out)
    before = contents(out)
    with pytest.raises(bl.InputError, match="at least the 50 draws"):
        resume(out, draws=40)
    assert contents(out) == before


def test_resume_refuses_other_data_and_leaves_a_finished_run_as_it_was(tmp_path):
    out = finished_copy(tmp_path / "run")
    record = json.loads((out / "run.json").read_text())
    record["arguments"]["covar"] = None
    del record["sha256"]
    (out / "run.json").write_text(json.dumps(record))
    before = contents(out)
    with pytest.raises(bl.InputError, match=r"expected to continue the draws in .* with the same data"):
        resume(out, draws=100)
    assert contents(out) == before


def test_resume_needs_a_run(tmp_path):
    with pytest.raises(bl.InputError, match="expected the folder of a finished run"):
        resume(tmp_path)
    out = finished_copy(tmp_path / "run")
    for path in sorted((out / "checkpoint").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (out / "checkpoint").rmdir()
    with pytest.raises(bl.InputError, match=r"expected the draws of a finished run in .*checkpoint, got none"):
        resume(out, draws=100)

"""One process writes in a folder at a time; the others are refused in a sentence and change nothing."""

from __future__ import annotations

from functools import partial

import pytest
from crash import count_changes
from launch import another_writes_in
from small_run import cohort_folder, contents, finished_copy, finished_run, settings
from small_study import write_study
from typer.testing import CliRunner

import bayes_lmmlasso as bl
from bayes_lmmlasso.cli import app
from bayes_lmmlasso.lock import LOCK, one_writer
from bayes_lmmlasso.run import rebuild_report, resume, run, run_demo, run_sampling
from bayes_lmmlasso.studies.folder import run_study


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """A finished run in whose folder another process is writing."""
    folder = finished_copy(tmp_path_factory.mktemp("held") / "run")
    with another_writes_in(folder):
        yield folder
    with one_writer(folder):  # the lock has ended with the process
        pass
    assert not (folder / LOCK).exists()


@pytest.mark.parametrize("command", ["run", "sample", "resume", "simulate", "compare", "demo", "report"])
def test_a_second_writer_is_refused_and_changes_nothing(held, tmp_path, command):
    options = ["--samples", "20", "--variants", "30", "--overwrite"]
    work = {
        "run": lambda: run(settings(), held, overwrite=True),
        "sample": lambda: run_sampling(settings(), held, overwrite=True),
        "resume": lambda: resume(held, draws=100),
        "simulate": lambda: CliRunner().invoke(app, ["simulate", *options, f"--out={held}"], catch_exceptions=False),
        "compare": lambda: run_study(write_study(tmp_path / "study.toml", "prediction"), held),
        "demo": lambda: run_demo(held),
        "report": lambda: rebuild_report(held),
    }
    before = contents(held)
    refusal = "expected a folder that nobody else is writing in, got .*: wait for it, or choose another folder"
    if command == "simulate":
        result = work[command]()
        assert result.exit_code == 2
        assert "nobody else is writing in" in result.stderr
    else:
        with pytest.raises(bl.InputError, match=refusal):
            work[command]()
    assert contents(held) == before


def test_a_lock_that_a_killed_writer_has_left_stands_in_nobody_s_way(tmp_path):
    (tmp_path / LOCK).write_text("")
    with one_writer(tmp_path):
        assert (tmp_path / LOCK).exists()
    assert list(tmp_path.iterdir()) == []


def test_reading_a_run_writes_nothing_in_its_folder(tmp_path):
    folder = finished_run().folder
    options = [f"--bfile={cohort_folder() / 'small'}", f"--covar={cohort_folder() / 'covar.tsv'}"]

    def read():
        result = CliRunner().invoke(app, ["predict", str(folder), *options, f"--out={tmp_path / 'p.tsv'}"])
        assert result.exit_code == 0, result.output
        analysis = bl.open_run(folder)
        assert len(analysis.inclusion) == 200
        analysis.report(tmp_path / "page.html")

    assert count_changes(folder, partial(read)) == 0

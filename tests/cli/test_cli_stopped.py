"""Ctrl-C, a signal, a full disk or a reader that leaves: every command ends in order, and says how to go on."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from launch import under
from small_run import cohort_folder, contents, finished_copy, finished_run, listing, settings
from small_study import write_study
from typer.testing import CliRunner
from web_site import serving, write_registry

from bayes_lmmlasso.cli import app
from bayes_lmmlasso.posterior.sampler.folder_store import FolderStore
from bayes_lmmlasso.run import RunSettings, pipeline, resume
from bayes_lmmlasso.run.commands import predict as predict_module
from bayes_lmmlasso.terminal import StageBars, Stopped

PROGRAM = Path(sys.executable).with_name("bayes-lmmlasso")
DATA = [f"--bfile={cohort_folder() / 'small'}", f"--pheno={cohort_folder() / 'pheno.tsv'}", "--trait=height"]
FILES = {"toy.bin": b"toy" * 1000}
SHORT = ["--model=laplace", "--chains=1", "--warmup=5", "--draws=30", "--n-active=5", "--subsamples=5"]


@pytest.fixture(scope="module")
def site():
    with pytest.MonkeyPatch.context() as patch, serving({f"/d/{name}": data for name, data in FILES.items()}) as site:
        patch.setenv("no_proxy", "127.0.0.1")
        yield site.address


def arguments(command, out, tmp_path, site):
    """Return a call of a command that would write to ``out``."""
    if command == "fetch":
        return [command, "toy", f"--registry={write_registry(tmp_path, site, FILES)}", f"--out={out}"]
    if command == "compare":
        return [command, str(write_study(tmp_path / "study.toml", "prediction")), f"--out={out}"]
    if command in ("predict", "report"):
        folder = str(finished_copy(tmp_path / "finished"))
        covar = f"--covar={cohort_folder() / 'covar.tsv'}"
        return [command, folder, *([DATA[0], covar, f"--out={out}"] if command == "predict" else [])]
    given = {"simulate": ["--samples=20", "--variants=50"], "demo": [], "run": DATA + SHORT}.get(command, DATA)
    return [command, *given, f"--out={out}"]


FOLDERS = ("run", "sample", "demo", "simulate", "compare", "fetch")
COMMANDS = (*FOLDERS, "null", "scan", "path", "stability", "predict", "report")


@pytest.mark.parametrize("end", [KeyboardInterrupt(), Stopped(143), OSError(errno.ENOSPC, "No space left on device")])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_ends_in_order_and_leaves_nothing(tmp_path, monkeypatch, site, command, end):
    def stop(*_, **__):
        raise end

    call = arguments(command, tmp_path / "out", tmp_path, site)
    monkeypatch.setattr(StageBars, "__call__", stop)
    monkeypatch.setattr(predict_module, "read_training", stop)
    monkeypatch.setattr(pipeline, "write_text", stop)
    before = listing(tmp_path)
    result = CliRunner().invoke(app, call)
    full = 2 if command == "fetch" else 1
    assert result.exit_code == {KeyboardInterrupt: 130, Stopped: 143, OSError: full}[type(end)], result.output
    assert "Traceback" not in result.output
    if isinstance(end, OSError):
        assert re.search(r"Error: expected .*, got .*No space left on device.*: ", result.stderr)
    left = listing(tmp_path)
    if command == "demo":  # its data, of which the next makes the same
        left = {name: size for name, size in left.items() if "demo" not in name and name != "out"}
    if command == "compare":
        left = {name: size for name, size in left.items() if name not in ("out", "out/cells")}
    if command == "fetch":  # the bytes so far, from which the next one goes on
        assert left.pop("out/toy.bin.part") == len(FILES["toy.bin"])
        del left["out"]
    assert left == before


def test_a_full_disk_keeps_the_draws_and_resume_goes_on(tmp_path, monkeypatch):
    out, append, left = tmp_path / "run", FolderStore.append, iter(range(3))

    def full(*given):
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "chain-0.partial")
        append(*given)

    monkeypatch.setattr(FolderStore, "append", full)
    given = settings(covar=cohort_folder() / "covar.tsv")
    monkeypatch.setattr(RunSettings, "of", lambda *_, **__: given)
    with pytest.raises(OSError, match="No space left"):
        pipeline.run(given, out)
    assert json.loads((out / "run.json").read_text())["status"] == "stopped"
    monkeypatch.undo()
    resume(out)
    files, expected = contents(out), contents(finished_run().folder)
    assert {name: data for name, data in files.items() if name != "run.json"} == {
        name: data for name, data in expected.items() if name != "run.json"
    }


def test_a_file_that_cannot_grow_is_told_in_a_sentence(tmp_path):
    limit = "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))"
    call = under(limit, PROGRAM, "scan", *DATA, f"--out={tmp_path / 'scan.tsv'}")
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}  # which would be cut off too
    process = subprocess.run(call, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 1
    assert process.stderr.splitlines()[-1].startswith("Error: expected files that can be read and written, got File")
    assert not (tmp_path / "scan.tsv").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_a_run_which_says_so_and_can_go_on(tmp_path, number):
    out = tmp_path / "run"
    long = ["--model=laplace", "--chains=1", "--warmup=5", "--draws=1000000", "--sweeps=1"]
    heed = f"signal.signal({int(number)}, signal.SIG_DFL)"  # what started the tests may ignore it, as nohup does
    call = under(heed, PROGRAM, "sample", *DATA, *long, f"--out={out}")
    with subprocess.Popen(call, stderr=subprocess.PIPE, text=True) as run:
        while not (out / ".unfinished" / "checkpoint" / "chain-0.npz").exists():
            assert run.poll() is None
            time.sleep(0.05)
        run.send_signal(number)
        try:
            told = run.communicate(timeout=120)[1]
        finally:
            run.kill()
    assert run.returncode == 128 + number
    assert told.splitlines()[-1] == f"Stopped: `bayes-lmmlasso resume {out}` goes on from here."
    assert sorted(path.name for path in out.iterdir()) == [".unfinished", "run.json"]
    assert json.loads((out / "run.json").read_text())["status"] == "stopped"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_reader_that_leaves_stops_no_work(tmp_path, stream):
    read, write = os.pipe()
    os.close(read)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | {stream: write}
    process = subprocess.run(
        [PROGRAM, "null", *DATA, f"--out={tmp_path / 'null.tsv'}"], text=True, check=False, **streams
    )
    os.close(write)
    assert process.returncode == 0
    assert "Traceback" not in (process.stderr or "")
    assert (stream == "stdout") or f"table: {tmp_path / 'null.tsv'}" in process.stdout
    assert (tmp_path / "null.tsv").exists()


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="no folder that even root cannot write in")
@pytest.mark.parametrize("command", FOLDERS)
def test_a_read_only_folder_is_refused_in_a_sentence(tmp_path, site, command):
    result = CliRunner().invoke(app, arguments(command, Path("/sys/kernel"), tmp_path, site))
    assert result.exit_code == 2, result.output
    refusal = r"Error: expected a folder that can be written in, got /sys/kernel: .*: choose another folder\n"
    assert re.fullmatch(refusal, result.stderr)

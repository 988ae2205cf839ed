"""Help, version, completion, and how much a command says: every line for a reader, or one object for a program."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from small_run import cohort_folder, finished_run
from typer._completion_shared import get_completion_script
from typer.main import get_command
from typer.testing import CliRunner

import bayes_lmmlasso as bl
from bayes_lmmlasso import terminal
from bayes_lmmlasso.cli import app
from bayes_lmmlasso.report.tables import read_tsv
from bayes_lmmlasso.run import pipeline
from bayes_lmmlasso.run.commands.findings import result_found
from bayes_lmmlasso.run.commands.summary import run_lines, sampling_lines
from bayes_lmmlasso.terminal import StageBars, Voice, set_voice

DATA = [f"--bfile={cohort_folder() / 'small'}", f"--pheno={cohort_folder() / 'pheno.tsv'}", "--trait=height"]
COMMANDS = get_command(app).commands
PROGRAM = Path(sys.executable).with_name("bayes-lmmlasso")


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def voice():
    """Speak in another way, and as before afterwards."""
    yield set_voice
    set_voice(Voice())


def test_the_version_is_told():
    result = invoke("--version")
    assert (result.exit_code, result.stdout) == (0, f"bayes-lmmlasso {bl.__version__}\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_sections_and_examples_that_parse(name):
    text = invoke(name, "--help").stdout
    assert text.index("Output:") < text.index("Help:") < text.index("Examples:")
    examples = COMMANDS[name].callback.examples
    assert examples
    for example in examples:
        called, *arguments = example.split()
        assert called == name
        assert f"  bayes-lmmlasso {example}\n" in text
        COMMANDS[name].make_context(name, arguments)  # refuses what is unknown or missing


def test_every_option_is_in_a_section_of_its_own_group():
    text = invoke("run", "--help").stdout
    sections = {part.partition(":\n")[0]: part for part in text.split("\n\n")}
    for section, option in {
        **{
            "Genotypes (one file)": "--bfile",
            "Trait": "--pheno",
            "Covariates": "--covar ",
            "Kinship and SNPs": "--maf",
        },
        **{"Lasso and stability selection": "--n-active", "Posterior": "--window", "Output": "--seed"},
    }.items():
        assert option in sections[section]


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_bash_completes_commands_options_and_choices():
    script = get_completion_script(prog_name="bayes-lmmlasso", complete_var="_BAYES_LMMLASSO_COMPLETE", shell="bash")
    for line, expected in {
        "bayes-lmmlasso sta": {"stability"},
        "bayes-lmmlasso run --subsample": {"--subsamples", "--subsample-fraction"},
        "bayes-lmmlasso run --model spike_slab,l": {"spike_slab,laplace"},
    }.items():
        words = line.split()
        ask = f"{script}\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _bayes_lmmlasso_completion bayes-lmmlasso\n"
        call = ["bash", "-c", f'{ask}printf "%s\\n" "${{COMPREPLY[@]}}"']
        path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
        answer = subprocess.run(call, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False)
        assert set(answer.stdout.split()) == expected, answer.stderr


def test_json_is_one_object_with_what_was_found_and_where(tmp_path):
    out = tmp_path / "scan.tsv"
    result = invoke("scan", *DATA, "--method", "lm", "--json", "--out", out)
    told = json.loads(result.stdout)
    assert told["files"] == {"table": str(out), "log": f"{out}.log"}
    best = read_tsv(out).sort_values("p").iloc[0]
    assert told["found"]["rows"] == 200
    assert told["found"]["first"][0]["snp"] == best["snp"]
    assert told["lines"][0] == "height: 58 of 60 samples, 200 SNPs"
    assert told["command"].startswith("bayes-lmmlasso scan --bfile=")
    assert result.stderr.startswith("data: ")


def test_json_of_a_posterior_has_its_cautions(tmp_path):
    counts = ("--model=normal", "--chains=1", "--warmup=10", "--draws=25")
    result = invoke("sample", *DATA, *counts, "--json", "--quiet", "--out", tmp_path / "out")
    told = json.loads(result.stdout)
    assert told["cautions"] == bl.open_run(tmp_path / "out").cautions
    assert told["found"]["chains_agree"] is False
    assert told["files"]["run.json"] == str(tmp_path / "out" / "run.json")
    assert result.stderr.splitlines() == [f"caution: {caution}" for caution in told["cautions"]]


def test_a_run_is_told_to_programs_by_its_tables():
    run = finished_run()
    found = result_found(run)
    assert found["snps_by_pip"][0]["pip"] == run.inclusion["pip"].max()
    assert found["verdict"] in "\n".join(run_lines(run))
    assert len(found["windows"]) == min(5, len(run.windows))
    assert found["shares"]["noise"]["median"] == run.shares.loc["noise", "median"]


def test_quiet_leaves_the_file_alone_and_says_nothing(tmp_path):
    result = invoke("scan", *DATA, "--method", "lm", "--quiet", "--out", tmp_path / "scan.tsv")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert (tmp_path / "scan.tsv").exists()


def test_verbose_tells_when_stages_begin_and_where_errors_come_from(tmp_path):
    result = invoke("scan", *DATA, "--method", "lm", "--verbose", "--out", tmp_path / "scan.tsv")
    lines = result.stderr.splitlines()
    assert lines[0] == "data ..."
    assert "MB so far)" in lines[1]
    again = [DATA[0], DATA[1], "--trait=weight", "--method=lm", "--out", tmp_path / "scan.tsv"]
    assert "Traceback" in invoke("scan", *again, "--verbose").stderr
    assert "Traceback" not in invoke("scan", *again).stderr


def test_a_stage_of_more_than_two_seconds_tells_how_long_it_still_takes(monkeypatch, voice):
    clock = iter(range(0, 10_000, 3))
    stream = io.StringIO()
    with StageBars(Console(file=stream, force_terminal=True, width=120)) as progress:
        monkeypatch.setattr(progress._bars, "get_time", lambda: float(next(clock)))
        for done in range(0, 60, 10):
            progress("sampling", done, 100)
        progress._bars.refresh()
    assert " left" in stream.getvalue()
    assert [terminal._duration(seconds) for seconds in (4.2, 150, 11_100)] == ["4 s", "2 min", "3 h 05 min"]


def test_r_hat_is_explained_where_it_stands():
    assert any("near 1 where chains agree, at most 1.01 is wanted" in line for line in sampling_lines(finished_run()))


def test_ctrl_c_before_there_are_draws_says_what_begins_again(tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "fit_mixed_model", stop)
    out = tmp_path / "my run"
    result = invoke("sample", *DATA, f"--out={out}")
    assert result.exit_code == 130
    call = " ".join(["bayes-lmmlasso sample", *DATA])
    assert result.stderr.splitlines()[-1] == (
        f"Stopped before there were draws to keep: `{call} '--out={out}'` begins again."
    )
    assert not out.exists()

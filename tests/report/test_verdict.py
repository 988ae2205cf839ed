"""What a run comes to: regions are named where the data support them, and only there."""

from __future__ import annotations

import shlex
from dataclasses import replace

import numpy as np
import pandas as pd
import typer
from small_run import quiet_record, sparse_run

from bayes_lmmlasso.cli import app
from bayes_lmmlasso.report.commands import command
from bayes_lmmlasso.report.findings import largest_effect, named_regions, several_signals
from bayes_lmmlasso.report.verdict import Level, Verdict
from bayes_lmmlasso.run.commands.summary import run_lines


def windows(pip, bayes_factor):
    """A window table of so many windows of 1 Mb."""
    starts = np.arange(len(pip)) * 1_000_000 + 1
    return pd.DataFrame(
        {
            "chrom": "5",
            "start": starts,
            "end": starts + 999_999,
            "n_snps": 100 + np.arange(len(pip)),
            "window_pip": pip,
            "window_pip_prior": 0.3,
            "bayes_factor": bayes_factor,
            "variance_share": 0.01,
            "top_snp": [f"rs{k}" for k in range(len(pip))],
            "top_snp_pip": 0.5,
        }
    )


def snps(pip, mean):
    """An inclusion table with a SNP in the middle of each window of `windows`."""
    mean = np.asarray(mean, dtype=float)
    frame = pd.DataFrame({"snp": [f"rs{k}" for k in range(len(pip))], "chrom": "5", "pip": pip, "beta_mean": mean})
    return frame.assign(pos=np.arange(len(pip)) * 1_000_000 + 500_000, beta_lo=mean - 0.1, beta_hi=mean + 0.1)


def test_a_region_is_supported_by_probability_and_bayes_factor_together():
    found = Verdict.of(quiet_record(), windows([0.999, 0.98, 0.6, 0.6, 0.3], [800.0, 9.0, 11.0, 4.0, 50.0]))
    assert found.level is Level.SUPPORTED
    assert found.regions[["top_snp", "support"]].to_numpy().tolist() == [["rs0", "supported"], ["rs2", "suggestive"]]
    assert "1 region is supported: 5:1-1,000,000" in found.sentence
    assert "1 region is suggestive: 5:2,000,001-3,000,000" in found.sentence


def test_where_no_region_can_be_called_none_has_a_name():
    """All windows are as likely as the prior says, which is more likely than not for those of many SNPs."""
    found = Verdict.of(quiet_record(), windows([0.7, 0.68, 0.5, 0.4], [1.1, 1.0, 1.0, 0.9]))
    assert found.level is Level.NONE
    assert found.regions.empty
    assert "5:" not in found.sentence
    assert [step.command.split()[1] for step in found.steps][-1] == "simulate"


def test_only_suggestive_regions_are_not_supported():
    found = Verdict.of(quiet_record(), windows([0.8, 0.3], [40.0, 1.0]))
    assert found.level is Level.SUGGESTIVE
    assert found.sentence.endswith("None is supported.")


def test_chains_that_disagree_leave_no_verdict():
    record = quiet_record()
    record["evidence"]["sampling"] |= {"r_hat": 1.4, "r_hat_of": "rho"}
    found = Verdict.of(record, windows([0.999], [800.0]))
    assert (found.level, len(found.regions)) == (Level.OPEN, 0)
    assert "R-hat of rho is 1.400" in found.sentence
    assert found.steps[0].command == "bayes-lmmlasso resume DIR --draws 150"
    record["evidence"]["sampling"]["unmoved"] = "rho in chain 1"
    assert "--precision float64" in Verdict.of(record, windows([0.999], [800.0])).steps[0].command


def test_the_first_lines_name_an_effect_only_of_a_snp_that_is_likely():
    table = snps([0.9, 0.2], [0.3, -0.8])
    assert largest_effect(table)["snp"] == "rs0"
    assert largest_effect(table.assign(pip=0.4)) is None
    regions = windows([0.99, 0.99], [100.0, 90.0]).assign(support="supported")
    assert named_regions(regions, table)["effect"].tolist() == ["+0.30 [+0.20, +0.40]", "shared"]


def test_several_signals_in_a_window_are_told():
    regions = windows([1.0, 1.0], [100.0, 90.0]).assign(support="supported")
    table = pd.concat([snps([0.9, 0.9], [0.3, 0.2]), snps([0.8], [0.1]).assign(snp="second", pos=400_000)])
    told = several_signals(regions, table, "1Mb")
    assert "5:1-1,000,000 (rs0, second)" in told
    assert "1,000,001" not in told
    assert several_signals(regions, snps([0.9, 0.9], [0.3, 0.2]), "1Mb") == ""


def test_commands_to_paste_are_understood_by_the_program():
    """Every command of every verdict, as the command line reads it."""
    record = quiet_record(sparse_run())
    tables = (windows([0.999], [800.0]), windows([0.8], [40.0]), windows([0.5], [1.0]))
    found = [step.command for table in tables for step in Verdict.of(record, table).steps]
    record["evidence"]["sampling"] |= {"r_hat": 1.4}
    found += [step.command for step in Verdict.of(record, tables[0]).steps]
    assert {line.split()[1] for line in found} == {"run", "resume", "simulate"}
    program = typer.main.get_command(app)
    for line in [*found, command(record, out="again")]:
        name, *words = shlex.split(line)[1:]
        subcommand = program.commands[name]
        subcommand.make_context(name, words, resilient_parsing=True)
        known = {option for parameter in subcommand.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known


def test_a_command_says_what_was_not_as_by_default():
    record = quiet_record(sparse_run())
    line = command(record, seed=4)
    assert "--window ld" in line
    assert "--seed 4" in line
    assert "--maf" not in line
    assert "--model" not in line  # spike_slab is the default
    assert command(record | {"given": {"bfile": "my mice", "covar_names": ("age", "sex")}}) == (
        "bayes-lmmlasso run --bfile 'my mice' --covar-names age,sex"
    )


def test_the_terminal_says_the_same():
    record = quiet_record(sparse_run())
    lines = run_lines(replace(sparse_run(), record=record))
    assert Verdict.of(record, sparse_run().windows).sentence in lines


def test_a_model_of_your_own_is_judged_by_probability_alone():
    assert Verdict.of(quiet_record(), windows([0.999], [np.nan])).level is Level.SUPPORTED

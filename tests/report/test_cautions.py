"""What calls for caution: every cause gives its sentence, and stands beside whatever the draws would have found."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from small_run import finished_run, quiet_record, sparse_run

from bayes_lmmlasso import read_tree
from bayes_lmmlasso.posterior import hyper_table
from bayes_lmmlasso.report.cautions import cautions, disagreement
from bayes_lmmlasso.report.evidence import SamplingEvidence
from bayes_lmmlasso.report.page import report_html
from bayes_lmmlasso.report.tables import write_json
from bayes_lmmlasso.run.commands.summary import run_lines


def test_no_caution_without_cause():
    assert cautions(quiet_record()) == []
    assert disagreement(quiet_record()) is None


@pytest.mark.parametrize(
    ("section", "changes", "words"),
    [
        ("sampling", {"r_hat": 1.02}, "do not agree yet: R-hat of"),
        ("sampling", {"r_hat": None, "r_hat_of": "rho"}, "R-hat of rho is undefined"),
        ("sampling", {"r_hat": float("nan"), "r_hat_of": "rho"}, "R-hat of rho is undefined"),
        ("sampling", {"snp_r_hat": 1.3}, "R-hat of the SNP rs7 is 1.300"),
        ("sampling", {"snp_r_hat": None}, "R-hat of the SNP rs7 is undefined"),
        ("sampling", {"ess_bulk": float("nan")}, "Few effective draws"),
        ("sampling", {"pareto_k_bad": 9, "pareto_k_limit": 0.5}, "Pareto k is above 0.50 for 9 of 67 samples"),
        ("sampling", {"pareto_k_very_bad": 9}, "for 9 of 67 samples"),
        ("selection", {"subsamples": 100, "subsamples_at_bound": 49}, "in 49 of 100 subsamples"),
        ("selection", {"expected_false": 2.5}, "up to 2.5 false selections are allowed for, and 2 SNPs are stable"),
    ],
)
def test_each_cause_gives_one_caution(section, changes, words):
    record = quiet_record()
    record["evidence"][section] |= changes
    (caution,) = cautions(record)
    assert words in caution


@pytest.mark.parametrize("changes", [{"n_stable": 0, "expected_false": 3.0}, {"expected_false": None}])
def test_a_bound_is_held_against_what_it_bounds(changes):
    record = quiet_record()
    record["evidence"]["selection"] |= changes
    assert cautions(record) == []


def test_an_undefined_r_hat_is_the_worst():
    """One chain frozen: the table has NaN for it, which is no number among others to be passed over."""
    tree = read_tree(finished_run().folder / "posterior.zarr").load()
    hyper = hyper_table(tree)
    hyper.loc["rho", "r_hat"] = np.nan
    evidence = SamplingEvidence.of(tree, hyper)
    assert np.isnan(evidence.r_hat)
    assert evidence.r_hat_of == "rho"


def test_the_snps_that_matter_must_agree():
    tree = read_tree(finished_run().folder / "posterior.zarr").load()
    table = pd.DataFrame({"snp": list("abcd"), "pip": [0.9, 0.06, 0.05, 0.5], "r_hat": [1.01, 1.2, 3.0, 1.1]})
    evidence = SamplingEvidence.of(tree, hyper_table(tree), table)
    assert (evidence.snps_watched, evidence.snp_r_hat, evidence.snp_r_hat_of) == (3, 1.2, "b")
    table.loc[3, "r_hat"] = np.nan
    evidence = SamplingEvidence.of(tree, hyper_table(tree), table)
    assert evidence.snp_r_hat_of == "d"
    assert np.isnan(evidence.snp_r_hat)
    assert SamplingEvidence.of(tree, hyper_table(tree), table.assign(pip=0.0)).snps_watched == 0


def page(record, target):
    folder = shutil.copytree(sparse_run().folder, target)
    write_json(record, folder / "run.json")
    return report_html(folder)


def test_nothing_is_a_finding_without_the_reason_beside_it(tmp_path):
    """R-hat 3.7: the summary, the false discoveries, windows, credible sets and SNPs of the page, and the terminal."""
    record = quiet_record(sparse_run())
    assert "not agree" not in page(record, tmp_path / "quiet")
    assert not [line for line in run_lines(replace(sparse_run(), record=record)) if "do not agree" in line]
    record["evidence"]["sampling"] |= {"r_hat": 3.7, "r_hat_of": "rho"}
    reason = "the chains do not agree (R-hat of rho is 3.700)"
    html = page(record, tmp_path / "loud")
    summary, rest = html.split('id="explore"')
    assert "<h2>No verdict yet</h2>" in summary
    assert f"No verdict yet: {reason}" in summary.split('class="summary"')[1]
    assert f'<th scope="row">False discoveries</th><td>Not to be relied on: {reason}' in rest
    for title in ("Windows", "Credible sets", "SNPs"):
        section = rest.split(f"<h2>{title}</h2>")[1].split("<h2>")[0]
        assert f"Not a finding yet: {reason}" in section.split("<table")[0]
    lines = run_lines(replace(sparse_run(), record=record))
    assert f"No verdict yet: {reason}." in lines

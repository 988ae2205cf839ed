"""The prior in a report: what it expected, what other priors change, and when that calls for caution."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from browser import shown
from small_run import finished_run, quiet_record, sparse_run

import bayes_lmmlasso as bl
from bayes_lmmlasso.report.cautions import cautions_of_evidence
from bayes_lmmlasso.report.prior_evidence import PriorEvidence, prior_cautions

CALM = {"conflicts": [], "changes": [], "surprises": []}


def test_what_calls_for_caution_is_told_where_chains_agree():
    assert prior_cautions(CALM) == []
    troubled = {
        "conflicts": ["prior and data may conflict for log_v, h"],
        "changes": [f"pip of rs{k} is 0.9, and 0.4 with fewer causal SNPs" for k in range(4)],
        "surprises": ["range of y is 20, where the prior expects 4 to 9"],
    }
    found = prior_cautions(troubled)
    assert [text.split(":")[0] for text in found] == [
        "The prior matters",
        "What is found depends on the prior",
        "The prior hardly expected what was found",
    ]
    assert "rs0" in found[1]
    assert "and 2 more" in found[1]
    record = quiet_record()
    record["evidence"]["prior"] = CALM
    calm = cautions_of_evidence(record)
    record["evidence"]["prior"] = troubled
    assert cautions_of_evidence(record) == [*calm, *found]
    record["evidence"]["sampling"]["r_hat"] = 1.4  # then draws say nothing of priors either
    assert not [text for text in cautions_of_evidence(record) if text in found]
    del record["evidence"]["prior"]  # of an earlier version
    assert cautions_of_evidence(record)


def test_the_evidence_is_in_words_and_rows(monkeypatch):
    tree = _tree()  # before its parts are replaced
    rows = [
        ("fewer causal SNPs", "pip of rs7", 0.9, 0.5, -0.4, -1.0, 90.0, 0.1, True),
        ("fewer causal SNPs", "pve", 0.6, 0.61, 0.01, 0.1, 90.0, 0.1, True),
        ("narrower slab", "pip of rs7", 0.9, np.nan, np.nan, np.nan, 3.0, 0.9, False),
    ]
    columns = "alternative quantity value other_value difference shift ess pareto_k reliable".split()
    power = pd.DataFrame({"prior": [0.01], "likelihood": [0.2], "diagnosis": [""]}, index=["log_v"])
    known = bl.posterior.PriorSensitivity(power.rename_axis("quantity"), pd.DataFrame(rows, columns=columns))
    table = pd.DataFrame(
        {"prior_median": [4.0, 0.5], "prior_lo": [3.0, 0.0], "prior_hi": [6.0, 1.0], "found": [20.0, 0.6]},
        index=pd.Index(["range of y", "pve"], name="quantity"),
    ).assign(position=[1.0, 0.6])
    monkeypatch.setattr("bayes_lmmlasso.report.prior_evidence.prior_sensitivity", lambda tree, window: known)
    monkeypatch.setattr("bayes_lmmlasso.report.prior_evidence.predictive_table", lambda tree: table)
    evidence = PriorEvidence.of(tree, "1Mb")
    assert evidence.changes == ["pip of rs7 is 0.90, and 0.50 with fewer causal SNPs"]
    assert evidence.surprises == ["range of y is 20, where the prior expects 3 to 6"]
    assert evidence.verdict == (
        "Other priors change what is reported: pip of rs7 0.9 to 0.5 with fewer causal SNPs. The draws cannot tell of: "
        "narrower slab."
    )


def _tree():
    return bl.open_run(sparse_run().folder).tree


def test_a_run_has_the_groups_the_evidence_and_the_section(tmp_path):
    for result, model in ((sparse_run(), "spike_slab"), (finished_run(), "laplace")):
        analysis = bl.open_run(result.folder)
        tree = analysis.tree
        assert tree.attrs["model"] == model
        assert tree["prior_predictive"]["y"].sizes["sample"] == tree["observed_data"].sizes["sample"]
        assert ("log_pi" in tree["prior"]) == (model == "spike_slab")
        evidence = analysis.record["evidence"]["prior"]
        assert {row["quantity"] for row in evidence["predictive"]} >= {"sd of y", "pve"}
        document = shown(result.folder / "report.html")
        assert "<h2>Prior</h2>" in document
        assert evidence["verdict"].split(":")[0] in document
        again = bl.prior_sensitivity(tree, analysis.record["arguments"]["window"])
        assert again.verdict == evidence["verdict"]
        for name in {row["alternative"] for row in evidence["alternatives"]}:
            assert f"<th>{name}</th>" in document


def test_arviz_scales_the_powers_of_an_opened_run():
    import arviz_stats

    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # of effects that are 0 in all draws
        table = arviz_stats.psense_summary(_tree())
    own = bl.prior_sensitivity(_tree(), "ld").power
    np.testing.assert_allclose(table.loc[own.index, "prior"], own["prior"], atol=6e-4)  # three decimals

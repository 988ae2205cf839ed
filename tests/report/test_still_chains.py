"""A chain that does not move is told in words."""

from __future__ import annotations

import numpy as np
from small_run import finished_run

from bayes_lmmlasso import read_tree
from bayes_lmmlasso.posterior import hyper_table
from bayes_lmmlasso.report.cautions import cautions
from bayes_lmmlasso.report.evidence import SamplingEvidence


def test_the_chain_and_the_hyper_parameter_are_named_with_the_way_out():
    run = finished_run()
    tree = read_tree(run.folder / "posterior.zarr").load()
    assert SamplingEvidence.of(tree, hyper_table(tree)).unmoved == ""
    tree["posterior"]["h"][1] = np.float32(0.9999994)
    evidence = SamplingEvidence.of(tree, hyper_table(tree))
    assert evidence.unmoved == "h in chain 2"
    found = cautions(run.record | {"evidence": {"sampling": vars(evidence)}})
    (text,) = (text for text in found if "do not move" in text)
    assert text.startswith("Chains that do not move: h in chain 2.")
    assert "--precision float64" in text

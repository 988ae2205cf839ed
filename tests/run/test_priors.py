"""Several priors in one run: each as it is alone, and set side by side."""

from __future__ import annotations

from pathlib import Path

import arviz_stats
import numpy as np
import pandas as pd
import pytest
from small_run import cohort_folder, contents, finished_run, settings

import bayes_lmmlasso as bl
from bayes_lmmlasso import InputError
from bayes_lmmlasso.report.page import report_html
from bayes_lmmlasso.report.priors import verdict
from bayes_lmmlasso.run import resume, run, run_sampling


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("priors") / "run"
    run(settings(model="laplace,spike_slab", covar=cohort_folder() / "covar.tsv"), folder)
    return folder


def test_each_prior_is_as_it_is_alone(both, tmp_path):
    alone = tmp_path / "alone"
    run(settings(model="spike_slab", covar=cohort_folder() / "covar.tsv"), alone)
    for folder, wanted in ((both, finished_run().folder), (both / "spike_slab", alone)):
        found, files = contents(folder), contents(wanted)
        kept = [name for name in files if name.endswith(".tsv") or name.startswith("posterior.zarr/")]
        assert len(kept) > 20
        assert {name: found[name] for name in kept} == {name: files[name] for name in kept}
    assert report_html(both / "spike_slab") == report_html(alone)


@pytest.mark.filterwarnings("ignore:Estimated shape parameter")
def test_priors_are_compared_as_arviz_does(both):
    table = bl.open_run(both).priors.set_index("model")
    trees = {"laplace": bl.open_run(both).tree, "spike_slab": bl.open_run(both / "spike_slab").tree}
    wanted = arviz_stats.compare(trees, round_to="none")
    assert list(table.index) == ["laplace", "spike_slab"]
    np.testing.assert_allclose(table["elpd_loo"], wanted.loc[table.index, "elpd"], atol=0.1)  # reff differs
    np.testing.assert_allclose(table["elpd_behind"], wanted.loc[table.index, "elpd_diff"].abs(), atol=0.1)
    assert table["weight"].sum() == pytest.approx(1)
    for model, tree in trees.items():
        shares = bl.open_run(both if model == "laplace" else both / model).shares
        assert table.loc[model, "snp_share"] == pytest.approx(shares.loc["SNP effects", "median"], rel=1e-5)
        assert tree.attrs["model"] == model


def test_the_report_sets_the_windows_side_by_side(both):
    page = (both / "report.html").read_text(encoding="utf-8")
    assert "Priors side by side" in page
    assert 'href="spike_slab/report.html"' in page
    assert "bayes_factor (spike_slab)" in page
    assert verdict(bl.open_run(both).priors) in page.replace("&#39;", "'")
    assert "Priors side by side" not in report_html(finished_run().folder)


def test_draws_are_added_to_every_prior(both, tmp_path):
    more = tmp_path / "more"
    run(settings(model="laplace,spike_slab", draws=40, covar=cohort_folder() / "covar.tsv"), more)
    resume(more, draws=50)
    for name in ("windows.tsv", "spike_slab/windows.tsv", "priors.tsv"):
        assert (more / name).read_bytes() == (both / name).read_bytes()
    with pytest.raises(InputError, match="one prior of the run in"):
        resume(more / "spike_slab", draws=60)


def test_verdicts():
    def said(behind: float, error: float) -> str:
        models = {"model": ["laplace", "spike_slab"], "elpd_behind": [behind, 0.0], "behind_se": [error, 0.0]}
        return verdict(pd.DataFrame(models))

    assert said(40.7, 8.2) == (
        "spike_slab predicts individuals left out better: in elpd laplace is 40.7 (standard error 8.2) behind."
    )
    assert said(4, 3).startswith("Leave-one-out does not tell spike_slab from the others")
    assert "too alike" in said(np.nan, np.nan)


def test_what_is_refused(tmp_path):
    for model, words in (("laplace,lasso", "to be one of"), ("laplace,laplace", "name each once")):
        with pytest.raises(InputError, match=words):
            settings(model=model)
    with pytest.raises(InputError, match="one --model to sample alone"):
        run_sampling(settings(model="laplace,spike_slab"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="several priors"):
        _ = bl.open_run(finished_run().folder).priors

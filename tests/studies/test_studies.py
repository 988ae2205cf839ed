"""Studies: the tables are what the methods say, whatever interrupts them, wherever they run."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from itertools import combinations, pairwise, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import shown
from scipy.stats import norm
from small_run import cohort_folder, contents
from small_study import STUDIES, tables, write_study
from typer.testing import CliRunner

import bayes_lmmlasso as bl
from bayes_lmmlasso.cli import app
from bayes_lmmlasso.plots.studies import differences_figure, dissection_figure
from bayes_lmmlasso.report.tables import read_tsv
from bayes_lmmlasso.studies import cache, read_study
from bayes_lmmlasso.studies import compute as cells_module
from bayes_lmmlasso.studies.cache import code_version, computing_sources
from bayes_lmmlasso.studies.data import load
from bayes_lmmlasso.studies.execution import perform
from bayes_lmmlasso.studies.folder import run_study, study_lines

PACKAGE = Path(bl.__file__).parent.resolve()
GENE = ["chrom", "start", "end"]
PATHS = ("lasso", "lmm-lasso")
COMMAND = Path(sys.executable).with_name("bayes-lmmlasso")


@pytest.fixture
def in_this_process(monkeypatch):
    """Compute cells here: processes take seconds to start. Returns the keys in the order they were computed."""
    computed = []

    def compute(cells, workers):
        for key, cell in cells.items():
            computed.append(key)
            yield key, perform(cell)

    monkeypatch.setattr(cells_module, "compute_on_processes", compute)
    return computed


def test_simulation_tables_are_what_the_methods_say(tmp_path, in_this_process):
    path = write_study(tmp_path / "study.toml", "simulation")
    run_study(path, tmp_path / "out")
    areas = read_tsv(tmp_path / "out" / "areas.tsv")
    cells = read_tsv(tmp_path / "out" / "cells.tsv")
    assert len(cells) == len(areas) == 2 * 3 * 5  # settings, replicates, methods
    assert set(cells["status"]) == {"done"}
    study = read_study(path)
    (name, design), _ = study.settings.designs()
    data = load(study.data, "colour")
    cell = cells_module.KINDS["simulation"].cells(study)[0]
    simulated = bl.cohort.semi_empirical_trait(data.analysis.X, data.analysis.y, design=design, seed=cell.seed)
    y = (simulated.y - simulated.y.mean()) / simulated.y.std()
    scores = bl.compare.BASELINES["lm"](data.analysis.X, y, data.basis, data.analysis.covariates)
    loci = bl.compare.causal_loci(simulated.causal, scores.size, variants=data.analysis.variants, window_kb=10)
    items = loci.items(scores)
    wanted = bl.compare.ranking_curves(items.score, items.positive).average_precision
    first = areas[(areas["setting"] == name) & (areas["replicate"] == 0) & (areas["method"] == "lm")]
    assert first["average_precision"].item() == pytest.approx(wanted, rel=1e-5)  # six digits in the file
    mean = areas[(areas["setting"] == name) & (areas["method"] == "lm")]["average_precision"].mean()
    summary = read_tsv(tmp_path / "out" / "summary.tsv")
    row = summary[
        (summary["setting"] == name) & (summary["method"] == "lm") & (summary["metric"] == "average_precision")
    ]
    assert row["mean"].item() == pytest.approx(mean, rel=1e-5)
    assert row["lo"].item() <= mean <= row["hi"].item()
    answers = read_tsv(tmp_path / "out" / "answers.tsv").set_index(["setting", "method", "reference"])
    assert [pair for _, *pair in answers.index[:3]] == [["lmm-lasso", other] for other in ("lasso", "lmm-p3d", "lm")]
    assert len(answers) == 2 * 3
    by_method = areas[areas["setting"] == name].pivot_table(
        index="replicate", columns="method", values="average_precision"
    )
    for reference in ("lasso", "lmm-p3d", "lm"):
        gap = by_method["lmm-lasso"] - by_method[reference]
        told = answers.loc[(name, "lmm-lasso", reference)]
        assert told["difference"] == pytest.approx(gap.mean(), abs=1e-5)
        assert told["answer"] == ("larger" if told["lo"] > 0 else "smaller" if told["hi"] < 0 else "undecided")
        assert gap.min() - 1e-5 <= told["lo"] <= told["difference"] <= told["hi"] <= gap.max() + 1e-5


def test_prediction_tables_are_those_of_cross_prediction(tmp_path, in_this_process):
    path = write_study(tmp_path / "study.toml", "prediction")
    result = run_study(path, tmp_path / "out")
    accuracy = read_tsv(tmp_path / "out" / "accuracy.tsv").set_index(["trait", "method"])
    folder = cohort_folder()
    seed = cells_module.KINDS["prediction"].cells(read_study(path))[0].seed
    cohort = bl.read_plink(folder / "small", folder / "pheno.tsv", "height")
    rows = bl.compare.cross_predict(cohort, "height", ["blup", "lmm-lasso"], n_folds=3, seed=seed)
    for method, mine in rows.groupby("method"):
        assert accuracy.loc[("height", method), "mse"] == pytest.approx(
            ((mine["y"] - mine["mean"]) ** 2).mean(), rel=1e-5
        )
        assert accuracy.loc[("height", method), "n"] == 58
    traits, won = (read_tsv(tmp_path / "out" / f"{name}.tsv") for name in ("traits", "wins"))
    r2 = accuracy["r2"].unstack("method")
    for row in traits.itertuples():
        wanted = r2.loc[row.trait, row.method] - r2.loc[row.trait, row.reference]
        assert row.difference == pytest.approx(wanted, abs=2e-6)  # six digits in the file
        assert row.lo <= row.difference <= row.hi
    assert list(won["reference"]) == ["lasso", "blup"]
    page = (tmp_path / "out" / "report.html").read_text()
    for sentence in won["conclusion"]:
        assert sentence in page
        assert sentence in study_lines(result)
    assert "published share is 75.0%" in won["conclusion"][0]


def test_selection_tables_count_hits_near_genes(tmp_path, in_this_process):
    path = write_study(tmp_path / "study.toml", "selection")
    run_study(path, tmp_path / "out")
    selected, hits = (read_tsv(tmp_path / "out" / f"{name}.tsv") for name in ("selected", "hits"))
    assert (selected["share"] > 0.3).all()
    genes = pd.read_csv(tmp_path / "genes.tsv", sep="\t", dtype={"chrom": str})
    for row in hits.itertuples():
        mine = selected[(selected["trait"] == row.trait) & (selected["method"] == row.method)]
        assert row.selected == len(mine)
        near = [
            ((genes["chrom"] == chrom) & (genes["start"] - 20_000 <= pos) & (pos <= genes["end"] + 20_000)).any()
            for chrom, pos in mine[["chrom", "pos"]].to_numpy()
        ]
        assert row.hits == sum(near)
    published = read_tsv(tmp_path / "out" / "published.tsv")
    assert list(published["trait"]) == ["colour", "colour"]  # by two methods; the other SNP's chromosome is not here
    assert published["share"].isna().all()  # it is not among the SNPs
    assert set(published["gene"]) == {"G1"}  # shown as it was published
    by_method = read_tsv(tmp_path / "out" / "enrichment.tsv").set_index("method")
    for method, mine in hits.groupby("method"):
        total = by_method.loc[method]
        assert total["selected"] == mine["selected"].sum()
        assert total["hit_share"] == pytest.approx(mine["hits"].sum() / mine["selected"].sum(), rel=1e-5)
        near = selected[(selected["method"] == method) & (selected["distance"] <= 20_000)]
        assert total["genes"] == near["gene"].nunique()
    (gap,) = read_tsv(tmp_path / "out" / "hit_differences.tsv").to_dict("records")
    shares = by_method["hit_share"]
    assert gap["difference"] == pytest.approx(shares["lmm-lasso-stability"] - shares["lasso-stability"], abs=1e-5)
    assert gap["lo"] <= gap["difference"] <= gap["hi"]
    variants = [load(read_study(path).data, trait).analysis.variants for trait in ("height", "colour")]
    snps = pd.concat(variants).drop_duplicates("snp").sort_values(["chrom", "pos"])
    near = np.array(
        [
            any(on == chrom and start - 20_000 <= pos <= end + 20_000 for on, start, end in genes[GENE].to_numpy())
            for chrom, pos in snps[["chrom", "pos"]].to_numpy()
        ]
    )
    for method, mine in selected.groupby("method"):  # all traits are turned together
        places = np.array([np.flatnonzero(snps["snp"] == snp)[0] for snp in mine["snp"]])
        counts = np.array([near[(places + turn) % len(near)].sum() for turn in range(len(near))])
        assert by_method.loc[method, "hits"] == counts[0]
        assert by_method.loc[method, "p_value"] == pytest.approx(np.mean(counts >= counts[0]), abs=1e-5)
    colour = hits[(hits["trait"] == "colour") & (hits["method"] == "lmm-lasso-stability")]
    assert colour[["published_hits", "published_selected"]].to_numpy().tolist() == [[2, 7]]
    assert hits["published_hits"].count() == 1  # nothing is published of the others
    assert by_method.loc["lmm-lasso-stability", "published_hit_share"] == pytest.approx(2 / 7, rel=1e-5)


def test_pairs_of_selected_snps_one_by_one(tmp_path, in_this_process):
    genes = [("3", 180_000, 190_000), ("3", 1_620_000, 1_630_000), ("2", 100, 900)]  # between, near, far
    path = write_study(
        tmp_path / "study.toml", "selection", lambda text: text.replace("window_kb = 20", "window_kb = 50")
    )
    rows = [f"G{place}\t{chrom}\t{start}\t{end}\n" for place, (chrom, start, end) in enumerate(genes)]
    (tmp_path / "genes.tsv").write_text("name\tchrom\tstart\tend\n" + "".join(rows))
    run_study(path, tmp_path / "out")
    selected, pairs, hits = (read_tsv(tmp_path / "out" / f"{name}.tsv") for name in ("selected", "pairs", "hits"))
    expected = []
    for (trait, method, chrom), mine in selected.groupby(["trait", "method", "chrom"], sort=False):
        for a, b in pairwise(sorted(mine["pos"])):
            if b - a <= 60_000:
                own = [(start, end) for on, start, end in genes if on == str(chrom)]
                between = any(start <= b and end >= a for start, end in own)
                near = any(start <= b + 50_000 and end >= a - 50_000 for start, end in own)
                expected.append((trait, method, a, b - a, between, near))
    columns = ["trait", "method", "pos", "distance", "between", "near"]
    assert list(pairs[columns].itertuples(index=False, name=None)) == expected
    assert {(between, near) for *_, between, near in expected} == {(True, True), (False, True), (False, False)}
    assert hits[["pairs", "pairs_near", "pairs_between"]].sum().tolist() == [
        len(expected),
        pairs["near"].sum(),
        pairs["between"].sum(),
    ]
    data = load(read_study(path).data, "colour")
    place = {snp: j for j, snp in enumerate(data.analysis.variants["snp"])}
    for row in pairs[pairs["trait"] == "colour"].itertuples():
        r = np.corrcoef(data.analysis.X[:, place[row.first]], data.analysis.X[:, place[row.second]])[0, 1]
        assert row.r == pytest.approx(r, abs=1e-5)


def test_dissection_tables_are_those_of_the_folds(tmp_path, in_this_process):
    path = write_study(tmp_path / "study.toml", "dissection")
    out = tmp_path / "out"
    run_study(path, out)
    shares = pd.read_csv(out / "shares.tsv", sep="\t").set_index(["method", "samples", "n_active"]).sort_index()
    study = read_study(path)
    cells = cells_module.KINDS["dissection"].cells(study)
    folder = cohort_folder()
    cohort = bl.read_plink(folder / "small", folder / "pheno.tsv", "colour")
    plan = bl.compare.plan_folds(cohort, "colour", n_folds=3, seed=cells[0].seed)
    folds = [bl.compare.prepare_fold(cohort, "colour", plan, label) for label in plan.labels]
    parts = ["snps", "structure", "explained"]
    wanted = bl.compare.dissect_folds(folds, 6)[parts]
    np.testing.assert_allclose(shares.loc[("lmm-lasso", "unseen")][parts], wanted, rtol=1e-5, atol=1e-7)
    fitted = [bl.compare.dissect_fit(fold, 6, structure=False).loc[6, "explained"] for fold in folds]
    assert min(fitted) <= shares.loc[("lasso", "training", 6), "explained"] <= max(fitted)
    best = read_tsv(out / "best.tsv").set_index("method")
    assert list(best.index) == ["lasso", "lmm-lasso"]
    for method, row in best.iterrows():
        curve = shares.loc[(method, "unseen"), "explained"]
        assert row["n_active"] == curve.idxmax()
        assert row["explained"] == curve.max()
        assert row["explained_without_snps"] == curve[0]
    (row,) = read_tsv(out / "reference.tsv").itertuples()
    assert (row.structure_published, row.explained) == (0.3, shares.loc[("lmm-lasso", "unseen", 4), "explained"])
    posterior = read_tsv(out / "posterior.tsv").set_index("part")
    data = load(study.data, "colour")
    rotated = bl.rotate(data.analysis, data.basis)
    tree = bl.sample_posterior(rotated, "spike_slab", chains=1, warmup=5, draws=20, seed=cells[-1].seed)
    pve, pge = (tree["posterior"][name].values for name in ("pve", "pge"))
    for part, draws in (("SNP effects", pve * pge), ("polygenic background", pve * (1 - pge)), ("noise", 1 - pve)):
        assert posterior.loc[part, "median"] == pytest.approx(np.median(draws), rel=1e-4)
    document = shown(out / "report.html")
    for name in ("best", "reference", "posterior", "shares"):
        assert f"<code>{name}.tsv</code>" in document


def test_dissections_are_compared_fold_by_fold(tmp_path, in_this_process):
    path = write_study(tmp_path / "study.toml", "dissection", _without_posterior)
    out = tmp_path / "out"
    result = run_study(path, out)
    cells = cells_module.KINDS["dissection"].cells(read_study(path))
    sums = {method: [cell.run()["sums"]["unseen"] for cell in cells if cell.method.name == method] for method in PATHS}
    total = np.array([fold["total"] for fold in sums["lasso"]])
    parts = {method: np.array([fold["parts"] for fold in folds]).sum(axis=1) for method, folds in sums.items()}

    def explained(rows, method):
        return parts[method][list(rows)].sum(axis=0) / total[list(rows)].sum()

    gaps = np.array(  # of every resample of three folds
        [explained(rows, "lmm-lasso") - explained(rows, "lasso") for rows in product(range(3), repeat=3)]
    )
    table = read_tsv(out / "size_differences.tsv")
    mine = table[(table["method"] == "lmm-lasso") & (table["reference"] == "lasso")].set_index("n_active")
    whole = {method: explained(range(3), method) for method in PATHS}
    np.testing.assert_allclose(mine["difference"], whole["lmm-lasso"] - whole["lasso"], rtol=1e-4, atol=1e-6)
    without_one = np.array(
        [explained(rows, "lmm-lasso") - explained(rows, "lasso") for rows in combinations(range(3), 2)]
    )
    for size, (estimate, *ends) in mine[["difference", "lo", "hi"]].iterrows():
        exact = whole["lmm-lasso"][size] - whole["lasso"][size]
        bias = norm.ppf(np.mean(gaps[:, size] < exact - 1e-9) + 0.5 * np.mean(abs(gaps[:, size] - exact) <= 1e-9))
        lean = without_one[:, size].mean() - without_one[:, size]
        pull = np.sum(lean**3) / (6 * np.sum(lean**2) ** 1.5)
        for value, z in zip(ends, bias + norm.ppf([0.025, 0.975]), strict=True):
            level = norm.cdf(bias + z / (1 - pull * z))
            below, up_to = np.mean(gaps[:, size] < value - 1e-5), np.mean(gaps[:, size] <= value + 1e-5)
            assert below - 0.02 <= level <= up_to + 0.02  # 2,000 resamples do not know the bias exactly
        assert ends[0] <= estimate <= ends[1]
    best = read_tsv(out / "best_differences.tsv").set_index(["method", "reference"])
    top = {method: whole[method].max() for method in PATHS}
    alone = whole["lmm-lasso"][0]
    assert best.loc[("lmm-lasso", "lasso"), "difference"] == pytest.approx(top["lmm-lasso"] - top["lasso"], abs=1e-5)
    assert best.loc[("lasso", "structure alone"), "difference"] == pytest.approx(top["lasso"] - alone, abs=1e-5)
    assert len(result.conclusions) == 3
    assert result.conclusions[0] in (out / "report.html").read_text(encoding="utf-8")


def _without_posterior(text):
    """Return a dissection without its posterior."""
    return text.replace(', "spike_slab"]', "]").replace("[method.spike_slab]\nchains = 1\nwarmup = 5\ndraws = 20\n", "")


def test_the_curves_of_all_panels_are_in_sight():
    table = pd.DataFrame({"n_active": [0, 1], "snps": [0.0, 0.1], "structure": [0.1, 0.2], "explained": [0.1, 0.3]})
    parts = [table.assign(trait=trait, method="lasso", samples="unseen") for trait in "ab"]
    parts[1][["structure", "explained"]] += 0.6
    figure = dissection_figure(pd.concat(parts), "unseen")
    for axes, part in zip(figure.axes, parts, strict=True):
        lo, hi = axes.get_ylim()
        explained, snps, structure, _ = axes.get_lines()
        for line, name in ((explained, "explained"), (snps, "snps"), (structure, "structure")):
            assert line.get_ydata().tolist() == part[name].tolist()
            assert lo <= part[name].min() <= part[name].max() <= hi


def test_differences_stand_in_the_row_of_their_trait():
    table = pd.DataFrame(
        {
            "method": ["lmm-lasso", "lmm-lasso", "laplace"],
            "reference": ["lasso", "lasso", "lmm-lasso"],
            "trait": ["a_1", "b_2", "b_2"],
            "difference": [0.1, -0.2, 0.3],
            "lo": [0.0, -0.3, 0.2],
            "hi": [0.2, -0.1, 0.4],
        }
    )
    for axes, (pair, part) in zip(
        differences_figure(table).axes, table.groupby(["method", "reference"], sort=False), strict=True
    ):
        assert axes.get_title(loc="left") == " - ".join(pair)
        names = [label.get_text() for label in axes.get_yticklabels()]
        points, _ = axes.get_lines()
        assert [names[int(row)] for row in points.get_ydata()] == list(part["trait"])
        assert points.get_xdata().tolist() == list(part["difference"])
        ends = [segment[:, 0].tolist() for segment in axes.collections[0].get_segments()]
        assert ends == part[["lo", "hi"]].to_numpy().tolist()


def test_published_counts_need_two_columns_for_each_method(tmp_path):
    path = write_study(
        tmp_path / "study.toml", "selection", lambda text: text.replace('["trait", "near", "all"]', '["trait"]')
    )
    with pytest.raises(bl.InputError, match="expected 3 names in published_counts_columns, got"):
        read_study(path)


def test_an_extended_study_computes_what_is_new(tmp_path, in_this_process):
    out = tmp_path / "out"
    run_study(write_study(tmp_path / "study.toml", "simulation"), out)
    first = tables(out)
    n = len(in_this_process)
    again = run_study(tmp_path / "study.toml", out)
    assert again.result.n_computed == 0
    assert tables(out) == first
    more = write_study(
        tmp_path / "more.toml", "simulation", lambda text: text.replace("replicates = 3", "replicates = 4")
    )
    assert run_study(more, out).result.n_computed == 2 * 5
    assert len(set(in_this_process)) == len(in_this_process) == n + 2 * 5
    fresh = tmp_path / "fresh"
    run_study(more, fresh)
    assert tables(fresh) == tables(out)


def test_other_data_are_other_cells(tmp_path, in_this_process):
    folder = tmp_path / "cohort"
    folder.mkdir()
    for file in cohort_folder().iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    path = write_study(tmp_path / "study.toml", "selection", lambda text: text.replace(str(cohort_folder()), "cohort"))
    assert run_study(path, tmp_path / "out").result.n_computed == 4
    table = pd.read_csv(folder / "pheno.tsv", sep="\t")
    table.assign(colour=table["colour"] + np.arange(len(table))).to_csv(folder / "pheno.tsv", sep="\t", index=False)
    assert run_study(path, tmp_path / "out").result.n_computed == 2  # of the changed trait alone


def test_a_change_of_code_computes_anew_and_one_of_pages_does_not(tmp_path, monkeypatch):
    copy = tmp_path / "bayes_lmmlasso"
    shutil.copytree(PACKAGE, copy)  # models is a folder in it, as in an installed package
    version = code_version()
    monkeypatch.setattr(cache, "_PACKAGE", copy)
    code_version.cache_clear()
    assert code_version() == version
    for name, changes in (("report/page.py", False), ("models/laplace.py", True), ("compare/loci.py", True)):
        with (copy / name).open("a") as source:
            source.write("# another remark\n")
        code_version.cache_clear()
        assert (code_version() != version) == changes
        version = code_version()
    code_version.cache_clear()


@pytest.mark.parametrize("kind", STUDIES)
def test_keys_know_every_source_that_runs_and_no_pages(kind, tmp_path):
    load.cache_clear()
    rooms, known = [PACKAGE, (PACKAGE / "models").resolve()], {path.resolve() for path in computing_sources()}
    assert not any(path.is_relative_to(PACKAGE / room) for path in known for room in ("report", "plots"))
    seen = set()
    for cell in cells_module.KINDS[kind].cells(read_study(write_study(tmp_path / "study.toml", kind))):
        if (type(cell), cell.method) not in seen:
            seen.add((type(cell), cell.method))
            ran = {path for path in _sources_run(cell) if any(path.is_relative_to(room) for room in rooms)}
            assert PACKAGE / "cohort" / "preparation.py" in ran or len(seen) > 1
            assert ran <= known


def _sources_run(cell):
    """Sources of the functions that are called while a cell runs."""
    seen, tool = set(), sys.monitoring.PROFILER_ID

    def note(code, offset):
        seen.add(code.co_filename)
        return sys.monitoring.DISABLE  # once is enough

    sys.monitoring.use_tool_id(tool, "sources")
    sys.monitoring.register_callback(tool, sys.monitoring.events.PY_START, note)
    sys.monitoring.restart_events()
    sys.monitoring.set_events(tool, sys.monitoring.events.PY_START)
    try:
        cell.run()
    finally:
        sys.monitoring.set_events(tool, 0)
        sys.monitoring.free_tool_id(tool)
    return {Path(name).resolve() for name in seen}


def test_a_failing_cell_is_recorded_and_the_rest_goes_on(tmp_path, monkeypatch, in_this_process):
    def fail(*arguments, **settings):
        raise FloatingPointError("no\nluck")

    monkeypatch.setitem(bl.compare.BASELINES, "lmm-p3d", type(bl.compare.BASELINES["lm"])(fail))
    path = write_study(tmp_path / "study.toml", "simulation")
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["compare", str(path), "--out", str(out), "--replicates", "2"])
    assert done.exit_code == 0, done.output
    assert "20 cells, 20 computed now, 4 failed" in done.stdout
    cells = read_tsv(out / "cells.tsv")
    assert set(cells.loc[cells["status"] == "failed", "method"]) == {"lmm-p3d"}
    assert set(cells.loc[cells["status"] == "failed", "error"]) == {"FloatingPointError: no luck"}
    assert "lmm-p3d" not in set(read_tsv(out / "summary.tsv")["method"])
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "4 of 20 cells failed" in page
    monkeypatch.undo()


def test_the_page_loads_nothing_and_shows_every_table(tmp_path, in_this_process):
    out = tmp_path / "out"
    run_study(write_study(tmp_path / "study.toml", "simulation"), out, changes={"replicates": 2})
    page = (out / "report.html").read_text(encoding="utf-8")
    sources = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: sources.append((tag, dict(attrs)))
    parser.feed(page)
    tags = [tag for tag, _ in sources]
    assert not {"iframe", "object", "embed"} & set(tags)
    assert not [attrs for tag, attrs in sources if tag == "script" and "src" in attrs]
    assert all(attrs["src"].startswith("data:") for tag, attrs in sources if tag == "img")
    record = json.loads((out / "study.json").read_text())
    assert tags.count("img") == len(record["captions"]) == len(list(out.glob("*.png"))) == 4
    assert {"areas.tsv", "cells.tsv", "summary.tsv", "differences.tsv", "curves.tsv"} <= set(record["files"])
    document = shown(out / "report.html")
    for name in ("summary", "differences"):
        assert f"<code>{name}.tsv</code>" in document


BAD = {
    "no TOML": (lambda text: text + "\n= 3", "expected TOML"),
    "unknown kind": (lambda text: text.replace('"simulation"', '"simulations"', 1), "got 'simulations'"),
    "unknown key": (lambda text: "sede = 1\n" + text, "'sede'"),
    "unknown setting": (lambda text: text.replace("replicates", "replicate"), "[simulation]: expected keys among"),
    "text for a number": (lambda text: text.replace("replicates = 3", 'replicates = "3"'), "replicates to be a whole"),
    "no replicates": (lambda text: text.replace("replicates = 3", "replicates = 0"), "replicates of at least 1, got 0"),
    "unknown preset": (lambda text: text.replace("rakitsch2013", "rakitsch2014"), "got 'rakitsch2014'"),
    "half a grid": (lambda text: text.replace("signal = [0.5]", ""), "a grid of signal and structure"),
    "a share above 1": (lambda text: text.replace("signal = [0.5]", "signal = [5]"), "signal between 0 and 1, got 5"),
    "unknown method": (lambda text: text.replace('"lm",', '"lmm",'), "got 'lmm'"),
    "a method twice": (lambda text: text.replace('"lm",', '"lm", "lm",'), "got 'lm'"),
    "unknown setting of a method": (lambda text: text.replace("subsamples", "samples"), "[method.lmm-lasso-stability]"),
    "no traits": (lambda text: text.replace('traits = ["colour"]', "traits = []"), "traits to name at least one"),
    "unknown trait": (lambda text: text.replace("colour", "weight"), "'weight'"),
    "no genotypes": (lambda text: text.replace('small"', 'large"'), "large.bed"),
    "unset variable": (lambda text: text.replace('pheno = "', 'pheno = "$NO_SUCH_PLACE'), "$NO_SUCH_PLACE"),
    "no data": (lambda text: text.replace("bfile", "covar"), "expected genotypes by one of"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_study_is_told_in_one_sentence(case, tmp_path):
    change, words = BAD[case]
    path = write_study(tmp_path / "study.toml", "simulation", change)
    done = CliRunner().invoke(app, ["compare", str(path), "--out", str(tmp_path / "out")])
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert words in line


def test_several_studies_have_a_folder_each(tmp_path, in_this_process):
    first, second = (write_study(tmp_path / f"{name}.toml", "simulation") for name in ("first", "second"))
    out = tmp_path / "out"
    compare = ["compare", "--out", str(out), "--replicates", "1", str(first)]
    same = tmp_path / "first" / "first.toml"
    same.parent.mkdir()
    same.write_text("sede = 1")
    for other, words in ((same, "got first twice"), (tmp_path / "missing.toml", "missing.toml")):
        refused = CliRunner().invoke(app, [*compare, str(other)])
        assert refused.exit_code == 2
        assert words in refused.stderr
        assert not out.exists()
    done = CliRunner().invoke(app, [*compare, str(second)])
    assert done.exit_code == 0, done.output
    assert sorted(folder.name for folder in out.iterdir()) == ["first", "second"]
    assert (out / "first" / "summary.tsv").read_text() == (out / "second" / "summary.tsv").read_text()
    for name in ("first", "second"):
        assert f"report: {out / name / 'report.html'}" in done.stdout


def test_a_folder_of_something_else_is_refused(tmp_path, in_this_process):
    (tmp_path / "thesis.txt").write_text("x")
    path = write_study(tmp_path / "study.toml", "selection")
    with pytest.raises(bl.InputError, match="or that of a study, got"):
        run_study(path, tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "x"


def test_a_killed_study_goes_on_and_a_cluster_with_a_killed_worker_agrees(tmp_path):
    from distributed import LocalCluster

    path = write_study(tmp_path / "study.toml", "prediction")
    whole, out, clustered = tmp_path / "whole", tmp_path / "out", tmp_path / "clustered"
    assert subprocess.run([COMMAND, "compare", path, "--out", whole], capture_output=True, check=False).returncode == 0
    killed = subprocess.Popen([COMMAND, "compare", path, "--out", out, "--workers", "1"], stderr=subprocess.DEVNULL)
    while len(list(out.glob("cells/*/*.json"))) < 5:
        assert killed.poll() is None
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    kept = len(list(out.glob("cells/*/*.json")))
    assert not (out / "cells.tsv").exists()
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        victim = next(iter(cluster.workers.values()))

        def report(stage, done, total, remark=""):
            if done == 4:
                victim.process.process._process.kill()

        run_study(path, clustered, scheduler=cluster.scheduler_address, progress=report)
    assert tables(clustered) == tables(whole)
    resumed = run_study(path, out, workers=1)
    assert resumed.result.n_computed == 18 - kept
    assert 5 <= kept < 18
    assert tables(out) == tables(whole)
    assert contents(out)["report.html"]


def test_a_posterior_is_the_same_bits_in_processes_and_on_a_cluster(tmp_path):
    from distributed import LocalCluster

    path = write_study(tmp_path / "study.toml", "simulation", _posterior_alone)
    processes, clustered = tmp_path / "processes", tmp_path / "clustered"
    run_study(path, processes, workers=1)
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster:
        run_study(path, clustered, scheduler=cluster.scheduler_address)
    kept = sorted((processes / "cells").glob("*/*.json"))
    assert len(kept) == 2
    for file in kept:
        mine, other = (
            json.loads((folder / file.relative_to(processes)).read_text())["result"]
            for folder in (processes, clustered)
        )
        assert 0 < max(mine["share"]) <= 1
        assert mine == other


def _posterior_alone(text):
    """Return a simulation of two traits, ranked by their posterior."""
    return (
        text.replace('"lm", "lmm-p3d", "lasso", "lmm-lasso", "lmm-lasso-stability"', '"spike_slab-pip"')
        .replace("replicates = 3", "replicates = 2")
        .replace('presets = ["rakitsch2013"]', "")
        .replace("[method.lmm-lasso-stability]\nn_active = 5\nsubsamples = 10", "[method.spike_slab-pip]\ndraws = 20")
    )
